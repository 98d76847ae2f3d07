"""Where the dots of a drift picture go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# The axis ends at the first of these that holds everything: 5 steps are minutes, 2880 a day, 20160 a week.
_ENDS = (5, 10, 25, 50, 100, 250, 500, 1000, 2880, 10_000, 20_160)
_NARROWEST_BAND = 1.5  # percent of the axis


class Sync(StrEnum):
    """How a device's clock stands; a security key has none."""

    IN_SYNC = "in-sync"
    DRIFTING = "drifting"
    OUT_OF_SYNC = "out-of-sync"
    NEVER_USED = "never-used"
    TIMELESS = "timeless"


@dataclass(frozen=True, slots=True)
class Observation:
    """One code that a device was seen to show.  `event` is said in the reader's language; `seconds` is device minus server."""

    at: datetime
    event: str
    steps: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftPicture:
    """A device's drift on an axis of time steps, device minus server.

    `before` is where it stood before a resync; `behind` and `ahead`, how many steps off a code is still taken at sign-in.
    """

    steps: int
    seconds: float
    state: Sync
    behind: int
    ahead: int
    before: int | None = None
    observations: Sequence[Observation] = ()

    @property
    def end(self) -> int:
        """How many steps the axis goes each way."""
        farthest = max(abs(self.steps), abs(self.before or 0), self.behind, self.ahead)
        return next((end for end in _ENDS if end >= farthest), farthest)

    @property
    def band(self) -> tuple[float, float]:
        """Left edge and width of what is taken at sign-in, in percent of the axis."""
        left, right = self.place(-self.behind - 0.5), self.place(self.ahead + 0.5)
        missing = max(0.0, _NARROWEST_BAND - (right - left)) / 2
        return round(left - missing, 2), round(right - left + 2 * missing, 2)

    def place(self, steps: float) -> float:
        """Where on the axis so many steps are, in percent from its left."""
        return round(50 + 50 * max(-1.0, min(1.0, steps / self.end)), 2)
