"""The clips of the tests: two real ones in `clips`, the awkward ones made by `matrix`."""
