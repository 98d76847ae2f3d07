"""A software token with a clock of its own, to practise and to test with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from instep.domain.totp import Token, UnusableToken, read_algorithm, read_period

FARTHEST = timedelta(days=3650)

_VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PracticeDevice:
    """Shows the codes of `token` at its own time: that of the caller plus `drift` (below zero: it is slow).

    Raises UnusableToken for a drift of more than ten years.
    """

    name: str
    token: Token = field(repr=False)
    drift: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        if abs(self.drift) > FARTHEST:
            raise UnusableToken("A practice device is at most ten years off.")

    def step(self, now: datetime) -> int:
        """The time step it is in, by its own clock."""
        return self.token.time_step(now + self.drift)

    def code(self, now: datetime) -> str:
        """What it shows."""
        return self.token.code(self.step(now))

    def next_code(self, now: datetime) -> str:
        """What it will show after that."""
        return self.token.code(self.step(now) + 1)

    def seconds_left(self, now: datetime) -> int:
        """How long the code it shows still lives: from the period down to 1, begun seconds counting whole."""
        ends = _EPOCH + timedelta(seconds=(self.step(now) + 1) * self.token.period)
        return math.ceil((ends - now - self.drift).total_seconds())

    def to_dict(self) -> dict[str, object]:
        """For a JSON file.  It holds the seed: keep it where only its owner reads."""
        return {
            "version": _VERSION,
            "name": self.name,
            "secret": self.token.base32,
            "algorithm": str(self.token.algorithm),
            "period": self.token.period,
            "drift_seconds": self.drift.total_seconds(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> PracticeDevice:
        """The device that `to_dict` wrote.  Raises UnusableToken for anything else."""
        if data.get("version") != _VERSION:
            raise UnusableToken("This is not a practice device of a version known here.")
        match data:
            case {
                "name": str(name),
                "secret": str(secret),
                "algorithm": str(algorithm),
                "period": int(period),
                "drift_seconds": int() | float() as seconds,
            }:
                token = Token.from_base32(secret, algorithm=read_algorithm(algorithm), period=read_period(str(period)))
            case _:
                raise UnusableToken("This practice device lacks something, or holds something else in its place.")
        try:
            drift = timedelta(seconds=seconds)
        except (OverflowError, ValueError):
            raise UnusableToken("The drift of this practice device is no length of time.") from None
        return cls(name, token, drift)
