"""What the use cases need from outside: a transaction with its repositories, a store that runs them, and a vault.

Repositories turn rows into domain dataclasses and back.  They hold no rules, but the database alone can say that something is
unique or was written in the meantime, so those refusals are raised below, in AWS's words where these are always the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from instep.domain.audit_event import AuditEvent
from instep.domain.drift import Sighting, Tracking
from instep.domain.identity import AccessKey, Account, KeyStatus, KeyUse, RootUser, User
from instep.domain.mfa import (
    AssignmentStatus,
    Claimant,
    CodeTries,
    ListedDevice,
    MFADevice,
    PairTries,
    ResyncReceipt,
)

T = TypeVar("T")


class Accounts(Protocol):
    def add(self, account: Account, root: RootUser) -> None:
        """Raises EntityAlreadyExists for an account id, alias or root e-mail that is taken anywhere in the installation."""

    def find(self, account_id: str) -> Account | None: ...

    def find_by_alias(self, alias: str) -> Account | None: ...

    def all(self) -> list[Account]:
        """By account id."""

    def root_of(self, account_id: str) -> RootUser | None: ...

    def set_alias(self, account_id: str, alias: str | None) -> None:
        """Raises EntityAlreadyExists ("The account alias X already exists.") when another account has it."""

    def touch(self, account_id: str) -> None:
        """Bump the revision: what is checked and then written below this account gets in line."""


class Users(Protocol):
    """All within one account; names are looked up ignoring case."""

    def add(self, user: User) -> None:
        """Raises EntityAlreadyExists ("User with name X already exists.")."""

    def find(self, account_id: str, user_name: str) -> User | None: ...

    def find_by_id(self, account_id: str, user_id: str) -> User | None: ...

    def find_many(self, account_id: str, user_ids: Collection[str]) -> dict[str, User]: ...

    def list(self, account_id: str, *, path_prefix: str, after: str | None, limit: int) -> list[User]:
        """By name ignoring case, strictly after the name `after`; `path_prefix` is plain text, no pattern."""

    def count(self, account_id: str) -> int: ...

    def rename(self, user: User, *, user_name: str, path: str) -> None:
        """Raises EntityAlreadyExists as `add`; Conflict when `user` is no longer the newest revision."""

    def set_tags(self, user: User, tags: Mapping[str, str]) -> None: ...

    def touch(self, user: User) -> None: ...

    def delete(self, user: User) -> None: ...


class AccessKeys(Protocol):
    def add(self, key: AccessKey) -> None: ...

    def find(self, access_key_id: str) -> AccessKey | None:
        """Wherever in the installation it is: a request names no account."""

    def find_with_holder(self, access_key_id: str) -> tuple[AccessKey, User | None] | None:
        """One SELECT, as every signed request needs it.  The user is None for a root key."""

    def list(self, account_id: str, holder_id: str, *, after: str | None, limit: int) -> list[AccessKey]:
        """By creation, then by id; `after` is the id of the last one seen."""

    def count(self, account_id: str, holder_id: str) -> int: ...

    def set_status(self, key: AccessKey, status: KeyStatus) -> None: ...

    def delete(self, key: AccessKey) -> None: ...

    def record_use(self, uses: Mapping[str, KeyUse]) -> None:
        """By access key id; never turns a later use back to an earlier one."""


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


class AuditEvents(Protocol):
    def append(self, events: Sequence[AuditEvent]) -> None: ...

    def page(self, account_id: str | None, *, after: tuple[datetime, str] | None, limit: int) -> list[AuditEvent]:
        """Oldest first, strictly after the given time and event id."""

    def latest(self, account_id: str | None, *, limit: int) -> list[AuditEvent]:
        """The newest `limit`, oldest of them first."""

    def sweep(self, *, before: datetime, limit: int) -> int: ...


class Transaction(Protocol):
    @property
    def accounts(self) -> Accounts: ...
    @property
    def users(self) -> Users: ...
    @property
    def access_keys(self) -> AccessKeys: ...
    @property
    def mfa_devices(self) -> MFADevices: ...
    @property
    def audit_events(self) -> AuditEvents: ...

    def savepoint(self) -> AbstractContextManager[None]:
        """What is written inside is undone when an exception leaves it."""


class Store(Protocol):
    """Runs one function as one transaction, again as a whole when the database asks for it; hence `work` has no other effects."""

    def read(self, work: Callable[[Transaction], T]) -> T: ...

    def write(self, work: Callable[[Transaction], T], *, durable: bool = True) -> T:
        """Durable once it returns.  Raises Fault when the outcome is unknown or the disk is full.

        Without `durable` a power cut may take it back: for counts, which do not have to wait for the disk.
        """


class Vault(Protocol):
    def __hash__(self) -> int: ...

    def seal(self, plaintext: bytes, *, table: str, column: str, row: str) -> bytes: ...

    def open(self, sealed: bytes, *, table: str, column: str, row: str) -> bytes:
        """Raises Fault for anything not sealed for this very place with this key."""

    def fingerprint(self, data: bytes) -> str:
        """The same text for the same data, and no way back."""

    def seal_session_token(self, claims: bytes) -> str: ...

    def open_session_token(self, session_token: str) -> bytes:
        """Raises ValueError for anything that was not sealed here."""
