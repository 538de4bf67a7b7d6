"""Load: many videos at once, by Locust; `python -m tests.load`, or `./millrace bench load`."""
