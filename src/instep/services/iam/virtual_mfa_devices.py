"""Virtual MFA devices as things of the account: made, listed, tagged, deleted."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

import segno

from instep.api.common import ValidationError
from instep.api.errors import DeleteConflict, InvalidInput, LimitExceeded, NoSuchEntity
from instep.api.iam import (
    CreateVirtualMFADeviceRequest,
    CreateVirtualMFADeviceResponse,
    DeleteVirtualMFADeviceRequest,
    ListMFADeviceTagsRequest,
    ListMFADeviceTagsResponse,
    ListVirtualMFADevicesRequest,
    ListVirtualMFADevicesResponse,
    TagMFADeviceRequest,
    UntagMFADeviceRequest,
    VirtualMFADevice,
)
from instep.domain import arn, ids, mfa
from instep.domain.drift import Tracking
from instep.domain.mfa import AssignmentStatus, DeviceKind
from instep.domain.totp import Token
from instep.services import paging
from instep.services.iam.tags import as_tags, device_tags, tagged_as, untagged
from instep.services.iam.users import as_user, root_as_user
from instep.services.operation import Call, Resource, operation
from instep.services.seeds import sealed_in

ISSUER = "instep"
_LONGEST_SERIAL_NUMBER = 256
_SERIAL_NUMBER = re.compile(r"[\w+=/:,.@-]+", re.ASCII)


def _on_new_device(call: Call, request: CreateVirtualMFADeviceRequest) -> Resource:
    return Resource(arn.mfa_device_arn(call.account_id, request.path or "/", request.virtual_mfa_device_name))


def _on_device(
    call: Call,
    request: DeleteVirtualMFADeviceRequest | TagMFADeviceRequest | UntagMFADeviceRequest | ListMFADeviceTagsRequest,
) -> Resource:
    device = call.tx.mfa_devices.find(call.account_id, request.serial_number)
    return Resource(request.serial_number, device.tags if device else {})


def _on_devices(call: Call, request: ListVirtualMFADevicesRequest) -> Resource:
    return Resource(arn.mfa_device_arn(call.account_id, "/", ""))


@dataclass(frozen=True, slots=True)
class _Enrolment:
    """A new seed and its QR code, which takes too long to draw inside a write."""

    token: Token = field(repr=False)
    qr_code_png: bytes = field(repr=False)


def _enrolment(call: Call, request: CreateVirtualMFADeviceRequest) -> _Enrolment:
    _check_serial_number(_on_new_device(call, request).arn, request)
    account = call.tx.accounts.find(call.account_id)
    assert account is not None
    token = Token.new(call.random)
    label = f"{request.virtual_mfa_device_name}@{account.alias or account.account_id}"
    return _Enrolment(token, _qr_code(token.uri(label, issuer=ISSUER)))


@operation(
    "iam:CreateVirtualMFADevice",
    on=_on_new_device,
    check=tagged_as("iam:TagMFADevice", _on_new_device),
    writes=True,
    prepare=_enrolment,
)
def create_virtual_mfa_device(call: Call, request: CreateVirtualMFADeviceRequest) -> CreateVirtualMFADeviceResponse:
    """The one answer that shows the seed, as text and as a QR code."""
    made: _Enrolment = call.prepared
    call.tx.accounts.touch(call.account_id)
    quota = call.settings.quotas.users
    if call.tx.mfa_devices.count_virtual(call.account_id) >= quota:
        raise LimitExceeded(f"Cannot exceed quota for MFADevices: {quota}")
    serial_number, token_id = _on_new_device(call, request).arn, ids.token_id(call.random)
    tags = device_tags(request.tags or ())
    call.tx.mfa_devices.add(
        mfa.MFADevice(
            account_id=call.account_id,
            serial_number=serial_number,
            kind=DeviceKind.VIRTUAL,
            token_id=token_id,
            sealed_token=call.vault.seal(made.token.to_bytes(), **sealed_in(token_id)),
            seed_fingerprint=call.vault.fingerprint(made.token.seed),
            created_at=call.now,
            tracking=Tracking.unseen(call.now),
            tags=tags,
        )
    )
    return CreateVirtualMFADeviceResponse(
        virtual_mfa_device=VirtualMFADevice(
            serial_number=serial_number,
            base32_string_seed=made.token.base32.encode(),
            qr_code_png=made.qr_code_png,
            tags=as_tags(tags),
        )
    )


def _check_serial_number(serial_number: str, request: CreateVirtualMFADeviceRequest) -> None:
    """Raises ValidationError for a path or name that would make an ARN which could never be named as a SerialNumber again."""
    if len(serial_number) > _LONGEST_SERIAL_NUMBER:
        longest = len(request.virtual_mfa_device_name) - (len(serial_number) - _LONGEST_SERIAL_NUMBER)
        raise ValidationError(
            "1 validation error detected: Value at 'virtualMFADeviceName' failed to satisfy constraint:"
            f" Member must have length less than or equal to {max(longest, 0)}"
        )
    if not _SERIAL_NUMBER.fullmatch(serial_number):
        raise ValidationError(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters"
            " and/or / characters."
        )


def _qr_code(address: str) -> bytes:
    """A PNG that a phone scans from a screen at arm's length: modules of four pixels, a quiet zone of four modules."""
    png = io.BytesIO()
    segno.make_qr(address, error="m").save(png, kind="png", scale=4, border=4)
    return png.getvalue()


@operation("iam:DeleteVirtualMFADevice", on=_on_device, writes=True)
def delete_virtual_mfa_device(call: Call, request: DeleteVirtualMFADeviceRequest) -> None:
    device = _virtual_device(call, request.serial_number)
    if device.holder_id is not None:
        raise DeleteConflict("MFA VirtualDevice in use. Must deactivate first.")
    call.tx.mfa_devices.delete(device)


@operation("iam:ListVirtualMFADevices", on=_on_devices, writes=False)
def list_virtual_mfa_devices(call: Call, request: ListVirtualMFADevicesRequest) -> ListVirtualMFADevicesResponse:
    status = AssignmentStatus(request.assignment_status.value) if request.assignment_status else AssignmentStatus.ANY
    listing = f"virtual-mfa-devices/{status}"
    rows = call.tx.mfa_devices.list_virtual(
        call.account_id, status, after=paging.after(call, listing, request), limit=paging.limit(request)
    )
    page = paging.page(call, listing, request, rows, lambda device: device.serial_number)
    users = call.tx.users.find_many(call.account_id, {device.holder_id for device in page.items if device.holder_id})
    return ListVirtualMFADevicesResponse(
        virtual_mfa_devices=tuple(
            VirtualMFADevice(
                serial_number=device.serial_number,
                enable_date=device.enabled_at,
                user=root_as_user(call)
                if device.holder_id == call.account_id
                else as_user(users[device.holder_id])
                if device.holder_id is not None
                else None,
            )
            for device in page.items
        ),
        is_truncated=page.is_truncated,
        marker=page.marker,
    )


@operation("iam:TagMFADevice", on=_on_device, writes=True)
def tag_mfa_device(call: Call, request: TagMFADeviceRequest) -> None:
    device = _tagged_device(call, request.serial_number)
    call.tx.mfa_devices.set_tags(device, device_tags(request.tags, device.tags))


@operation("iam:UntagMFADevice", on=_on_device, writes=True)
def untag_mfa_device(call: Call, request: UntagMFADeviceRequest) -> None:
    device = _tagged_device(call, request.serial_number)
    call.tx.mfa_devices.set_tags(device, untagged(device.tags, request.tag_keys))


@operation("iam:ListMFADeviceTags", on=_on_device, writes=False)
def list_mfa_device_tags(call: Call, request: ListMFADeviceTagsRequest) -> ListMFADeviceTagsResponse:
    device = _tagged_device(call, request.serial_number)
    page = paging.tag_page(call, f"mfa-device-tags/{device.token_id}", request, as_tags(device.tags) or ())
    return ListMFADeviceTagsResponse(tags=tuple(page.items), is_truncated=page.is_truncated, marker=page.marker)


def _virtual_device(call: Call, serial_number: str) -> mfa.MFADevice:
    device = call.tx.mfa_devices.find(call.account_id, serial_number)
    if device is None or device.kind is not DeviceKind.VIRTUAL:
        raise NoSuchEntity(f"MFA Device with serial number {serial_number} does not exist.")
    return device


def _tagged_device(call: Call, serial_number: str) -> mfa.MFADevice:
    device = call.tx.mfa_devices.find(call.account_id, serial_number)
    if device is None:
        raise NoSuchEntity(f"MFA Device with serial number {serial_number} does not exist.")
    if device.kind is not DeviceKind.VIRTUAL:
        raise InvalidInput("Only virtual MFA devices can be tagged.")
    return device
