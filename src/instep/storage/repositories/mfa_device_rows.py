"""Between a device and its row."""

from __future__ import annotations

from typing import Any

from instep.domain.drift import Drift, Sighting, Tracking
from instep.domain.mfa import DeviceKind, MFADevice, Misses, ResyncReceipt


def key_of(device: MFADevice) -> dict[str, str]:
    return {"account_id": device.account_id, "token_id": device.token_id}


def columns_of(tracking: Tracking) -> dict[str, Any]:
    return {
        "drift_ms": round(tracking.drift.seconds * 1000),
        "rate_ppb": round(tracking.drift.rate_ppm * 1000),
        "drift_at": tracking.drift.at,
        "restarted_at": tracking.restarted_at,
        "confirmed": tracking.confirmed,
        "newest_accepted_step": tracking.newest_accepted_step,
        "floor": tracking.floor,
        "last_seen": tracking.last_seen,
    }


def row_of(device: MFADevice) -> dict[str, Any]:
    return {
        "account_id": device.account_id,
        "token_id": device.token_id,
        "serial_number": device.serial_number,
        "serial_key": device.serial_number.casefold(),
        "kind": device.kind.value,
        "sealed_token": device.sealed_token,
        "seed_fingerprint": device.seed_fingerprint,
        "created_at": device.created_at,
        "holder_id": device.holder_id,
        "enabled_at": device.enabled_at,
        "tags": device.tags,
        **columns_of(device.tracking),
        "code_misses": device.misses.codes,
        "next_code_at": device.misses.next_code_at,
        "receipt_by": device.receipt and device.receipt.by,
        "receipt_at": device.receipt and device.receipt.at,
        "receipt_step": device.receipt and device.receipt.step,
        "revision": device.revision,
    }


def device_of(row: Any, seen: tuple[Sighting, ...] = ()) -> MFADevice:
    return MFADevice(
        account_id=row.account_id,
        serial_number=row.serial_number,
        kind=DeviceKind(row.kind),
        token_id=row.token_id,
        sealed_token=row.sealed_token,
        seed_fingerprint=row.seed_fingerprint,
        created_at=row.created_at,
        tracking=Tracking(
            drift=Drift(row.drift_ms / 1000, row.rate_ppb / 1000, row.drift_at),
            restarted_at=row.restarted_at,
            confirmed=row.confirmed,
            newest_accepted_step=row.newest_accepted_step,
            floor=row.floor,
            last_seen=row.last_seen,
            sightings=seen,
        ),
        holder_id=row.holder_id,
        enabled_at=row.enabled_at,
        tags=row.tags,
        misses=Misses(row.code_misses, row.next_code_at),
        receipt=None if row.receipt_by is None else ResyncReceipt(row.receipt_by, row.receipt_at, row.receipt_step),
        revision=row.revision,
    )
