"""Users who change their own passwords, and what the account asks of passwords."""

from __future__ import annotations

from instep.api.common import AccessDenied
from instep.api.errors import InvalidUserType, NoSuchEntity
from instep.api.iam import (
    ChangePasswordRequest,
    GetAccountPasswordPolicyResponse,
    PasswordPolicy,
    UpdateAccountPasswordPolicyRequest,
)
from instep.domain import password_policy
from instep.domain.identity import PrincipalKind, User
from instep.domain.password import is_password
from instep.services import codes, new_passwords
from instep.services.iam.targets import on_caller, on_everything
from instep.services.new_passwords import NewPassword, profile_of
from instep.services.operation import Call, Resource, operation

_WRONG = "The old password was incorrect."


def _on_caller(call: Call, request: ChangePasswordRequest) -> Resource:
    return on_caller(call)


def _caller(call: Call) -> User:
    """Raises InvalidUserType for everybody who is no IAM user: roles and federated users have no password, the root user's is
    changed elsewhere."""
    if call.principal.kind is not PrincipalKind.USER:
        raise InvalidUserType("Only IAM Users can change their own password")
    user = call.tx.users.find_by_id(call.account_id, call.principal.holder_id)
    if user is None:
        raise NoSuchEntity(f"The user with name {call.principal.user_name} cannot be found.")
    return user


def _claim(call: Call, request: ChangePasswordRequest) -> None:
    """A try at the old password: whoever got hold of the user's keys must not find it out by guessing.

    What is wrong with the new password is told first, as that is no guess.
    """
    profile = profile_of(call, _caller(call))
    new_passwords.check(call, request.new_password)
    if not call.tx.login_profiles.claim(profile, call.now, codes.tries(call.settings)):
        raise AccessDenied(_WRONG, reason="waiting")


def _new_password(call: Call, request: ChangePasswordRequest) -> NewPassword:
    user = _caller(call)
    profile = profile_of(call, user)
    with call.slow:
        right = is_password(request.old_password, profile.password_hash)
    if not right:
        raise AccessDenied(_WRONG, reason="no-match")
    return new_passwords.work_out(call, user, request.new_password)


@operation("iam:ChangePassword", on=_on_caller, writes=True, claim=_claim, prepare=_new_password)
def change_password(call: Call, request: ChangePasswordRequest) -> None:
    new_passwords.put(call, _caller(call), call.prepared, reset_required=False)


@operation("iam:UpdateAccountPasswordPolicy", on=on_everything, writes=True)
def update_account_password_policy(call: Call, request: UpdateAccountPasswordPolicyRequest) -> None:
    """The whole policy anew: what is not named goes back to its default."""
    call.tx.accounts.set_password_policy(
        call.account_id,
        password_policy.PasswordPolicy(
            minimum_length=request.minimum_password_length or password_policy.LEAST_LENGTH,
            require_symbols=bool(request.require_symbols),
            require_numbers=bool(request.require_numbers),
            require_uppercase=bool(request.require_uppercase_characters),
            require_lowercase=bool(request.require_lowercase_characters),
            users_may_change=bool(request.allow_users_to_change_password),
            max_age=request.max_password_age,
            reuse_prevention=request.password_reuse_prevention,
            hard_expiry=request.hard_expiry,
        ),
    )


@operation("iam:GetAccountPasswordPolicy", on=on_everything, writes=False)
def get_account_password_policy(call: Call, request: None) -> GetAccountPasswordPolicyResponse:
    policy = call.tx.accounts.password_policy(call.account_id)
    if policy is None:
        raise NoSuchEntity(f"The Password Policy with domain name {call.account_id} cannot be found.")
    return GetAccountPasswordPolicyResponse(
        password_policy=PasswordPolicy(
            minimum_password_length=policy.minimum_length,
            require_symbols=policy.require_symbols,
            require_numbers=policy.require_numbers,
            require_uppercase_characters=policy.require_uppercase,
            require_lowercase_characters=policy.require_lowercase,
            allow_users_to_change_password=policy.users_may_change,
            expire_passwords=policy.max_age is not None,
            max_password_age=policy.max_age,
            password_reuse_prevention=policy.reuse_prevention,
            hard_expiry=policy.hard_expiry,
        )
    )


@operation("iam:DeleteAccountPasswordPolicy", on=on_everything, writes=True)
def delete_account_password_policy(call: Call, request: None) -> None:
    call.tx.accounts.touch(call.account_id)
    if call.tx.accounts.password_policy(call.account_id) is None:
        raise NoSuchEntity("The account policy with name PasswordPolicy cannot be found.")
    call.tx.accounts.set_password_policy(call.account_id, None)
