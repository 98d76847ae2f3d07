"""Everything that decides who may do what in an account, in one list: users, groups, roles and managed policies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from instep.api.iam import (
    AttachedPolicy,
    EntityType,
    GetAccountAuthorizationDetailsRequest,
    GetAccountAuthorizationDetailsResponse,
    GroupDetail,
    ManagedPolicyDetail,
    PolicyDetail,
    RoleDetail,
    RoleLastUsed,
    UserDetail,
)
from instep.domain import aws_policies
from instep.domain.identity import Group, Role, User
from instep.domain.managed_policy import AWS, ManagedPolicy, PolicyVersion
from instep.services import paging
from instep.services.iam import trust_policies
from instep.services.iam.boundaries import as_boundary
from instep.services.iam.policy_documents import encoded
from instep.services.iam.policy_versions import as_version
from instep.services.iam.tags import as_tags
from instep.services.iam.targets import on_everything
from instep.services.operation import Call, operation

_LISTING = "authorization-details"
_ORDER = (
    EntityType.USER,
    EntityType.GROUP,
    EntityType.ROLE,
    EntityType.LOCAL_MANAGED_POLICY,
    EntityType.AWS_MANAGED_POLICY,
)

_Entity: TypeAlias = User | Group | Role | ManagedPolicy
_E = TypeVar("_E", User, Group, Role, ManagedPolicy)


@operation("iam:GetAccountAuthorizationDetails", on=on_everything, writes=False)
def get_account_authorization_details(
    call: Call, request: GetAccountAuthorizationDetailsRequest
) -> GetAccountAuthorizationDetailsResponse:
    """One kind after the other, each by name; of the policies that AWS manages, those in use here."""
    wanted = frozenset(request.filter or _ORDER)
    rows = _rows(call, wanted, paging.after(call, _LISTING, request), paging.limit(request))
    page = paging.page(call, _LISTING, request, rows, _key)
    users, groups, roles = _only(User, page.items), _only(Group, page.items), _only(Role, page.items)
    holdings = _Holdings.of(call, [*(u.user_id for u in users), *(g.group_id for g in groups), *(r.role_id for r in roles)])
    return GetAccountAuthorizationDetailsResponse(
        user_detail_list=_user_details(call, users, holdings),
        group_detail_list=tuple(_group_detail(group, holdings) for group in groups),
        role_detail_list=_role_details(call, roles, holdings),
        policies=_policy_details(call, _only(ManagedPolicy, page.items)),
        is_truncated=page.is_truncated,
        marker=page.marker,
    )


def _rows(call: Call, wanted: Collection[EntityType], after: str | None, limit: int) -> list[_Entity]:
    """The first `limit` after the key `after`."""
    last_kind, _, last_name = (after or "").partition("/")
    kinds = list(_ORDER)
    if after is not None:
        kinds = kinds[kinds.index(EntityType(last_kind)) :]
    rows: list[_Entity] = []
    for kind in kinds:
        if kind in wanted and len(rows) < limit:
            rows += _of_kind(call, kind, last_name if kind == last_kind else None, limit - len(rows))
    return rows


def _of_kind(call: Call, kind: EntityType, after: str | None, limit: int) -> Sequence[_Entity]:
    tx, account_id = call.tx, call.account_id
    match kind:
        case EntityType.USER:
            return tx.users.list(account_id, path_prefix="/", after=after, limit=limit)
        case EntityType.GROUP:
            return tx.groups.list(account_id, path_prefix="/", after=after, limit=limit)
        case EntityType.ROLE:
            return tx.roles.list(account_id, path_prefix="/", after=after, limit=limit)
        case EntityType.LOCAL_MANAGED_POLICY:
            return tx.managed_policies.list(account_id, path_prefix="/", after=after, limit=limit)
        case EntityType.AWS_MANAGED_POLICY:
            in_use = tx.managed_policies.attachment_counts(account_id) | tx.managed_policies.boundary_counts(account_id)
            policies = sorted((aws_policies.ALL[each].policy for each in in_use if each in aws_policies.ALL), key=_key)
            return [policy for policy in policies if after is None or policy.policy_name > after][:limit]


def _key(entity: _Entity) -> str:
    """Where a page ends; a next one goes on after it, whether or not it is still there."""
    match entity:
        case User():
            return f"{EntityType.USER}/{entity.user_name}"
        case Group():
            return f"{EntityType.GROUP}/{entity.group_name}"
        case Role():
            return f"{EntityType.ROLE}/{entity.role_name}"
        case ManagedPolicy():
            kind = EntityType.AWS_MANAGED_POLICY if entity.account_id == AWS else EntityType.LOCAL_MANAGED_POLICY
            return f"{kind}/{entity.policy_name}"


def _only(kind: type[_E], entities: Sequence[_Entity]) -> list[_E]:
    return [entity for entity in entities if isinstance(entity, kind)]


@dataclass(frozen=True, slots=True)
class _Holdings:
    """What policies users, groups and roles have, by their ids: the inline ones, and the managed ones attached to them."""

    inline: defaultdict[str, list[PolicyDetail]]
    attached: defaultdict[str, list[AttachedPolicy]]

    @classmethod
    def of(cls, call: Call, owner_ids: Collection[str]) -> _Holdings:
        inline, attached = defaultdict(list), defaultdict(list)
        for policy in call.tx.inline_policies.of(call.account_id, owner_ids):
            shown = PolicyDetail(policy_name=policy.policy_name, policy_document=encoded(policy.document))
            inline[policy.owner_id].append(shown)
        for owner_id, policy_arn in call.tx.managed_policies.attached_to(call.account_id, owner_ids):
            attached[owner_id].append(AttachedPolicy(policy_name=policy_arn.rpartition("/")[2], policy_arn=policy_arn))
        return cls(inline, attached)


def _user_details(call: Call, users: Sequence[User], holdings: _Holdings) -> tuple[UserDetail, ...]:
    groups = defaultdict(list)
    for user_id, group_name in call.tx.groups.names_of_users(call.account_id, [user.user_id for user in users]):
        groups[user_id].append(group_name)
    return tuple(
        UserDetail(
            path=user.path,
            user_name=user.user_name,
            user_id=user.user_id,
            arn=user.arn,
            create_date=user.created_at,
            user_policy_list=tuple(holdings.inline[user.user_id]),
            group_list=tuple(groups[user.user_id]),
            attached_managed_policies=tuple(holdings.attached[user.user_id]),
            permissions_boundary=as_boundary(user.permissions_boundary),
            tags=as_tags(user.tags) or (),
        )
        for user in users
    )


def _group_detail(group: Group, holdings: _Holdings) -> GroupDetail:
    return GroupDetail(
        path=group.path,
        group_name=group.group_name,
        group_id=group.group_id,
        arn=group.arn,
        create_date=group.created_at,
        group_policy_list=tuple(holdings.inline[group.group_id]),
        attached_managed_policies=tuple(holdings.attached[group.group_id]),
    )


def _role_details(call: Call, roles: Sequence[Role], holdings: _Holdings) -> tuple[RoleDetail, ...]:
    trust = trust_policies.as_shown(call.tx, roles)
    return tuple(
        RoleDetail(
            path=role.path,
            role_name=role.role_name,
            role_id=role.role_id,
            arn=role.arn,
            create_date=role.created_at,
            assume_role_policy_document=encoded(trust[role.role_id]),
            instance_profile_list=(),
            role_policy_list=tuple(holdings.inline[role.role_id]),
            attached_managed_policies=tuple(holdings.attached[role.role_id]),
            permissions_boundary=as_boundary(role.permissions_boundary),
            tags=as_tags(role.tags) or (),
            # There, and empty, for a role that nobody has been.
            role_last_used=RoleLastUsed(last_used_date=role.last_use.at, region=role.last_use.region)
            if role.last_use
            else RoleLastUsed(),
        )
        for role in roles
    )


def _policy_details(call: Call, policies: Sequence[ManagedPolicy]) -> tuple[ManagedPolicyDetail, ...]:
    if not policies:
        return ()
    attached = call.tx.managed_policies.attachment_counts(call.account_id)
    boundaries = call.tx.managed_policies.boundary_counts(call.account_id)
    return tuple(
        ManagedPolicyDetail(
            policy_name=policy.policy_name,
            policy_id=policy.policy_id,
            arn=policy.arn,
            path=policy.path,
            default_version_id=f"v{policy.default_version}",
            attachment_count=attached.get(policy.arn, 0),
            permissions_boundary_usage_count=boundaries.get(policy.arn, 0),
            is_attachable=True,
            description=policy.description,
            create_date=policy.created_at,
            update_date=policy.updated_at,
            policy_version_list=tuple(as_version(policy, each, with_document=True) for each in _versions(call, policy)),
        )
        for policy in policies
    )


def _versions(call: Call, policy: ManagedPolicy) -> Sequence[PolicyVersion]:
    if policy.account_id == AWS:
        return (aws_policies.ALL[policy.arn].version,)
    return call.tx.managed_policies.versions(policy)
