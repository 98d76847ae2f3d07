"""Groups: names are one ignoring case, who is in them is told from both sides, and each change of that is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from instep.api.errors import EntityAlreadyExists
from instep.domain.identity import Group
from instep.services.faults import Conflict, Fault
from instep.storage.transaction import Store, Transaction
from tests.storage.repositories.builders import ACCOUNT, OTHER_ACCOUNT, add, group, user

ADMINS = group("Admins")
RICHARD = user("Richard")
DIEGO = user("diego")


def named(store: Store, name: str, account_id: str = ACCOUNT) -> Group:
    found = store.read(lambda tx: tx.groups.find(account_id, name))
    assert found is not None
    return found


def names(store: Store, path_prefix: str = "/", after: str | None = None, limit: int = 100) -> list[str]:
    listed = store.read(lambda tx: tx.groups.list(ACCOUNT, path_prefix=path_prefix, after=after, limit=limit))
    return [one.group_name for one in listed]


def members(store: Store, one: Group, after: str | None = None, limit: int = 100) -> list[str]:
    return [user.user_name for user in store.read(lambda tx: tx.groups.members(one, after=after, limit=limit))]


def of_user(store: Store, user_id: str, account_id: str = ACCOUNT) -> list[str]:
    return [one.group_name for one in store.read(lambda tx: tx.groups.of_user(account_id, user_id))]


@pytest.mark.parametrize("made", [ADMINS, group("Plain", path="/"), group("Later", revision=7)], ids=lambda one: one.group_name)
def test_a_group_comes_back_as_it_was_added(store: Store, made: Group) -> None:
    add(store, made)

    assert store.read(lambda tx: tx.groups.find(ACCOUNT, made.group_name)) == made
    assert store.read(lambda tx: tx.groups.find_many(ACCOUNT, [made.group_id, "AGPANOBODY"])) == {made.group_id: made}


def test_a_name_that_differs_in_case_alone_is_found_and_taken(store: Store) -> None:
    add(store, ADMINS)

    assert named(store, "aDMINS").group_name == "Admins"
    with pytest.raises(EntityAlreadyExists) as refused:
        add(store, group("ADMINS", group_id="AGPAOTHER"))
    assert refused.value.message == "Group with name ADMINS already exists."


def test_a_group_may_bear_the_name_of_a_user(store: Store) -> None:
    add(store, RICHARD, group("Richard"))

    assert named(store, "Richard").group_id == "AGPARICHARD"


def test_accounts_do_not_see_one_anothers_groups(store: Store) -> None:
    theirs = group("Admins", OTHER_ACCOUNT, path="/other/")
    add(store, ADMINS, theirs, RICHARD, user("Richard", OTHER_ACCOUNT))
    store.write(lambda tx: tx.groups.add_member(ADMINS, RICHARD.user_id))

    assert named(store, "admins", OTHER_ACCOUNT) == theirs
    assert names(store) == ["Admins"]
    assert store.read(lambda tx: (tx.groups.count(ACCOUNT), tx.groups.count(OTHER_ACCOUNT))) == (1, 1)
    assert members(store, theirs) == []
    assert of_user(store, RICHARD.user_id, OTHER_ACCOUNT) == []
    store.write(lambda tx: tx.groups.delete(theirs))
    assert members(store, ADMINS) == ["Richard"]
    assert store.read(lambda tx: tx.groups.find_many(OTHER_ACCOUNT, [ADMINS.group_id])) == {}


def test_groups_are_listed_by_name_ignoring_case_page_by_page(store: Store) -> None:
    everything = ["_under", "Alpha", "Bravo", "charlie", "Delta+1"]
    for name in reversed(everything):
        add(store, group(name))

    for size in range(1, 6):
        seen: list[str] = []
        while page := names(store, after=seen[-1] if seen else None, limit=size):
            seen += page
        assert seen == everything


def test_a_path_prefix_of_groups_is_no_pattern(store: Store) -> None:
    for name, path in {"Under": "/a_b/", "Other": "/axb/", "Case": "/A_b/"}.items():
        add(store, group(name, path=path))

    assert names(store, "/a_b/") == ["Under"]
    assert names(store, "/a") == ["Other", "Under"]
    assert names(store, "/%") == []


def test_members_are_listed_by_name_ignoring_case_page_by_page(store: Store) -> None:
    everybody = ["Alpha", "bravo", "Charlie", "delta"]
    add(store, ADMINS, group("Others"), user("outside"))
    for name in reversed(everybody):
        one = user(name)
        add(store, one)
        store.write(lambda tx, user_id=one.user_id: tx.groups.add_member(ADMINS, user_id))  # type: ignore[misc]

    for size in range(1, 5):
        seen: list[str] = []
        while page := members(store, ADMINS, after=seen[-1] if seen else None, limit=size):
            seen += page
        assert seen == everybody
    assert members(store, group("Others")) == []
    assert members(store, ADMINS, after="BRAVO") == ["Charlie", "delta"]


def test_a_user_is_told_their_groups_by_name(store: Store) -> None:
    add(store, RICHARD, DIEGO)
    for name in ("delta", "Bravo", "alpha"):
        add(store, group(name))
        store.write(lambda tx, name=name: tx.groups.add_member(group(name), RICHARD.user_id))  # type: ignore[misc]

    assert of_user(store, RICHARD.user_id) == ["alpha", "Bravo", "delta"]
    assert of_user(store, DIEGO.user_id) == []


def test_the_groups_of_many_users_are_told_at_once(store: Store) -> None:
    add(store, RICHARD, DIEGO, user("outside"), user("Richard", OTHER_ACCOUNT), group("Admins", OTHER_ACCOUNT))
    add(store, group("delta"), group("Bravo"))

    def work(tx: Transaction) -> None:
        for name, member in (("delta", RICHARD), ("Bravo", RICHARD), ("Bravo", DIEGO)):
            tx.groups.add_member(group(name), member.user_id)

    store.write(work)

    def told(*user_ids: str, account_id: str = ACCOUNT) -> list[tuple[str, str]]:
        return store.read(lambda tx: tx.groups.names_of_users(account_id, user_ids))

    pairs = [(DIEGO.user_id, "Bravo"), (RICHARD.user_id, "Bravo"), (RICHARD.user_id, "delta")]
    assert told(DIEGO.user_id, RICHARD.user_id, "AIDAOUTSIDE", "AIDANOBODY") == pairs
    assert told(DIEGO.user_id) == pairs[:1]
    assert told(RICHARD.user_id, account_id=OTHER_ACCOUNT) == told() == []


def test_a_user_comes_and_goes_any_number_of_times(store: Store) -> None:
    add(store, ADMINS, RICHARD, DIEGO)

    def work(tx: Transaction) -> None:
        for user_id in (RICHARD.user_id, RICHARD.user_id, DIEGO.user_id):
            tx.groups.add_member(ADMINS, user_id)
        for _ in range(2):
            tx.groups.remove_member(ADMINS, RICHARD.user_id)

    store.write(work)

    assert members(store, ADMINS) == ["diego"]


def test_members_follow_a_renamed_group_and_a_renamed_user(store: Store) -> None:
    add(store, ADMINS, RICHARD)
    store.write(lambda tx: tx.groups.add_member(ADMINS, RICHARD.user_id))

    store.write(lambda tx: tx.groups.rename(ADMINS, group_name="Owners", path="/"))
    store.write(lambda tx: tx.users.rename(RICHARD, user_name="Dick", path="/"))

    assert members(store, named(store, "owners")) == ["Dick"]
    assert of_user(store, RICHARD.user_id) == ["Owners"]


def test_a_deleted_user_is_in_no_group_any_more(store: Store) -> None:
    add(store, ADMINS, RICHARD)
    store.write(lambda tx: tx.groups.add_member(ADMINS, RICHARD.user_id))

    store.write(lambda tx: tx.users.delete(RICHARD))

    assert members(store, ADMINS) == []
    store.write(lambda tx: tx.groups.delete(ADMINS))


def test_a_group_that_somebody_is_in_cannot_be_deleted(store: Store) -> None:
    add(store, ADMINS, RICHARD)
    store.write(lambda tx: tx.groups.add_member(ADMINS, RICHARD.user_id))

    with pytest.raises(Fault):
        store.write(lambda tx: tx.groups.delete(ADMINS))

    assert members(store, ADMINS) == ["Richard"]


def test_renaming_keeps_the_group_and_frees_the_name(store: Store) -> None:
    add(store, ADMINS)

    store.write(lambda tx: tx.groups.rename(ADMINS, group_name="Owners", path="/o/"))

    assert named(store, "owners") == replace(ADMINS, group_name="Owners", path="/o/", revision=1)
    assert store.read(lambda tx: tx.groups.find(ACCOUNT, "Admins")) is None


def test_a_group_may_be_given_its_own_name_in_another_spelling_but_no_others(store: Store) -> None:
    add(store, ADMINS, group("Owners"))

    store.write(lambda tx: tx.groups.rename(ADMINS, group_name="ADMINS", path="/"))
    renamed = named(store, "admins")

    assert renamed.group_name == "ADMINS"
    with pytest.raises(EntityAlreadyExists) as refused:
        store.write(lambda tx: tx.groups.rename(renamed, group_name="OWNERS", path="/"))
    assert refused.value.message == "Group with name OWNERS already exists."
    assert named(store, "Admins") == renamed


STALE: list[Callable[[Transaction], None]] = [
    lambda tx: tx.groups.rename(ADMINS, group_name="Owners", path="/"),
    lambda tx: tx.groups.touch(ADMINS),
    lambda tx: tx.groups.delete(ADMINS),
]


@pytest.mark.parametrize("change", STALE, ids=["rename", "touch", "delete"])
def test_who_changes_a_group_that_others_changed_since_is_refused(store: Store, change: Callable[[Transaction], None]) -> None:
    add(store, ADMINS)
    store.write(lambda tx: tx.groups.touch(ADMINS))

    with pytest.raises(Conflict):
        store.write(change)

    assert named(store, "Admins") == replace(ADMINS, revision=1)


def joined(tx: Transaction) -> None:
    tx.groups.add_member(ADMINS, RICHARD.user_id)


def left(tx: Transaction) -> None:
    tx.groups.remove_member(ADMINS, RICHARD.user_id)


def test_each_change_of_who_is_in_a_group_is_a_change_of_what_somebody_may_do(store: Store) -> None:
    def revision_after(work: Callable[[Transaction], None]) -> int:
        store.write(work)
        return store.read(lambda tx: tx.accounts.policies_revision(ACCOUNT))

    add(store, ADMINS, RICHARD)
    before = revision_after(lambda tx: tx.groups.touch(ADMINS))

    assert [revision_after(work) - before for work in (joined, joined, left, left)] == [1, 1, 2, 2]
    assert revision_after(lambda tx: tx.groups.delete(named(store, "Admins"))) - before == 3
