"""Managed policies: found by their exact ARN, numbered for good, and what hangs on them is counted right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from instep.api.errors import EntityAlreadyExists
from instep.domain.managed_policy import ManagedPolicy, PolicyVersion
from instep.services.faults import Conflict
from instep.storage.schema import policy_versions
from instep.storage.transaction import Store, Transaction
from tests.storage.repositories.builders import ACCOUNT, MS, NOON, OTHER_ACCOUNT, add, count, role, user

ADMINISTRATORS = "arn:aws:iam::aws:policy/AdministratorAccess"


def policy(name: str, account_id: str = ACCOUNT, **values: Any) -> ManagedPolicy:
    made = ManagedPolicy(
        account_id=account_id,
        policy_id=f"ANPA{name.upper()}",
        policy_name=name,
        path="/division_abc/",
        created_at=NOON,
        updated_at=NOON + MS,
        description="読み取り",
        tags={"部署": "経理", "a": ""},
    )
    return replace(made, **values)


MFA = policy("mfa")


def keep(store: Store, *policies: ManagedPolicy) -> None:
    def work(tx: Transaction) -> None:
        for each in policies:
            tx.managed_policies.add(each, f"first of {each.policy_name}")

    store.write(work)


def found(store: Store, wanted: ManagedPolicy) -> ManagedPolicy:
    one = store.read(lambda tx: tx.managed_policies.find(wanted.account_id, wanted.arn))
    assert one is not None
    return one


def names(store: Store, path_prefix: str = "/", after: str | None = None, limit: int = 100) -> list[str]:
    listed = store.read(lambda tx: tx.managed_policies.list(ACCOUNT, path_prefix=path_prefix, after=after, limit=limit))
    return [one.policy_name for one in listed]


@pytest.mark.parametrize(
    "made",
    [MFA, policy("Plain", tags={}, description=None, path="/"), policy("Later", revision=7)],
    ids=lambda one: one.policy_name,
)
def test_a_policy_comes_back_as_it_was_added_with_its_first_version(store: Store, made: ManagedPolicy) -> None:
    keep(store, made)

    assert found(store, made) == made
    first = PolicyVersion(1, f"first of {made.policy_name}", NOON)
    assert store.read(lambda tx: tx.managed_policies.versions(made)) == [first]
    assert store.read(lambda tx: tx.managed_policies.version(made, 1)) == first
    assert store.read(lambda tx: tx.managed_policies.version(made, 2)) is None


def test_only_the_exact_arn_finds_a_policy(store: Store) -> None:
    keep(store, MFA)

    for other in (
        "arn:aws:iam::123456789012:policy/division_abc/MFA",
        "arn:aws:iam::123456789012:policy/mfa",
        "arn:aws:iam::123456789012:policy/other/mfa",
        "arn:aws:iam::210987654321:policy/division_abc/mfa",
        "mfa",
        "",
    ):
        assert store.read(lambda tx, other=other: tx.managed_policies.find(ACCOUNT, other)) is None  # type: ignore[misc]


def test_a_name_that_differs_in_case_or_path_alone_is_taken(store: Store) -> None:
    keep(store, MFA)

    with pytest.raises(EntityAlreadyExists) as refused:
        keep(store, policy("MFA", policy_id="ANPAOTHER", path="/"))

    assert refused.value.message == "A policy called MFA already exists. Duplicate names are not allowed."
    keep(store, policy("mfa", OTHER_ACCOUNT))
    assert count(store, policy_versions) == 2


def test_policies_are_listed_by_name_ignoring_case_page_by_page(store: Store) -> None:
    keep(store, *(policy(name) for name in ("delta", "Alpha", "charlie", "Bravo")), policy("else", path="/division_xyz/"))
    keep(store, policy("foreign", OTHER_ACCOUNT))
    everything = ["Alpha", "Bravo", "charlie", "delta", "else"]

    assert names(store) == everything
    for size in range(1, 6):
        seen: list[str] = []
        while page := names(store, after=seen[-1] if seen else None, limit=size):
            seen += page
        assert seen == everything
    assert names(store, "/division_abc/") == everything[:-1]
    assert names(store, "/division%") == []
    assert store.read(lambda tx: (tx.managed_policies.count(ACCOUNT), tx.managed_policies.count(OTHER_ACCOUNT))) == (5, 1)


def test_a_new_version_is_the_newest_and_in_force_only_if_asked(store: Store) -> None:
    keep(store, MFA)

    def work(tx: Transaction) -> None:
        tx.managed_policies.add_version(MFA, PolicyVersion(2, "second", NOON + 2 * MS), as_default=False)
        tx.managed_policies.add_version(MFA, PolicyVersion(3, "third", NOON + 3 * MS), as_default=True)

    store.write(work)

    assert found(store, MFA) == replace(MFA, default_version=3, newest_version=3, updated_at=NOON + 3 * MS, revision=2)
    assert [one.number for one in store.read(lambda tx: tx.managed_policies.versions(MFA))] == [3, 2, 1]
    assert store.read(lambda tx: tx.managed_policies.count_versions(ACCOUNT)) == 3
    assert store.read(lambda tx: tx.managed_policies.count_versions(OTHER_ACCOUNT)) == 0


def test_the_newest_number_stays_when_its_version_is_deleted(store: Store) -> None:
    keep(store, MFA)

    def work(tx: Transaction) -> None:
        tx.managed_policies.add_version(MFA, PolicyVersion(2, "second", NOON), as_default=False)
        tx.managed_policies.delete_version(MFA, 2)

    store.write(work)

    assert found(store, MFA).newest_version == 2
    assert [one.number for one in store.read(lambda tx: tx.managed_policies.versions(MFA))] == [1]


def test_the_documents_in_force_are_those_of_the_default_versions(store: Store) -> None:
    keep(store, MFA, policy("audit"), policy("mfa", OTHER_ACCOUNT))

    def work(tx: Transaction) -> None:
        tx.managed_policies.add_version(MFA, PolicyVersion(2, "second", NOON), as_default=True)
        tx.managed_policies.add_version(MFA, PolicyVersion(3, "third", NOON), as_default=False)

    store.write(work)
    asked = [MFA.arn, policy("audit").arn, policy("audit", path="/else/").arn, policy("mfa", OTHER_ACCOUNT).arn, ADMINISTRATORS]

    assert store.read(lambda tx: tx.managed_policies.default_documents(ACCOUNT, asked)) == {
        MFA.arn: "second",
        policy("audit").arn: "first of audit",
    }
    store.write(lambda tx: tx.managed_policies.set_default_version(found(store, MFA), 1))
    assert store.read(lambda tx: tx.managed_policies.default_documents(ACCOUNT, [MFA.arn])) == {MFA.arn: "first of mfa"}
    assert store.read(lambda tx: tx.managed_policies.default_documents(ACCOUNT, [])) == {}


def test_a_policy_is_deleted_with_its_versions_and_its_name_is_free(store: Store) -> None:
    keep(store, MFA, policy("audit"))

    store.write(lambda tx: tx.managed_policies.delete(MFA))

    assert store.read(lambda tx: tx.managed_policies.find(ACCOUNT, MFA.arn)) is None
    assert count(store, policy_versions) == 1
    keep(store, policy("Mfa", policy_id="ANPAOTHER"))


def test_tags_are_replaced(store: Store) -> None:
    keep(store, MFA)

    store.write(lambda tx: tx.managed_policies.set_tags(MFA, {"z": "", "a": "1"}))

    assert found(store, MFA).tags == {"z": "", "a": "1"}


def attach(store: Store, *pairs: tuple[str, str], account_id: str = ACCOUNT) -> None:
    def work(tx: Transaction) -> None:
        for owner_id, policy_arn in pairs:
            tx.managed_policies.attach(account_id, owner_id, policy_arn)

    store.write(work)


def test_what_is_attached_to_whom_is_told_from_both_sides(store: Store) -> None:
    keep(store, MFA)
    attach(store, ("AIDARICHARD", MFA.arn), ("AGPASTAFF", MFA.arn), ("AIDARICHARD", ADMINISTRATORS))
    attach(store, ("AIDARICHARD", MFA.arn))
    attach(store, ("AIDAELSE", ADMINISTRATORS), account_id=OTHER_ACCOUNT)

    attached = store.read(lambda tx: tx.managed_policies.attached_to(ACCOUNT, ["AIDARICHARD", "AGPASTAFF", "AIDANOBODY"]))
    assert attached == [("AGPASTAFF", MFA.arn), ("AIDARICHARD", MFA.arn), ("AIDARICHARD", ADMINISTRATORS)]
    assert store.read(lambda tx: tx.managed_policies.owners_of(ACCOUNT, MFA.arn)) == ["AGPASTAFF", "AIDARICHARD"]
    assert store.read(lambda tx: tx.managed_policies.owners_of(ACCOUNT, ADMINISTRATORS)) == ["AIDARICHARD"]
    assert store.read(lambda tx: tx.managed_policies.attachment_counts(ACCOUNT)) == {MFA.arn: 2, ADMINISTRATORS: 1}


def test_a_policy_is_detached_once(store: Store) -> None:
    attach(store, ("AIDARICHARD", MFA.arn), ("AIDARICHARD", ADMINISTRATORS))

    assert store.write(lambda tx: tx.managed_policies.detach(ACCOUNT, "AIDARICHARD", MFA.arn))
    assert not store.write(lambda tx: tx.managed_policies.detach(ACCOUNT, "AIDARICHARD", MFA.arn))
    assert store.read(lambda tx: tx.managed_policies.attached_to(ACCOUNT, ["AIDARICHARD"])) == [("AIDARICHARD", ADMINISTRATORS)]


def test_permissions_boundaries_of_users_and_roles_are_counted_together(store: Store) -> None:
    add(
        store,
        user("Richard", permissions_boundary=MFA.arn),
        user("Diego", permissions_boundary=ADMINISTRATORS),
        user("Zhang"),
        user("Foreign", OTHER_ACCOUNT, permissions_boundary=MFA.arn),
        role("Auditor", permissions_boundary=MFA.arn),
        role("Free", permissions_boundary=None),
    )

    assert store.read(lambda tx: tx.managed_policies.boundary_counts(ACCOUNT)) == {MFA.arn: 2, ADMINISTRATORS: 1}


STALE: list[Callable[[Transaction], None]] = [
    lambda tx: tx.managed_policies.add_version(MFA, PolicyVersion(2, "second", NOON), as_default=True),
    lambda tx: tx.managed_policies.set_default_version(MFA, 1),
    lambda tx: tx.managed_policies.delete_version(MFA, 2),
    lambda tx: tx.managed_policies.set_tags(MFA, {}),
    lambda tx: tx.managed_policies.touch(MFA),
    lambda tx: tx.managed_policies.delete(MFA),
]


@pytest.mark.parametrize(
    "change", STALE, ids=["add_version", "set_default_version", "delete_version", "set_tags", "touch", "delete"]
)
def test_who_changes_what_others_changed_since_is_refused(store: Store, change: Callable[[Transaction], None]) -> None:
    keep(store, MFA)
    store.write(lambda tx: tx.managed_policies.touch(MFA))

    with pytest.raises(Conflict):
        store.write(change)

    assert found(store, MFA) == replace(MFA, revision=1)


CHANGES: dict[str, tuple[Callable[[Transaction], object], int]] = {
    "add": (lambda tx: tx.managed_policies.add(policy("new"), "{}"), 1),
    "a version in force": (
        lambda tx: tx.managed_policies.add_version(MFA, PolicyVersion(2, "{}", NOON), as_default=True),
        1,
    ),
    "a version kept ready": (
        lambda tx: tx.managed_policies.add_version(MFA, PolicyVersion(2, "{}", NOON), as_default=False),
        0,
    ),
    "another version in force": (lambda tx: tx.managed_policies.set_default_version(MFA, 1), 1),
    "tags": (lambda tx: tx.managed_policies.set_tags(MFA, {}), 0),
    "delete": (lambda tx: tx.managed_policies.delete(MFA), 1),
    "attach": (lambda tx: tx.managed_policies.attach(ACCOUNT, "AIDADIEGO", MFA.arn), 1),
    "attach again": (lambda tx: tx.managed_policies.attach(ACCOUNT, "AIDARICHARD", MFA.arn), 0),
    "detach": (lambda tx: tx.managed_policies.detach(ACCOUNT, "AIDARICHARD", MFA.arn), 1),
    "detach nothing": (lambda tx: tx.managed_policies.detach(ACCOUNT, "AIDADIEGO", MFA.arn), 0),
}


@pytest.mark.parametrize(("change", "steps"), CHANGES.values(), ids=CHANGES)
def test_whoever_goes_by_policies_is_told_of_changes(store: Store, change: Callable[[Transaction], object], steps: int) -> None:
    keep(store, MFA)
    attach(store, ("AIDARICHARD", MFA.arn))
    before = store.read(lambda tx: tx.accounts.policies_revision(ACCOUNT))

    store.write(change)

    assert store.read(lambda tx: tx.accounts.policies_revision(ACCOUNT)) == before + steps
