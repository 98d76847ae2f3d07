"""The use cases: one function per operation, all reached through the gate."""
