"""Measurements: speed and quality of what the engine makes. Nothing here is needed to run it."""
