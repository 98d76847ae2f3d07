"""IAM users and their tags."""

from __future__ import annotations

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
from instep.services.iam.tags import as_tags, user_tags
from instep.services.iam.targets import on_user, user_named
from instep.services.operation import Call, operation


def _on_new_user(call: Call, request: CreateUserRequest) -> str:
    return arn.user_arn(call.account_id, request.path or "/", request.user_name)


def _on_users(call: Call, request: ListUsersRequest) -> str:
    return f"arn:aws:iam::{call.account_id}:user{request.path_prefix or '/'}"


def as_user(user: identity.User, *, with_tags: bool = False) -> User:
    """A user as the wire shows it."""
    return User(
        path=user.path,
        user_name=user.user_name,
        user_id=user.user_id,
        arn=user.arn,
        create_date=user.created_at,
        password_last_used=user.password_last_used,
        tags=as_tags(user.tags) if with_tags else None,
    )


@operation("iam:CreateUser", on=_on_new_user, writes=True)
def create_user(call: Call, request: CreateUserRequest) -> CreateUserResponse:
    call.tx.accounts.touch(call.account_id)
    quota = call.settings.quotas.users
    if call.tx.users.count(call.account_id) >= quota:
        raise LimitExceeded(f"Cannot exceed quota for UsersPerAccount: {quota}")
    user = identity.User(
        account_id=call.account_id,
        user_id=ids.user_id(call.random),
        user_name=request.user_name,
        path=request.path or "/",
        created_at=call.now,
        tags=user_tags(request.tags or ()),
    )
    call.tx.users.add(user)
    return CreateUserResponse(user=as_user(user, with_tags=True))


@operation("iam:GetUser", on=on_user, writes=False)
def get_user(call: Call, request: GetUserRequest) -> GetUserResponse:
    if request.user_name is not None:
        return GetUserResponse(user=as_user(user_named(call, request.user_name), with_tags=True))
    match call.principal.kind:
        case PrincipalKind.USER:
            assert call.principal.user_name is not None
            return GetUserResponse(user=as_user(user_named(call, call.principal.user_name), with_tags=True))
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


@operation("iam:UpdateUser", on=on_user, writes=True)
def update_user(call: Call, request: UpdateUserRequest) -> None:
    user = user_named(call, request.user_name)
    user_name, path = request.new_user_name or user.user_name, request.new_path or user.path
    call.tx.users.rename(user, user_name=user_name, path=path)


@operation("iam:DeleteUser", on=on_user, writes=True)
def delete_user(call: Call, request: DeleteUserRequest) -> None:
    user = user_named(call, request.user_name)
    call.tx.users.touch(user)
    if call.tx.access_keys.count(call.account_id, user.user_id):
        raise DeleteConflict("Cannot delete entity, must delete access keys first.")
    if call.tx.mfa_devices.count_held(call.account_id, user.user_id):
        raise DeleteConflict("Cannot delete entity, must delete MFA device first.")
    call.tx.users.delete(user)


@operation("iam:TagUser", on=on_user, writes=True)
def tag_user(call: Call, request: TagUserRequest) -> None:
    user = user_named(call, request.user_name)
    call.tx.users.set_tags(user, user_tags(request.tags, user.tags))


@operation("iam:UntagUser", on=on_user, writes=True)
def untag_user(call: Call, request: UntagUserRequest) -> None:
    user = user_named(call, request.user_name)
    gone = {key.casefold() for key in request.tag_keys}
    call.tx.users.set_tags(user, {key: value for key, value in user.tags.items() if key.casefold() not in gone})


@operation("iam:ListUserTags", on=on_user, writes=False)
def list_user_tags(call: Call, request: ListUserTagsRequest) -> ListUserTagsResponse:
    user = user_named(call, request.user_name)
    page = paging.tag_page(call, f"user-tags/{user.user_id}", request, as_tags(user.tags) or ())
    return ListUserTagsResponse(tags=tuple(page.items), is_truncated=page.is_truncated, marker=page.marker)
