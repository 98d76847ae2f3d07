"""What the use cases need from outside: a transaction with its repositories, a store that runs them, and a vault.

Repositories turn rows into domain dataclasses and back.  They hold no rules, but the database alone can say that something is
unique or was written in the meantime, so those refusals are raised below, in AWS's words where these are always the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from instep.domain.audit_event import AuditEvent
from instep.services.repositories.devices import MFADevices, SecurityKeys
from instep.services.repositories.identities import AccessKeys, Accounts, Groups, LoginProfiles, Roles, SignIns, Users
from instep.services.repositories.policies import InlinePolicies, ManagedPolicies

T = TypeVar("T")


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
    def groups(self) -> Groups: ...
    @property
    def roles(self) -> Roles: ...
    @property
    def inline_policies(self) -> InlinePolicies: ...
    @property
    def managed_policies(self) -> ManagedPolicies: ...
    @property
    def login_profiles(self) -> LoginProfiles: ...
    @property
    def mfa_devices(self) -> MFADevices: ...
    @property
    def security_keys(self) -> SecurityKeys: ...
    @property
    def sign_ins(self) -> SignIns: ...
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

    def seal_message(self, account_id: str, message: bytes) -> str:
        """For a client to carry: it opens for the same account only."""

    def open_message(self, account_id: str, sealed: str) -> bytes:
        """Raises ValueError for anything that was not sealed here for this account."""

    def open_session_token(self, session_token: str) -> bytes:
        """Raises ValueError for anything that was not sealed here."""
