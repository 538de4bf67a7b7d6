"""Lambda functions as processes of this machine. Knows the Runtime API, not who calls it."""
