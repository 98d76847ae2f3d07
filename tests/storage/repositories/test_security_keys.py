"""Security keys: what is unique, whose they are, and that no two answers of one go by the same counter."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from instep.api.errors import EntityAlreadyExists
from instep.domain.security_key import Credential, SecurityKey
from instep.services.faults import Conflict
from instep.storage.schema import security_keys
from instep.storage.transaction import Store, Transaction
from tests.storage.repositories.builders import ACCOUNT, MS, NOON, OTHER_ACCOUNT, add, count, security_key

KEY = security_key("key")


def found(store: Store, key: SecurityKey = KEY) -> SecurityKey | None:
    return store.read(lambda tx: tx.security_keys.find(key.account_id, key.serial_number))


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        security_key("of_root", ACCOUNT),
        security_key("fresh", last_used_at=None, credential=Credential("x", b"", 0, (), "0")),
        security_key("often", revision=9),
    ],
    ids=lambda one: one.name,
)
def test_a_key_comes_back_as_it_was_added(store: Store, key: SecurityKey) -> None:
    add(store, key)

    assert found(store, key) == key
    assert store.read(lambda tx: tx.security_keys.of_holder(ACCOUNT, key.holder_id)) == [key]


def test_a_key_is_found_by_its_exact_serial_number_in_its_own_account(store: Store) -> None:
    add(store, KEY)

    for account_id, serial_number in (
        (ACCOUNT, KEY.serial_number.lower()),
        (ACCOUNT, KEY.serial_number + "x"),
        (OTHER_ACCOUNT, KEY.serial_number),
    ):
        assert store.read(lambda tx, a=account_id, s=serial_number: tx.security_keys.find(a, s)) is None  # type: ignore[misc]


@pytest.mark.parametrize(
    "second",
    [
        security_key("other", serial_number=KEY.serial_number.upper()),
        security_key("other", credential=KEY.credential),
        security_key("other", "AIDASALLY", credential=KEY.credential),
    ],
    ids=["serial number in another spelling", "credential", "credential of somebody else"],
)
def test_a_serial_number_or_credential_that_is_there_is_refused(store: Store, second: SecurityKey) -> None:
    add(store, KEY)

    with pytest.raises(EntityAlreadyExists) as refused:
        add(store, second)

    assert refused.value.message == "MFA device already exists."
    assert count(store, security_keys) == 1


def test_credentials_differ_by_case(store: Store) -> None:
    add(store, KEY, security_key("other", credential=replace(KEY.credential, credential_id="KEY-_credential")))

    assert count(store, security_keys) == 2


def test_keys_are_listed_and_counted_by_holder_and_account(store: Store) -> None:
    theirs = security_key("key", account_id=OTHER_ACCOUNT)
    add(store, security_key("b"), security_key("a"), security_key("c", "AIDASALLY"), security_key("d", ACCOUNT), theirs)

    def work(tx: Transaction) -> None:
        keys = tx.security_keys
        assert [key.name for key in keys.of_holder(ACCOUNT, "AIDARICHARD")] == ["a", "b"]
        assert keys.of_holder(ACCOUNT, "AIDADICK") == []
        assert (keys.count(ACCOUNT), keys.count(OTHER_ACCOUNT)) == (4, 1)
        assert [keys.count_held(ACCOUNT, who) for who in ("AIDARICHARD", "AIDASALLY", ACCOUNT, "AIDADICK")] == [2, 1, 1, 0]
        assert keys.holders(ACCOUNT) == {"AIDARICHARD", "AIDASALLY", ACCOUNT}
        assert keys.holders(OTHER_ACCOUNT) == {"AIDARICHARD"}

    store.read(work)


def test_a_use_is_recorded(store: Store) -> None:
    add(store, KEY)

    store.write(lambda tx: tx.security_keys.record_use(KEY, sign_count=7, at=NOON + 9 * MS))

    credential = replace(KEY.credential, sign_count=7)
    assert found(store) == replace(KEY, credential=credential, last_used_at=NOON + 9 * MS, revision=1)


def test_a_deleted_key_is_gone_and_its_credential_free(store: Store) -> None:
    add(store, KEY)

    store.write(lambda tx: tx.security_keys.delete(KEY))

    assert found(store) is None
    add(store, security_key("again", credential=KEY.credential))


STALE: dict[str, Callable[[Transaction], None]] = {
    "use": lambda tx: tx.security_keys.record_use(KEY, sign_count=8, at=NOON),
    "delete": lambda tx: tx.security_keys.delete(KEY),
}


@pytest.mark.parametrize("change", STALE.values(), ids=STALE)
def test_who_changes_what_others_changed_since_is_refused(store: Store, change: Callable[[Transaction], None]) -> None:
    add(store, KEY)
    store.write(lambda tx: tx.security_keys.record_use(KEY, sign_count=7, at=NOON))

    with pytest.raises(Conflict):
        store.write(change)

    kept = found(store)
    assert kept is not None
    assert (kept.credential.sign_count, kept.revision) == (7, 1)


def test_of_many_at_once_one_answer_goes_by_a_counter(store: Store) -> None:
    add(store, KEY)

    def use(_: int) -> bool:
        try:
            store.write(lambda tx: tx.security_keys.record_use(KEY, sign_count=7, at=NOON))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(use, range(8)))

    assert sum(outcomes) == 1
