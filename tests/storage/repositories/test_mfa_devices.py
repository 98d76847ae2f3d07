"""MFA devices: what is unique, what is listed, who holds them, and what goes with them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from instep.api.errors import DeleteConflict, EntityAlreadyExists
from instep.domain.drift import Drift, Sighting, Source, Tracking
from instep.domain.mfa import AssignmentStatus, Claimant, DeviceKind, MFADevice, Misses, PairTries, ResyncReceipt
from instep.services.faults import Conflict
from instep.storage.schema import mfa_devices, pair_tries, sightings, spent_steps
from instep.storage.transaction import Store, Transaction
from tests.storage.repositories.builders import (
    ACCOUNT,
    MS,
    NOON,
    OTHER_ACCOUNT,
    add,
    count,
    device,
    kept,
    unseen_device,
)
from tests.storage.stores import open_store

PHONE = device("phone")
RICHARD, DICK = "AIDARICHARD", "AIDADICK"


def hardware(number: str, account_id: str = ACCOUNT) -> MFADevice:
    return unseen_device(number, account_id, serial_number=number, kind=DeviceKind.HARDWARE)


def in_use(made: MFADevice, holder_id: str = RICHARD) -> MFADevice:
    return replace(made, holder_id=holder_id, enabled_at=NOON + 8 * MS)


@pytest.mark.parametrize(
    "made",
    [PHONE, in_use(device("used", revision=4)), unseen_device("fresh"), hardware("GAHT12345678")],
    ids=lambda one: one.token_id,
)
def test_a_device_comes_back_as_it_was_added(store: Store, made: MFADevice) -> None:
    add(store, made)

    assert store.read(lambda tx: tx.mfa_devices.find(made.account_id, made.serial_number)) == made


def test_devices_added_at_once_come_back_as_they_were(store: Store) -> None:
    many = [hardware(f"GAHT{number:08}") for number in range(1201)]

    store.write(lambda tx: tx.mfa_devices.add_many(many))
    store.write(lambda tx: tx.mfa_devices.add_many([]))

    assert count(store, mfa_devices) == len(many)
    for one in many[::100]:
        assert kept(store, one) == one


def test_a_device_is_found_by_its_exact_serial_number_in_its_own_account(store: Store) -> None:
    add(store, PHONE)

    for account_id, serial_number in (
        (ACCOUNT, PHONE.serial_number.upper()),
        (ACCOUNT, PHONE.serial_number + "x"),
        (OTHER_ACCOUNT, PHONE.serial_number),
    ):
        assert store.read(lambda tx, a=account_id, s=serial_number: tx.mfa_devices.find(a, s)) is None  # type: ignore[misc]


@pytest.mark.parametrize(
    "second",
    [
        device("Phone", token_id="TOTPOTHER", seed_fingerprint="other"),
        device("tablet", seed_fingerprint=PHONE.seed_fingerprint),
    ],
    ids=["serial number in another spelling", "seed"],
)
def test_a_serial_number_or_seed_that_is_there_is_refused(store: Store, second: MFADevice) -> None:
    add(store, PHONE)

    with pytest.raises(EntityAlreadyExists) as refused:
        add(store, second)
    assert refused.value.message == "MFA device already exists."

    for batch in ([unseen_device("new"), second], [second, unseen_device("new")]):
        with pytest.raises(EntityAlreadyExists):
            store.write(lambda tx, batch=batch: tx.mfa_devices.add_many(batch))  # type: ignore[misc]
    assert count(store, mfa_devices) == 1


def test_devices_of_one_batch_must_differ_from_one_another(store: Store) -> None:
    twins = [unseen_device("a", seed_fingerprint="same"), unseen_device("b", seed_fingerprint="same")]

    with pytest.raises(EntityAlreadyExists):
        store.write(lambda tx: tx.mfa_devices.add_many(twins))

    assert count(store, mfa_devices) == 0


def test_another_account_may_have_the_same_token(store: Store) -> None:
    ours, theirs = hardware("GAHT12345678"), hardware("GAHT12345678", OTHER_ACCOUNT)
    add(store, ours, theirs)

    assert (kept(store, ours), kept(store, theirs)) == (ours, theirs)


def test_what_is_taken_is_told_in_the_spelling_it_was_asked_in(store: Store) -> None:
    add(store, hardware("GAHT1"), hardware("GAHT2", OTHER_ACCOUNT))
    many = [f"NONE{number}" for number in range(1100)]

    taken = store.read(
        lambda tx: tx.mfa_devices.taken(
            ACCOUNT,
            serial_numbers=["gaht1", "GAHT1", "GAHT2", *many],
            fingerprints=["GAHT1-fingerprint", "gaht1-fingerprint", "GAHT2-fingerprint", *many],
        )
    )

    assert taken == ({"gaht1", "GAHT1"}, {"GAHT1-fingerprint"})
    assert store.read(lambda tx: tx.mfa_devices.taken(ACCOUNT, serial_numbers=[], fingerprints=[])) == (set(), set())


def test_lists_go_on_by_serial_number_and_hold_what_they_should(store: Store) -> None:
    add(
        store,
        in_use(device("b")),
        device("a"),
        in_use(device("c"), DICK),
        device("d"),
        in_use(hardware("GAHT3")),
        hardware("GAHT1"),
        in_use(hardware("GAHT2"), ACCOUNT),
        in_use(device("theirs", OTHER_ACCOUNT)),
        in_use(hardware("GAHT1", OTHER_ACCOUNT)),
    )

    def ends(listing: Callable[[Transaction, str | None, int], list[str]]) -> list[str]:
        whole = store.read(lambda tx: listing(tx, None, 100))
        for size in range(1, len(whole) + 1):
            seen: list[str] = []
            while found := store.read(lambda tx, seen=seen, size=size: listing(tx, seen[-1] if seen else None, size)):  # type: ignore[misc]
                assert len(found) <= size
                seen += found
            assert seen == whole
        assert whole == sorted(whole)
        return [serial_number.rpartition("/")[2] for serial_number in whole]

    def virtual(status: AssignmentStatus) -> list[str]:
        return ends(
            lambda tx, after, limit: [
                one.serial_number for one in tx.mfa_devices.list_virtual(ACCOUNT, status, after=after, limit=limit)
            ]
        )

    def held(holder_id: str) -> list[str]:
        return ends(
            lambda tx, after, limit: [
                one.serial_number for one in tx.mfa_devices.held_by(ACCOUNT, holder_id, after=after, limit=limit)
            ]
        )

    assert virtual(AssignmentStatus.ANY) == ["a", "b", "c", "d"]
    assert virtual(AssignmentStatus.ASSIGNED) == ["b", "c"]
    assert virtual(AssignmentStatus.UNASSIGNED) == ["a", "d"]
    assert held(RICHARD) == ["GAHT3", "b"]
    assert held(DICK) == ["c"]
    assert held(ACCOUNT) == ["GAHT2"]
    assert held("AIDANOBODY") == []
    assert ends(
        lambda tx, after, limit: [one.serial_number for one in tx.mfa_devices.list_hardware(ACCOUNT, after=after, limit=limit)]
    ) == ["GAHT1", "GAHT2", "GAHT3"]

    def numbers(tx: Transaction) -> tuple[int, int, tuple[int, int]]:
        return (
            tx.mfa_devices.count_held(ACCOUNT, RICHARD),
            tx.mfa_devices.count_virtual(ACCOUNT),
            tx.mfa_devices.counts(ACCOUNT),
        )

    assert store.read(numbers) == (2, 4, (6, 4))


def test_a_list_shows_of_a_device_what_it_is_and_whose(store: Store) -> None:
    used = in_use(device("used"))
    add(store, used)

    (listed,) = store.read(lambda tx: tx.mfa_devices.held_by(ACCOUNT, RICHARD, after=None, limit=1))

    assert (listed.serial_number, listed.kind, listed.holder_id, listed.enabled_at, listed.created_at) == (
        used.serial_number,
        DeviceKind.VIRTUAL,
        RICHARD,
        NOON + 8 * MS,
        NOON,
    )


def test_the_clock_check_sees_every_device_in_use_with_its_sightings(store: Store) -> None:
    used, theirs = in_use(unseen_device("used")), in_use(unseen_device("theirs", OTHER_ACCOUNT))
    add(store, used, theirs, unseen_device("free"))
    seen = Sighting(NOON, 7, Source.STS)
    store.write(lambda tx: tx.mfa_devices.observe(used, replace(used.tracking, sightings=(seen,)), seen))

    everywhere = store.read(lambda tx: tx.mfa_devices.all_tracked(None))
    here = store.read(lambda tx: tx.mfa_devices.all_tracked(ACCOUNT))

    assert {one.serial_number for one in everywhere} == {used.serial_number, theirs.serial_number}
    assert here == [kept(store, used)]
    assert here[0].tracking.sightings == (seen,)


def test_a_device_is_given_to_somebody_and_taken_away(store: Store) -> None:
    add(store, PHONE)

    store.write(lambda tx: tx.mfa_devices.assign(PHONE, RICHARD, NOON + 8 * MS))
    given = kept(store, PHONE)
    assert given == replace(in_use(PHONE), revision=1)

    store.write(lambda tx: tx.mfa_devices.spend(given, 1, 2, at=NOON))
    store.write(lambda tx: tx.mfa_devices.unassign(given))

    # Misses, waits and the receipt end; what the token has shown stays known.
    assert kept(store, PHONE) == replace(PHONE, misses=Misses(), receipt=None, revision=3)
    assert store.read(lambda tx: tx.mfa_devices.spent_among(PHONE, range(5))) == {1, 2}


def test_a_device_that_somebody_has_is_not_given_to_another(store: Store) -> None:
    add(store, PHONE)
    store.write(lambda tx: tx.mfa_devices.assign(PHONE, RICHARD, NOON))

    with pytest.raises(EntityAlreadyExists) as refused:
        store.write(lambda tx: tx.mfa_devices.assign(kept(store, PHONE), DICK, NOON))
    assert refused.value.message == "MFA Device is already in use."
    # Who still thinks it free is told to look again.
    with pytest.raises(Conflict):
        store.write(lambda tx: tx.mfa_devices.assign(PHONE, DICK, NOON))

    assert kept(store, PHONE).holder_id == RICHARD


def test_of_many_who_want_one_device_at_once_one_gets_it(url: str, store: Store) -> None:
    add(store, PHONE)
    busy = open_store(url, threads=8)

    def take(number: int) -> bool:
        def work(tx: Transaction) -> None:
            found = tx.mfa_devices.find(ACCOUNT, PHONE.serial_number)
            assert found is not None
            tx.mfa_devices.assign(found, f"AIDA{number}", NOON)

        try:
            busy.write(work)
        except EntityAlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(take, range(16)))
    busy.close()

    assert got.count(True) == 1
    assert kept(store, PHONE).holder_id == f"AIDA{got.index(True)}"


def test_tags_and_receipt_are_replaced(store: Store) -> None:
    add(store, PHONE)
    receipt = ResyncReceipt("session", NOON + 11 * MS, 99)

    store.write(lambda tx: tx.mfa_devices.set_tags(PHONE, {"b": "", "a": "β"}))
    tagged = kept(store, PHONE)
    seen = Sighting(NOON + 11 * MS, 99, Source.RESYNC)
    tracking = replace(tagged.tracking, sightings=(seen,))
    store.write(lambda tx: tx.mfa_devices.observe(tagged, tracking, seen, receipt=receipt))

    after = replace(PHONE, tags={"b": "", "a": "β"}, tracking=tracking, misses=Misses(), receipt=receipt, revision=2)
    assert kept(store, PHONE) == after
    later = Sighting(NOON + 12 * MS, 100, Source.STS)
    store.write(lambda tx: tx.mfa_devices.observe(kept(store, PHONE), tracking, later))
    assert kept(store, PHONE).receipt == receipt


def test_a_device_in_use_is_not_deleted(store: Store) -> None:
    add(store, in_use(PHONE))

    with pytest.raises(DeleteConflict) as refused:
        store.write(lambda tx: tx.mfa_devices.delete(in_use(PHONE)))

    assert refused.value.message == "MFA VirtualDevice in use. Must deactivate first."
    assert kept(store, PHONE) == in_use(PHONE)


def test_what_hangs_on_a_device_goes_with_it_and_nothing_else(store: Store) -> None:
    other = device("other")
    add(store, PHONE, other)
    for one in (PHONE, other):
        seen = Sighting(NOON, 60_000_000, Source.SIGNIN)
        tracking = replace(one.tracking, sightings=(seen,))

        def work(tx: Transaction, one: MFADevice = one, tracking: Tracking = tracking, seen: Sighting = seen) -> None:
            tx.mfa_devices.spend(one, 60_000_000, 60_000_001, at=NOON)
            tx.mfa_devices.observe(one, tracking, seen)
            tx.mfa_devices.claim_pair(one, Claimant.OWNER, NOON, PairTries(per_hour=5, per_day=5), "attempt")

        store.write(work)
    assert [count(store, table) for table in (spent_steps, sightings, pair_tries)] == [4, 2, 2]

    store.write(lambda tx: tx.mfa_devices.delete(kept(store, PHONE)))

    assert [count(store, table) for table in (spent_steps, sightings, pair_tries)] == [2, 1, 1]
    assert store.read(lambda tx: tx.mfa_devices.find(ACCOUNT, PHONE.serial_number)) is None
    add(store, PHONE)
    assert store.read(lambda tx: tx.mfa_devices.spent_among(PHONE, [60_000_000])) == set()


SEEN = Sighting(NOON, 60_000_000, Source.SIGNIN)
STALE: dict[str, Callable[[Transaction], object]] = {
    "assign": lambda tx: tx.mfa_devices.assign(PHONE, RICHARD, NOON),
    "unassign": lambda tx: tx.mfa_devices.unassign(PHONE),
    "set_tags": lambda tx: tx.mfa_devices.set_tags(PHONE, {}),
    "delete": lambda tx: tx.mfa_devices.delete(PHONE),
    "observe": lambda tx: tx.mfa_devices.observe(PHONE, replace(PHONE.tracking, sightings=(SEEN,)), SEEN),
    "claim_pair": lambda tx: tx.mfa_devices.claim_pair(PHONE, Claimant.OWNER, NOON, PairTries(per_hour=9, per_day=9), "x"),
    "clear_misses": lambda tx: tx.mfa_devices.clear_misses(PHONE),
}


@pytest.mark.parametrize("change", STALE.values(), ids=STALE)
def test_who_changes_what_others_changed_since_is_refused(store: Store, change: Callable[[Transaction], object]) -> None:
    add(store, PHONE)
    store.write(lambda tx: tx.mfa_devices.set_tags(PHONE, {"by": "others"}))
    before = kept(store, PHONE)

    with pytest.raises(Conflict):
        store.write(change)

    assert kept(store, PHONE) == before


def test_what_is_known_of_a_clock_is_kept_to_the_millisecond(store: Store) -> None:
    add(store, PHONE)
    seen = Sighting(NOON + timedelta(microseconds=999), 60_000_000, Source.RESYNC)
    tracking = Tracking(
        drift=Drift(86_400.0004, -59.9996, NOON + MS),
        restarted_at=NOON + 2 * MS,
        confirmed=True,
        newest_accepted_step=60_000_000,
        floor=59_000_000,
        last_seen=NOON + 3 * MS,
        sightings=(seen,),
    )

    store.write(lambda tx: tx.mfa_devices.observe(PHONE, tracking, seen))

    found = kept(store, PHONE).tracking
    assert found == replace(tracking, drift=Drift(86_400.0, -60.0, NOON + MS))
    assert found.sightings[0].at == NOON


def test_sightings_that_the_tracking_no_longer_holds_are_dropped(store: Store) -> None:
    add(store, unseen_device("phone"), unseen_device("other"))
    others = Sighting(NOON, 1, Source.STS)
    store.write(
        lambda tx: tx.mfa_devices.observe(
            unseen_device("other"), replace(unseen_device("other").tracking, sightings=(others,)), others
        )
    )
    remembered: tuple[Sighting, ...] = ()
    for number in range(60):
        # The newest has the lowest step: the order is that of time.
        seen = Sighting(NOON + timedelta(minutes=number), 1000 - number, Source.STS)
        remembered = (*remembered, seen)[-10:]
        now = kept(store, unseen_device("phone"))
        tracking = replace(now.tracking, sightings=remembered)
        store.write(lambda tx, now=now, tracking=tracking, seen=seen: tx.mfa_devices.observe(now, tracking, seen))  # type: ignore[misc]

    assert kept(store, unseen_device("phone")).tracking.sightings == remembered
    assert kept(store, unseen_device("other")).tracking.sightings == (others,)
    assert count(store, sightings) == 11
