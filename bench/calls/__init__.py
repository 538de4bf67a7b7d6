"""Calls measured: `python -m bench.calls` (paths and delays), `python -m bench.calls.rooms` (many
rooms at once)."""
