"""IAM users."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from instep.api.errors import EntityAlreadyExists
from instep.domain.identity import User
from instep.storage.repositories.hot import HotSelect
from instep.storage.repositories.repository import Repository, insert_new, select_names
from instep.storage.schema import accounts, users

_account_is = users.c.account_id == sa.bindparam("account_id")

_FIND = HotSelect(sa.select(users).where(_account_is, users.c.name_key == sa.bindparam("name_key")))
_FIND_BY_ID = HotSelect(sa.select(users).where(_account_is, users.c.user_id == sa.bindparam("user_id")))
_FIND_MANY = sa.select(users).where(_account_is, users.c.user_id.in_(sa.bindparam("user_ids", expanding=True)))
_WITHIN_BOUNDARY = (
    sa.select(users).where(_account_is, users.c.permissions_boundary == sa.bindparam("policy_arn")).order_by(users.c.name_key)
)
_COUNT = sa.select(sa.func.count()).select_from(users).where(_account_is)
_LIST = select_names(users)
_ADD = insert_new(users)


class Users(Repository):
    """All within one account; names are looked up ignoring case."""

    __slots__ = ()

    def add(self, user: User) -> None:
        """Raises EntityAlreadyExists ("User with name X already exists.")."""
        row = {
            "account_id": user.account_id,
            "user_id": user.user_id,
            "user_name": user.user_name,
            "name_key": user.user_name.casefold(),
            "path": user.path,
            "created_at": user.created_at,
            "tags": user.tags,
            "password_last_used": user.password_last_used,
            "revision": user.revision,
            "permissions_boundary": user.permissions_boundary,
        }
        if not self._add(_ADD, row):
            raise _exists(user.user_name)

    def find(self, account_id: str, user_name: str) -> User | None:
        return self._one(_FIND, account_id=account_id, name_key=user_name.casefold())

    def find_by_id(self, account_id: str, user_id: str) -> User | None:
        return self._one(_FIND_BY_ID, account_id=account_id, user_id=user_id)

    def find_many(self, account_id: str, user_ids: Collection[str]) -> dict[str, User]:
        rows = self._connection.execute(_FIND_MANY, {"account_id": account_id, "user_ids": list(user_ids)})
        return {row.user_id: user_of(row) for row in rows}

    def within_boundary(self, account_id: str, policy_arn: str) -> list[User]:
        """Those whose permissions boundary it is, by name."""
        rows = self._connection.execute(_WITHIN_BOUNDARY, {"account_id": account_id, "policy_arn": policy_arn})
        return [user_of(row) for row in rows]

    def list(self, account_id: str, *, path_prefix: str, after: str | None, limit: int) -> list[User]:
        """By name ignoring case, strictly after the name `after`; `path_prefix` is plain text, no pattern."""
        rows = self._page_of_names(_LIST, account_id, path_prefix=path_prefix, after=after, limit=limit)
        return [user_of(row) for row in rows]

    def count(self, account_id: str) -> int:
        return self._number(_COUNT, account_id=account_id)

    def rename(self, user: User, *, user_name: str, path: str) -> None:
        """Raises EntityAlreadyExists as `add`; Conflict when `user` is no longer the newest revision."""
        # Before the name is looked at, so that two who want the same one are in line.
        self._revisions.bump(accounts, {"account_id": user.account_id})
        holder = self.find(user.account_id, user_name)
        if holder is not None and holder.user_id != user.user_id:
            raise _exists(user_name)
        self._change(user, user_name=user_name, name_key=user_name.casefold(), path=path)
        # What is compiled of policies says whose they are.
        self._policies_changed(user.account_id)

    def set_tags(self, user: User, tags: Mapping[str, str]) -> None:
        self._change(user, tags=tags)

    def set_permissions_boundary(self, user: User, policy_arn: str | None) -> None:
        self._change(user, permissions_boundary=policy_arn)
        self._policies_changed(user.account_id)

    def touch(self, user: User) -> None:
        """Bump the revision: what is checked and then written below this user gets in line."""
        self._change(user)

    def delete(self, user: User) -> None:
        self._revisions.delete(users, _key(user), user.revision)

    def _change(self, user: User, **values: Any) -> None:
        self._revisions.update(users, _key(user), user.revision, **values)

    def _one(self, statement: HotSelect, **parameters: str) -> User | None:
        row = statement.first(self._connection, parameters)
        return None if row is None else user_of(row)


def user_of(row: Any) -> User:
    return User(
        account_id=row.account_id,
        user_id=row.user_id,
        user_name=row.user_name,
        path=row.path,
        created_at=row.created_at,
        tags=row.tags,
        password_last_used=row.password_last_used,
        revision=row.revision,
        permissions_boundary=row.permissions_boundary,
    )


def _key(user: User) -> dict[str, str]:
    return {"account_id": user.account_id, "user_id": user.user_id}


def _exists(user_name: str) -> EntityAlreadyExists:
    return EntityAlreadyExists(f"User with name {user_name} already exists.")
