"""Access keys: found wherever they are, listed by age, and their last use only ever goes forward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from instep.domain.identity import AccessKey, KeyStatus, KeyUse
from instep.services.faults import Conflict
from instep.storage.transaction import Store, Transaction
from tests.storage.repositories.builders import ACCOUNT, MS, NOON, OTHER_ACCOUNT, access_key, add, user

KEY = access_key("one")


def found(store: Store, key: AccessKey = KEY) -> AccessKey | None:
    return store.read(lambda tx: tx.access_keys.find(key.access_key_id))


def ids(store: Store, after: str | None = None, limit: int = 10, holder_id: str = KEY.holder_id) -> list[str]:
    listed = store.read(lambda tx: tx.access_keys.list(ACCOUNT, holder_id, after=after, limit=limit))
    return [key.access_key_id for key in listed]


@pytest.mark.parametrize(
    "made", [KEY, access_key("root", ACCOUNT, last_use=None, status=KeyStatus.ACTIVE), access_key("two", revision=9)]
)
def test_a_key_comes_back_as_it_was_added(store: Store, made: AccessKey) -> None:
    add(store, made)

    assert found(store, made) == made


def test_a_key_comes_with_its_holder(store: Store) -> None:
    richard = user("Richard")
    add(store, richard, user("Richard", OTHER_ACCOUNT, path="/other/"), KEY, access_key("root", ACCOUNT))

    assert store.read(lambda tx: tx.access_keys.find_with_holder(KEY.access_key_id)) == (KEY, richard)
    assert store.read(lambda tx: tx.access_keys.find_with_holder("AKIAROOT")) == (access_key("root", ACCOUNT), None)
    assert store.read(lambda tx: tx.access_keys.find_with_holder("AKIANONE")) is None


def test_a_key_id_is_given_once_in_the_whole_installation(store: Store) -> None:
    add(store, KEY)

    with pytest.raises(Conflict):
        add(store, access_key("one", account_id=OTHER_ACCOUNT))

    assert found(store) == KEY


def test_keys_are_listed_by_creation_then_by_id(store: Store) -> None:
    add(
        store,
        access_key("b", created_at=NOON + MS),
        access_key("a", created_at=NOON + MS),
        access_key("z", created_at=NOON),
        access_key("y", created_at=NOON + 2 * MS),
        access_key("other", "AIDAOTHER"),
    )
    everything = ["AKIAZ", "AKIAA", "AKIAB", "AKIAY"]

    assert ids(store) == everything
    for size in range(1, 5):
        seen: list[str] = []
        while page := ids(store, after=seen[-1] if seen else None, limit=size):
            seen += page
        assert seen == everything
    assert store.read(lambda tx: tx.access_keys.count(ACCOUNT, KEY.holder_id)) == 4
    assert store.read(lambda tx: tx.access_keys.count(ACCOUNT, "AIDANOBODY")) == 0


def test_a_list_loses_no_key_when_the_last_one_seen_is_deleted(store: Store) -> None:
    keys = [access_key(name, created_at=NOON + number * MS) for number, name in enumerate("cab")]
    add(store, *keys)

    assert ids(store, limit=1) == ["AKIAC"]
    store.write(lambda tx: tx.access_keys.delete(keys[0]))

    assert ids(store, after="AKIAC") == ["AKIAA", "AKIAB"]


def test_accounts_do_not_see_one_another(store: Store) -> None:
    add(store, access_key("theirs", account_id=OTHER_ACCOUNT))

    assert ids(store) == []
    assert store.read(lambda tx: tx.access_keys.count(ACCOUNT, KEY.holder_id)) == 0


def test_a_key_is_deactivated_activated_and_deleted(store: Store) -> None:
    add(store, KEY)

    store.write(lambda tx: tx.access_keys.set_status(KEY, KeyStatus.ACTIVE))
    active = found(store)
    assert active == replace(KEY, status=KeyStatus.ACTIVE, revision=1)
    store.write(lambda tx: tx.access_keys.delete(active))

    assert found(store) is None


STALE: list[Callable[[Transaction], None]] = [
    lambda tx: tx.access_keys.set_status(KEY, KeyStatus.ACTIVE),
    lambda tx: tx.access_keys.delete(KEY),
]


@pytest.mark.parametrize("change", STALE, ids=["set_status", "delete"])
def test_who_changes_what_others_changed_since_is_refused(store: Store, change: Callable[[Transaction], None]) -> None:
    add(store, KEY)
    store.write(lambda tx: tx.access_keys.set_status(KEY, KeyStatus.INACTIVE))

    with pytest.raises(Conflict):
        store.write(change)

    assert found(store) == replace(KEY, revision=1)


def test_the_last_use_never_goes_backwards(store: Store) -> None:
    add(store, access_key("one", last_use=None), access_key("two", last_use=None))
    later = KeyUse(NOON + 5 * MS, "sts", "eu-west-1")

    for use in (later, KeyUse(NOON, "iam", "us-east-1"), KeyUse(later.at, "iam", "us-east-1")):
        store.write(lambda tx, use=use: tx.access_keys.record_use({"AKIAONE": use, "AKIAGONE": use}))  # type: ignore[misc]
        used = found(store)
        assert used is not None
        assert used.last_use == later
    untouched = found(store, access_key("two"))
    assert untouched is not None
    assert untouched.last_use is None

    store.write(lambda tx: tx.access_keys.record_use({"AKIAONE": replace(later, at=NOON + 6 * MS)}))
    store.write(lambda tx: tx.access_keys.record_use({}))
    used = found(store)
    assert used is not None
    # Others may go on changing it as they knew it.
    assert (used.last_use, used.revision) == (replace(later, at=NOON + 6 * MS), 0)
