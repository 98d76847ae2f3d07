"""CreateAccount: an account with its root user, and an administrator to work as."""

from __future__ import annotations

from dataclasses import dataclass, field

from instep.api.common import ValidationError
from instep.domain import aws_policies, identity, ids
from instep.domain.password import SALT_LENGTH, hash_password
from instep.services.iam.access_keys import add_access_key
from instep.services.iam.account import check_alias
from instep.services.operation import EVERYTHING, Call, Resource, operation
from instep.services.operator.model import CreateAccountRequest, CreateAccountResponse

ADMINISTRATOR = "admin"


def _on_account(call: Call, request: CreateAccountRequest) -> Resource:
    return EVERYTHING


@dataclass(frozen=True, slots=True)
class _RootPassword:
    """A password and its hash, which takes too long to work out inside a write."""

    password: str = field(repr=False)
    password_hash: str = field(repr=False)


def _password(call: Call, request: CreateAccountRequest) -> _RootPassword:
    password, salt = ids.password(call.random), call.random(SALT_LENGTH)
    with call.slow:
        return _RootPassword(password, hash_password(password, salt=salt))


@operation("instep:CreateAccount", on=_on_account, writes=True, prepare=_password)
def create_account(call: Call, request: CreateAccountRequest) -> CreateAccountResponse:
    """The root user gets a password and no access key: no policy of the account limits it."""
    made: _RootPassword = call.prepared
    if call.account_id != request.account_id:
        raise ValidationError("An operator's call makes the account that it is made for.")
    if request.account_alias is not None:
        check_alias(request.account_alias)
    call.tx.accounts.add(
        identity.Account(request.account_id, request.account_alias, call.now),
        identity.RootUser(
            account_id=request.account_id, email=request.root_email, password_hash=made.password_hash, created_at=call.now
        ),
    )
    user = identity.User(
        account_id=request.account_id,
        user_id=ids.user_id(call.random),
        user_name=ADMINISTRATOR,
        path="/",
        created_at=call.now,
    )
    call.tx.users.add(user)
    call.tx.managed_policies.attach(request.account_id, user.user_id, aws_policies.ADMINISTRATOR_ACCESS)
    key, secret = add_access_key(call, user.user_id)
    return CreateAccountResponse(
        account_id=request.account_id,
        password=made.password,
        user_name=user.user_name,
        access_key_id=key.access_key_id,
        secret_access_key=secret,
    )
