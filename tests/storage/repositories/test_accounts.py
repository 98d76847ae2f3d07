"""Accounts and their root users."""

from __future__ import annotations

import pytest

from instep.api.errors import EntityAlreadyExists
from instep.domain.identity import Account, RootUser
from instep.services.faults import Conflict
from instep.storage.transaction import Store
from tests.storage.repositories.builders import ACCOUNT, MS, NOON, OTHER_ACCOUNT, account, root_user

THIRD = "300000000003"


def now(store: Store) -> Account:
    found = store.read(lambda tx: tx.accounts.find(ACCOUNT))
    assert found is not None
    return found


def test_an_account_comes_back_as_it_was_added(store: Store) -> None:
    made = Account(THIRD, "third", NOON + 7 * MS, revision=5)
    root = RootUser(THIRD, "Root@Third.example", "$argon2id$x", NOON, NOON + 9 * MS)
    store.write(lambda tx: tx.accounts.add(made, root))

    assert store.read(lambda tx: tx.accounts.find(THIRD)) == made
    assert store.read(lambda tx: tx.accounts.find_by_alias("third")) == made
    assert store.read(lambda tx: tx.accounts.root_of(THIRD)) == root


def test_an_account_without_alias_or_sign_in_comes_back_so(store: Store) -> None:
    root = RootUser(THIRD, "root@third.example", "$argon2id$x", NOON)
    store.write(lambda tx: tx.accounts.add(account(THIRD), root))

    assert store.read(lambda tx: tx.accounts.find(THIRD)) == account(THIRD)
    assert store.read(lambda tx: tx.accounts.root_of(THIRD)) == root


def test_who_is_not_there_is_not_found(store: Store) -> None:
    assert store.read(lambda tx: tx.accounts.find(THIRD)) is None
    assert store.read(lambda tx: tx.accounts.find_by_alias("nobody")) is None
    assert store.read(lambda tx: tx.accounts.root_of(THIRD)) is None


def test_accounts_are_listed_by_id(store: Store) -> None:
    store.write(lambda tx: tx.accounts.add(account("100000000000"), root_user("100000000000")))

    assert [one.account_id for one in store.read(lambda tx: tx.accounts.all())] == ["100000000000", ACCOUNT, OTHER_ACCOUNT]


@pytest.mark.parametrize(
    ("made", "root", "told"),
    [
        (account(ACCOUNT), root_user(ACCOUNT, "new@example.com"), f"The account {ACCOUNT} already exists."),
        (account(THIRD, "example"), root_user(THIRD), "The account alias example already exists."),
        (
            account(THIRD),
            root_user(THIRD, f"ROOT-{ACCOUNT}@EXAMPLE.com"),
            f"A root user with e-mail address ROOT-{ACCOUNT}@EXAMPLE.com already exists.",
        ),
    ],
    ids=["id", "alias", "e-mail"],
)
def test_what_is_taken_anywhere_is_refused(store: Store, made: Account, root: RootUser, told: str) -> None:
    with pytest.raises(EntityAlreadyExists) as refused:
        store.write(lambda tx: tx.accounts.add(made, root))

    assert refused.value.message == told
    assert len(store.read(lambda tx: tx.accounts.all())) == 2


def test_an_alias_is_set_changed_and_taken_away(store: Store) -> None:
    for alias in ("first", "second", "second", None, None):
        store.write(lambda tx, alias=alias: tx.accounts.set_alias(ACCOUNT, alias))  # type: ignore[misc]
        assert now(store).alias == alias
    assert now(store).revision == 5
    assert store.read(lambda tx: tx.accounts.find_by_alias("second")) is None


def test_another_accounts_alias_is_refused(store: Store) -> None:
    with pytest.raises(EntityAlreadyExists) as refused:
        store.write(lambda tx: tx.accounts.set_alias(OTHER_ACCOUNT, "example"))

    assert refused.value.message == "The account alias example already exists."
    store.write(lambda tx: tx.accounts.set_alias(ACCOUNT, "example"))


def test_touching_an_account_bumps_its_revision(store: Store) -> None:
    for _ in range(2):
        store.write(lambda tx: tx.accounts.touch(ACCOUNT))

    assert now(store).revision == 2
    with pytest.raises(Conflict):
        store.write(lambda tx: tx.accounts.touch(THIRD))
