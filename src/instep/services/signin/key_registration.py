"""Registering a security key, in the console alone, as it takes a browser.  It is authorized as enabling any MFA device is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from instep.domain import fido, security_key
from instep.domain.fido import SecurityKeyRefused
from instep.domain.identity import User
from instep.domain.security_key import Credential, SecurityKey
from instep.domain.sign_in import State
from instep.services.authorize import authorize
from instep.services.iam import held_devices
from instep.services.iam.targets import holder, on_user
from instep.services.operation import Call, operation
from instep.services.signin import challenges, sessions
from instep.services.signin.events import security_key_enabled, without_answer
from instep.services.signin.model import (
    RegisterSecurityKeyRequest,
    RegisterSecurityKeyResponse,
    SecurityKeyOptions,
    StartSecurityKeyRegistrationRequest,
)
from instep.services.signin.refusals import CHALLENGE_OVER, SecurityKeyNotAccepted
from instep.services.signin.relying_party import key_holder, relying_party

_ENABLE = "iam:EnableMFADevice"


@dataclass(frozen=True, slots=True)
class _Claimed:
    holder_id: str
    challenge: bytes


@dataclass(frozen=True, slots=True)
class _Checked:
    """The new key, and whose it was to be when its challenge was issued."""

    holder_id: str
    credential: Credential


def _check(call: Call, request: StartSecurityKeyRegistrationRequest | RegisterSecurityKeyRequest) -> None:
    """On the user named, else on the caller; so only the root user registers a key of the root user's."""
    sessions.of_caller(call, State.SIGNED_IN)
    authorize(call, _ENABLE, on_user(call, request), request)


@operation("signin:StartSecurityKeyRegistration", on=None, check=_check, writes=True, told=without_answer)
def start_security_key_registration(call: Call, request: StartSecurityKeyRegistrationRequest) -> SecurityKeyOptions:
    """What the browser asks the new key with.  Whom it would be one too many for is told before any key is touched."""
    holder_id, user = holder(call, request)
    held_devices.check_quota(call, holder_id)
    session = sessions.of_caller(call, State.SIGNED_IN)
    challenge = challenges.issue(call, session, challenges.registration_of(holder_id))
    options = fido.registration_options(
        relying_party(call.settings),
        key_holder(call.tx, call.account_id, user),
        challenge=challenge,
        known=_known(call, holder_id),
    )
    return SecurityKeyOptions(options=msgspec.json.encode(options).decode())


def _claim(call: Call, request: RegisterSecurityKeyRequest) -> _Claimed:
    """The challenge counts once, whatever becomes of the answer."""
    holder_id, _ = holder(call, request)
    session = sessions.of_caller(call, State.SIGNED_IN)
    return _Claimed(holder_id, challenges.take(call, session, challenges.registration_of(holder_id)))


def _read(call: Call, request: RegisterSecurityKeyRequest) -> _Checked:
    """Outside the write, since reading what a key says of itself may take long."""
    claimed: _Claimed = call.prepared
    known = _known(call, claimed.holder_id)
    try:
        credential = fido.check_registration(
            relying_party(call.settings), request.answer, challenge=claimed.challenge, known=known
        )
    except SecurityKeyRefused as refused:
        raise SecurityKeyNotAccepted(refused.reason) from None
    return _Checked(claimed.holder_id, credential)


@operation(
    "signin:RegisterSecurityKey", on=None, check=_check, writes=True, claim=_claim, prepare=_read, told=security_key_enabled
)
def register_security_key(call: Call, request: RegisterSecurityKeyRequest) -> RegisterSecurityKeyResponse:
    """Raises EntityAlreadyExists for a key that is somebody's in the account, LimitExceeded for one too many."""
    checked: _Checked = call.prepared
    holder_id, user = holder(call, request)
    if holder_id != checked.holder_id:
        # Another user has the name by now.
        raise SecurityKeyNotAccepted(CHALLENGE_OVER)
    _get_in_line(call, user)
    held_devices.check_quota(call, holder_id)
    serial_number = security_key.serial_number(call.account_id, user.user_name if user else None, request.name, call.random)
    call.tx.security_keys.add(
        SecurityKey(
            account_id=call.account_id,
            serial_number=serial_number,
            name=request.name,
            holder_id=holder_id,
            credential=checked.credential,
            created_at=call.now,
        )
    )
    return RegisterSecurityKeyResponse(serial_number=serial_number)


def _get_in_line(call: Call, user: User | None) -> None:
    """So that two keys at once do not both find room."""
    if user is None:
        call.tx.accounts.touch(call.account_id)
    else:
        call.tx.users.touch(user)


def _known(call: Call, holder_id: str) -> Sequence[Credential]:
    return [key.credential for key in call.tx.security_keys.of_holder(call.account_id, holder_id)]
