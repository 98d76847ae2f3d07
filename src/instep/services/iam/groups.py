"""Groups and who is in them."""

from __future__ import annotations

from instep.api.errors import DeleteConflict, LimitExceeded
from instep.api.iam import (
    AddUserToGroupRequest,
    CreateGroupRequest,
    CreateGroupResponse,
    DeleteGroupRequest,
    GetGroupRequest,
    GetGroupResponse,
    Group,
    ListGroupsForUserRequest,
    ListGroupsForUserResponse,
    ListGroupsRequest,
    ListGroupsResponse,
    RemoveUserFromGroupRequest,
    UpdateGroupRequest,
)
from instep.domain import arn, identity, ids
from instep.services import paging
from instep.services.authorize import authorize
from instep.services.iam.owners import group_named, on_group
from instep.services.iam.targets import on_user, user_named
from instep.services.iam.users import as_user
from instep.services.operation import Call, Resource, operation


def _on_new_group(call: Call, request: CreateGroupRequest) -> Resource:
    return Resource(arn.group_arn(call.account_id, request.path or "/", request.group_name))


def _on_groups(call: Call, request: ListGroupsRequest) -> Resource:
    return Resource(arn.group_arn(call.account_id, request.path_prefix or "/", ""))


def as_group(group: identity.Group) -> Group:
    """A group as the wire shows it."""
    return Group(
        path=group.path, group_name=group.group_name, group_id=group.group_id, arn=group.arn, create_date=group.created_at
    )


@operation("iam:CreateGroup", on=_on_new_group, writes=True)
def create_group(call: Call, request: CreateGroupRequest) -> CreateGroupResponse:
    call.tx.accounts.touch(call.account_id)
    quota = call.settings.quotas.groups
    if call.tx.groups.count(call.account_id) >= quota:
        raise LimitExceeded(f"Cannot exceed quota for GroupsPerAccount: {quota}")
    group = identity.Group(
        account_id=call.account_id,
        group_id=ids.group_id(call.random),
        group_name=request.group_name,
        path=request.path or "/",
        created_at=call.now,
    )
    call.tx.groups.add(group)
    return CreateGroupResponse(group=as_group(group))


@operation("iam:GetGroup", on=on_group, writes=False)
def get_group(call: Call, request: GetGroupRequest) -> GetGroupResponse:
    group = group_named(call, request.group_name)
    listing = f"members/{group.group_id}"
    rows = call.tx.groups.members(group, after=paging.after(call, listing, request), limit=paging.limit(request))
    page = paging.page(call, listing, request, rows, lambda user: user.user_name)
    return GetGroupResponse(
        group=as_group(group),
        users=tuple(as_user(user) for user in page.items),
        is_truncated=page.is_truncated,
        marker=page.marker,
    )


@operation("iam:ListGroups", on=_on_groups, writes=False)
def list_groups(call: Call, request: ListGroupsRequest) -> ListGroupsResponse:
    rows = call.tx.groups.list(
        call.account_id,
        path_prefix=request.path_prefix or "/",
        after=paging.after(call, "groups", request),
        limit=paging.limit(request),
    )
    page = paging.page(call, "groups", request, rows, lambda group: group.group_name)
    return ListGroupsResponse(
        groups=tuple(as_group(group) for group in page.items), is_truncated=page.is_truncated, marker=page.marker
    )


def _check_new_arn(call: Call, request: UpdateGroupRequest) -> None:
    """On both ARNs (API Reference, UpdateGroup): a name or path may itself be what somebody's policy names."""
    account_id, new_name, new_path = call.account_id, request.new_group_name, request.new_path
    written = arn.group_arn(account_id, new_path or "/", new_name or request.group_name)
    group = call.tx.groups.find(account_id, request.group_name)
    renamed = arn.group_arn(account_id, new_path or group.path, new_name or group.group_name) if group else written
    authorize(call, "iam:UpdateGroup", Resource(renamed, shown=written), request)


@operation("iam:UpdateGroup", on=on_group, check=_check_new_arn, writes=True)
def update_group(call: Call, request: UpdateGroupRequest) -> None:
    group = group_named(call, request.group_name)
    call.tx.groups.rename(group, group_name=request.new_group_name or group.group_name, path=request.new_path or group.path)


@operation("iam:DeleteGroup", on=on_group, writes=True)
def delete_group(call: Call, request: DeleteGroupRequest) -> None:
    tx, group = call.tx, group_named(call, request.group_name)
    tx.groups.touch(group)
    if tx.managed_policies.attached_to(call.account_id, [group.group_id]):
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if tx.inline_policies.of(call.account_id, [group.group_id]):
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    if tx.groups.members(group, after=None, limit=1):
        raise DeleteConflict("Cannot delete entity, must remove users from group first.")
    tx.groups.delete(group)


@operation("iam:AddUserToGroup", on=on_group, writes=True)
def add_user_to_group(call: Call, request: AddUserToGroupRequest) -> None:
    """Succeeds for one who is in the group, also with as many groups as a user may be in."""
    tx, group = call.tx, group_named(call, request.group_name)
    user = user_named(call, request.user_name)
    # Both, since the one may be over its quota and the other about to be deleted.
    tx.users.touch(user)
    tx.groups.touch(group)
    already_in = {each.group_id for each in tx.groups.of_user(call.account_id, user.user_id)}
    quota = call.settings.quotas.groups_per_user
    if group.group_id not in already_in and len(already_in) >= quota:
        raise LimitExceeded(f"Cannot exceed quota for GroupsPerUser: {quota}")
    tx.groups.add_member(group, user.user_id)


@operation("iam:RemoveUserFromGroup", on=on_group, writes=True)
def remove_user_from_group(call: Call, request: RemoveUserFromGroupRequest) -> None:
    """Succeeds for one who is not in the group."""
    group = group_named(call, request.group_name)
    call.tx.groups.remove_member(group, user_named(call, request.user_name).user_id)


@operation("iam:ListGroupsForUser", on=on_user, writes=False)
def list_groups_for_user(call: Call, request: ListGroupsForUserRequest) -> ListGroupsForUserResponse:
    user = user_named(call, request.user_name)
    listing = f"groups-of/{user.user_id}"
    after = paging.after(call, listing, request)
    rows = call.tx.groups.of_user(call.account_id, user.user_id)
    if after is not None:
        rows = [group for group in rows if group.group_name.casefold() > after.casefold()]
    page = paging.page(call, listing, request, rows, lambda group: group.group_name)
    return ListGroupsForUserResponse(
        groups=tuple(as_group(group) for group in page.items), is_truncated=page.is_truncated, marker=page.marker
    )
