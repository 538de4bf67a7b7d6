"""The Lambda Runtime API (2018-06-01), one endpoint per function process."""
