"""Rows to try the repositories with: every field set, every time to the millisecond."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from instep.domain.audit_event import AuditEvent
from instep.domain.drift import Drift, Tracking
from instep.domain.identity import AccessKey, Account, Group, KeyStatus, KeyUse, Role, RoleUse, RootUser, User
from instep.domain.mfa import DeviceKind, MFADevice, Misses, ResyncReceipt
from instep.domain.security_key import Credential, SecurityKey
from instep.storage.transaction import Store, Transaction

NOON: Final = datetime(2026, 11, 24, 12, 0, 10, 123000, tzinfo=UTC)
MS: Final = timedelta(milliseconds=1)
ACCOUNT: Final = "123456789012"
OTHER_ACCOUNT: Final = "210987654321"


def account(account_id: str, alias: str | None = None) -> Account:
    return Account(account_id, alias, NOON)


def root_user(account_id: str, email: str | None = None) -> RootUser:
    return RootUser(account_id, email or f"Root-{account_id}@example.com", "$argon2id$…", NOON + MS, NOON + 2 * MS)


def user(name: str, account_id: str = ACCOUNT, **values: Any) -> User:
    """The id is made of the name, as no two have one name."""
    made = User(
        account_id=account_id,
        user_id=f"AIDA{name.upper()}",
        user_name=name,
        path="/division_abc/subdivision_xyz/",
        created_at=NOON,
        tags={"部署": "経理", "Cost Center": "41200"},
        password_last_used=NOON + MS,
    )
    return replace(made, **values)


def group(name: str, account_id: str = ACCOUNT, **values: Any) -> Group:
    made = Group(
        account_id=account_id,
        group_id=f"AGPA{name.upper()}",
        group_name=name,
        path="/division_abc/",
        created_at=NOON,
    )
    return replace(made, **values)


def role(name: str, account_id: str = ACCOUNT, **values: Any) -> Role:
    made = Role(
        account_id=account_id,
        role_id=f"AROA{name.upper()}",
        role_name=name,
        path="/service-role/",
        created_at=NOON,
        trust_policy='{"Version": "2012-10-17", "Statement": []}',
        max_session_duration=timedelta(seconds=43_200),
        description="監査のため",
        tags={"部署": "経理"},
        permissions_boundary=f"arn:aws:iam::{account_id}:policy/limits",
        last_use=RoleUse(NOON + MS, "us-east-1"),
    )
    return replace(made, **values)


def access_key(name: str, holder_id: str = "AIDARICHARD", account_id: str = ACCOUNT, **values: Any) -> AccessKey:
    made = AccessKey(
        account_id=account_id,
        access_key_id=f"AKIA{name.upper()}",
        holder_id=holder_id,
        sealed_secret=b"\0sealed\xff",
        status=KeyStatus.INACTIVE,
        created_at=NOON,
        last_use=KeyUse(NOON + MS, "iam", "us-east-1"),
    )
    return replace(made, **values)


def device(name: str, account_id: str = ACCOUNT, **values: Any) -> MFADevice:
    """Nobody's virtual device whose every field is set but the holder's."""
    made = MFADevice(
        account_id=account_id,
        serial_number=f"arn:aws:iam::{account_id}:mfa/{name}",
        kind=DeviceKind.VIRTUAL,
        token_id=f"TOTP{name.upper()}",
        sealed_token=b"\0sealed\xff",
        seed_fingerprint=f"{name.upper()}-fingerprint",
        created_at=NOON,
        tracking=Tracking(
            drift=Drift(-86399.987, 12.345, NOON + 3 * MS),
            restarted_at=NOON + 4 * MS,
            confirmed=False,
            newest_accepted_step=58_812_345,
            floor=58_000_000,
            last_seen=NOON + 5 * MS,
        ),
        tags={"色": "青"},
        misses=Misses(3, NOON + 6 * MS),
        receipt=ResyncReceipt("AKIARICHARD", NOON + 7 * MS, 58_812_344),
    )
    return replace(made, **values)


def unseen_device(name: str, account_id: str = ACCOUNT, **values: Any) -> MFADevice:
    """As it is made: nothing accepted, nothing refused."""
    plain: dict[str, Any] = {"tracking": Tracking.unseen(NOON), "misses": Misses(), "receipt": None, "tags": {}}
    return device(name, account_id, **(plain | values))


def security_key(name: str, holder_id: str = "AIDARICHARD", account_id: str = ACCOUNT, **values: Any) -> SecurityKey:
    made = SecurityKey(
        account_id=account_id,
        serial_number=f"arn:aws:iam::{account_id}:u2f/user/Richard/{name}-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        name=name,
        holder_id=holder_id,
        credential=Credential(f"{name}-_credential", b"\0public\xff", 4_294_967_295, ("usb", "nfc"), f"{name}-aaguid"),
        created_at=NOON,
        last_used_at=NOON + MS,
    )
    return replace(made, **values)


def event(number: int, account_id: str = ACCOUNT, **values: Any) -> AuditEvent:
    made = AuditEvent(account_id, f"event-{number:04}", NOON + number * MS, {"eventName": "ResyncMFADevice", "順": number})
    return replace(made, **values)


def add(store: Store, *rows: User | Group | Role | AccessKey | MFADevice | SecurityKey) -> None:
    def work(tx: Transaction) -> None:
        for row in rows:
            match row:
                case User():
                    tx.users.add(row)
                case Group():
                    tx.groups.add(row)
                case Role():
                    tx.roles.add(row)
                case AccessKey():
                    tx.access_keys.add(row)
                case MFADevice():
                    tx.mfa_devices.add(row)
                case SecurityKey():
                    tx.security_keys.add(row)

    store.write(work)


def kept(store: Store, one: MFADevice) -> MFADevice:
    """The device as it is now, with its sightings."""

    def work(tx: Transaction) -> MFADevice:
        found = tx.mfa_devices.find(one.account_id, one.serial_number)
        assert found is not None
        return replace(found, tracking=replace(found.tracking, sightings=tx.mfa_devices.sightings(found)))

    return store.read(work)


def count(store: Store, table: sa.Table) -> int:
    return store.read(lambda tx: tx.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
