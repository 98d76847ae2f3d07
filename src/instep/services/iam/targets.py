"""Which user an operation is about, and the ARN it is authorized against."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from instep.api.common import ValidationError
from instep.api.errors import NoSuchEntity
from instep.domain import arn
from instep.domain.identity import PrincipalKind, User
from instep.services.operation import EVERYTHING, Call, Resource


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


def on_user(call: Call, request: MayNameUser) -> Resource:
    """The user as stored: with another spelling of the name, a policy's pattern could be walked around."""
    if request.user_name is None:
        return on_caller(call)
    user, written = find_user(call, request.user_name), arn.user_arn(call.account_id, "/", request.user_name)
    return user_as_written(call, user, written) if user else Resource(written)


def user_as_written(call: Call, user: User, written: str) -> Resource:
    """The user as stored; a refusal shows the ARN as `written` in the request.

    Whoever may not see a user learns neither that there is one, nor their path, nor how their name is spelled.
    """
    resource = user_resource(user)
    return resource if is_caller(call, user.user_id) else replace(resource, shown=written)


def is_caller(call: Call, user_id: str) -> bool:
    return call.principal.kind is PrincipalKind.USER and call.principal.holder_id == user_id


def on_caller(call: Call) -> Resource:
    principal = call.principal
    if principal.kind is PrincipalKind.USER:
        return Resource(principal.arn, principal.tags, principal.permissions_boundary)
    return Resource(principal.arn)


def user_resource(user: User) -> Resource:
    return Resource(user.arn, user.tags, user.permissions_boundary)


def on_holder(call: Call, holder_id: str) -> Resource:
    """Whoever holds a key or device: a user, or the root user under the account's id."""
    if holder_id == call.account_id:
        return Resource(arn.root_arn(call.account_id))
    user = call.tx.users.find_by_id(call.account_id, holder_id)
    return user_resource(user) if user else EVERYTHING


def on_everything(call: Call, request: object) -> Resource:
    """For operations that AWS authorizes against no resource."""
    return EVERYTHING


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
