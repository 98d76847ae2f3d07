"""The root user's access keys, made on demand only, by an operator; the root user takes iam:CreateAccessKey and its like."""

from __future__ import annotations

from instep.api.errors import NoSuchEntity
from instep.domain import arn
from instep.services.iam.access_keys import add_access_key
from instep.services.operation import Call, Resource, operation
from instep.services.operator.model import (
    CreateRootAccessKeyResponse,
    DeleteRootAccessKeyRequest,
    ListRootAccessKeysResponse,
    RootAccessKey,
)


def _on_root(call: Call, request: object) -> Resource:
    return Resource(arn.root_arn(call.account_id))


@operation("instep:CreateRootAccessKey", on=_on_root, writes=True)
def create_root_access_key(call: Call, request: None) -> CreateRootAccessKeyResponse:
    call.tx.accounts.touch(call.account_id)
    key, secret = add_access_key(call, call.account_id)
    return CreateRootAccessKeyResponse(access_key_id=key.access_key_id, secret_access_key=secret)


@operation("instep:ListRootAccessKeys", on=_on_root, writes=False)
def list_root_access_keys(call: Call, request: None) -> ListRootAccessKeysResponse:
    quota = call.settings.quotas.access_keys_per_user
    keys = call.tx.access_keys.list(call.account_id, call.account_id, after=None, limit=quota)
    return ListRootAccessKeysResponse(
        access_keys=tuple(
            RootAccessKey(access_key_id=key.access_key_id, status=key.status.value, create_date=key.created_at) for key in keys
        )
    )


@operation("instep:DeleteRootAccessKey", on=_on_root, writes=True)
def delete_root_access_key(call: Call, request: DeleteRootAccessKeyRequest) -> None:
    key = call.tx.access_keys.find(request.access_key_id)
    if key is None or key.account_id != call.account_id or not key.of_root:
        raise NoSuchEntity(f"The Access Key with id {request.access_key_id} cannot be found.")
    call.tx.access_keys.delete(key)
