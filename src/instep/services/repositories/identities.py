"""Accounts and who is in them: users, groups, roles, their keys, passwords and sign-ins."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from instep.domain.credential_report import CredentialReport
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
from instep.domain.mfa import (
    CodeTries,
)
from instep.domain.password_policy import PasswordPolicy
from instep.domain.sign_in import Failures, PasswordTries, Session


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
