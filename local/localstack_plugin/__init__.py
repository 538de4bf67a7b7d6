"""The only code that knows LocalStack's Lambda internals."""
