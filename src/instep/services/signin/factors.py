"""The MFA devices that somebody may choose from at sign-in."""

from __future__ import annotations

from datetime import UTC, datetime

from instep.domain.mfa import DeviceKind
from instep.services.ports import Transaction
from instep.services.signin.model import Factor, FactorKind

# Nobody may hold as many; a quota lowered afterwards takes nothing away.
_ALL = 1000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_KINDS = {DeviceKind.VIRTUAL: FactorKind.VIRTUAL, DeviceKind.HARDWARE: FactorKind.HARDWARE}
_MFA_TYPES = {
    FactorKind.VIRTUAL: "Virtual MFA",
    FactorKind.HARDWARE: "Hardware MFA",
    FactorKind.SECURITY_KEY: "U2F MFA",
}


def of_holder(tx: Transaction, account_id: str, holder_id: str) -> tuple[Factor, ...]:
    """All of them, the one used last first; of those never used, by serial number."""
    used: list[tuple[datetime | None, Factor]] = []
    for listed in tx.mfa_devices.held_by(account_id, holder_id, after=None, limit=_ALL):
        device = tx.mfa_devices.find(account_id, listed.serial_number)
        last_seen = device.tracking.last_seen if device is not None else None
        used.append((last_seen, Factor(serial_number=listed.serial_number, kind=_KINDS[listed.kind])))
    used += [
        (key.last_used_at, Factor(serial_number=key.serial_number, kind=FactorKind.SECURITY_KEY))
        for key in tx.security_keys.of_holder(account_id, holder_id)
    ]
    return tuple(factor for _, factor in sorted(used, key=lambda one: one[0] or _LONG_AGO, reverse=True))


def mfa_type(factors: tuple[Factor, ...]) -> str:
    """As CloudTrail's CheckMfa event names it."""
    return _MFA_TYPES[factors[0].kind] if len(factors) == 1 else "Multiple MFA Devices"
