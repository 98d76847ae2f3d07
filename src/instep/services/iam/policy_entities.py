"""Who uses a managed policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from instep.api.iam import (
    EntityType,
    ListEntitiesForPolicyRequest,
    ListEntitiesForPolicyResponse,
    PolicyGroup,
    PolicyRole,
    PolicyUsageType,
    PolicyUser,
)
from instep.domain.identity import Group, Role, User
from instep.domain.managed_policy import ManagedPolicy
from instep.services import paging
from instep.services.iam.policy_targets import on_policy, policy_named
from instep.services.operation import Call, operation

_Entity: TypeAlias = Group | Role | User


@operation("iam:ListEntitiesForPolicy", on=on_policy, writes=False)
def list_entities_for_policy(call: Call, request: ListEntitiesForPolicyRequest) -> ListEntitiesForPolicyResponse:
    """Groups, then roles, then users, each by name ignoring case: who has it attached, or as the permissions boundary."""
    policy = policy_named(call, request.policy_arn)
    listing = f"policy-entities/{policy.policy_id}"
    last, prefix = paging.after(call, listing, request), request.path_prefix or "/"
    entities = {_key(entity): entity for entity in _entities(call, policy, request) if entity.path.startswith(prefix)}
    rows = [entities[key] for key in sorted(entities) if last is None or key > last]
    page = paging.page(call, listing, request, rows, _key)
    return ListEntitiesForPolicyResponse(
        policy_groups=tuple(
            PolicyGroup(group_name=e.group_name, group_id=e.group_id) for e in page.items if isinstance(e, Group)
        ),
        policy_users=tuple(PolicyUser(user_name=e.user_name, user_id=e.user_id) for e in page.items if isinstance(e, User)),
        policy_roles=tuple(PolicyRole(role_name=e.role_name, role_id=e.role_id) for e in page.items if isinstance(e, Role)),
        is_truncated=page.is_truncated,
        marker=page.marker,
    )


def _entities(call: Call, policy: ManagedPolicy, request: ListEntitiesForPolicyRequest) -> Iterable[_Entity]:
    """Of the kind and use that are asked for, in any order; one that uses it in both ways comes twice."""
    tx, account_id, kind = call.tx, call.account_id, request.entity_filter
    if request.policy_usage_filter is not PolicyUsageType.PERMISSIONS_BOUNDARY:
        owner_ids = tx.managed_policies.owners_of(account_id, policy.arn)
        if kind in (None, EntityType.GROUP):
            yield from tx.groups.find_many(account_id, owner_ids).values()
        if kind in (None, EntityType.ROLE):
            yield from tx.roles.find_many(account_id, owner_ids).values()
        if kind in (None, EntityType.USER):
            yield from tx.users.find_many(account_id, owner_ids).values()
    if request.policy_usage_filter is not PolicyUsageType.PERMISSIONS_POLICY:
        if kind in (None, EntityType.ROLE):
            yield from tx.roles.within_boundary(account_id, policy.arn)
        if kind in (None, EntityType.USER):
            yield from tx.users.within_boundary(account_id, policy.arn)


def _key(entity: _Entity) -> str:
    """Sorts as the list does, and fits into a marker."""
    match entity:
        case Group():
            return f"group:{entity.group_name.casefold()}"
        case Role():
            return f"role:{entity.role_name.casefold()}"
        case User():
            return f"user:{entity.user_name.casefold()}"
