"""The command line: starts and looks after the one-machine cloud."""
