"""Every table.  `account_id` leads every primary key but those of `meta` and `sign_in_waits`; ids are ours, never a sequence's.

Only types that every database has: TEXT, BIGINT, bytes, and UTC times as milliseconds in a BIGINT.  What a row's later writes
depend on is guarded by its `revision`.  A change here needs a migration; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class UTCTimestamp(TypeDecorator[datetime]):
    """An aware UTC time, kept to the millisecond; what is finer is cut off.  A naive time is refused with a TypeError."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else self.milliseconds(value)

    @staticmethod
    def milliseconds(at: datetime) -> int:
        """As it is stored: since 1970."""
        return (at - _EPOCH) // _MILLISECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else _EPOCH + value * _MILLISECOND


class JSONText(TypeDecorator[Mapping[str, Any]]):
    """A mapping as JSON in a TEXT: nothing is ever looked for inside it."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else msgspec.json.encode(dict(value)).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Mapping[str, Any] | None:  # noqa: ARG002
        if value is None:
            return None
        loaded: Mapping[str, Any] = msgspec.json.decode(value)
        return loaded


metadata: Final = sa.MetaData(
    # Named, as a later migration can only change what has a name.
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _integer(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, UTCTimestamp, nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Mapping[str, Any]]:
    return sa.Column(name, JSONText, nullable=nullable)


def _of_account() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"])


def _of_user() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["account_id", "user_id"], ["users.account_id", "users.user_id"], ondelete="CASCADE")


def _of_token() -> sa.ForeignKeyConstraint:
    """What hangs on a token goes with it, and only with it."""
    return sa.ForeignKeyConstraint(
        ["account_id", "token_id"], ["mfa_devices.account_id", "mfa_devices.token_id"], ondelete="CASCADE"
    )


# What concerns the installation and no account: the vault's check value.
meta: Final = sa.Table("meta", metadata, _text("name"), _bytes("value"), sa.PrimaryKeyConstraint("name"))

accounts: Final = sa.Table(
    "accounts",
    metadata,
    _text("account_id"),
    _text("alias", nullable=True),
    _time("created_at"),
    _integer("revision"),
    _text("guard_policy", nullable=True),
    _json("password_policy", nullable=True),
    # Goes up with every change of what anybody in the account may do; none yet is as good as 0.
    _integer("policies_revision", nullable=True),
    sa.PrimaryKeyConstraint("account_id"),
    sa.UniqueConstraint("alias"),
)

root_users: Final = sa.Table(
    "root_users",
    metadata,
    _text("account_id"),
    _text("email"),
    _text("email_key"),  # compared ignoring case, as people type addresses
    _text("password_hash"),
    _time("created_at"),
    _time("password_last_used", nullable=True),
    sa.PrimaryKeyConstraint("account_id"),
    sa.UniqueConstraint("email_key"),
    _of_account(),
)

users: Final = sa.Table(
    "users",
    metadata,
    _text("account_id"),
    _text("user_id"),
    _text("user_name"),
    _text("name_key"),  # unique and sorted ignoring case
    _text("path"),
    _time("created_at"),
    _json("tags"),
    _time("password_last_used", nullable=True),
    _integer("revision"),
    _text("permissions_boundary", nullable=True),
    sa.PrimaryKeyConstraint("account_id", "user_id"),
    sa.UniqueConstraint("account_id", "name_key"),
    sa.Index(None, "account_id", "permissions_boundary"),
    _of_account(),
)

login_profiles: Final = sa.Table(
    "login_profiles",
    metadata,
    _text("account_id"),
    _text("user_id"),
    _text("password_hash"),
    _time("created_at"),
    _time("changed_at"),
    sa.Column("reset_required", sa.Boolean(create_constraint=False), nullable=False),
    # Consecutive wrong guesses at it by somebody who has the user's keys, and when the next one is looked at.
    _integer("misses"),
    _time("next_try_at", nullable=True),
    _integer("revision"),
    sa.PrimaryKeyConstraint("account_id", "user_id"),
    _of_user(),
)

# For policies that forbid to use one again; they stay when a login profile is deleted and made anew.
old_passwords: Final = sa.Table(
    "old_passwords",
    metadata,
    _text("account_id"),
    _text("user_id"),
    _time("changed_at"),
    _text("password_hash"),
    sa.PrimaryKeyConstraint("account_id", "user_id", "changed_at"),
    _of_user(),
)

credential_reports: Final = sa.Table(
    "credential_reports",
    metadata,
    _text("account_id"),
    _time("generated_at"),
    _bytes("content"),
    sa.PrimaryKeyConstraint("account_id"),
    _of_account(),
)

groups: Final = sa.Table(
    "groups",
    metadata,
    _text("account_id"),
    _text("group_id"),
    _text("group_name"),
    _text("name_key"),  # unique and sorted ignoring case
    _text("path"),
    _time("created_at"),
    _integer("revision"),
    sa.PrimaryKeyConstraint("account_id", "group_id"),
    sa.UniqueConstraint("account_id", "name_key"),
    _of_account(),
)

group_members: Final = sa.Table(
    "group_members",
    metadata,
    _text("account_id"),
    _text("group_id"),
    _text("user_id"),
    sa.PrimaryKeyConstraint("account_id", "group_id", "user_id"),
    sa.Index(None, "account_id", "user_id"),
    sa.ForeignKeyConstraint(["account_id", "group_id"], ["groups.account_id", "groups.group_id"]),
    _of_user(),
)

roles: Final = sa.Table(
    "roles",
    metadata,
    _text("account_id"),
    _text("role_id"),
    _text("role_name"),
    _text("name_key"),  # unique and sorted ignoring case
    _text("path"),
    _time("created_at"),
    _text("trust_policy"),
    _integer("max_session_seconds"),
    _text("description", nullable=True),
    _json("tags"),
    _text("permissions_boundary", nullable=True),
    _time("last_used_at", nullable=True),
    _text("last_used_region", nullable=True),
    _integer("revision"),
    sa.PrimaryKeyConstraint("account_id", "role_id"),
    sa.UniqueConstraint("account_id", "name_key"),
    sa.Index(None, "account_id", "permissions_boundary"),
    _of_account(),
)

# `owner_id` is the unique id of a user, group or role.
inline_policies: Final = sa.Table(
    "inline_policies",
    metadata,
    _text("account_id"),
    _text("owner_id"),
    _text("policy_name"),
    _text("document"),
    sa.PrimaryKeyConstraint("account_id", "owner_id", "policy_name"),
    _of_account(),
)

managed_policies: Final = sa.Table(
    "managed_policies",
    metadata,
    _text("account_id"),
    _text("policy_id"),
    _text("policy_name"),
    _text("name_key"),  # unique and sorted ignoring case
    _text("path"),
    _time("created_at"),
    _time("updated_at"),
    _integer("default_version"),
    _integer("newest_version"),
    _text("description", nullable=True),
    _json("tags"),
    _integer("revision"),
    sa.PrimaryKeyConstraint("account_id", "policy_id"),
    sa.UniqueConstraint("account_id", "name_key"),
    _of_account(),
)

policy_versions: Final = sa.Table(
    "policy_versions",
    metadata,
    _text("account_id"),
    _text("policy_id"),
    _integer("number"),
    _text("document"),
    _time("created_at"),
    sa.PrimaryKeyConstraint("account_id", "policy_id", "number"),
    sa.ForeignKeyConstraint(
        ["account_id", "policy_id"], ["managed_policies.account_id", "managed_policies.policy_id"], ondelete="CASCADE"
    ),
)

# By ARN, since the policies that AWS manages are in no table.
attached_policies: Final = sa.Table(
    "attached_policies",
    metadata,
    _text("account_id"),
    _text("owner_id"),
    _text("policy_arn"),
    sa.PrimaryKeyConstraint("account_id", "owner_id", "policy_arn"),
    sa.Index(None, "account_id", "policy_arn"),
    _of_account(),
)

access_keys: Final = sa.Table(
    "access_keys",
    metadata,
    _text("account_id"),
    _text("access_key_id"),
    _text("holder_id"),
    _bytes("sealed_secret"),
    _text("status"),
    _time("created_at"),
    _time("last_used_at", nullable=True),
    _text("last_used_service", nullable=True),
    _text("last_used_region", nullable=True),
    _integer("revision"),
    sa.PrimaryKeyConstraint("account_id", "access_key_id"),
    # A request names the key and no account.
    sa.UniqueConstraint("access_key_id"),
    sa.Index(None, "account_id", "holder_id"),
    _of_account(),
)

mfa_devices: Final = sa.Table(
    "mfa_devices",
    metadata,
    _text("account_id"),
    _text("token_id"),
    _text("serial_number"),
    _text("serial_key"),  # unique ignoring case
    _text("kind"),
    _bytes("sealed_token"),
    _text("seed_fingerprint"),
    _time("created_at"),
    _text("holder_id", nullable=True),
    _time("enabled_at", nullable=True),
    _json("tags"),
    # What is known of its clock: milliseconds, and nanoseconds a second.
    _integer("drift_ms"),
    _integer("rate_ppb"),
    _time("drift_at"),
    _time("restarted_at"),
    sa.Column("confirmed", sa.Boolean(create_constraint=False), nullable=False),
    _integer("newest_accepted_step", nullable=True),
    _integer("floor"),
    _time("last_seen", nullable=True),
    _integer("code_misses"),
    _time("next_code_at", nullable=True),
    # The last resync, for a client that repeats it.
    _text("receipt_by", nullable=True),
    _time("receipt_at", nullable=True),
    _integer("receipt_step", nullable=True),
    _integer("revision"),
    sa.PrimaryKeyConstraint("account_id", "token_id"),
    sa.UniqueConstraint("account_id", "serial_key"),
    sa.UniqueConstraint("account_id", "seed_fingerprint"),
    sa.Index(None, "account_id", "holder_id", "serial_number"),
    sa.Index(None, "account_id", "kind", "serial_number"),
    _of_account(),
)

# Writing the row is the acceptance: its primary key lets one of any number of requests racing with one code succeed.
spent_steps: Final = sa.Table(
    "spent_steps",
    metadata,
    _text("account_id"),
    _text("token_id"),
    _integer("step"),
    _time("arrived_at"),
    sa.PrimaryKeyConstraint("account_id", "token_id", "step"),
    sa.Index(None, "arrived_at"),
    _of_token(),
)

sightings: Final = sa.Table(
    "sightings",
    metadata,
    _text("account_id"),
    _text("token_id"),
    _integer("step"),
    _time("at"),
    _text("source"),
    sa.PrimaryKeyConstraint("account_id", "token_id", "step"),
    _of_token(),
)

pair_tries: Final = sa.Table(
    "pair_tries",
    metadata,
    _text("account_id"),
    _text("token_id"),
    _text("attempt_id"),
    _text("claimant"),
    _time("at"),
    sa.PrimaryKeyConstraint("account_id", "token_id", "attempt_id"),
    _of_token(),
)

security_keys: Final = sa.Table(
    "security_keys",
    metadata,
    _text("account_id"),
    _text("credential_id"),  # base64url
    _text("holder_id"),
    _text("serial_number"),
    _text("serial_key"),  # unique ignoring case
    _text("name"),
    _bytes("public_key"),
    _integer("sign_count"),
    _text("transports"),  # with spaces between them
    _text("aaguid"),
    _time("created_at"),
    _time("last_used_at", nullable=True),
    _integer("revision"),
    sa.PrimaryKeyConstraint("account_id", "credential_id"),
    sa.UniqueConstraint("account_id", "serial_key"),
    sa.Index(None, "account_id", "holder_id", "serial_number"),
    _of_account(),
)

# From the right password to the end of the session.  The id in the person's cookie is here as its fingerprint only.
sign_in_sessions: Final = sa.Table(
    "sign_in_sessions",
    metadata,
    _text("account_id"),
    _text("access_key_id"),
    _text("session_key"),
    _text("holder_id"),
    _text("state"),
    _text("password_key"),
    _time("began_at"),
    _time("seen_at"),
    _time("expires_at"),
    _text("mfa_serial", nullable=True),
    _time("mfa_at", nullable=True),
    _integer("wrong_codes"),
    # The last refused code, sealed, and of which device.
    _text("entry_serial", nullable=True),
    _bytes("entry_code", nullable=True),
    _time("entry_at", nullable=True),
    # What a security key was asked to sign, sealed, until it answers.
    _bytes("challenge", nullable=True),
    _time("challenge_at", nullable=True),
    _integer("revision"),
    sa.PrimaryKeyConstraint("account_id", "access_key_id"),
    # A cookie names no account.
    sa.UniqueConstraint("session_key"),
    sa.Index(None, "account_id", "holder_id"),
    sa.Index(None, "expires_at"),
    _of_account(),
)

# Wrong passwords of late.  Of no account: what people type as one need not be any, and is kept as a fingerprint, like the rest.
sign_in_waits: Final = sa.Table(
    "sign_in_waits",
    metadata,
    _text("wait_key"),
    _integer("failures"),
    _time("last_at"),
    _time("next_at", nullable=True),
    sa.PrimaryKeyConstraint("wait_key"),
    sa.Index(None, "last_at"),
)

audit_events: Final = sa.Table(
    "audit_events",
    metadata,
    _text("account_id"),
    _text("event_id"),
    _time("at"),
    _json("event"),
    sa.PrimaryKeyConstraint("account_id", "event_id"),
    sa.Index(None, "account_id", "at", "event_id"),
    sa.Index(None, "at", "event_id"),
    # No foreign key: a refused CreateAccount is kept under an account that never came to be.
)
