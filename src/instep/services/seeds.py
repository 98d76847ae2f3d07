"""Seeds at rest: where they are sealed, and how a device's token is opened."""

from __future__ import annotations

from instep.domain.mfa import MFADevice
from instep.domain.totp import Token
from instep.services.operation import Call


def sealed_in(token_id: str) -> dict[str, str]:
    """Where the seed of a token is sealed: under the token's own id, so that it opens in no other's place."""
    return {"table": "mfa_devices", "column": "sealed_token", "row": token_id}


def open_token(call: Call, device: MFADevice) -> Token:
    return Token.from_bytes(call.vault.open(device.sealed_token, **sealed_in(device.token_id)))
