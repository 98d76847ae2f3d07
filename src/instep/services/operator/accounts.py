"""CreateAccount: an account with its root user and the root user's first access key."""

from __future__ import annotations

from instep.api.common import ValidationError
from instep.domain import identity, ids
from instep.domain.identity import KeyStatus
from instep.domain.password import SALT_LENGTH, hash_password
from instep.services.authenticate import sealed_in
from instep.services.iam.account import check_alias
from instep.services.operation import Call, operation
from instep.services.operator.model import CreateAccountRequest, CreateAccountResponse


def _on_account(call: Call, request: CreateAccountRequest) -> str:
    return "*"


def _password(call: Call, request: CreateAccountRequest) -> tuple[str, str]:
    """A password and its hash, which takes too long to work out inside a write."""
    password = ids.password(call.random)
    return password, hash_password(password, salt=call.random(SALT_LENGTH))


@operation("instep:CreateAccount", on=_on_account, writes=True, prepare=_password)
def create_account(call: Call, request: CreateAccountRequest) -> CreateAccountResponse:
    password, password_hash = call.prepared
    if call.account_id != request.account_id:
        raise ValidationError("An operator's call makes the account that it is made for.")
    if request.account_alias is not None:
        check_alias(request.account_alias)
    call.tx.accounts.add(
        identity.Account(request.account_id, request.account_alias, call.now),
        identity.RootUser(
            account_id=request.account_id, email=request.root_email, password_hash=password_hash, created_at=call.now
        ),
    )
    access_key_id, secret = ids.access_key_id(call.random), ids.secret_access_key(call.random)
    call.tx.access_keys.add(
        identity.AccessKey(
            account_id=request.account_id,
            access_key_id=access_key_id,
            holder_id=request.account_id,
            sealed_secret=call.vault.seal(secret.encode(), **sealed_in(access_key_id)),
            status=KeyStatus.ACTIVE,
            created_at=call.now,
        )
    )
    return CreateAccountResponse(
        account_id=request.account_id, password=password, access_key_id=access_key_id, secret_access_key=secret
    )
