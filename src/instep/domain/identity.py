"""Who there is: accounts, root users, IAM users, access keys, and the principal behind a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from instep.domain import arn


class KeyStatus(StrEnum):
    ACTIVE = "Active"
    INACTIVE = "Inactive"


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str
    alias: str | None
    created_at: datetime
    revision: int = 0


@dataclass(frozen=True, slots=True)
class RootUser:
    """The owner of an account.  Holds keys and devices under the account's id."""

    account_id: str
    email: str
    password_hash: str = field(repr=False)
    created_at: datetime
    password_last_used: datetime | None = None

    @property
    def arn(self) -> str:
        return arn.root_arn(self.account_id)


@dataclass(frozen=True, slots=True)
class User:
    """An IAM user.  `user_id` outlives renaming and is never given twice; names are unique ignoring case."""

    account_id: str
    user_id: str
    user_name: str
    path: str
    created_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    password_last_used: datetime | None = None
    revision: int = 0

    @property
    def arn(self) -> str:
        return arn.user_arn(self.account_id, self.path, self.user_name)


@dataclass(frozen=True, slots=True)
class KeyUse:
    at: datetime
    service: str
    region: str


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A long-term key.  `holder_id` is the user's id, or the account's for the root user."""

    account_id: str
    access_key_id: str
    holder_id: str
    sealed_secret: bytes = field(repr=False)
    status: KeyStatus
    created_at: datetime
    last_use: KeyUse | None = None
    revision: int = 0

    @property
    def of_root(self) -> bool:
        return self.holder_id == self.account_id


class PrincipalKind(StrEnum):
    """As in the audit trail's userIdentity.type; an operator works on the server itself, beside every policy."""

    ROOT = "Root"
    USER = "IAMUser"
    OPERATOR = "Operator"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose request it is, and how they proved it.

    `holder_id` is what their keys and devices hang on: the user's id, or the account's id for the root user.
    `mfa_present` is None for long-term keys, which cannot say; `mfa_at` is when the code was checked.
    """

    kind: PrincipalKind
    account_id: str
    holder_id: str
    arn: str
    user_name: str | None = None
    access_key_id: str | None = None
    temporary: bool = False
    issued_at: datetime | None = None
    mfa_present: bool | None = None
    mfa_at: datetime | None = None

    @classmethod
    def root(cls, account_id: str, access_key_id: str | None = None) -> Principal:
        return cls(PrincipalKind.ROOT, account_id, account_id, arn.root_arn(account_id), access_key_id=access_key_id)

    @classmethod
    def operator(cls, account_id: str) -> Principal:
        """Somebody with a shell on the server, through one of the `instep` commands."""
        return cls(PrincipalKind.OPERATOR, account_id, f"{account_id}:operator", f"arn:aws:iam::{account_id}:operator")

    @classmethod
    def user(cls, user: User, access_key_id: str | None = None) -> Principal:
        return cls(PrincipalKind.USER, user.account_id, user.user_id, user.arn, user.user_name, access_key_id)
