"""What somebody proves with that they are there, whatever its kind: TOTP devices and security keys together."""

from __future__ import annotations

from instep.api.errors import LimitExceeded
from instep.domain.mfa import MFADevice
from instep.domain.security_key import SecurityKey
from instep.services.operation import Call


def find(call: Call, serial_number: str) -> MFADevice | SecurityKey | None:
    return call.tx.mfa_devices.find(call.account_id, serial_number) or call.tx.security_keys.find(call.account_id, serial_number)


def count(call: Call, holder_id: str) -> int:
    tx, account_id = call.tx, call.account_id
    return tx.mfa_devices.count_held(account_id, holder_id) + tx.security_keys.count_held(account_id, holder_id)


def holders(call: Call) -> set[str]:
    """The ids of those in the account who have any."""
    return call.tx.mfa_devices.holders(call.account_id) | call.tx.security_keys.holders(call.account_id)


def check_quota(call: Call, holder_id: str) -> None:
    """Raises LimitExceeded for one too many.  Who adds one has touched the holder's row first."""
    quota = call.settings.quotas.mfa_devices_per_user
    if count(call, holder_id) >= quota:
        raise LimitExceeded(f"Cannot exceed quota for MFADevicesPerUser: {quota}")
