"""IAM users and their tags."""

from __future__ import annotations

from dataclasses import replace

from instep.api.common import ValidationError
from instep.api.errors import DeleteConflict, LimitExceeded
from instep.api.iam import (
    CreateUserRequest,
    CreateUserResponse,
    DeleteUserRequest,
    GetUserRequest,
    GetUserResponse,
    ListUsersRequest,
    ListUsersResponse,
    ListUserTagsRequest,
    ListUserTagsResponse,
    TagUserRequest,
    UntagUserRequest,
    UpdateUserRequest,
    User,
)
from instep.domain import arn, identity, ids
from instep.domain.identity import PrincipalKind
from instep.services import paging
from instep.services.authorize import authorize
from instep.services.iam import held_devices, policy_arns
from instep.services.iam.boundaries import as_boundary
from instep.services.iam.tags import as_tags, tagged_as, untagged, user_tags
from instep.services.iam.targets import find_user, on_user, user_as_written, user_named
from instep.services.operation import Call, Resource, operation


def _on_new_user(call: Call, request: CreateUserRequest) -> Resource:
    # Without its tags to be: they are the caller's own words, aws:RequestTag.
    return Resource(arn.user_arn(call.account_id, request.path or "/", request.user_name))


def _on_users(call: Call, request: ListUsersRequest) -> Resource:
    return Resource(arn.user_arn(call.account_id, request.path_prefix or "/", ""))


def as_user(user: identity.User, *, in_full: bool = False) -> User:
    """A user as the wire shows it: lists leave tags and permissions boundary out."""
    return User(
        path=user.path,
        user_name=user.user_name,
        user_id=user.user_id,
        arn=user.arn,
        create_date=user.created_at,
        password_last_used=user.password_last_used,
        permissions_boundary=as_boundary(user.permissions_boundary) if in_full else None,
        tags=as_tags(user.tags) if in_full else None,
    )


@operation("iam:CreateUser", on=_on_new_user, check=tagged_as("iam:TagUser", _on_new_user), writes=True)
def create_user(call: Call, request: CreateUserRequest) -> CreateUserResponse:
    call.tx.accounts.touch(call.account_id)
    quota = call.settings.quotas.users
    if call.tx.users.count(call.account_id) >= quota:
        raise LimitExceeded(f"Cannot exceed quota for UsersPerAccount: {quota}")
    if request.permissions_boundary is not None:
        policy_arns.check_boundary(call, request.permissions_boundary)
    user = identity.User(
        account_id=call.account_id,
        user_id=ids.user_id(call.random),
        user_name=request.user_name,
        path=request.path or "/",
        created_at=call.now,
        tags=user_tags(request.tags or ()),
        permissions_boundary=request.permissions_boundary,
    )
    call.tx.users.add(user)
    return CreateUserResponse(user=as_user(user, in_full=True))


@operation("iam:GetUser", on=on_user, writes=False)
def get_user(call: Call, request: GetUserRequest) -> GetUserResponse:
    if request.user_name is not None:
        return GetUserResponse(user=as_user(user_named(call, request.user_name), in_full=True))
    match call.principal.kind:
        case PrincipalKind.USER:
            assert call.principal.user_name is not None
            return GetUserResponse(user=as_user(user_named(call, call.principal.user_name), in_full=True))
        case PrincipalKind.ROOT:
            return GetUserResponse(user=root_as_user(call))
        case _:
            raise ValidationError("Must specify userName when calling with non-User credentials")


def root_as_user(call: Call) -> User:
    """The root user where the wire expects a user: without a name and a path."""
    root = call.tx.accounts.root_of(call.account_id)
    assert root is not None, "every account is made with its root user"
    return User(user_id=call.account_id, arn=root.arn, create_date=root.created_at, password_last_used=root.password_last_used)


@operation("iam:ListUsers", on=_on_users, writes=False)
def list_users(call: Call, request: ListUsersRequest) -> ListUsersResponse:
    rows = call.tx.users.list(
        call.account_id,
        path_prefix=request.path_prefix or "/",
        after=paging.after(call, "users", request),
        limit=paging.limit(request),
    )
    page = paging.page(call, "users", request, rows, lambda user: user.user_name)
    return ListUsersResponse(
        users=tuple(as_user(user) for user in page.items), is_truncated=page.is_truncated, marker=page.marker
    )


def _renamed(user: identity.User, request: UpdateUserRequest) -> identity.User:
    return replace(user, user_name=request.new_user_name or user.user_name, path=request.new_path or user.path)


def _check_new_arn(call: Call, request: UpdateUserRequest) -> None:
    """On both ARNs (API Reference, UpdateUser): a name or path may itself be what somebody's policy names."""
    user = find_user(call, request.user_name)
    written = arn.user_arn(call.account_id, request.new_path or "/", request.new_user_name or request.user_name)
    resource = user_as_written(call, _renamed(user, request), written) if user else Resource(written)
    authorize(call, "iam:UpdateUser", resource, request)


@operation("iam:UpdateUser", on=on_user, check=_check_new_arn, writes=True)
def update_user(call: Call, request: UpdateUserRequest) -> None:
    user = user_named(call, request.user_name)
    renamed = _renamed(user, request)
    call.tx.users.rename(user, user_name=renamed.user_name, path=renamed.path)


@operation("iam:DeleteUser", on=on_user, writes=True)
def delete_user(call: Call, request: DeleteUserRequest) -> None:
    user = user_named(call, request.user_name)
    call.tx.users.touch(user)
    left_over = _left_over(call, user)
    if left_over is not None:
        raise DeleteConflict(f"Cannot delete entity, must {left_over} first.")
    call.tx.users.delete(user)


def _left_over(call: Call, user: identity.User) -> str | None:
    """What is to be done before the user can be deleted, in AWS's words: the first of several."""
    tx, account_id, user_id = call.tx, call.account_id, user.user_id
    if tx.managed_policies.attached_to(account_id, [user_id]):
        return "detach all policies"
    if tx.inline_policies.of(account_id, [user_id]):
        return "delete policies"
    if tx.access_keys.count(account_id, user_id):
        return "delete access keys"
    if tx.login_profiles.find(account_id, user_id) is not None:
        return "delete login profile"
    if held_devices.count(call, user_id):
        return "delete MFA device"
    if tx.groups.of_user(account_id, user_id):
        return "remove users from group"
    return None


@operation("iam:TagUser", on=on_user, writes=True)
def tag_user(call: Call, request: TagUserRequest) -> None:
    user = user_named(call, request.user_name)
    call.tx.users.set_tags(user, user_tags(request.tags, user.tags))


@operation("iam:UntagUser", on=on_user, writes=True)
def untag_user(call: Call, request: UntagUserRequest) -> None:
    user = user_named(call, request.user_name)
    call.tx.users.set_tags(user, untagged(user.tags, request.tag_keys))


@operation("iam:ListUserTags", on=on_user, writes=False)
def list_user_tags(call: Call, request: ListUserTagsRequest) -> ListUserTagsResponse:
    user = user_named(call, request.user_name)
    page = paging.tag_page(call, f"user-tags/{user.user_id}", request, as_tags(user.tags) or ())
    return ListUserTagsResponse(tags=tuple(page.items), is_truncated=page.is_truncated, marker=page.marker)
