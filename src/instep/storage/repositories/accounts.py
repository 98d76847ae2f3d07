"""Accounts and their root users."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from instep.api.errors import EntityAlreadyExists
from instep.domain.identity import Account, RootUser
from instep.domain.password_policy import PasswordPolicy
from instep.storage.repositories.hot import HotSelect
from instep.storage.repositories.repository import Repository, insert_new
from instep.storage.schema import accounts, root_users

_FIND = sa.select(accounts).where(accounts.c.account_id == sa.bindparam("account_id"))
_FIND_BY_ALIAS = sa.select(accounts).where(accounts.c.alias == sa.bindparam("alias"))
_ALL = sa.select(accounts).order_by(accounts.c.account_id)
_ROOT_OF = sa.select(root_users).where(root_users.c.account_id == sa.bindparam("account_id"))
_PASSWORD_POLICY = sa.select(accounts.c.password_policy).where(accounts.c.account_id == sa.bindparam("account_id"))
_POLICIES_REVISION = HotSelect(sa.select(accounts.c.policies_revision).where(accounts.c.account_id == sa.bindparam("account_id")))
_ADD_ACCOUNT = insert_new(accounts)
_ADD_ROOT_USER = insert_new(root_users)


class Accounts(Repository):
    __slots__ = ()

    def add(self, account: Account, root: RootUser) -> None:
        """Raises EntityAlreadyExists for an account id, alias or root e-mail that is taken anywhere in the installation."""
        row = {
            "account_id": account.account_id,
            "alias": account.alias,
            "created_at": account.created_at,
            "revision": account.revision,
            "guard_policy": account.guard_policy,
        }
        if not self._add(_ADD_ACCOUNT, row):
            if account.alias is not None and self.find_by_alias(account.alias) is not None:
                raise _alias_exists(account.alias)
            raise EntityAlreadyExists(f"The account {account.account_id} already exists.")
        root_row = {
            "account_id": root.account_id,
            "email": root.email,
            "email_key": root.email.casefold(),
            "password_hash": root.password_hash,
            "created_at": root.created_at,
            "password_last_used": root.password_last_used,
        }
        if not self._add(_ADD_ROOT_USER, root_row):
            raise EntityAlreadyExists(f"A root user with e-mail address {root.email} already exists.")

    def find(self, account_id: str) -> Account | None:
        return _account_or_none(self._connection.execute(_FIND, {"account_id": account_id}).one_or_none())

    def find_by_alias(self, alias: str) -> Account | None:
        return _account_or_none(self._connection.execute(_FIND_BY_ALIAS, {"alias": alias}).one_or_none())

    def all(self) -> list[Account]:
        """By account id."""
        return [_account(row) for row in self._connection.execute(_ALL)]

    def root_of(self, account_id: str) -> RootUser | None:
        row = self._connection.execute(_ROOT_OF, {"account_id": account_id}).one_or_none()
        if row is None:
            return None
        return RootUser(
            account_id=row.account_id,
            email=row.email,
            password_hash=row.password_hash,
            created_at=row.created_at,
            password_last_used=row.password_last_used,
        )

    def set_alias(self, account_id: str, alias: str | None) -> None:
        """Raises EntityAlreadyExists ("The account alias X already exists.") when another account has it."""
        self.touch(account_id)
        if alias is not None:
            holder = self.find_by_alias(alias)
            if holder is not None and holder.account_id != account_id:
                raise _alias_exists(alias)
        self._connection.execute(sa.update(accounts).where(accounts.c.account_id == account_id).values(alias=alias))

    def set_guard_policy(self, account_id: str, document: str | None) -> None:
        self._revisions.bump(accounts, {"account_id": account_id})
        self._connection.execute(sa.update(accounts).where(accounts.c.account_id == account_id).values(guard_policy=document))
        self._policies_changed(account_id)

    def policies_revision(self, account_id: str) -> int:
        """Goes up with every change of what anybody in the account may do."""
        row = _POLICIES_REVISION.first(self._connection, {"account_id": account_id})
        return (row.policies_revision or 0) if row is not None else 0

    def password_policy(self, account_id: str) -> PasswordPolicy | None:
        kept = self._connection.execute(_PASSWORD_POLICY, {"account_id": account_id}).scalar()
        return None if kept is None else PasswordPolicy(**kept)

    def set_password_policy(self, account_id: str, policy: PasswordPolicy | None) -> None:
        self.touch(account_id)
        kept = None if policy is None else asdict(policy)
        self._connection.execute(sa.update(accounts).where(accounts.c.account_id == account_id).values(password_policy=kept))
        # It says whether users may change their own passwords.
        self._policies_changed(account_id)

    def touch(self, account_id: str) -> None:
        """Bump the revision: what is checked and then written below this account gets in line."""
        self._revisions.bump(accounts, {"account_id": account_id})


def _account(row: sa.Row[Any]) -> Account:
    return Account(
        account_id=row.account_id,
        alias=row.alias,
        created_at=row.created_at,
        revision=row.revision,
        guard_policy=row.guard_policy,
    )


def _account_or_none(row: sa.Row[Any] | None) -> Account | None:
    return None if row is None else _account(row)


def _alias_exists(alias: str) -> EntityAlreadyExists:
    return EntityAlreadyExists(f"The account alias {alias} already exists.")
