"""Roles."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from instep.api.errors import EntityAlreadyExists
from instep.domain.identity import Role, RoleUse
from instep.storage.repositories.hot import HotSelect
from instep.storage.repositories.repository import Repository, insert_new, select_names
from instep.storage.schema import UTCTimestamp, roles

_account_is = roles.c.account_id == sa.bindparam("account_id")

_FIND = sa.select(roles).where(_account_is, roles.c.name_key == sa.bindparam("name_key"))
# Every request of a role session begins with this one.
_FIND_BY_ID = HotSelect(sa.select(roles).where(_account_is, roles.c.role_id == sa.bindparam("role_id")))
_FIND_MANY = sa.select(roles).where(_account_is, roles.c.role_id.in_(sa.bindparam("role_ids", expanding=True)))
_WITHIN_BOUNDARY = (
    sa.select(roles).where(_account_is, roles.c.permissions_boundary == sa.bindparam("policy_arn")).order_by(roles.c.name_key)
)
_COUNT = sa.select(sa.func.count()).select_from(roles).where(_account_is)
_LIST = select_names(roles)
_ADD = insert_new(roles)
_used_at = sa.bindparam("used_at", type_=UTCTimestamp)
_RECORD_USE = (
    sa.update(roles)
    .where(
        roles.c.account_id == sa.bindparam("of_account"),
        roles.c.role_id == sa.bindparam("role_used"),
        sa.or_(roles.c.last_used_at.is_(None), roles.c.last_used_at < _used_at),
    )
    .values(last_used_at=_used_at, last_used_region=sa.bindparam("region"))
)
_SECOND = timedelta(seconds=1)


class Roles(Repository):
    """All within one account; names are looked up ignoring case."""

    __slots__ = ()

    def add(self, role: Role) -> None:
        """Raises EntityAlreadyExists ("Role with name X already exists.")."""
        row = {
            "account_id": role.account_id,
            "role_id": role.role_id,
            "role_name": role.role_name,
            "name_key": role.role_name.casefold(),
            "path": role.path,
            "created_at": role.created_at,
            "trust_policy": role.trust_policy,
            "max_session_seconds": role.max_session_duration // _SECOND,
            "description": role.description,
            "tags": role.tags,
            "permissions_boundary": role.permissions_boundary,
            "last_used_at": role.last_use and role.last_use.at,
            "last_used_region": role.last_use and role.last_use.region,
            "revision": role.revision,
        }
        if not self._add(_ADD, row):
            raise EntityAlreadyExists(f"Role with name {role.role_name} already exists.")

    def find(self, account_id: str, role_name: str) -> Role | None:
        parameters = {"account_id": account_id, "name_key": role_name.casefold()}
        row = self._connection.execute(_FIND, parameters).one_or_none()
        return None if row is None else _role(row)

    def find_by_id(self, account_id: str, role_id: str) -> Role | None:
        row = _FIND_BY_ID.first(self._connection, {"account_id": account_id, "role_id": role_id})
        return None if row is None else _role(row)

    def find_many(self, account_id: str, role_ids: Collection[str]) -> dict[str, Role]:
        rows = self._connection.execute(_FIND_MANY, {"account_id": account_id, "role_ids": list(role_ids)})
        return {row.role_id: _role(row) for row in rows}

    def within_boundary(self, account_id: str, policy_arn: str) -> list[Role]:
        """Those whose permissions boundary it is, by name."""
        rows = self._connection.execute(_WITHIN_BOUNDARY, {"account_id": account_id, "policy_arn": policy_arn})
        return [_role(row) for row in rows]

    def list(self, account_id: str, *, path_prefix: str, after: str | None, limit: int) -> list[Role]:
        """By name ignoring case, strictly after the name `after`; `path_prefix` is plain text, no pattern."""
        rows = self._page_of_names(_LIST, account_id, path_prefix=path_prefix, after=after, limit=limit)
        return [_role(row) for row in rows]

    def count(self, account_id: str) -> int:
        return self._number(_COUNT, account_id=account_id)

    def describe(self, role: Role, *, description: str | None, max_session_duration: timedelta) -> None:
        self._change(role, description=description, max_session_seconds=max_session_duration // _SECOND)

    def set_trust_policy(self, role: Role, document: str) -> None:
        self._change(role, trust_policy=document)
        self._policies_changed(role.account_id)

    def set_tags(self, role: Role, tags: Mapping[str, str]) -> None:
        self._change(role, tags=tags)

    def set_permissions_boundary(self, role: Role, policy_arn: str | None) -> None:
        self._change(role, permissions_boundary=policy_arn)
        self._policies_changed(role.account_id)

    def record_use(self, uses: Mapping[tuple[str, str], RoleUse]) -> None:
        """By account id and role id; never turns a later use back to an earlier one."""
        rows = [
            {"of_account": account_id, "role_used": role_id, "used_at": use.at, "region": use.region}
            # In one order everywhere, so that two servers never wait for one another crosswise.
            for (account_id, role_id), use in sorted(uses.items())
        ]
        if rows:
            self._connection.execute(_RECORD_USE, rows)

    def touch(self, role: Role) -> None:
        """Bump the revision: what is checked and then written below this role gets in line."""
        self._change(role)

    def delete(self, role: Role) -> None:
        self._revisions.delete(roles, _key(role), role.revision)
        self._policies_changed(role.account_id)

    def _change(self, role: Role, **values: Any) -> None:
        self._revisions.update(roles, _key(role), role.revision, **values)


def _role(row: Any) -> Role:
    return Role(
        account_id=row.account_id,
        role_id=row.role_id,
        role_name=row.role_name,
        path=row.path,
        created_at=row.created_at,
        trust_policy=row.trust_policy,
        max_session_duration=row.max_session_seconds * _SECOND,
        description=row.description,
        tags=row.tags,
        permissions_boundary=row.permissions_boundary,
        last_use=None if row.last_used_at is None else RoleUse(row.last_used_at, row.last_used_region),
        revision=row.revision,
    )


def _key(role: Role) -> dict[str, str]:
    return {"account_id": role.account_id, "role_id": role.role_id}
