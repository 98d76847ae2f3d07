"""The two exceptions outside AWS's vocabulary: something of ours is broken, or the database asks to try again."""

from __future__ import annotations


class Fault(Exception):
    """Ours to mend: a full disk, a wrong key, a damaged row.  Becomes `ServiceFailure`, 500, on the wire.

    `message` is for the operator: it says what to do and holds no code, seed, key or password.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnknownOutcome(Fault):
    """The database failed while it was committing: the change may have been kept or not, so it is never repeated blindly."""


class Conflict(Exception):
    """Somebody else was there first, or no turn came before the deadline; the same work may well succeed a moment later."""
