"""The operator's and the user's commands."""
