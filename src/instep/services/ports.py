"""What the use cases need from outside: a transaction with its repositories, a store that runs them, and a vault.

Repositories turn rows into domain dataclasses and back.  They hold no rules, but the database alone can say that something is
unique or was written in the meantime, so those refusals are raised below, in AWS's words where these are always the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from instep.domain.audit_event import AuditEvent
from instep.domain.credential_report import CredentialReport
from instep.domain.drift import Sighting, Tracking
from instep.domain.identity import (
    AccessKey,
    Account,
    Group,
    KeyStatus,
    KeyUse,
    LoginProfile,
    Role,
    RoleUse,
    RootUser,
    User,
)
from instep.domain.managed_policy import InlinePolicy, ManagedPolicy, PolicyVersion
from instep.domain.mfa import (
    AssignmentStatus,
    Claimant,
    CodeTries,
    ListedDevice,
    MFADevice,
    PairTries,
    ResyncReceipt,
)
from instep.domain.password_policy import PasswordPolicy
from instep.domain.security_key import SecurityKey
from instep.domain.sign_in import Failures, PasswordTries, Session

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

    def set_guard_policy(self, account_id: str, document: str | None) -> None: ...

    def policies_revision(self, account_id: str) -> int:
        """Goes up with every change of what anybody in the account may do; one quick SELECT."""

    def password_policy(self, account_id: str) -> PasswordPolicy | None: ...

    def set_password_policy(self, account_id: str, policy: PasswordPolicy | None) -> None: ...


class Users(Protocol):
    """All within one account; names are looked up ignoring case."""

    def add(self, user: User) -> None:
        """Raises EntityAlreadyExists ("User with name X already exists.")."""

    def find(self, account_id: str, user_name: str) -> User | None: ...

    def find_by_id(self, account_id: str, user_id: str) -> User | None: ...

    def find_many(self, account_id: str, user_ids: Collection[str]) -> dict[str, User]: ...

    def count(self, account_id: str) -> int: ...

    def rename(self, user: User, *, user_name: str, path: str) -> None:
        """Raises EntityAlreadyExists as `add`; Conflict when `user` is no longer the newest revision."""

    def set_tags(self, user: User, tags: Mapping[str, str]) -> None: ...

    def set_permissions_boundary(self, user: User, policy_arn: str | None) -> None: ...

    def within_boundary(self, account_id: str, policy_arn: str) -> list[User]:
        """Those whose permissions boundary it is, by name."""

    def touch(self, user: User) -> None: ...

    def delete(self, user: User) -> None: ...

    def list(self, account_id: str, *, path_prefix: str, after: str | None, limit: int) -> list[User]:
        """By name ignoring case, strictly after the name `after`; `path_prefix` is plain text, no pattern."""


class Groups(Protocol):
    """All within one account; names are looked up ignoring case."""

    def add(self, group: Group) -> None:
        """Raises EntityAlreadyExists ("Group with name X already exists.")."""

    def find(self, account_id: str, group_name: str) -> Group | None: ...

    def find_many(self, account_id: str, group_ids: Collection[str]) -> dict[str, Group]: ...

    def count(self, account_id: str) -> int: ...

    def rename(self, group: Group, *, group_name: str, path: str) -> None:
        """Raises EntityAlreadyExists as `add`; Conflict when `group` is no longer the newest revision."""

    def touch(self, group: Group) -> None: ...

    def delete(self, group: Group) -> None: ...

    def add_member(self, group: Group, user_id: str) -> None:
        """Nothing happens when the user is in it."""

    def remove_member(self, group: Group, user_id: str) -> None:
        """Nothing happens when the user is not in it."""

    def members(self, group: Group, *, after: str | None, limit: int) -> list[User]:
        """By name ignoring case, strictly after the name `after`."""

    def of_user(self, account_id: str, user_id: str) -> list[Group]:
        """By name ignoring case."""

    def names_of_users(self, account_id: str, user_ids: Collection[str]) -> list[tuple[str, str]]:
        """Ids of those of these users who are in groups, each with the name of one, by name ignoring case."""

    def list(self, account_id: str, *, path_prefix: str, after: str | None, limit: int) -> list[Group]:
        """By name ignoring case, strictly after the name `after`."""


class Roles(Protocol):
    """All within one account; names are looked up ignoring case."""

    def add(self, role: Role) -> None:
        """Raises EntityAlreadyExists ("Role with name X already exists.")."""

    def find(self, account_id: str, role_name: str) -> Role | None: ...

    def find_by_id(self, account_id: str, role_id: str) -> Role | None: ...

    def find_many(self, account_id: str, role_ids: Collection[str]) -> dict[str, Role]: ...

    def count(self, account_id: str) -> int: ...

    def describe(self, role: Role, *, description: str | None, max_session_duration: timedelta) -> None: ...

    def set_trust_policy(self, role: Role, document: str) -> None: ...

    def set_tags(self, role: Role, tags: Mapping[str, str]) -> None: ...

    def set_permissions_boundary(self, role: Role, policy_arn: str | None) -> None: ...

    def within_boundary(self, account_id: str, policy_arn: str) -> list[Role]:
        """Those whose permissions boundary it is, by name."""

    def record_use(self, uses: Mapping[tuple[str, str], RoleUse]) -> None:
        """By account id and role id; never turns a later use back to an earlier one."""

    def touch(self, role: Role) -> None: ...

    def delete(self, role: Role) -> None: ...

    def list(self, account_id: str, *, path_prefix: str, after: str | None, limit: int) -> list[Role]:
        """By name ignoring case, strictly after the name `after`."""


class InlinePolicies(Protocol):
    """`owner_id` is the unique id of a user, group or role.  Names differ by case."""

    def put(self, account_id: str, policy: InlinePolicy) -> None:
        """In the place of the one of this name, if there is one."""

    def find(self, account_id: str, owner_id: str, policy_name: str) -> InlinePolicy | None: ...

    def of(self, account_id: str, owner_ids: Collection[str]) -> list[InlinePolicy]:
        """All of these owners', by owner id and name."""

    def delete(self, account_id: str, owner_id: str, policy_name: str) -> bool:
        """False when there is none."""


class ManagedPolicies(Protocol):
    """The account's own policies and what is attached to whom; those that AWS manages are in no table, yet attached by ARN."""

    def add(self, policy: ManagedPolicy, document: str) -> None:
        """With its version 1.

        Raises EntityAlreadyExists ("A policy called X already exists. Duplicate names are not allowed.").
        """

    def find(self, account_id: str, policy_arn: str) -> ManagedPolicy | None:
        """By the exact ARN."""

    def count(self, account_id: str) -> int: ...

    def count_versions(self, account_id: str) -> int:
        """Of all the account's policies."""

    def versions(self, policy: ManagedPolicy) -> list[PolicyVersion]:
        """Newest first."""

    def version(self, policy: ManagedPolicy, number: int) -> PolicyVersion | None: ...

    def default_documents(self, account_id: str, policy_arns: Collection[str]) -> dict[str, str]:
        """The document in force of each of these that the account has, by ARN."""

    def add_version(self, policy: ManagedPolicy, version: PolicyVersion, *, as_default: bool) -> None:
        """`version.number` becomes the newest."""

    def set_default_version(self, policy: ManagedPolicy, number: int) -> None: ...

    def delete_version(self, policy: ManagedPolicy, number: int) -> None: ...

    def set_tags(self, policy: ManagedPolicy, tags: Mapping[str, str]) -> None: ...

    def touch(self, policy: ManagedPolicy) -> None: ...

    def delete(self, policy: ManagedPolicy) -> None:
        """With all its versions."""

    def attach(self, account_id: str, owner_id: str, policy_arn: str) -> None:
        """Nothing happens when it is attached."""

    def detach(self, account_id: str, owner_id: str, policy_arn: str) -> bool:
        """False when it is not attached."""

    def attached_to(self, account_id: str, owner_ids: Collection[str]) -> list[tuple[str, str]]:
        """Owner ids and policy ARNs, by both."""

    def owners_of(self, account_id: str, policy_arn: str) -> list[str]:
        """The ids of those it is attached to, in order."""

    def attachment_counts(self, account_id: str) -> dict[str, int]:
        """By policy ARN, of those that are attached at all."""

    def boundary_counts(self, account_id: str) -> dict[str, int]:
        """By policy ARN, how many users and roles have it as their permissions boundary, of those that any has."""

    def list(self, account_id: str, *, path_prefix: str, after: str | None, limit: int) -> list[ManagedPolicy]:
        """By name ignoring case, strictly after the name `after`."""


class LoginProfiles(Protocol):
    def add(self, profile: LoginProfile) -> None:
        """Raises EntityAlreadyExists ("Login Profile for user X already exists.", X being the user's name)."""

    def find(self, account_id: str, user_id: str) -> LoginProfile | None: ...

    def all(self, account_id: str) -> dict[str, LoginProfile]:
        """By user id."""

    def change(self, profile: LoginProfile, *, password_hash: str, changed_at: datetime, reset_required: bool) -> None:
        """Keeps the password that it had among the old ones.  Raises Conflict when it is no longer the newest revision."""

    def set_reset_required(self, profile: LoginProfile, reset_required: bool) -> None: ...

    def claim(self, profile: LoginProfile, now: datetime, tries: CodeTries) -> bool:
        """Count a try at the password before it is looked at.  False: it is waiting, nothing was counted.

        It waits, but never stops.  A changed password begins anew.
        """

    def old_hashes(self, account_id: str, user_id: str, *, limit: int) -> list[str]:
        """Of passwords that were in use before, newest first."""

    def delete(self, profile: LoginProfile) -> None:
        """Its password stays among the old ones."""

    def report(self, account_id: str) -> CredentialReport | None: ...

    def keep_report(self, account_id: str, report: CredentialReport) -> None:
        """In the place of the one before."""


class AccessKeys(Protocol):
    def add(self, key: AccessKey) -> None: ...

    def find(self, access_key_id: str) -> AccessKey | None:
        """Wherever in the installation it is: a request names no account."""

    def find_with_holder(self, access_key_id: str) -> tuple[AccessKey, User | None] | None:
        """One SELECT, as every signed request needs it.  The user is None for a root key."""

    def all(self, account_id: str) -> dict[str, list[AccessKey]]:
        """By holder id, then by creation and id."""

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


class SignIns(Protocol):
    def add(self, session: Session) -> None: ...

    def find(self, session_key: str) -> Session | None:
        """By the fingerprint of the id in the cookie, which names no account."""

    def find_by_key(self, account_id: str, access_key_id: str) -> Session | None: ...

    def put(self, session: Session) -> None:
        """As it is now, in the place of what it was at its revision.  Raises Conflict when it was changed or ended since."""

    def seen(self, session: Session, now: datetime) -> None:
        """Not a change that anything depends on; never turned back."""

    def keep_challenge(self, session: Session, sealed: bytes, at: datetime) -> None:
        """In the place of one kept before.  Raises Conflict when the session ended."""

    def take_challenge(self, session: Session) -> tuple[bytes, datetime] | None:
        """The one kept, which is there no longer, and since when.  Raises Conflict when another answer took it first."""

    def end(self, session: Session) -> None: ...

    def end_all(self, account_id: str, holder_id: str) -> int:
        """Every session of a user or the root user.  How many ended."""

    def claim_password(self, keys: Collection[str], now: datetime, tries: PasswordTries) -> Mapping[str, Failures] | datetime:
        """Count a try under each of `keys` before it is looked at.

        What is counted now, by key; or, when any of them is waiting, until when (the latest), and nothing was counted.
        """

    def clear_failures(self, key: str) -> None:
        """The password of that name was right: none counts any longer."""

    def take_back(self, key: str, counted: Failures) -> None:
        """That try was no failure; the others stay counted."""

    def root_by_email(self, email: str) -> RootUser | None:
        """Whichever account it is of."""

    def password_used(self, account_id: str, holder_id: str, at: datetime) -> None:
        """Never turns a later use back to an earlier one."""

    def sweep(self, *, now: datetime, failed_before: datetime, limit: int) -> int:
        """Drop sessions that are over, and failures from before then.  How many rows went."""


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
