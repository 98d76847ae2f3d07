"""Whose policies are simulated: users, groups and roles by ARN, and policies that come along in the request."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from instep.api.errors import InvalidInput, MalformedPolicyDocument, NoSuchEntity
from instep.domain.identity import Group, Principal, Role, SessionScope, User
from instep.domain.policy.document import Document
from instep.domain.policy.evaluation import Policies, Policy
from instep.domain.policy.reading import DocumentKind, read
from instep.services.iam.owners import Owner, OwnerKind, role_resource
from instep.services.iam.targets import user_resource
from instep.services.operation import Call, Resource
from instep.services.policy_cache import inline_policies, managed_policies

_ENTITY = re.compile(r"arn:aws:iam::([0-9]{12}):(user|group|role)/(?:[!-~]*/)?([\w+=,.@-]+)", re.ASCII)
# As long as one document may be; more of them together would take seconds to read.
_LONGEST = 131_072
ANY_SESSION = "SESSION"
"""In the place of a role session's name, where a role stands for all of its sessions."""


class NamesSource(Protocol):
    @property
    def policy_source_arn(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Entity:
    """A user, group or role as its ARN has it, whether or not there is one."""

    kind: OwnerKind
    account_id: str
    name: str
    arn: str


def entity(entity_arn: str) -> Entity:
    """Raises InvalidInput for the ARN of something else, such as a role's session or the root user."""
    match = _ENTITY.fullmatch(entity_arn)
    if match is None:
        raise InvalidInput(f"Invalid Entity Arn: {entity_arn} does not clearly define entity type and name.")
    account_id, kind, name = match.groups()
    return Entity(OwnerKind(kind), account_id, name, entity_arn)


def on_source(call: Call, request: NamesSource) -> Resource:
    """The user, group or role itself, or what is asked for when there is none."""
    match = _ENTITY.fullmatch(request.policy_source_arn)
    found = _find(call, entity(request.policy_source_arn)) if match else None
    match found:
        case User():
            return user_resource(found)
        case Role():
            return role_resource(found)
        case _:
            return Resource(request.policy_source_arn)


def source_named(call: Call, source_arn: str) -> Owner:
    """Raises InvalidInput, and NoSuchEntity for whoever is not in the caller's account under exactly this ARN."""
    named = entity(source_arn)
    match _find(call, named):
        case User() as user:
            return Owner(OwnerKind.USER, user.user_id, user.user_name, user)
        case Group() as group:
            return Owner(OwnerKind.GROUP, group.group_id, group.group_name, group)
        case Role() as role:
            return Owner(OwnerKind.ROLE, role.role_id, role.role_name, role)
        case _:
            raise NoSuchEntity(f"The {named.kind} with name {named.name} cannot be found.")


def principal_of(owner: Owner) -> Principal | None:
    """Who the user or role is when it asks for something; a group asks for nothing."""
    match owner.entity:
        case User() as user:
            return Principal.user(user)
        case Role() as role:
            return any_session(role)
        case Group():
            return None


def any_session(role: Role, name: str = ANY_SESSION) -> Principal:
    return Principal.role_session(role, SessionScope(name=name, issuer_arn=role.arn))


def policies_of(call: Call, owner: Owner) -> Policies:
    """All that limits and permits the user, group or role, the account's guard policy with it."""
    principal = principal_of(owner)
    if principal is not None:
        return call.policies.of(call.tx, principal)
    tx, account_id, group_id = call.tx, call.account_id, owner.owner_id
    attached = {policy_arn for _, policy_arn in tx.managed_policies.attached_to(account_id, [group_id])}
    inline = inline_policies(tx, account_id, {group_id: (OwnerKind.GROUP.value, owner.name)})
    guard = call.policies.of(tx, Principal.root(account_id)).guard
    return Policies(identity=(*inline, *managed_policies(tx, account_id, attached)), guard=guard)


def check_length(texts: Iterable[str]) -> None:
    """Raises InvalidInput when the documents of one request are too long to be read in reasonable time."""
    if sum(len(text) for text in texts) > _LONGEST:
        raise InvalidInput(f"The policies of one request must not be longer than {_LONGEST} characters together.")


def supplied(texts: Iterable[str] | None, list_name: str) -> tuple[Policy, ...]:
    """Those of the request's list, named as AWS names them: `PolicyInputList.1`.  Raises InvalidInput."""
    return tuple(Policy(document(text), f"{list_name}.{number}") for number, text in enumerate(texts or (), start=1))


def document(text: str, kind: DocumentKind = DocumentKind.IDENTITY) -> Document:
    """Raises InvalidInput, as the operations that simulate list no other error for a malformed document."""
    try:
        return read(text, kind)
    except MalformedPolicyDocument as error:
        raise InvalidInput(error.message, loggable=error.loggable) from None


def _find(call: Call, named: Entity) -> User | Group | Role | None:
    if named.account_id != call.account_id:
        return None
    found: User | Group | Role | None
    match named.kind:
        case OwnerKind.USER:
            found = call.tx.users.find(named.account_id, named.name)
        case OwnerKind.GROUP:
            found = call.tx.groups.find(named.account_id, named.name)
        case OwnerKind.ROLE:
            found = call.tx.roles.find(named.account_id, named.name)
    # Names are looked up ignoring case, and the path is part of the ARN only.
    return found if found is not None and found.arn == named.arn else None
