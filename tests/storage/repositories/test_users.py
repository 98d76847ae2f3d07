"""IAM users: names are one ignoring case, lists go on by name, and who changes a stale row is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from instep.api.errors import EntityAlreadyExists
from instep.domain.identity import User
from instep.services.faults import Conflict
from instep.storage.transaction import Store, Transaction
from tests.storage.repositories.builders import ACCOUNT, NOON, OTHER_ACCOUNT, add, user

RICHARD = user("Richard")


def named(store: Store, name: str, account_id: str = ACCOUNT) -> User:
    found = store.read(lambda tx: tx.users.find(account_id, name))
    assert found is not None
    return found


def names(store: Store, path_prefix: str = "/", after: str | None = None, limit: int = 100) -> list[str]:
    listed = store.read(lambda tx: tx.users.list(ACCOUNT, path_prefix=path_prefix, after=after, limit=limit))
    return [one.user_name for one in listed]


@pytest.mark.parametrize(
    "made",
    [RICHARD, user("Plain", tags={}, password_last_used=None, path="/"), user("Later", revision=7)],
    ids=lambda one: one.user_name,
)
def test_a_user_comes_back_as_it_was_added(store: Store, made: User) -> None:
    add(store, made)

    assert store.read(lambda tx: tx.users.find(ACCOUNT, made.user_name)) == made
    assert store.read(lambda tx: tx.users.find_by_id(ACCOUNT, made.user_id)) == made
    assert store.read(lambda tx: tx.users.find_many(ACCOUNT, [made.user_id, "AIDANOBODY"])) == {made.user_id: made}


def test_times_come_back_in_utc_to_the_millisecond(store: Store) -> None:
    tokyo = (NOON + timedelta(microseconds=999)).astimezone(timezone(timedelta(hours=9)))
    add(store, user("Richard", created_at=tokyo))

    found = named(store, "Richard")

    assert found.created_at == NOON
    assert found.created_at.utcoffset() == timedelta(0)


def test_names_are_found_in_any_spelling_and_shown_in_their_own(store: Store) -> None:
    add(store, RICHARD)

    for spelling in ("richard", "RICHARD", "rIcHaRd"):
        assert named(store, spelling).user_name == "Richard"


def test_a_name_that_differs_in_case_alone_is_taken(store: Store) -> None:
    add(store, RICHARD)

    with pytest.raises(EntityAlreadyExists) as refused:
        add(store, user("RICHARD", user_id="AIDAOTHER"))

    assert refused.value.message == "User with name RICHARD already exists."


def test_accounts_do_not_see_one_another(store: Store) -> None:
    add(store, RICHARD, user("Richard", OTHER_ACCOUNT, path="/other/"))

    assert named(store, "Richard", OTHER_ACCOUNT).path == "/other/"
    assert names(store) == ["Richard"]
    assert store.read(lambda tx: (tx.users.count(ACCOUNT), tx.users.count(OTHER_ACCOUNT))) == (1, 1)
    store.write(lambda tx: tx.users.delete(RICHARD))
    assert store.read(lambda tx: tx.users.find_by_id(ACCOUNT, RICHARD.user_id)) is None
    assert store.read(lambda tx: tx.users.find_many(ACCOUNT, [RICHARD.user_id])) == {}
    assert store.read(lambda tx: (tx.users.count(ACCOUNT), tx.users.count(OTHER_ACCOUNT))) == (0, 1)


def test_users_are_listed_by_name_ignoring_case_page_by_page(store: Store) -> None:
    for name in ("delta", "Alpha", "charlie", "Bravo", "_under", "Echo+1"):
        add(store, user(name))
    everybody = ["_under", "Alpha", "Bravo", "charlie", "delta", "Echo+1"]

    assert names(store) == everybody
    for size in range(1, 7):
        seen: list[str] = []
        while page := names(store, after=seen[-1] if seen else None, limit=size):
            seen += page
        assert seen == everybody


def test_a_list_goes_on_after_a_name_that_is_gone(store: Store) -> None:
    add(store, user("Alpha"), user("Bravo"), user("Charlie"))

    store.write(lambda tx: tx.users.delete(user("Bravo")))

    assert names(store, after="bRAVO") == ["Charlie"]


def test_a_path_prefix_is_no_pattern(store: Store) -> None:
    paths = {"Percent": "/a%b/", "Under": "/a_b/", "Other": "/axb/", "Longer": "/a_b/c/", "Case": "/A_b/", "Root": "/"}
    for name, path in paths.items():
        add(store, user(name, path=path))

    assert names(store, "/a_b/") == ["Longer", "Under"]
    assert names(store, "/a%b/") == ["Percent"]
    assert names(store, "/a") == ["Longer", "Other", "Percent", "Under"]
    assert names(store, "/A") == ["Case"]
    assert names(store, "/%") == []
    assert names(store, "/") == sorted(paths)
    assert names(store, "/a_b/c/d/") == []


def test_renaming_keeps_the_user_and_frees_the_name(store: Store) -> None:
    add(store, RICHARD)

    store.write(lambda tx: tx.users.rename(RICHARD, user_name="Dick", path="/d/"))

    assert named(store, "dick") == replace(RICHARD, user_name="Dick", path="/d/", revision=1)
    assert store.read(lambda tx: tx.users.find(ACCOUNT, "Richard")) is None
    add(store, user("Richard", user_id="AIDAOTHER"))


def test_a_name_may_be_given_in_another_spelling_to_its_own_user(store: Store) -> None:
    add(store, RICHARD)

    store.write(lambda tx: tx.users.rename(RICHARD, user_name="RICHARD", path="/"))

    assert named(store, "richard").user_name == "RICHARD"


def test_renaming_to_a_name_that_is_taken_is_refused(store: Store) -> None:
    add(store, RICHARD, user("Dick"))

    with pytest.raises(EntityAlreadyExists) as refused:
        store.write(lambda tx: tx.users.rename(RICHARD, user_name="DICK", path="/"))

    assert refused.value.message == "User with name DICK already exists."
    assert named(store, "Richard") == RICHARD


def test_tags_are_replaced(store: Store) -> None:
    add(store, RICHARD)

    store.write(lambda tx: tx.users.set_tags(RICHARD, {"z": "", "a": "1", "色": "青"}))

    assert list(named(store, "Richard").tags.items()) == [("z", ""), ("a", "1"), ("色", "青")]


STALE: list[Callable[[Transaction], None]] = [
    lambda tx: tx.users.rename(RICHARD, user_name="Dick", path="/"),
    lambda tx: tx.users.set_tags(RICHARD, {}),
    lambda tx: tx.users.touch(RICHARD),
    lambda tx: tx.users.delete(RICHARD),
]


@pytest.mark.parametrize("change", STALE, ids=["rename", "set_tags", "touch", "delete"])
def test_who_changes_what_others_changed_since_is_refused(store: Store, change: Callable[[Transaction], None]) -> None:
    add(store, RICHARD)
    store.write(lambda tx: tx.users.touch(RICHARD))

    with pytest.raises(Conflict):
        store.write(change)
    assert named(store, "Richard") == replace(RICHARD, revision=1)

    store.write(lambda tx: tx.users.delete(replace(RICHARD, revision=1)))
    with pytest.raises(Conflict):
        store.write(change)


def test_one_transaction_may_change_a_user_again_and_again(store: Store) -> None:
    add(store, RICHARD)

    def work(tx: Transaction) -> None:
        tx.users.touch(RICHARD)
        tx.users.set_tags(RICHARD, {})
        now = tx.users.find(ACCOUNT, "Richard")
        assert now is not None
        tx.users.rename(now, user_name="Dick", path="/")
        tx.users.touch(RICHARD)

    store.write(work)

    assert named(store, "Dick") == replace(RICHARD, user_name="Dick", path="/", tags={}, revision=4)
