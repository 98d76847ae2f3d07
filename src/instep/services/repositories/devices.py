"""MFA devices: those that show codes, and security keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from instep.domain.drift import Sighting, Tracking
from instep.domain.mfa import (
    AssignmentStatus,
    Claimant,
    CodeTries,
    ListedDevice,
    MFADevice,
    PairTries,
    ResyncReceipt,
)
from instep.domain.security_key import SecurityKey


class MFADevices(Protocol):
    def add(self, device: MFADevice) -> None:
        """Raises EntityAlreadyExists ("MFA device already exists.") for a serial number (ignoring case) or seed that is there."""

    def add_many(self, devices: Sequence[MFADevice]) -> None:
        """The same for many at once."""

    def taken(
        self, account_id: str, *, serial_numbers: Collection[str], fingerprints: Collection[str]
    ) -> tuple[set[str], set[str]]:
        """Which of these the account has already (serial numbers compared ignoring case, returned as asked)."""

    def find(self, account_id: str, serial_number: str) -> MFADevice | None:
        """By the exact serial number, without its sightings (`tracking.sightings` is empty)."""

    def sightings(self, device: MFADevice) -> tuple[Sighting, ...]:
        """Oldest first."""

    def held_by(self, account_id: str, holder_id: str, *, after: str | None, limit: int) -> list[ListedDevice]:
        """By serial number."""

    def list_virtual(self, account_id: str, status: AssignmentStatus, *, after: str | None, limit: int) -> list[ListedDevice]:
        """By serial number."""

    def list_hardware(self, account_id: str, *, after: str | None, limit: int) -> list[ListedDevice]:
        """The inventory, by serial number, whoever holds a token or nobody."""

    def all_tracked(self, account_id: str | None) -> list[MFADevice]:
        """Every assigned device, with its sightings, for the server-clock check."""

    def holders(self, account_id: str) -> set[str]:
        """The ids of those who have any."""

    def count_held(self, account_id: str, holder_id: str) -> int: ...

    def count_virtual(self, account_id: str) -> int: ...

    def counts(self, account_id: str) -> tuple[int, int]:
        """How many devices the account has (virtual ones, and hardware tokens that somebody holds), and how many are held."""

    def assign(self, device: MFADevice, holder_id: str, enabled_at: datetime) -> None:
        """Raises EntityAlreadyExists ("MFA Device is already in use.") unless nobody has it at this very moment."""

    def unassign(self, device: MFADevice) -> None:
        """Takes it from its holder; misses and waits end, spent steps, sightings and floor stay."""

    def set_tags(self, device: MFADevice, tags: Mapping[str, str]) -> None: ...

    def delete(self, device: MFADevice) -> None:
        """Raises DeleteConflict ("MFA VirtualDevice in use. Must deactivate first.") while somebody has it."""

    def spent_among(self, device: MFADevice, steps: Collection[int]) -> set[int]: ...

    def spend(self, device: MFADevice, *steps: int, at: datetime) -> None:
        """Use up the codes of `steps`.  Raises InvalidAuthenticationCode(reason="spent") if any of them was used before."""

    def observe(self, device: MFADevice, tracking: Tracking, sighting: Sighting, *, receipt: ResyncReceipt | None = None) -> None:
        """Keep an accepted code and the tracking that follows from it; sightings not in `tracking.sightings` are dropped.

        It was no miss: none counts any longer, of single codes or of pairs.
        """

    def claim_code(self, device: MFADevice, now: datetime, tries: CodeTries) -> bool:
        """Count a try at a single code before it is looked at, in one statement.  False: it is waiting, nothing was counted."""

    def claim_pair(self, device: MFADevice, claimant: Claimant, now: datetime, tries: PairTries, attempt_id: str) -> bool:
        """The same for a pair: bumps the device's revision, then counts.  False when the claimant's hour or day is used up."""

    def sweep(self, *, arrived_before: datetime, limit: int) -> int:
        """Drop spent steps that arrived before then, raising each token's floor over them.  How many went.

        Nothing is accepted further ahead than the widest reach, so a row twice that old is past it by its step as well.
        """


class SecurityKeys(Protocol):
    def add(self, key: SecurityKey) -> None:
        """Raises EntityAlreadyExists ("MFA device already exists.") for a serial number or a credential that is there."""

    def find(self, account_id: str, serial_number: str) -> SecurityKey | None:
        """By the exact serial number."""

    def of_holder(self, account_id: str, holder_id: str) -> list[SecurityKey]:
        """By serial number."""

    def holders(self, account_id: str) -> set[str]:
        """The ids of those who have any."""

    def count(self, account_id: str) -> int: ...

    def count_held(self, account_id: str, holder_id: str) -> int: ...

    def record_use(self, key: SecurityKey, *, sign_count: int, at: datetime) -> None:
        """Raises Conflict when it was used or deleted in the meantime: no two answers go by one counter."""

    def delete(self, key: SecurityKey) -> None: ...
