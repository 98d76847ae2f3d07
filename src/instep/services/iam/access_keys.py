"""Long-term access keys, of users and of the root user."""

from __future__ import annotations

from instep.api.common import AccessDenied, ValidationError
from instep.api.errors import LimitExceeded, NoSuchEntity
from instep.api.iam import (
    AccessKey,
    AccessKeyLastUsed,
    AccessKeyMetadata,
    CreateAccessKeyRequest,
    CreateAccessKeyResponse,
    DeleteAccessKeyRequest,
    GetAccessKeyLastUsedRequest,
    GetAccessKeyLastUsedResponse,
    ListAccessKeysRequest,
    ListAccessKeysResponse,
    StatusType,
    UpdateAccessKeyRequest,
)
from instep.domain import identity, ids
from instep.domain.identity import KeyStatus
from instep.services import paging
from instep.services.authenticate import sealed_in
from instep.services.authorize import may
from instep.services.iam.targets import holder, on_holder, on_user
from instep.services.operation import Call, operation


@operation("iam:CreateAccessKey", on=on_user, writes=True)
def create_access_key(call: Call, request: CreateAccessKeyRequest) -> CreateAccessKeyResponse:
    holder_id, user = holder(call, request)
    if user is not None:
        call.tx.users.touch(user)
    else:
        call.tx.accounts.touch(call.account_id)
    key, secret = add_access_key(call, holder_id)
    return CreateAccessKeyResponse(
        access_key=AccessKey(
            user_name=user.user_name if user else None,
            access_key_id=key.access_key_id,
            status=StatusType.ACTIVE,
            secret_access_key=secret,
            create_date=call.now,
        )
    )


def add_access_key(call: Call, holder_id: str) -> tuple[identity.AccessKey, str]:
    """A new key and its secret.  The holder's row must have been touched.  Raises LimitExceeded."""
    quota = call.settings.quotas.access_keys_per_user
    if call.tx.access_keys.count(call.account_id, holder_id) >= quota:
        raise LimitExceeded(f"Cannot exceed quota for AccessKeysPerUser: {quota}")
    access_key_id, secret = ids.access_key_id(call.random), ids.secret_access_key(call.random)
    key = identity.AccessKey(
        account_id=call.account_id,
        access_key_id=access_key_id,
        holder_id=holder_id,
        sealed_secret=call.vault.seal(secret.encode(), **sealed_in(access_key_id)),
        status=KeyStatus.ACTIVE,
        created_at=call.now,
    )
    call.tx.access_keys.add(key)
    return key, secret


@operation("iam:ListAccessKeys", on=on_user, writes=False)
def list_access_keys(call: Call, request: ListAccessKeysRequest) -> ListAccessKeysResponse:
    holder_id, user = holder(call, request)
    listing = f"access-keys/{holder_id}"
    rows = call.tx.access_keys.list(
        call.account_id, holder_id, after=paging.after(call, listing, request), limit=paging.limit(request)
    )
    page = paging.page(call, listing, request, rows, lambda key: key.access_key_id)
    return ListAccessKeysResponse(
        access_key_metadata=tuple(
            AccessKeyMetadata(
                user_name=user.user_name if user else None,
                access_key_id=key.access_key_id,
                status=StatusType(key.status.value),
                create_date=key.created_at,
            )
            for key in page.items
        ),
        is_truncated=page.is_truncated,
        marker=page.marker,
    )


@operation("iam:UpdateAccessKey", on=on_user, writes=True)
def update_access_key(call: Call, request: UpdateAccessKeyRequest) -> None:
    if request.status is StatusType.EXPIRED:
        # AWS alone ever sets it; the model lists it all the same.
        raise ValidationError(
            "1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value set"
        )
    call.tx.access_keys.set_status(_key(call, request), KeyStatus(request.status.value))


@operation("iam:DeleteAccessKey", on=on_user, writes=True)
def delete_access_key(call: Call, request: DeleteAccessKeyRequest) -> None:
    call.tx.access_keys.delete(_key(call, request))


def _key(call: Call, request: UpdateAccessKeyRequest | DeleteAccessKeyRequest) -> identity.AccessKey:
    holder_id, _ = holder(call, request)
    key = call.tx.access_keys.find(request.access_key_id)
    if key is None or key.account_id != call.account_id or key.holder_id != holder_id:
        raise NoSuchEntity(f"The Access Key with id {request.access_key_id} cannot be found.")
    return key


def _key_here(call: Call, access_key_id: str) -> identity.AccessKey | None:
    key = call.tx.access_keys.find(access_key_id)
    return key if key is not None and key.account_id == call.account_id else None


def _check_last_used(call: Call, request: GetAccessKeyLastUsedRequest) -> None:
    """On whoever holds the key, and in one sentence for every key that the caller may not ask about, so that nobody learns which
    there are, or whose."""
    key = _key_here(call, request.access_key_id)
    if key is None or not may(call, "iam:GetAccessKeyLastUsed", on_holder(call, key.holder_id)):
        # AWS prints no colon after "perform" here, and answers this for unknown keys and for those of other accounts alike.
        raise AccessDenied(
            f"User: {call.principal.arn} is not authorized to perform iam:GetAccessKeyLastUsed"
            f" on resource: access key {request.access_key_id}"
        )


@operation("iam:GetAccessKeyLastUsed", on=None, check=_check_last_used, writes=False)
def get_access_key_last_used(call: Call, request: GetAccessKeyLastUsedRequest) -> GetAccessKeyLastUsedResponse:
    key = _key_here(call, request.access_key_id)
    assert key is not None, "authorized against its holder"
    user = None if key.of_root else call.tx.users.find_by_id(key.account_id, key.holder_id)
    use = key.last_use
    return GetAccessKeyLastUsedResponse(
        user_name=user.user_name if user else None,
        access_key_last_used=AccessKeyLastUsed(
            last_used_date=use.at if use else None,
            service_name=use.service if use else "N/A",
            region=use.region if use else "N/A",
        ),
    )
