"""Inline policies: one of a name and owner, and every change is a change of what is allowed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from instep.domain.managed_policy import InlinePolicy
from instep.storage.transaction import Store, Transaction
from tests.storage.repositories.builders import ACCOUNT, OTHER_ACCOUNT

MFA = InlinePolicy("AIDARICHARD", "mfa", '{"Version": "2012-10-17",\r\n "Statement": "色"}')


def put(store: Store, *policies: InlinePolicy, account_id: str = ACCOUNT) -> None:
    def work(tx: Transaction) -> None:
        for policy in policies:
            tx.inline_policies.put(account_id, policy)

    store.write(work)


def of(store: Store, *owner_ids: str, account_id: str = ACCOUNT) -> list[tuple[str, str]]:
    found = store.read(lambda tx: tx.inline_policies.of(account_id, owner_ids))
    return [(policy.owner_id, policy.policy_name) for policy in found]


def test_a_policy_comes_back_to_the_letter(store: Store) -> None:
    put(store, MFA)

    assert store.read(lambda tx: tx.inline_policies.find(ACCOUNT, "AIDARICHARD", "mfa")) == MFA
    assert store.read(lambda tx: tx.inline_policies.of(ACCOUNT, ["AIDARICHARD"])) == [MFA]


def test_a_policy_takes_the_place_of_the_one_of_its_name(store: Store) -> None:
    put(store, MFA, InlinePolicy("AIDARICHARD", "mfa", "{}"))

    assert store.read(lambda tx: tx.inline_policies.of(ACCOUNT, ["AIDARICHARD"])) == [InlinePolicy("AIDARICHARD", "mfa", "{}")]


def test_names_differ_by_case_and_owners_have_their_own(store: Store) -> None:
    put(store, MFA, InlinePolicy("AIDARICHARD", "MFA", "{}"), InlinePolicy("AGPASTAFF", "mfa", "[]"))
    put(store, InlinePolicy("AIDARICHARD", "mfa", "other"), account_id=OTHER_ACCOUNT)

    assert of(store, "AIDARICHARD") == [("AIDARICHARD", "MFA"), ("AIDARICHARD", "mfa")]
    assert of(store, "AIDARICHARD", "AIDANOBODY", "AGPASTAFF") == [
        ("AGPASTAFF", "mfa"),
        ("AIDARICHARD", "MFA"),
        ("AIDARICHARD", "mfa"),
    ]
    assert of(store) == []
    assert store.read(lambda tx: tx.inline_policies.find(ACCOUNT, "AIDARICHARD", "Mfa")) is None
    assert store.read(lambda tx: tx.inline_policies.find(ACCOUNT, "AIDARICHARD", "mfa")) == MFA


def test_a_policy_is_deleted_once(store: Store) -> None:
    put(store, MFA, InlinePolicy("AIDARICHARD", "MFA", "{}"))

    assert store.write(lambda tx: tx.inline_policies.delete(ACCOUNT, "AIDARICHARD", "mfa"))
    assert not store.write(lambda tx: tx.inline_policies.delete(ACCOUNT, "AIDARICHARD", "mfa"))
    assert of(store, "AIDARICHARD") == [("AIDARICHARD", "MFA")]


CHANGES: list[tuple[Callable[[Transaction], object], int]] = [
    (lambda tx: tx.inline_policies.put(ACCOUNT, InlinePolicy("AIDARICHARD", "new", "{}")), 1),
    (lambda tx: tx.inline_policies.put(ACCOUNT, InlinePolicy("AIDARICHARD", "mfa", "{}")), 1),
    (lambda tx: tx.inline_policies.delete(ACCOUNT, "AIDARICHARD", "mfa"), 1),
    (lambda tx: tx.inline_policies.delete(ACCOUNT, "AIDARICHARD", "none"), 0),
]


@pytest.mark.parametrize(("change", "steps"), CHANGES, ids=["put", "put again", "delete", "delete nothing"])
def test_whoever_goes_by_policies_is_told_of_changes(store: Store, change: Callable[[Transaction], object], steps: int) -> None:
    put(store, MFA)
    before = store.read(lambda tx: (tx.accounts.policies_revision(ACCOUNT), tx.accounts.policies_revision(OTHER_ACCOUNT)))

    store.write(change)

    after = store.read(lambda tx: (tx.accounts.policies_revision(ACCOUNT), tx.accounts.policies_revision(OTHER_ACCOUNT)))
    assert after == (before[0] + steps, before[1])
