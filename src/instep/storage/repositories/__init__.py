"""One repository per aggregate: rows to domain dataclasses and back, and no rules."""
