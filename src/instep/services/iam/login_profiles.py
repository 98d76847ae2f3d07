"""Passwords of users, as administrators give, change and take them away."""

from __future__ import annotations

from instep.api.common import ValidationError
from instep.api.errors import EntityAlreadyExists
from instep.api.iam import (
    CreateLoginProfileRequest,
    CreateLoginProfileResponse,
    DeleteLoginProfileRequest,
    GetLoginProfileRequest,
    GetLoginProfileResponse,
    LoginProfile,
    UpdateLoginProfileRequest,
)
from instep.domain import identity
from instep.services import new_passwords
from instep.services.iam.targets import MayNameUser, holder, on_user, user_named
from instep.services.new_passwords import NewPassword, profile_of
from instep.services.operation import Call, operation


def _user(call: Call, request: MayNameUser) -> identity.User:
    """Raises ValidationError where that would be the root user: their password is no login profile."""
    _, user = holder(call, request)
    if user is None:
        raise ValidationError("Must specify userName when calling with non-User credentials")
    return user


def _as_login_profile(user: identity.User, profile: identity.LoginProfile) -> LoginProfile:
    return LoginProfile(user_name=user.user_name, create_date=profile.created_at, password_reset_required=profile.reset_required)


def _first_password(call: Call, request: CreateLoginProfileRequest) -> NewPassword:
    if request.password is None:
        # The model asks for none, as the root user of a member account may be given one without.
        raise ValidationError(
            "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null"
        )
    user = _user(call, request)
    if call.tx.login_profiles.find(user.account_id, user.user_id) is not None:
        raise EntityAlreadyExists(f"Login Profile for user {user.user_name} already exists.")
    return new_passwords.work_out(call, user, request.password)


@operation("iam:CreateLoginProfile", on=on_user, writes=True, prepare=_first_password)
def create_login_profile(call: Call, request: CreateLoginProfileRequest) -> CreateLoginProfileResponse:
    user, new = _user(call, request), call.prepared
    call.tx.users.touch(user)
    profile = identity.LoginProfile(
        account_id=user.account_id,
        user_id=user.user_id,
        password_hash=new.password_hash,
        created_at=call.now,
        changed_at=call.now,
        reset_required=bool(request.password_reset_required),
    )
    call.tx.login_profiles.add(profile)
    return CreateLoginProfileResponse(login_profile=_as_login_profile(user, profile))


@operation("iam:GetLoginProfile", on=on_user, writes=False)
def get_login_profile(call: Call, request: GetLoginProfileRequest) -> GetLoginProfileResponse:
    user = _user(call, request)
    return GetLoginProfileResponse(login_profile=_as_login_profile(user, profile_of(call, user)))


def _other_password(call: Call, request: UpdateLoginProfileRequest) -> NewPassword | None:
    if request.password is None:
        return None
    user = user_named(call, request.user_name)
    profile_of(call, user)
    return new_passwords.work_out(call, user, request.password)


@operation("iam:UpdateLoginProfile", on=on_user, writes=True, prepare=_other_password)
def update_login_profile(call: Call, request: UpdateLoginProfileRequest) -> None:
    """What is not named stays as it is."""
    user = user_named(call, request.user_name)
    profile = profile_of(call, user)
    asked = request.password_reset_required
    reset_required = profile.reset_required if asked is None else asked
    if call.prepared is not None:
        new_passwords.put(call, user, call.prepared, reset_required=reset_required)
    elif reset_required != profile.reset_required:
        call.tx.login_profiles.set_reset_required(profile, reset_required)


@operation("iam:DeleteLoginProfile", on=on_user, writes=True)
def delete_login_profile(call: Call, request: DeleteLoginProfileRequest) -> None:
    call.tx.login_profiles.delete(profile_of(call, _user(call, request)))
