"""Roles: names are one ignoring case, lists go on by name, and who changes a stale row is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from instep.api.errors import EntityAlreadyExists
from instep.domain.identity import Role, RoleUse
from instep.services.faults import Conflict
from instep.storage.transaction import Store, Transaction
from tests.storage.repositories.builders import ACCOUNT, MS, NOON, OTHER_ACCOUNT, add, role

AUDITOR = role("Auditor")
LIMITS = f"arn:aws:iam::{ACCOUNT}:policy/limits"


def named(store: Store, name: str, account_id: str = ACCOUNT) -> Role:
    found = store.read(lambda tx: tx.roles.find(account_id, name))
    assert found is not None
    return found


def names(store: Store, path_prefix: str = "/", after: str | None = None, limit: int = 100) -> list[str]:
    listed = store.read(lambda tx: tx.roles.list(ACCOUNT, path_prefix=path_prefix, after=after, limit=limit))
    return [one.role_name for one in listed]


def policies_revision(store: Store) -> int:
    return store.read(lambda tx: tx.accounts.policies_revision(ACCOUNT))


@pytest.mark.parametrize(
    "made",
    [
        AUDITOR,
        role("Plain", tags={}, description=None, permissions_boundary=None, last_use=None, path="/"),
        role("Later", revision=7),
    ],
    ids=lambda one: one.role_name,
)
def test_a_role_comes_back_as_it_was_added(store: Store, made: Role) -> None:
    add(store, made)

    assert store.read(lambda tx: tx.roles.find(ACCOUNT, made.role_name)) == made
    assert store.read(lambda tx: tx.roles.find_by_id(ACCOUNT, made.role_id)) == made
    assert store.read(lambda tx: tx.roles.find_many(ACCOUNT, [made.role_id, "AROANOBODY"])) == {made.role_id: made}


def test_names_are_found_in_any_spelling_and_taken_in_any(store: Store) -> None:
    add(store, AUDITOR)

    for spelling in ("auditor", "AUDITOR"):
        assert named(store, spelling).role_name == "Auditor"
    with pytest.raises(EntityAlreadyExists) as refused:
        add(store, role("AUDITOR", role_id="AROAOTHER"))
    assert refused.value.message == "Role with name AUDITOR already exists."


def test_accounts_do_not_see_one_another(store: Store) -> None:
    add(store, AUDITOR, role("Auditor", OTHER_ACCOUNT, path="/other/"))

    assert named(store, "Auditor", OTHER_ACCOUNT).path == "/other/"
    assert names(store) == ["Auditor"]
    store.write(lambda tx: tx.roles.delete(AUDITOR))
    assert store.read(lambda tx: tx.roles.find_by_id(ACCOUNT, AUDITOR.role_id)) is None
    assert store.read(lambda tx: tx.roles.find_many(ACCOUNT, [AUDITOR.role_id])) == {}
    assert store.read(lambda tx: (tx.roles.count(ACCOUNT), tx.roles.count(OTHER_ACCOUNT))) == (0, 1)


def test_roles_are_listed_by_name_ignoring_case_page_by_page(store: Store) -> None:
    for name in ("delta", "Alpha", "charlie", "Bravo"):
        add(store, role(name))
    everyone = ["Alpha", "Bravo", "charlie", "delta"]

    assert names(store) == everyone
    for size in range(1, 5):
        seen: list[str] = []
        while page := names(store, after=seen[-1] if seen else None, limit=size):
            seen += page
        assert seen == everyone


def test_a_path_prefix_is_no_pattern(store: Store) -> None:
    for name, path in {"Percent": "/a%b/", "Under": "/a_b/", "Other": "/axb/", "Longer": "/a_b/c/"}.items():
        add(store, role(name, path=path))

    assert names(store, "/a_b/") == ["Longer", "Under"]
    assert names(store, "/a%b/") == ["Percent"]
    assert names(store, "/%") == []


def test_a_role_is_described_anew(store: Store) -> None:
    add(store, AUDITOR)

    store.write(lambda tx: tx.roles.describe(AUDITOR, description=None, max_session_duration=timedelta(hours=1)))

    assert named(store, "Auditor") == replace(AUDITOR, description=None, max_session_duration=timedelta(hours=1), revision=1)


def test_tags_trust_policy_and_boundary_are_replaced(store: Store) -> None:
    add(store, AUDITOR)

    def work(tx: Transaction) -> None:
        tx.roles.set_tags(AUDITOR, {"z": "", "a": "1"})
        tx.roles.set_trust_policy(AUDITOR, '{"色": "青"}')
        tx.roles.set_permissions_boundary(AUDITOR, None)

    store.write(work)

    found = named(store, "Auditor")
    assert list(found.tags.items()) == [("z", ""), ("a", "1")]
    assert (found.trust_policy, found.permissions_boundary, found.revision) == ('{"色": "青"}', None, 3)


def test_roles_within_a_boundary_are_listed_by_name(store: Store) -> None:
    add(store, role("b", permissions_boundary=LIMITS), role("A", permissions_boundary=LIMITS))
    add(store, role("Free", permissions_boundary=None), role("Else", permissions_boundary=LIMITS + "2"))

    assert [one.role_name for one in store.read(lambda tx: tx.roles.within_boundary(ACCOUNT, LIMITS))] == ["A", "b"]
    assert store.read(lambda tx: tx.roles.within_boundary(OTHER_ACCOUNT, LIMITS)) == []


def test_the_latest_use_is_kept(store: Store) -> None:
    add(store, AUDITOR, role("Unused", last_use=None), role("Auditor", OTHER_ACCOUNT, last_use=None))
    later, earlier = RoleUse(NOON + 9 * MS, "eu-west-1"), RoleUse(NOON, "us-west-2")

    store.write(
        lambda tx: tx.roles.record_use(
            {(ACCOUNT, AUDITOR.role_id): later, (ACCOUNT, "AROAUNUSED"): earlier, (ACCOUNT, "AROAGONE"): later}
        )
    )
    store.write(lambda tx: tx.roles.record_use({(ACCOUNT, AUDITOR.role_id): earlier}))
    store.write(lambda tx: tx.roles.record_use({}))

    assert named(store, "Auditor") == replace(AUDITOR, last_use=later)
    assert named(store, "Unused").last_use == earlier
    assert named(store, "Auditor", OTHER_ACCOUNT).last_use is None


CHANGES: dict[str, Callable[[Transaction], None]] = {
    "set_trust_policy": lambda tx: tx.roles.set_trust_policy(AUDITOR, "{}"),
    "set_permissions_boundary": lambda tx: tx.roles.set_permissions_boundary(AUDITOR, None),
    "delete": lambda tx: tx.roles.delete(AUDITOR),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changes_of_what_a_role_may_do_are_told(store: Store, change: Callable[[Transaction], None]) -> None:
    add(store, AUDITOR)
    before = policies_revision(store)

    store.write(change)

    assert policies_revision(store) == before + 1


STALE: dict[str, Callable[[Transaction], None]] = CHANGES | {
    "describe": lambda tx: tx.roles.describe(AUDITOR, description="x", max_session_duration=timedelta(hours=1)),
    "set_tags": lambda tx: tx.roles.set_tags(AUDITOR, {}),
    "touch": lambda tx: tx.roles.touch(AUDITOR),
}


@pytest.mark.parametrize("change", STALE.values(), ids=STALE)
def test_who_changes_what_others_changed_since_is_refused(store: Store, change: Callable[[Transaction], None]) -> None:
    add(store, AUDITOR)
    store.write(lambda tx: tx.roles.touch(AUDITOR))

    with pytest.raises(Conflict):
        store.write(change)
    assert named(store, "Auditor") == replace(AUDITOR, revision=1)
