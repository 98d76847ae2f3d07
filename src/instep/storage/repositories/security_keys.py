"""Security keys, each with its holder."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from instep.api.errors import EntityAlreadyExists
from instep.domain.security_key import Credential, SecurityKey
from instep.storage.repositories.hot import HotSelect
from instep.storage.repositories.repository import Repository, insert_new
from instep.storage.schema import security_keys

_account_is = security_keys.c.account_id == sa.bindparam("account_id")
_holder_is = security_keys.c.holder_id == sa.bindparam("holder_id")

# By what is unique ignoring case, which has an index; the row says whether it is the exact one.
_FIND = HotSelect(sa.select(security_keys).where(_account_is, security_keys.c.serial_key == sa.bindparam("serial_key")))
_OF_HOLDER = HotSelect(sa.select(security_keys).where(_account_is, _holder_is).order_by(security_keys.c.serial_number))
_COUNT = sa.select(sa.func.count()).select_from(security_keys).where(_account_is)
_COUNT_HELD = _COUNT.where(_holder_is)
_HOLDERS = sa.select(security_keys.c.holder_id).where(_account_is).distinct()
_ADD = insert_new(security_keys)


class SecurityKeys(Repository):
    __slots__ = ()

    def add(self, key: SecurityKey) -> None:
        """Raises EntityAlreadyExists ("MFA device already exists.") for a serial number or a credential that is there."""
        if not self._add(_ADD, _row_of(key)):
            raise EntityAlreadyExists("MFA device already exists.")

    def find(self, account_id: str, serial_number: str) -> SecurityKey | None:
        """By the exact serial number."""
        row = _FIND.first(self._connection, {"account_id": account_id, "serial_key": serial_number.casefold()})
        return None if row is None or row.serial_number != serial_number else _key_of(row)

    def of_holder(self, account_id: str, holder_id: str) -> list[SecurityKey]:
        """By serial number."""
        rows = _OF_HOLDER.all(self._connection, {"account_id": account_id, "holder_id": holder_id})
        return [_key_of(row) for row in rows]

    def holders(self, account_id: str) -> set[str]:
        """The ids of those who have any."""
        return set(self._connection.execute(_HOLDERS, {"account_id": account_id}).scalars())

    def count(self, account_id: str) -> int:
        return self._number(_COUNT, account_id=account_id)

    def count_held(self, account_id: str, holder_id: str) -> int:
        return self._number(_COUNT_HELD, account_id=account_id, holder_id=holder_id)

    def record_use(self, key: SecurityKey, *, sign_count: int, at: datetime) -> None:
        """Raises Conflict when it was used or deleted in the meantime: no two answers go by one counter."""
        self._revisions.update(security_keys, _row_key(key), key.revision, sign_count=sign_count, last_used_at=at)

    def delete(self, key: SecurityKey) -> None:
        self._revisions.delete(security_keys, _row_key(key), key.revision)


def _row_key(key: SecurityKey) -> dict[str, str]:
    return {"account_id": key.account_id, "credential_id": key.credential.credential_id}


def _row_of(key: SecurityKey) -> dict[str, Any]:
    return {
        **_row_key(key),
        "holder_id": key.holder_id,
        "serial_number": key.serial_number,
        "serial_key": key.serial_number.casefold(),
        "name": key.name,
        "public_key": key.credential.public_key,
        "sign_count": key.credential.sign_count,
        "transports": " ".join(key.credential.transports),
        "aaguid": key.credential.aaguid,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "revision": key.revision,
    }


def _key_of(row: Any) -> SecurityKey:
    return SecurityKey(
        account_id=row.account_id,
        serial_number=row.serial_number,
        name=row.name,
        holder_id=row.holder_id,
        credential=Credential(
            credential_id=row.credential_id,
            public_key=row.public_key,
            sign_count=row.sign_count,
            transports=tuple(row.transports.split()),
            aaguid=row.aaguid,
        ),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revision=row.revision,
    )
