"""Who there is: accounts, root users, IAM users, groups, roles, access keys, and the principal behind a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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
    guard_policy: str | None = None
    """The ceiling that the installation's operator set: what it does not allow, nobody in the account may do, the root user
    included.  The text of a policy document."""


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
    permissions_boundary: str | None = None
    """A managed policy's ARN."""

    @property
    def arn(self) -> str:
        return arn.user_arn(self.account_id, self.path, self.user_name)


@dataclass(frozen=True, slots=True)
class Group:
    """Users with policies in common; names are unique ignoring case."""

    account_id: str
    group_id: str
    group_name: str
    path: str
    created_at: datetime
    revision: int = 0

    @property
    def arn(self) -> str:
        return arn.group_arn(self.account_id, self.path, self.group_name)


@dataclass(frozen=True, slots=True)
class Role:
    """What others may become for a while.  `role_id` is never given twice; names are unique ignoring case.

    `trust_policy` names users and roles by their unique ids: whoever is made again under a trusted name is not trusted.
    """

    account_id: str
    role_id: str
    role_name: str
    path: str
    created_at: datetime
    trust_policy: str
    max_session_duration: timedelta
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    permissions_boundary: str | None = None
    last_use: RoleUse | None = None
    revision: int = 0

    @property
    def arn(self) -> str:
        return arn.role_arn(self.account_id, self.path, self.role_name)


@dataclass(frozen=True, slots=True)
class RoleUse:
    at: datetime
    region: str


@dataclass(frozen=True, slots=True)
class LoginProfile:
    """A user's password.  `changed_at` is when this password was set."""

    account_id: str
    user_id: str
    password_hash: str = field(repr=False)
    created_at: datetime
    changed_at: datetime
    reset_required: bool = False
    revision: int = 0


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
    ROLE = "AssumedRole"
    FEDERATED = "FederatedUser"
    OPERATOR = "Operator"


@dataclass(frozen=True, slots=True)
class SessionScope:
    """What a role session or a federated user brings besides whose it is.

    `name` is the RoleSessionName or the federated user's; `issuer_arn` the role's ARN, or that of the user who asked.
    `policies` are the texts of the session policies given inline, `policy_arns` the managed ones: with either, nothing is allowed
    that they do not allow.  `transitive_tags` are the keys of session tags that go on to further roles.
    """

    name: str
    issuer_arn: str
    policies: tuple[str, ...] = ()
    policy_arns: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tags: tuple[str, ...] = ()
    source_identity: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose request it is, and how they proved it.

    `holder_id` is what their keys, devices and policies hang on: the id of the user or role, the account's for the root user, the
    user who asked for a federated one.  `mfa_present` is None for long-term keys, which cannot say; `mfa_at` is when the code was
    checked.  `tags` are those of the user, or of the role with its session's over them.  `signing_in`: the password was right and
    no more, so nothing but the rest of the sign-in is within reach.
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
    tags: Mapping[str, str] = field(default_factory=dict)
    permissions_boundary: str | None = None
    scope: SessionScope | None = None
    signing_in: bool = False

    @property
    def unique_id(self) -> str:
        """As `aws:userid` and GetCallerIdentity's UserId have it."""
        match self.kind:
            case PrincipalKind.ROLE if self.scope is not None:
                return f"{self.holder_id}:{self.scope.name}"
            case PrincipalKind.FEDERATED if self.scope is not None:
                return f"{self.account_id}:{self.scope.name}"
            case _:
                return self.holder_id

    @classmethod
    def root(cls, account_id: str, access_key_id: str | None = None) -> Principal:
        return cls(PrincipalKind.ROOT, account_id, account_id, arn.root_arn(account_id), access_key_id=access_key_id)

    @classmethod
    def operator(cls, account_id: str) -> Principal:
        """Somebody with a shell on the server, through one of the `instep` commands."""
        return cls(PrincipalKind.OPERATOR, account_id, f"{account_id}:operator", f"arn:aws:iam::{account_id}:operator")

    @classmethod
    def user(cls, user: User, access_key_id: str | None = None) -> Principal:
        return cls(
            PrincipalKind.USER,
            user.account_id,
            user.user_id,
            user.arn,
            user.user_name,
            access_key_id,
            tags=user.tags,
            permissions_boundary=user.permissions_boundary,
        )

    @classmethod
    def role_session(cls, role: Role, scope: SessionScope, access_key_id: str | None = None) -> Principal:
        """MFA state is not carried into a role: it is present, and false."""
        return cls(
            PrincipalKind.ROLE,
            role.account_id,
            role.role_id,
            arn.assumed_role_arn(role.account_id, role.role_name, scope.name),
            access_key_id=access_key_id,
            temporary=True,
            mfa_present=False,
            tags={**role.tags, **scope.tags},
            permissions_boundary=role.permissions_boundary,
            scope=scope,
        )

    @classmethod
    def federated_user(cls, issuer: Principal, scope: SessionScope, access_key_id: str | None = None) -> Principal:
        """`issuer`: the user who asked, or the root user."""
        return replace(
            issuer,
            kind=PrincipalKind.FEDERATED,
            arn=arn.federated_user_arn(issuer.account_id, scope.name),
            user_name=None,
            access_key_id=access_key_id,
            temporary=True,
            mfa_present=False,
            tags={**issuer.tags, **scope.tags},
            scope=scope,
        )
