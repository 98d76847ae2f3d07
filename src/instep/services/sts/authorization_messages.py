"""DecodeAuthorizationMessage: what stands in the sealed message of a refusal, for somebody who may know."""

from __future__ import annotations

from instep.api.errors import InvalidAuthorizationMessageException
from instep.api.sts import DecodeAuthorizationMessageRequest, DecodeAuthorizationMessageResponse
from instep.services.iam.targets import on_everything
from instep.services.operation import Call, operation


@operation("sts:DecodeAuthorizationMessage", on=on_everything, writes=False)
def decode_authorization_message(call: Call, request: DecodeAuthorizationMessageRequest) -> DecodeAuthorizationMessageResponse:
    """Raises InvalidAuthorizationMessageException, in the same words for a message of another account."""
    try:
        message = call.vault.open_message(call.account_id, request.encoded_message)
    except ValueError:
        raise InvalidAuthorizationMessageException("Message is not valid") from None
    return DecodeAuthorizationMessageResponse(decoded_message=message.decode())
