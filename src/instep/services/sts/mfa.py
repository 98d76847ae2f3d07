"""The code that may come along when a session is asked for, and AWS's three refusals of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from instep.api.common import AccessDenied
from instep.api.errors import InvalidAuthenticationCode
from instep.domain.drift import Source
from instep.domain.identity import PrincipalKind
from instep.domain.mfa import MFADevice
from instep.services import codes
from instep.services.operation import Call

_HALF = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
# Two spaces after the first sentence, as AWS prints it.
_NOT_THEIRS = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid"
    " and associated with this user."
)
# One trailing space, as AWS prints it: clients compare the whole text.
_BAD_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code. "


class MayBringCode(Protocol):
    @property
    def serial_number(self) -> str | None: ...

    @property
    def token_code(self) -> str | None: ...


def check_whole(request: MayBringCode) -> None:
    """Raises AccessDenied for a serial number without a code, or a code without a serial number."""
    if (request.serial_number is None) != (request.token_code is None):
        raise AccessDenied(_HALF)


def claim(call: Call, request: MayBringCode) -> None:
    """Count the try, if there is one.  A serial number that is not the caller's counts against nobody."""
    check_whole(request)
    if request.serial_number is None:
        return
    device = _own_device(call, request.serial_number)
    with _in_words_of_sts():
        codes.claim(call, device)


def accept(call: Call, request: MayBringCode) -> None:
    """Spend the code, if there is one.  Raises AccessDenied unless it is one of the caller's own device, and good."""
    check_whole(request)
    if request.serial_number is None or request.token_code is None:
        return
    device = _own_device(call, request.serial_number)
    with _in_words_of_sts():
        codes.accept(call, device, request.token_code, Source.STS)


@contextmanager
def _in_words_of_sts() -> Iterator[None]:
    try:
        yield
    except InvalidAuthenticationCode as refusal:
        raise AccessDenied(_BAD_CODE, reason=refusal.reason) from None


def _own_device(call: Call, serial_number: str) -> MFADevice:
    """Roles have no devices, and a federated user is not the user who asked for him."""
    holders = (PrincipalKind.ROOT, PrincipalKind.USER)
    device = call.tx.mfa_devices.find(call.account_id, serial_number) if call.principal.kind in holders else None
    if device is None or device.holder_id != call.principal.holder_id:
        raise AccessDenied(_NOT_THEIRS)
    return device
