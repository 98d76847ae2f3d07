"""Groups and who is in them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from instep.api.errors import EntityAlreadyExists
from instep.domain.identity import Group, User
from instep.storage.repositories.repository import Repository, insert_new, select_names
from instep.storage.repositories.users import user_of
from instep.storage.schema import accounts, group_members, groups, users

_account_is = groups.c.account_id == sa.bindparam("account_id")
_of_group = sa.and_(
    group_members.c.account_id == sa.bindparam("account_id"), group_members.c.group_id == sa.bindparam("group_id")
)

_FIND = sa.select(groups).where(_account_is, groups.c.name_key == sa.bindparam("name_key"))
_FIND_MANY = sa.select(groups).where(_account_is, groups.c.group_id.in_(sa.bindparam("group_ids", expanding=True)))
_COUNT = sa.select(sa.func.count()).select_from(groups).where(_account_is)
_LIST = select_names(groups)
_MEMBERS = (
    sa.select(users)
    .join(group_members, sa.and_(group_members.c.account_id == users.c.account_id, group_members.c.user_id == users.c.user_id))
    .where(_of_group, users.c.name_key > sa.bindparam("after"))
    .order_by(users.c.name_key)
    .limit(sa.bindparam("limit"))
)
_OF_USER = (
    sa.select(groups)
    .join(
        group_members, sa.and_(group_members.c.account_id == groups.c.account_id, group_members.c.group_id == groups.c.group_id)
    )
    .where(_account_is, group_members.c.user_id == sa.bindparam("user_id"))
    .order_by(groups.c.name_key)
)
_NAMES_OF_USERS = (
    sa.select(group_members.c.user_id, groups.c.group_name)
    .join(groups, sa.and_(group_members.c.account_id == groups.c.account_id, group_members.c.group_id == groups.c.group_id))
    .where(
        group_members.c.account_id == sa.bindparam("account_id"),
        group_members.c.user_id.in_(sa.bindparam("user_ids", expanding=True)),
    )
    .order_by(groups.c.name_key, group_members.c.user_id)
)
_ADD = insert_new(groups)
_ADD_MEMBER = insert_new(group_members)
_REMOVE_MEMBER = (
    sa.delete(group_members)
    .where(_of_group, group_members.c.user_id == sa.bindparam("user_id"))
    .returning(group_members.c.user_id)
)


class Groups(Repository):
    """All within one account; names are looked up ignoring case."""

    __slots__ = ()

    def add(self, group: Group) -> None:
        """Raises EntityAlreadyExists ("Group with name X already exists.")."""
        row = {
            "account_id": group.account_id,
            "group_id": group.group_id,
            "group_name": group.group_name,
            "name_key": group.group_name.casefold(),
            "path": group.path,
            "created_at": group.created_at,
            "revision": group.revision,
        }
        if not self._add(_ADD, row):
            raise _exists(group.group_name)

    def find(self, account_id: str, group_name: str) -> Group | None:
        parameters = {"account_id": account_id, "name_key": group_name.casefold()}
        row = self._connection.execute(_FIND, parameters).one_or_none()
        return None if row is None else _group(row)

    def find_many(self, account_id: str, group_ids: Collection[str]) -> dict[str, Group]:
        rows = self._connection.execute(_FIND_MANY, {"account_id": account_id, "group_ids": list(group_ids)})
        return {row.group_id: _group(row) for row in rows}

    def count(self, account_id: str) -> int:
        return self._number(_COUNT, account_id=account_id)

    def rename(self, group: Group, *, group_name: str, path: str) -> None:
        """Raises EntityAlreadyExists as `add`; Conflict when `group` is no longer the newest revision."""
        # Before the name is looked at, so that two who want the same one are in line.
        self._revisions.bump(accounts, {"account_id": group.account_id})
        holder = self.find(group.account_id, group_name)
        if holder is not None and holder.group_id != group.group_id:
            raise _exists(group_name)
        self._change(group, group_name=group_name, name_key=group_name.casefold(), path=path)
        # What is compiled of policies says whose they are.
        self._policies_changed(group.account_id)

    def touch(self, group: Group) -> None:
        """Bump the revision: what is checked and then written below this group gets in line."""
        self._change(group)

    def delete(self, group: Group) -> None:
        """One that nobody is in: the database refuses any other."""
        self._revisions.delete(groups, _key(group), group.revision)
        self._policies_changed(group.account_id)

    def add_member(self, group: Group, user_id: str) -> None:
        """Nothing happens when the user is in it."""
        if self._add(_ADD_MEMBER, {**_key(group), "user_id": user_id}):
            self._policies_changed(group.account_id)

    def remove_member(self, group: Group, user_id: str) -> None:
        """Nothing happens when the user is not in it."""
        if self._connection.execute(_REMOVE_MEMBER, {**_key(group), "user_id": user_id}).first() is not None:
            self._policies_changed(group.account_id)

    def members(self, group: Group, *, after: str | None, limit: int) -> list[User]:
        """By name ignoring case, strictly after the name `after`."""
        parameters = {**_key(group), "after": (after or "").casefold(), "limit": limit}
        return [user_of(row) for row in self._connection.execute(_MEMBERS, parameters)]

    def of_user(self, account_id: str, user_id: str) -> list[Group]:
        """By name ignoring case."""
        return [_group(row) for row in self._connection.execute(_OF_USER, {"account_id": account_id, "user_id": user_id})]

    def names_of_users(self, account_id: str, user_ids: Collection[str]) -> list[tuple[str, str]]:
        """Ids of those of these users who are in groups, each with the name of one, by name ignoring case."""
        rows = self._connection.execute(_NAMES_OF_USERS, {"account_id": account_id, "user_ids": list(user_ids)})
        return [(row.user_id, row.group_name) for row in rows]

    # Last, as from here on `list` is this one in annotations.
    def list(self, account_id: str, *, path_prefix: str, after: str | None, limit: int) -> list[Group]:
        """By name ignoring case, strictly after the name `after`; `path_prefix` is plain text, no pattern."""
        rows = self._page_of_names(_LIST, account_id, path_prefix=path_prefix, after=after, limit=limit)
        return [_group(row) for row in rows]

    def _change(self, group: Group, **values: Any) -> None:
        self._revisions.update(groups, _key(group), group.revision, **values)


def _group(row: sa.Row[Any]) -> Group:
    return Group(
        account_id=row.account_id,
        group_id=row.group_id,
        group_name=row.group_name,
        path=row.path,
        created_at=row.created_at,
        revision=row.revision,
    )


def _key(group: Group) -> dict[str, str]:
    return {"account_id": group.account_id, "group_id": group.group_id}


def _exists(group_name: str) -> EntityAlreadyExists:
    return EntityAlreadyExists(f"Group with name {group_name} already exists.")
