"""Signing in to the console: the password step, and the operations that follow it."""
