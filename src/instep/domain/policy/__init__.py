"""Policies: read strictly, compiled once, and evaluated without I/O (IAM User Guide, "Policy evaluation logic")."""
