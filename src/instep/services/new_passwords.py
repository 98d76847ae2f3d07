"""A user's new password: checked and hashed in a read, then set in the write.

A hash takes some fifty milliseconds and old passwords are one hash each, so none of it is done while others wait for the writer's
turn.  The write looks whether the login profile is still the one that all this was worked out from.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from instep.api.errors import EntityTemporarilyUnmodifiable, NoSuchEntity, PasswordPolicyViolation
from instep.domain import password_policy
from instep.domain.identity import LoginProfile, User
from instep.domain.password import SALT_LENGTH, hash_password, is_password
from instep.services.operation import Call


@dataclass(frozen=True, slots=True)
class NewPassword:
    """`replaces` is the login profile as it was when this was worked out; None while the user had none."""

    replaces: LoginProfile | None
    password_hash: str = field(repr=False)


def profile_of(call: Call, user: User) -> LoginProfile:
    """Raises NoSuchEntity for a user without a password."""
    profile = call.tx.login_profiles.find(user.account_id, user.user_id)
    if profile is None:
        raise NoSuchEntity(f"Login Profile for User {user.user_name} cannot be found.")
    return profile


def check(call: Call, password: str) -> None:
    """Quickly done.  Raises PasswordPolicyViolation for what the account's rules do not allow anybody."""
    account = call.tx.accounts.find(call.account_id)
    root = call.tx.accounts.root_of(call.account_id)
    names = [name for name in (account and account.alias, root and root.email) if name]
    password_policy.check_new(password, call.tx.accounts.password_policy(call.account_id), account_names=names)


def work_out(call: Call, user: User, password: str) -> NewPassword:
    """Slow.  Raises PasswordPolicyViolation as `check`, and for a password that the user had lately."""
    check(call, password)
    profile = call.tx.login_profiles.find(user.account_id, user.user_id)
    remembered = _remembered(call, user, profile)
    with call.slow:
        if any(is_password(password, one) for one in remembered):
            raise PasswordPolicyViolation(password_policy.REUSED)
        return NewPassword(profile, hash_password(password, salt=call.random(SALT_LENGTH)))


def put(call: Call, user: User, new: NewPassword, *, reset_required: bool) -> None:
    """In the place of the password that the user has.

    Raises EntityTemporarilyUnmodifiable when that was changed since, NoSuchEntity when it is gone.
    """
    profile = profile_of(call, user)
    if profile != new.replaces:
        raise EntityTemporarilyUnmodifiable(
            f"The login profile of user {user.user_name} was changed while the request was on its way; send it again."
        )
    call.tx.login_profiles.change(profile, password_hash=new.password_hash, changed_at=call.now, reset_required=reset_required)


def _remembered(call: Call, user: User, profile: LoginProfile | None) -> list[str]:
    """The hashes of as many passwords as the account's policy says, the present one among them."""
    policy = call.tx.accounts.password_policy(call.account_id)
    if policy is None or policy.reuse_prevention is None:
        return []
    old = call.tx.login_profiles.old_hashes(user.account_id, user.user_id, limit=policy.reuse_prevention)
    present = [profile.password_hash] if profile is not None else []
    return (present + old)[: policy.reuse_prevention]
