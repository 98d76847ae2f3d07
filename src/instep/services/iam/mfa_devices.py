"""MFA devices in people's hands: enabled, put back in step, deactivated, listed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from instep.api.common import ValidationError
from instep.api.errors import EntityAlreadyExists, InvalidAuthenticationCode, NoSuchEntity
from instep.api.iam import (
    DeactivateMFADeviceRequest,
    EnableMFADeviceRequest,
    GetMFADeviceRequest,
    GetMFADeviceResponse,
    ListMFADevicesRequest,
    ListMFADevicesResponse,
    MFADevice,
    ResyncMFADeviceRequest,
)
from instep.domain import mfa
from instep.domain.drift import Source
from instep.domain.identity import User
from instep.domain.mfa import Claimant
from instep.domain.security_key import SecurityKey
from instep.domain.totp import REFUSAL, PairRefusal
from instep.services import codes, paging, pairs
from instep.services.authorize import may
from instep.services.iam import held_devices
from instep.services.iam.targets import holder, is_caller, on_holder, on_user, user_named, user_resource
from instep.services.operation import EVERYTHING, Call, Resource, operation
from instep.services.pairs import Search

# How the lists name the root user, who has no user name.
_ROOT = "root"


@dataclass(frozen=True, slots=True)
class Repeated:
    """The very request that succeeded a moment ago, sent again by a client that lost the answer."""


def _claim_to_enable(call: Call, request: EnableMFADeviceRequest) -> None:
    user, device = _free(call, request)
    # Before the try: only a pair that was looked at may count as failed.
    held_devices.check_quota(call, user.user_id)
    with _why_for_resyncers_alone(call, user):
        pairs.claim(call, device, pairs.claimant_for(call, user.user_id))


def _search_to_enable(call: Call, request: EnableMFADeviceRequest) -> Search:
    user, device = _free(call, request)
    claimant = pairs.claimant_for(call, user.user_id)
    first, second = request.authentication_code1, request.authentication_code2
    return pairs.search(call, device, first, second, claimant=claimant, enabling=True)


@operation("iam:EnableMFADevice", on=on_user, writes=True, claim=_claim_to_enable, prepare=_search_to_enable)
def enable_mfa_device(call: Call, request: EnableMFADeviceRequest) -> None:
    user, device = _free(call, request)
    call.tx.users.touch(user)
    held_devices.check_quota(call, user.user_id)
    call.tx.mfa_devices.assign(device, user.user_id, call.now)
    claimant = pairs.claimant_for(call, user.user_id)
    _, device = _held(call, request)
    with _why_for_resyncers_alone(call, user):
        pairs.accept(call, device, call.prepared, claimant=claimant, source=Source.ENABLE)


@contextmanager
def _why_for_resyncers_alone(call: Call, user: User) -> Iterator[None]:
    """Why a pair was refused is told to those who may put the user's devices back in step, and enabling takes less than that."""
    try:
        yield
    except InvalidAuthenticationCode as refusal:
        if not may(call, "iam:ResyncMFADevice", user_resource(user)):
            refusal.headers = {}
        raise


def _claim_to_resync(call: Call, request: ResyncMFADeviceRequest) -> Repeated | None:
    user, device = _held(call, request)
    if pairs.is_repeated(call, device, request.authentication_code1, request.authentication_code2):
        return Repeated()
    claimant = pairs.claimant_for(call, user.user_id)
    if _stopped_for(call, device, claimant):
        raise pairs.refusal(claimant, PairRefusal.WAITING)
    pairs.claim(call, device, claimant)
    return None


def _search_to_resync(call: Call, request: ResyncMFADeviceRequest) -> Search | Repeated:
    user, device = _held(call, request)
    if isinstance(call.prepared, Repeated):
        return call.prepared
    claimant = pairs.claimant_for(call, user.user_id)
    first, second = request.authentication_code1, request.authentication_code2
    return pairs.search(call, device, first, second, claimant=claimant, enabling=False)


@operation("iam:ResyncMFADevice", on=on_user, writes=True, claim=_claim_to_resync, prepare=_search_to_resync)
def resync_mfa_device(call: Call, request: ResyncMFADeviceRequest) -> None:
    """The drift is learnt anew from two consecutive codes.  EnableDate stays as it was."""
    user, device = _held(call, request)
    # Also when its twin came first, after the claim.
    first, second = request.authentication_code1, request.authentication_code2
    if isinstance(call.prepared, Repeated) or pairs.is_repeated(call, device, first, second):
        call.additional["repeated"] = True
        pairs.show_drift(call, device.tracking)
        return
    claimant = pairs.claimant_for(call, user.user_id)
    pairs.accept(call, device, call.prepared, claimant=claimant, source=Source.RESYNC)


@operation("iam:DeactivateMFADevice", on=on_user, writes=True)
def deactivate_mfa_device(call: Call, request: DeactivateMFADeviceRequest) -> None:
    """A virtual device stays in the account, a hardware token goes back to the inventory; either can be enabled again.

    Of a security key nothing is left: it can only be registered anew.
    """
    _, user = holder(call, request)
    if user is None:
        # AWS wants the root user's own device deactivated in the console, too.
        raise ValidationError("Must specify userName when calling with non-User credentials")
    device = _device(call, request.serial_number)
    if device.holder_id != user.user_id:
        raise NoSuchEntity("MFA Device invalid for user.")
    if isinstance(device, SecurityKey):
        call.tx.security_keys.delete(device)
    else:
        call.tx.mfa_devices.unassign(device)


@operation("iam:ListMFADevices", on=on_user, writes=False)
def list_mfa_devices(call: Call, request: ListMFADevicesRequest) -> ListMFADevicesResponse:
    holder_id, user = holder(call, request)
    listing = f"mfa-devices/{holder_id}"
    after, limit = paging.after(call, listing, request), paging.limit(request)
    devices = call.tx.mfa_devices.held_by(call.account_id, holder_id, after=after, limit=limit)
    # A holder has a handful of keys: they are all read, and the page is cut here.
    keys = [key for key in call.tx.security_keys.of_holder(call.account_id, holder_id) if key.serial_number > (after or "")]
    rows = [(device.serial_number, device.enabled_at or device.created_at) for device in devices]
    rows += [(key.serial_number, key.created_at) for key in keys]
    page = paging.page(call, listing, request, sorted(rows), lambda row: row[0])
    return ListMFADevicesResponse(
        mfa_devices=tuple(
            MFADevice(user_name=user.user_name if user else _ROOT, serial_number=serial_number, enable_date=enabled_at)
            for serial_number, enabled_at in page.items
        ),
        is_truncated=page.is_truncated,
        marker=page.marker,
    )


def _on_holder(call: Call, request: GetMFADeviceRequest) -> Resource:
    """The user named, else whoever has the device: leaving the name out must not get around a policy."""
    if request.user_name is not None:
        return on_user(call, request)
    device = held_devices.find(call, request.serial_number)
    if device is None or device.holder_id is None:
        return EVERYTHING
    held = on_holder(call, device.holder_id)
    # Refused as if nobody had it: whoever names no user does not learn whose it is.
    return held if is_caller(call, device.holder_id) else replace(held, shown=EVERYTHING.arn)


@operation("iam:GetMFADevice", on=_on_holder, writes=False)
def get_mfa_device(call: Call, request: GetMFADeviceRequest) -> GetMFADeviceResponse:
    named = user_named(call, request.user_name) if request.user_name is not None else None
    device = _device(call, request.serial_number)
    if named is not None and device.holder_id != named.user_id:
        raise NoSuchEntity("MFA Device invalid for user.")
    if device.holder_id is None:
        return GetMFADeviceResponse(serial_number=device.serial_number)
    user = named or call.tx.users.find_by_id(call.account_id, device.holder_id)
    if not isinstance(device, SecurityKey):
        pairs.show_drift(call, device.tracking)
    return GetMFADeviceResponse(
        user_name=user.user_name if user else _ROOT,
        serial_number=device.serial_number,
        enable_date=device.created_at if isinstance(device, SecurityKey) else device.enabled_at,
    )


def _device(call: Call, serial_number: str) -> mfa.MFADevice | SecurityKey:
    device = held_devices.find(call, serial_number)
    if device is None:
        raise NoSuchEntity(f"MFA Device with serial number {serial_number} does not exist.")
    return device


def _free(call: Call, request: EnableMFADeviceRequest) -> tuple[User, mfa.MFADevice]:
    """The user, before anything is said of the device; and the device while nobody has it."""
    user = user_named(call, request.user_name)
    device = _device(call, request.serial_number)
    if isinstance(device, SecurityKey) or device.holder_id is not None:
        raise EntityAlreadyExists("MFA Device is already in use.")
    return user, device


def _held(call: Call, request: EnableMFADeviceRequest | ResyncMFADeviceRequest) -> tuple[User, mfa.MFADevice]:
    """The user, and the device when it is theirs and shows codes.

    Raises InvalidAuthenticationCode for a security key: whatever was typed, no code of a key can be right.
    """
    user = user_named(call, request.user_name)
    device = _device(call, request.serial_number)
    if device.holder_id != user.user_id:
        raise NoSuchEntity("MFA Device invalid for user.")
    if isinstance(device, SecurityKey):
        raise InvalidAuthenticationCode(REFUSAL, reason="security-key")
    return user, device


def _stopped_for(call: Call, device: mfa.MFADevice, claimant: Claimant) -> bool:
    """After that many wrong codes only somebody else's resync starts the device again."""
    return claimant is Claimant.OWNER and device.misses.codes >= codes.tries(call.settings).stop_after
