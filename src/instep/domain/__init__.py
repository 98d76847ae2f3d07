"""The rules: no I/O, no clock, no randomness; everything is passed in and returned."""
