"""Security keys and passkeys (FIDO2, U2F): MFA devices that show no codes and whose clocks cannot wander, as they have none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from instep.domain import ids
from instep.domain.ids import Random

# Longer ones would make serial numbers of more than the 256 characters that AWS allows.
_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,128}")


@dataclass(frozen=True, slots=True)
class Credential:
    """What a registration leaves behind.  Nothing of it is secret.

    `credential_id` is base64url without padding, `public_key` a COSE key (RFC 9052 §7), `sign_count` the newest counter seen.
    `transports` say how clients may reach it ("usb", "internal" and so on); `aaguid` names its model, all zeros when it does not
    say.
    """

    credential_id: str
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    aaguid: str


@dataclass(frozen=True, slots=True)
class SecurityKey:
    """A credential in somebody's hands.  `holder_id` is the user's id, or the account's for the root user's own.

    It is somebody's as long as it is there: deactivated, it is gone.
    """

    account_id: str
    serial_number: str
    name: str
    holder_id: str
    credential: Credential
    created_at: datetime
    last_used_at: datetime | None = None
    revision: int = 0


def is_name(text: str) -> bool:
    """Whether a security key may be called that: up to 128 characters that may stand in a serial number."""
    return _NAME.fullmatch(text) is not None


def serial_number(account_id: str, user_name: str | None, name: str, random: Random) -> str:
    """A new key's, `user_name` being None for the root user.  It stays as it is when the user is renamed.

    Raises ValueError for what is no name.
    """
    if not is_name(name):
        raise ValueError("A security key's name has 1 to 128 letters, digits and any of _+=,.@-")
    holder = "root" if user_name is None else f"user/{user_name}"
    return f"arn:aws:iam::{account_id}:u2f/{holder}/{name}-{ids.security_key_suffix(random)}"
