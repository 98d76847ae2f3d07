"""Which user an operation is about, and the ARN it is authorized against."""

from __future__ import annotations

from typing import Protocol

from instep.api.common import ValidationError
from instep.api.errors import NoSuchEntity
from instep.domain import arn
from instep.domain.identity import PrincipalKind, User
from instep.services.operation import Call


class MayNameUser(Protocol):
    @property
    def user_name(self) -> str | None: ...


def find_user(call: Call, user_name: str) -> User | None:
    if user_name not in call.users:
        call.users[user_name] = call.tx.users.find(call.account_id, user_name)
    return call.users[user_name]


def user_named(call: Call, user_name: str) -> User:
    """Raises NoSuchEntity, in the same words for a user of another account."""
    user = find_user(call, user_name)
    if user is None:
        raise NoSuchEntity(f"The user with name {user_name} cannot be found.")
    return user


def on_user(call: Call, request: MayNameUser) -> str:
    """The user's ARN as stored: with another spelling of the name, a policy's pattern could be walked around."""
    if request.user_name is None:
        return call.principal.arn
    user = find_user(call, request.user_name)
    return user.arn if user else arn.user_arn(call.account_id, "/", request.user_name)


def on_everything(call: Call, request: object) -> str:
    """For operations that AWS authorizes against no resource."""
    return "*"


def holder(call: Call, request: MayNameUser) -> tuple[str, User | None]:
    """The holder of keys and devices that the request is about, the caller when it names nobody.  The user is None for root.

    Raises ValidationError when a caller who is neither names nobody.
    """
    if request.user_name is not None:
        named = user_named(call, request.user_name)
        return named.user_id, named
    match call.principal.kind:
        case PrincipalKind.ROOT:
            return call.account_id, None
        case PrincipalKind.USER:
            user = call.tx.users.find_by_id(call.account_id, call.principal.holder_id)
            if user is None:
                raise NoSuchEntity(f"The user with name {call.principal.user_name} cannot be found.")
            return user.user_id, user
        case _:
            raise ValidationError("Must specify userName when calling with non-User credentials")
