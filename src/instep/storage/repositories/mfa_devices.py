"""TOTP devices with what is known of their clocks, their spent steps, sightings and tries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from instep.api.errors import DeleteConflict, EntityAlreadyExists, InvalidAuthenticationCode
from instep.domain.drift import Sighting, Source, Tracking, raised_floor
from instep.domain.mfa import (
    AssignmentStatus,
    Claimant,
    CodeTries,
    DeviceKind,
    ListedDevice,
    MFADevice,
    PairTries,
    ResyncReceipt,
)
from instep.domain.totp import REFUSAL
from instep.storage.repositories.hot import HotSelect
from instep.storage.repositories.mfa_device_rows import columns_of, device_of, key_of, row_of
from instep.storage.repositories.repository import Repository, insert_new
from instep.storage.schema import UTCTimestamp, mfa_devices, pair_tries, sightings, spent_steps

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)
# Few enough bound values for every database.
_AT_ONCE = 500

_account_is = mfa_devices.c.account_id == sa.bindparam("account_id")
_holder_is = mfa_devices.c.holder_id == sa.bindparam("holder_id")
_goes_on = mfa_devices.c.serial_number > sa.bindparam("after")
_virtual = mfa_devices.c.kind == DeviceKind.VIRTUAL.value
_token_is = sa.and_(_account_is, mfa_devices.c.token_id == sa.bindparam("token_id"))
# In an UPDATE a column's own name is taken for its new value.
_row_is = sa.and_(mfa_devices.c.account_id == sa.bindparam("of_account"), mfa_devices.c.token_id == sa.bindparam("of_token"))

_LISTED = sa.select(
    mfa_devices.c.serial_number,
    mfa_devices.c.kind,
    mfa_devices.c.holder_id,
    mfa_devices.c.enabled_at,
    mfa_devices.c.created_at,
).order_by(mfa_devices.c.serial_number)
_IN_ORDER = _LISTED.where(_account_is, _goes_on).limit(sa.bindparam("limit"))
_HELD_BY = HotSelect(_IN_ORDER.where(_holder_is))
_VIRTUAL = {
    AssignmentStatus.ANY: HotSelect(_IN_ORDER.where(_virtual)),
    AssignmentStatus.ASSIGNED: HotSelect(_IN_ORDER.where(_virtual, mfa_devices.c.holder_id.is_not(None))),
    AssignmentStatus.UNASSIGNED: HotSelect(_IN_ORDER.where(_virtual, mfa_devices.c.holder_id.is_(None))),
}
_HARDWARE = HotSelect(_IN_ORDER.where(mfa_devices.c.kind == DeviceKind.HARDWARE.value))
_FIND = HotSelect(sa.select(mfa_devices).where(_account_is, mfa_devices.c.serial_number == sa.bindparam("serial_number")))
_ALL_HELD = sa.select(mfa_devices).where(mfa_devices.c.holder_id.is_not(None))
_COUNT = sa.select(sa.func.count()).select_from(mfa_devices).where(_account_is)
_COUNT_HELD = _COUNT.where(_holder_is)
_COUNT_VIRTUAL = _COUNT.where(_virtual)
_HOLDERS = sa.select(mfa_devices.c.holder_id).where(_account_is, mfa_devices.c.holder_id.is_not(None)).distinct()
_COUNT_IN_USE = _COUNT.where(mfa_devices.c.holder_id.is_not(None))
_COUNT_OURS = _COUNT.where(sa.or_(_virtual, mfa_devices.c.holder_id.is_not(None)))
_TAKEN_SERIALS = sa.select(mfa_devices.c.serial_key).where(
    _account_is, mfa_devices.c.serial_key.in_(sa.bindparam("keys", expanding=True))
)
_TAKEN_SEEDS = sa.select(mfa_devices.c.seed_fingerprint).where(
    _account_is, mfa_devices.c.seed_fingerprint.in_(sa.bindparam("keys", expanding=True))
)
_ADD = insert_new(mfa_devices)

_SIGHTINGS = HotSelect(
    sa.select(sightings.c.at, sightings.c.step, sightings.c.source)
    .where(sightings.c.account_id == sa.bindparam("account_id"), sightings.c.token_id == sa.bindparam("token_id"))
    .order_by(sightings.c.at, sightings.c.step)
)
_ADD_SIGHTING = insert_new(sightings)
_DROP_SIGHTINGS = sa.delete(sightings).where(
    sightings.c.account_id == sa.bindparam("account_id"),
    sightings.c.token_id == sa.bindparam("token_id"),
    sightings.c.step.in_(sa.bindparam("steps", expanding=True)),
)

_SPENT_AMONG = sa.select(spent_steps.c.step).where(
    spent_steps.c.account_id == sa.bindparam("account_id"),
    spent_steps.c.token_id == sa.bindparam("token_id"),
    spent_steps.c.step.in_(sa.bindparam("steps", expanding=True)),
)
_SPEND = insert_new(spent_steps)
_OLD_STEPS = (
    sa.select(spent_steps.c.account_id, spent_steps.c.token_id, spent_steps.c.step)
    .where(spent_steps.c.arrived_at < sa.bindparam("before", type_=UTCTimestamp))
    .order_by(spent_steps.c.arrived_at)
    .limit(sa.bindparam("limit"))
)
_DROP_STEP = sa.delete(spent_steps).where(
    spent_steps.c.account_id == sa.bindparam("account_id"),
    spent_steps.c.token_id == sa.bindparam("token_id"),
    spent_steps.c.step == sa.bindparam("old_step"),
)
_RAISE_FLOOR = (
    sa.update(mfa_devices)
    .where(_row_is, mfa_devices.c.floor < sa.bindparam("swept"))
    .values(floor=sa.bindparam("swept"), revision=mfa_devices.c.revision + 1)
)
_FLOOR = sa.select(mfa_devices.c.floor).where(_token_is)

_TRIES_BETWEEN = sa.select(sa.func.count()).where(
    pair_tries.c.account_id == sa.bindparam("account_id"),
    pair_tries.c.token_id == sa.bindparam("token_id"),
    pair_tries.c.claimant == sa.bindparam("claimant"),
    pair_tries.c.at > sa.bindparam("since", type_=UTCTimestamp),
    pair_tries.c.at < sa.bindparam("until", type_=UTCTimestamp),
)
_ADD_TRY = insert_new(pair_tries)
_DROP_OLD_TRIES = sa.delete(pair_tries).where(
    pair_tries.c.account_id == sa.bindparam("account_id"),
    pair_tries.c.token_id == sa.bindparam("token_id"),
    pair_tries.c.at <= sa.bindparam("since", type_=UTCTimestamp),
)
_DROP_TRIES = sa.delete(pair_tries).where(
    pair_tries.c.account_id == sa.bindparam("account_id"), pair_tries.c.token_id == sa.bindparam("token_id")
)


@lru_cache(maxsize=8)
def _claim_code(tries: CodeTries) -> sa.Executable:
    """Count a miss in advance, unless the device waits or has stopped: one statement, so that no two tries share a count."""
    misses = mfa_devices.c.code_misses + 1
    waits: dict[int, int] = {}
    count = tries.free
    while (wait := tries.wait_after(count)) < tries.wait_after(count + 1):
        waits[count] = wait // _MILLISECOND
        count += 1
    now = sa.bindparam("now", type_=UTCTimestamp)
    ms = sa.bindparam("now_ms", type_=sa.BigInteger)
    next_at = sa.case(
        (misses < tries.free, sa.null()),
        *((misses == count, ms + wait) for count, wait in waits.items()),
        else_=ms + wait // _MILLISECOND,
    )
    return (
        sa.update(mfa_devices)
        .where(
            _row_is,
            mfa_devices.c.code_misses < tries.stop_after,
            sa.or_(
                mfa_devices.c.next_code_at.is_(None),
                mfa_devices.c.next_code_at <= now,
                # Written before the server's clock was set back: no wait is that long.
                mfa_devices.c.next_code_at > sa.type_coerce(ms + tries.longest_wait // _MILLISECOND, UTCTimestamp),
            ),
        )
        .values(code_misses=misses, next_code_at=sa.type_coerce(next_at, UTCTimestamp))
        .returning(mfa_devices.c.code_misses)
    )


class MFADevices(Repository):
    __slots__ = ()

    def add(self, device: MFADevice) -> None:
        """Raises EntityAlreadyExists ("MFA device already exists.") for a serial number (ignoring case) or seed that is there."""
        if not self._add(_ADD, row_of(device)):
            raise EntityAlreadyExists("MFA device already exists.")

    def add_many(self, devices: Sequence[MFADevice]) -> None:
        """The same for many at once."""
        for start in range(0, len(devices), _AT_ONCE):
            rows = [row_of(device) for device in devices[start : start + _AT_ONCE]]
            if len(self._connection.execute(_ADD, rows).all()) != len(rows):
                raise EntityAlreadyExists("MFA device already exists.")

    def taken(
        self, account_id: str, *, serial_numbers: Collection[str], fingerprints: Collection[str]
    ) -> tuple[set[str], set[str]]:
        """Which of these the account has already; serial numbers are compared ignoring case and returned as asked."""
        keys = self._among(_TAKEN_SERIALS, account_id, {serial_number.casefold() for serial_number in serial_numbers})
        seeds = self._among(_TAKEN_SEEDS, account_id, set(fingerprints))
        return {serial_number for serial_number in serial_numbers if serial_number.casefold() in keys}, seeds

    def find(self, account_id: str, serial_number: str) -> MFADevice | None:
        """By the exact serial number, without its sightings."""
        row = _FIND.first(self._connection, {"account_id": account_id, "serial_number": serial_number})
        return None if row is None else device_of(row)

    def sightings(self, device: MFADevice) -> tuple[Sighting, ...]:
        """Oldest first."""
        rows = _SIGHTINGS.all(self._connection, key_of(device))
        return tuple(Sighting(row.at, row.step, Source(row.source)) for row in rows)

    def held_by(self, account_id: str, holder_id: str, *, after: str | None, limit: int) -> list[ListedDevice]:
        """By serial number."""
        return self._listed(_HELD_BY, account_id, after, limit, holder_id=holder_id)

    def list_virtual(self, account_id: str, status: AssignmentStatus, *, after: str | None, limit: int) -> list[ListedDevice]:
        """By serial number."""
        return self._listed(_VIRTUAL[status], account_id, after, limit)

    def list_hardware(self, account_id: str, *, after: str | None, limit: int) -> list[ListedDevice]:
        """The inventory, by serial number, whoever holds a token or nobody."""
        return self._listed(_HARDWARE, account_id, after, limit)

    def all_tracked(self, account_id: str | None) -> list[MFADevice]:
        """Every assigned device, with its sightings, for the server-clock check."""
        statement = _ALL_HELD if account_id is None else _ALL_HELD.where(_account_is)
        rows = self._connection.execute(statement, {} if account_id is None else {"account_id": account_id}).all()
        return [device_of(row, self.sightings(device_of(row))) for row in rows]

    def holders(self, account_id: str) -> set[str]:
        """The ids of those who have any."""
        return set(self._connection.execute(_HOLDERS, {"account_id": account_id}).scalars())

    def count_held(self, account_id: str, holder_id: str) -> int:
        return self._number(_COUNT_HELD, account_id=account_id, holder_id=holder_id)

    def count_virtual(self, account_id: str) -> int:
        return self._number(_COUNT_VIRTUAL, account_id=account_id)

    def counts(self, account_id: str) -> tuple[int, int]:
        """How many devices the account has (virtual ones, and hardware tokens that somebody holds), and how many are held."""
        return self._number(_COUNT_OURS, account_id=account_id), self._number(_COUNT_IN_USE, account_id=account_id)

    def assign(self, device: MFADevice, holder_id: str, enabled_at: datetime) -> None:
        """Raises EntityAlreadyExists ("MFA Device is already in use.") unless nobody has it at this very moment."""
        if device.holder_id is not None:
            raise EntityAlreadyExists("MFA Device is already in use.")
        self._revisions.update(mfa_devices, key_of(device), device.revision, holder_id=holder_id, enabled_at=enabled_at)

    def unassign(self, device: MFADevice) -> None:
        """Takes it from its holder; misses and waits end, spent steps, sightings and floor stay."""
        self._change(
            device,
            holder_id=None,
            enabled_at=None,
            receipt_by=None,
            receipt_at=None,
            receipt_step=None,
        )
        self.clear_misses(device)

    def set_tags(self, device: MFADevice, tags: Mapping[str, str]) -> None:
        self._change(device, tags=tags)

    def delete(self, device: MFADevice) -> None:
        """Raises DeleteConflict ("MFA VirtualDevice in use. Must deactivate first.") while somebody has it."""
        if device.holder_id is not None:
            raise DeleteConflict("MFA VirtualDevice in use. Must deactivate first.")
        self._revisions.delete(mfa_devices, key_of(device), device.revision)

    def spent_among(self, device: MFADevice, steps: Collection[int]) -> set[int]:
        rows = self._connection.execute(_SPENT_AMONG, {**key_of(device), "steps": list(steps)})
        return set(rows.scalars())

    def spend(self, device: MFADevice, *steps: int, at: datetime) -> None:
        """Use up the codes of `steps`.  Raises InvalidAuthenticationCode (reason "spent") if any was used before."""
        for step in steps:
            if not self._add(_SPEND, {**key_of(device), "step": step, "arrived_at": at}):
                raise InvalidAuthenticationCode(REFUSAL, reason="spent")

    def observe(self, device: MFADevice, tracking: Tracking, sighting: Sighting, *, receipt: ResyncReceipt | None = None) -> None:
        """Keep an accepted code and the tracking that follows from it; sightings not in `tracking.sightings` are dropped.

        It was no miss: none counts any longer, of single codes or of pairs.
        """
        kept_receipt = (
            {} if receipt is None else {"receipt_by": receipt.by, "receipt_at": receipt.at, "receipt_step": receipt.step}
        )
        self._change(device, **columns_of(tracking), code_misses=0, next_code_at=None, **kept_receipt)
        self._connection.execute(_DROP_TRIES, key_of(device))
        self._add(_ADD_SIGHTING, {**key_of(device), "step": sighting.step, "at": sighting.at, "source": sighting.source.value})
        kept = {one.step for one in tracking.sightings}
        dropped = [one.step for one in self.sightings(device) if one.step not in kept]
        if dropped:
            self._connection.execute(_DROP_SIGHTINGS, {**key_of(device), "steps": dropped})

    def claim_code(self, device: MFADevice, now: datetime, tries: CodeTries) -> bool:
        """Count a try at a single code before it is looked at.  False: it is waiting, nothing was counted."""
        now_ms = UTCTimestamp.milliseconds(now)
        parameters = {"of_account": device.account_id, "of_token": device.token_id, "now": now, "now_ms": now_ms}
        return self._connection.execute(_claim_code(tries), parameters).first() is not None

    def claim_pair(self, device: MFADevice, claimant: Claimant, now: datetime, tries: PairTries, attempt_id: str) -> bool:
        """The same for a pair.  False when the claimant's hour or day is used up."""
        # First in line for the row, then the count: two tries at once cannot both be the last one.
        self._change(device)
        if self.pair_waiting(device, claimant, now, tries):
            return False
        self._connection.execute(_DROP_OLD_TRIES, {**key_of(device), "since": now - _DAY})
        self._add(_ADD_TRY, {**key_of(device), "attempt_id": attempt_id, "claimant": claimant.value, "at": now})
        return True

    def pair_waiting(self, device: MFADevice, claimant: Claimant, now: datetime, tries: PairTries) -> bool:
        return (
            self._tries_within(device, claimant, now, _HOUR) >= tries.per_hour
            or self._tries_within(device, claimant, now, _DAY) >= tries.per_day
        )

    def clear_misses(self, device: MFADevice) -> None:
        """No miss counts any longer, of single codes or of pairs."""
        self._change(device, code_misses=0, next_code_at=None)
        self._connection.execute(_DROP_TRIES, key_of(device))

    def sweep(self, *, arrived_before: datetime, limit: int) -> int:
        """Drop spent steps that arrived before then, raising each token's floor over them.  How many went."""
        rows = self._connection.execute(_OLD_STEPS, {"before": arrived_before, "limit": limit}).all()
        swept: dict[tuple[str, str], list[int]] = {}
        for row in rows:
            swept.setdefault((row.account_id, row.token_id), []).append(row.step)
        for (account_id, token_id), steps in swept.items():
            key = {"account_id": account_id, "token_id": token_id}
            # The floor first: between the two nothing may be open again.
            floor = raised_floor(self._number(_FLOOR, **key), steps)
            self._connection.execute(_RAISE_FLOOR, {"of_account": account_id, "of_token": token_id, "swept": floor})
            self._connection.execute(_DROP_STEP, [{**key, "old_step": step} for step in steps])
        return len(rows)

    def _tries_within(self, device: MFADevice, claimant: Claimant, now: datetime, length: timedelta) -> int:
        # Later ones too, as requests overtake one another; but a server's clock set back far does not lengthen a wait.
        between = {"since": now - length, "until": now + length}
        return self._number(_TRIES_BETWEEN, **key_of(device), claimant=claimant.value, **between)

    def _change(self, device: MFADevice, **values: Any) -> None:
        self._revisions.update(mfa_devices, key_of(device), device.revision, **values)

    def _listed(self, statement: HotSelect, account_id: str, after: str | None, limit: int, **more: str) -> list[ListedDevice]:
        parameters = {"account_id": account_id, "after": after or "", "limit": limit, **more}
        return [
            ListedDevice(
                serial_number=row.serial_number,
                kind=DeviceKind(row.kind),
                holder_id=row.holder_id,
                enabled_at=row.enabled_at,
                created_at=row.created_at,
            )
            for row in statement.all(self._connection, parameters)
        ]

    def _among(self, statement: sa.Executable, account_id: str, keys: set[str]) -> set[str]:
        found: set[str] = set()
        ordered = sorted(keys)
        for start in range(0, len(ordered), _AT_ONCE):
            parameters = {"account_id": account_id, "keys": ordered[start : start + _AT_ONCE]}
            found.update(self._connection.execute(statement, parameters).scalars())
        return found
