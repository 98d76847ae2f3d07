"""A password that has to be changed before it signs anybody in."""

from __future__ import annotations

from dataclasses import replace

from instep.api.errors import NoSuchEntity, PasswordPolicyViolation
from instep.domain import password_policy
from instep.domain.identity import User
from instep.domain.password import is_password
from instep.domain.sign_in import PAGE_OF, State
from instep.services import new_passwords
from instep.services.authorize import authorize
from instep.services.iam.targets import on_caller
from instep.services.new_passwords import NewPassword, profile_of
from instep.services.operation import Call, operation
from instep.services.signin import sessions
from instep.services.signin.events import password_updated
from instep.services.signin.model import Stepped, UpdatePasswordRequest


def _check(call: Call, request: UpdatePasswordRequest) -> None:
    """Users without that permission are stuck, as they are at AWS: an administrator gives it, or another password."""
    sessions.of_caller(call, State.MUST_CHANGE_PASSWORD)
    authorize(call, "iam:ChangePassword", on_caller(call), request)


def _caller(call: Call) -> User:
    user = call.tx.users.find_by_id(call.account_id, call.principal.holder_id)
    if user is None:
        raise NoSuchEntity(f"The user with name {call.principal.user_name} cannot be found.")
    return user


def _new_password(call: Call, request: UpdatePasswordRequest) -> NewPassword:
    user = _caller(call)
    with call.slow:
        same = is_password(request.new_password, profile_of(call, user).password_hash)
    if same:
        # Whatever the account's rules remember: it would not be changed.
        raise PasswordPolicyViolation(password_policy.REUSED)
    return new_passwords.work_out(call, user, request.new_password)


@operation("signin:UpdatePassword", on=None, check=_check, writes=True, prepare=_new_password, told=password_updated)
def update_password(call: Call, request: UpdatePasswordRequest) -> Stepped:
    session = sessions.of_caller(call, State.MUST_CHANGE_PASSWORD)
    new: NewPassword = call.prepared
    new_passwords.put(call, _caller(call), new, reset_required=False)
    changed = replace(session, password_key=sessions.password_key(call.vault, new.password_hash))
    return Stepped(session_id=sessions.step_up(call, changed, State.SIGNED_IN), next=PAGE_OF[State.SIGNED_IN])
