"""Long-term access keys, of users and of root users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from instep.domain.identity import AccessKey, KeyStatus, KeyUse, User
from instep.services.faults import Conflict
from instep.storage.repositories.hot import HotSelect
from instep.storage.repositories.repository import Repository, insert_new
from instep.storage.schema import UTCTimestamp, access_keys, users

_id_is = access_keys.c.access_key_id == sa.bindparam("access_key_id")
_holder_is = sa.and_(access_keys.c.account_id == sa.bindparam("account_id"), access_keys.c.holder_id == sa.bindparam("holder_id"))

_FIND = sa.select(access_keys).where(_id_is)
# Every signed request begins with this one.  The user's columns come after the key's, in the order of the tables.
_FIND_WITH_HOLDER = HotSelect(
    sa.select(access_keys, users)
    .select_from(
        access_keys.outerjoin(
            users, sa.and_(users.c.account_id == access_keys.c.account_id, users.c.user_id == access_keys.c.holder_id)
        )
    )
    .where(_id_is)
)
_KEY_COLUMNS = len(access_keys.c)
_LIST = sa.select(access_keys).where(_holder_is).order_by(access_keys.c.created_at, access_keys.c.access_key_id)
_ALL = (
    sa.select(access_keys)
    .where(access_keys.c.account_id == sa.bindparam("account_id"))
    .order_by(access_keys.c.created_at, access_keys.c.access_key_id)
)
_COUNT = sa.select(sa.func.count()).select_from(access_keys).where(_holder_is)
_ADD = insert_new(access_keys)
_used_at = sa.bindparam("used_at", type_=UTCTimestamp)
_RECORD_USE = (
    sa.update(access_keys)
    .where(
        access_keys.c.access_key_id == sa.bindparam("key_used"),
        sa.or_(access_keys.c.last_used_at.is_(None), access_keys.c.last_used_at < _used_at),
    )
    .values(last_used_at=_used_at, last_used_service=sa.bindparam("service"), last_used_region=sa.bindparam("region"))
)


class AccessKeys(Repository):
    __slots__ = ()

    def add(self, key: AccessKey) -> None:
        row = {
            "account_id": key.account_id,
            "access_key_id": key.access_key_id,
            "holder_id": key.holder_id,
            "sealed_secret": key.sealed_secret,
            "status": key.status.value,
            "created_at": key.created_at,
            "last_used_at": key.last_use and key.last_use.at,
            "last_used_service": key.last_use and key.last_use.service,
            "last_used_region": key.last_use and key.last_use.region,
            "revision": key.revision,
        }
        if not self._add(_ADD, row):
            # Eighty random bits met: the next try draws others.
            raise Conflict("The access key id is taken.")

    def find(self, access_key_id: str) -> AccessKey | None:
        """Wherever in the installation it is: a request names no account."""
        row = self._connection.execute(_FIND, {"access_key_id": access_key_id}).one_or_none()
        return None if row is None else _key_of(row)

    def find_with_holder(self, access_key_id: str) -> tuple[AccessKey, User | None] | None:
        """One SELECT, as every signed request needs it.  The user is None for a root key."""
        row = _FIND_WITH_HOLDER.first(self._connection, {"access_key_id": access_key_id})
        if row is None:
            return None
        return _key_of(row), _user_of(row)

    def all(self, account_id: str) -> dict[str, list[AccessKey]]:
        """By holder id, then by creation and id."""
        found: dict[str, list[AccessKey]] = {}
        for row in self._connection.execute(_ALL, {"account_id": account_id}):
            found.setdefault(row.holder_id, []).append(_key_of(row))
        return found

    def list(self, account_id: str, holder_id: str, *, after: str | None, limit: int) -> list[AccessKey]:
        """By creation, then by id; `after` is the id of the last one seen."""
        # A holder has a handful of keys: they are all read, and the page is cut here.
        rows = self._connection.execute(_LIST, {"account_id": account_id, "holder_id": holder_id}).all()
        seen = [row.access_key_id for row in rows]
        if after in seen:
            rows = rows[seen.index(after) + 1 :]
        # Otherwise it was deleted since, and its place with it: to see a key twice does less harm than to miss one.
        return [_key_of(row) for row in rows[:limit]]

    def count(self, account_id: str, holder_id: str) -> int:
        return self._number(_COUNT, account_id=account_id, holder_id=holder_id)

    def set_status(self, key: AccessKey, status: KeyStatus) -> None:
        self._revisions.update(access_keys, _row_key(key), key.revision, status=status.value)

    def delete(self, key: AccessKey) -> None:
        self._revisions.delete(access_keys, _row_key(key), key.revision)

    def record_use(self, uses: Mapping[str, KeyUse]) -> None:
        """By access key id; never turns a later use back to an earlier one."""
        rows = [
            {"key_used": access_key_id, "used_at": use.at, "service": use.service, "region": use.region}
            # In one order everywhere, so that two servers never wait for one another crosswise.
            for access_key_id, use in sorted(uses.items())
        ]
        if rows:
            self._connection.execute(_RECORD_USE, rows)


def _key_of(row: Any) -> AccessKey:
    (account_id, access_key_id, holder_id, sealed_secret, status, created_at, used_at, service, region, revision) = row[
        :_KEY_COLUMNS
    ]
    return AccessKey(
        account_id=account_id,
        access_key_id=access_key_id,
        holder_id=holder_id,
        sealed_secret=sealed_secret,
        status=KeyStatus(status),
        created_at=created_at,
        last_use=None if used_at is None else KeyUse(used_at, service, region),
        revision=revision,
    )


def _user_of(row: Any) -> User | None:
    """The user beside the key; the same names stand twice in the row, so they are told apart by their place."""
    (account_id, user_id, user_name, _, path, created_at, tags, password_last_used, revision, boundary) = row[_KEY_COLUMNS:]
    if user_id is None:
        return None
    return User(
        account_id=account_id,
        user_id=user_id,
        user_name=user_name,
        path=path,
        created_at=created_at,
        tags=tags,
        password_last_used=password_last_used,
        revision=revision,
        permissions_boundary=boundary,
    )


def _row_key(key: AccessKey) -> dict[str, str]:
    return {"account_id": key.account_id, "access_key_id": key.access_key_id}
