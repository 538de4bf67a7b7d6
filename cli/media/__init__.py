"""The commands for files on this machine: no cloud, no account, nothing of AWS."""
