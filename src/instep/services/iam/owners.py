"""Who has policies: a user, a group or a role, found by name, and what an operation on one is authorized against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from instep.api.errors import NoSuchEntity
from instep.domain import arn
from instep.domain.identity import Group, Role, User
from instep.services.iam.targets import user_named
from instep.services.operation import Call, Resource


class NamesGroup(Protocol):
    @property
    def group_name(self) -> str: ...


class NamesRole(Protocol):
    @property
    def role_name(self) -> str: ...


class OwnerKind(StrEnum):
    """As AWS's sentences have it."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Owner:
    """`owner_id` is the unique id that its policies hang on; `name` is as stored, whatever the caller's spelling."""

    kind: OwnerKind
    owner_id: str
    name: str
    entity: User | Group | Role

    def touch(self, call: Call) -> None:
        """Bump the revision: what is checked and then written below this owner gets in line."""
        match self.entity:
            case User():
                call.tx.users.touch(self.entity)
            case Group():
                call.tx.groups.touch(self.entity)
            case Role():
                call.tx.roles.touch(self.entity)


def group_named(call: Call, group_name: str) -> Group:
    """Raises NoSuchEntity, in the same words for a group of another account."""
    group = call.tx.groups.find(call.account_id, group_name)
    if group is None:
        raise NoSuchEntity(f"The group with name {group_name} cannot be found.")
    return group


def role_named(call: Call, role_name: str) -> Role:
    """Raises NoSuchEntity, in the same words for a role of another account."""
    role = call.tx.roles.find(call.account_id, role_name)
    if role is None:
        raise NoSuchEntity(f"The role with name {role_name} cannot be found.")
    return role


def user_owner(call: Call, user_name: str) -> Owner:
    """Raises NoSuchEntity."""
    user = user_named(call, user_name)
    return Owner(OwnerKind.USER, user.user_id, user.user_name, user)


def group_owner(call: Call, group_name: str) -> Owner:
    """Raises NoSuchEntity."""
    group = group_named(call, group_name)
    return Owner(OwnerKind.GROUP, group.group_id, group.group_name, group)


def role_owner(call: Call, role_name: str) -> Owner:
    """Raises NoSuchEntity."""
    role = role_named(call, role_name)
    return Owner(OwnerKind.ROLE, role.role_id, role.role_name, role)


def on_group(call: Call, request: NamesGroup) -> Resource:
    """The group as stored: with another spelling of the name, a policy's pattern could be walked around.

    A refusal shows the name as it was asked for, and so the same whether or not there is such a group.
    """
    group = call.tx.groups.find(call.account_id, request.group_name)
    written = arn.group_arn(call.account_id, "/", request.group_name)
    return Resource(group.arn, shown=written) if group else Resource(written)


def on_role(call: Call, request: NamesRole) -> Resource:
    """The same for a role."""
    role = call.tx.roles.find(call.account_id, request.role_name)
    written = arn.role_arn(call.account_id, "/", request.role_name)
    return replace(role_resource(role), shown=written) if role else Resource(written)


def role_resource(role: Role) -> Resource:
    return Resource(role.arn, role.tags, role.permissions_boundary)
