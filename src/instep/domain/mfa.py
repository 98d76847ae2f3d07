"""MFA devices that show codes: virtual ones made here and hardware tokens imported by an operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from instep.domain.drift import Tracking


class DeviceKind(StrEnum):
    VIRTUAL = "virtual"
    HARDWARE = "hardware"


class Claimant(StrEnum):
    """Whose tries at a pair are counted together: the device's own holder, or anyone else with the permission."""

    OWNER = "owner"
    OTHER = "other"


class AssignmentStatus(StrEnum):
    ASSIGNED = "Assigned"
    UNASSIGNED = "Unassigned"
    ANY = "Any"


@dataclass(frozen=True, slots=True)
class Misses:
    """Consecutive refused single codes, and when the next one is looked at (None: at once)."""

    codes: int = 0
    next_code_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ResyncReceipt:
    """The last resync, so that a client repeating the very same request is told the same (SDKs repeat after a lost answer).

    `by` is the access key or console session; `step` the second code's time step.
    """

    by: str
    at: datetime
    step: int


@dataclass(frozen=True, slots=True)
class MFADevice:
    """One TOTP device.

    `holder_id` is the user's id, the account's id for the root user's own device, or None while nobody has it.
    `token_id` names the seed: spent steps, sightings and tries hang on it and survive reassignment.
    `sealed_token` opens, with the vault, to a `totp.Token`.
    """

    account_id: str
    serial_number: str
    kind: DeviceKind
    token_id: str
    sealed_token: bytes = field(repr=False)
    seed_fingerprint: str = field(repr=False)
    created_at: datetime
    tracking: Tracking
    holder_id: str | None = None
    enabled_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    misses: Misses = Misses()
    receipt: ResyncReceipt | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class ListedDevice:
    """A device as the lists show it; `holder_id` and `enabled_at` are None while nobody has it."""

    serial_number: str
    kind: DeviceKind
    holder_id: str | None
    enabled_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CodeTries:
    """How refused single codes slow a device down.

    After `free` consecutive misses the next try waits `first_wait`, doubling up to `longest_wait`; at `stop_after` the device
    stops until somebody else resynchronizes it, or it is deactivated and enabled.
    """

    free: int
    first_wait: timedelta
    longest_wait: timedelta
    stop_after: int

    def wait_after(self, misses: int) -> timedelta:
        if misses < self.free:
            return timedelta(0)
        # Bounded before it is doubled: 2**90 seconds is no timedelta.
        doublings = min(misses - self.free, 32)
        return min(self.first_wait * (1 << doublings), self.longest_wait)


@dataclass(frozen=True, slots=True)
class PairTries:
    """How many failed pairs a device takes from one kind of claimant."""

    per_hour: int
    per_day: int
