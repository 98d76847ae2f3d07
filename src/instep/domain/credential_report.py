"""The credential report: one row for each user and the state of their credentials.

(IAM User Guide, "Generate credential reports for your AWS account".)
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from instep.domain.identity import AccessKey, KeyStatus, LoginProfile, RootUser, User
from instep.domain.password_policy import PasswordPolicy

LIFETIME: Final = timedelta(hours=4)

_COLUMNS: Final = (
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "access_key_2_last_used_region",
    "access_key_2_last_used_service",
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
)
_KEYS_SHOWN: Final = 2
_ROOT: Final = "<root_account>"
_NOT_APPLICABLE: Final = "N/A"
_NEVER: Final = "no_information"
_NOT_SUPPORTED: Final = "not_supported"
# Signing certificates do not exist here.
_NO_CERTIFICATES: Final = ("false", _NOT_APPLICABLE) * 2


@dataclass(frozen=True, slots=True)
class CredentialReport:
    """`content` is the CSV text in UTF-8."""

    generated_at: datetime
    content: bytes = field(repr=False)

    def is_current(self, now: datetime) -> bool:
        # Either way: made while the server's clock was ahead, it would else be current for as long.
        return abs(now - self.generated_at) <= LIFETIME


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything of an account that its report tells of.  Profiles and keys are by holder id, keys by creation."""

    root: RootUser
    users: Sequence[User]
    profiles: Mapping[str, LoginProfile]
    keys: Mapping[str, Sequence[AccessKey]]
    with_mfa: Collection[str]
    policy: PasswordPolicy | None


def report(credentials: Credentials, now: datetime) -> CredentialReport:
    """The root user's row comes first, then the users in the order given."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerow(_root_row(credentials))
    writer.writerows(_user_row(user, credentials) for user in credentials.users)
    return CredentialReport(now, text.getvalue().removesuffix("\n").encode())


def _root_row(credentials: Credentials) -> Iterable[str]:
    root = credentials.root
    password = (_NOT_SUPPORTED, _time(root.password_last_used, _NEVER), _NOT_SUPPORTED, _NOT_SUPPORTED)
    return _row(_ROOT, root.arn, root.created_at, password, root.account_id, credentials)


def _user_row(user: User, credentials: Credentials) -> Iterable[str]:
    password = _password(user, credentials.profiles.get(user.user_id), credentials.policy)
    return _row(user.user_name, user.arn, user.created_at, password, user.user_id, credentials)


def _row(
    name: str, arn: str, created_at: datetime, password: Iterable[str], holder_id: str, credentials: Credentials
) -> Iterable[str]:
    return (
        name,
        arn,
        _time(created_at),
        *password,
        _boolean(holder_id in credentials.with_mfa),
        *_access_keys(credentials.keys.get(holder_id, ())),
        *_NO_CERTIFICATES,
    )


def _password(user: User, profile: LoginProfile | None, policy: PasswordPolicy | None) -> Iterable[str]:
    if profile is None:
        return ("false", _NOT_APPLICABLE, _NOT_APPLICABLE, _NOT_APPLICABLE)
    expires_at = (
        profile.changed_at + timedelta(days=policy.max_age) if policy is not None and policy.max_age is not None else None
    )
    return ("true", _time(user.password_last_used, _NEVER), _time(profile.changed_at), _time(expires_at))


def _access_keys(keys: Sequence[AccessKey]) -> Iterable[str]:
    """Two keys' columns, missing ones filled in."""
    if len(keys) > _KEYS_SHOWN:
        # Where a quota allows more, one that works must not be the one left out.
        keys = sorted(keys, key=lambda key: key.status is not KeyStatus.ACTIVE)[:_KEYS_SHOWN]
    columns: list[str] = []
    for key in keys:
        use = key.last_use
        columns += (_boolean(key.status is KeyStatus.ACTIVE), _time(key.created_at), _time(use.at if use else None))
        columns += (use.region, use.service) if use else (_NOT_APPLICABLE, _NOT_APPLICABLE)
    return columns + ["false", *[_NOT_APPLICABLE] * 4] * (_KEYS_SHOWN - len(keys))


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _time(at: datetime | None, absent: str = _NOT_APPLICABLE) -> str:
    """ISO 8601 to the second, with the offset written out."""
    return absent if at is None else at.isoformat(timespec="seconds")
