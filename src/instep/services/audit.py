"""Audit events in CloudTrail's shape (CloudTrail User Guide, "CloudTrail record contents")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from instep.api.common import AccessDenied, AWSError, ValidationError
from instep.api.shape import Kind, Shape, members
from instep.domain import ids
from instep.domain.audit_event import AuditEvent
from instep.domain.identity import Principal, PrincipalKind, SessionScope
from instep.domain.ids import Random

# Codes, seeds and secrets: what is asked for or answered and must never be kept.  By Python name, over all operations.
SECRET_MEMBERS = frozenset(
    {
        "answer",
        "authentication_code1",
        "authentication_code2",
        "base32_string_seed",
        "csv",
        "new_password",
        "old_password",
        "options",
        "password",
        "private_key",
        "qr_code_png",
        "secret_access_key",
        "service_password",
        "service_credential_secret",
        "session_id",
        "session_token",
        "token_code",
        "web_identity_token",
        "saml_assertion",
        "ssh_public_key_body",
    }
)
# What comes from a caller is cut: nobody fills the disk by it.
_LONGEST_USER_AGENT = 1024
_LONGEST_MESSAGE = 1024
# Characters of all that was asked: longer than any policy that can be kept, unless it is mostly white space.
_LONGEST_PARAMETERS = 16_384
_PRINTED_OTHERWISE = {AccessDenied.code: "AccessDenied", ValidationError.code: "ValidationException"}


def audit_event(
    principal: Principal,
    *,
    service: str,
    name: str,
    reads: bool,
    now: datetime,
    random: Random,
    request_id: str,
    region: str,
    source_ip: str,
    user_agent: str,
    asked: object | None,
    answered: object | None,
    refusal: AWSError | None,
    additional: Mapping[str, Any],
) -> AuditEvent:
    """One request by a known principal.

    `asked` and `answered` are dataclasses of the api, `asked` None when the request did not pass validation: what is not
    understood is not kept, since a code may stand where nobody looks for one.
    """
    event_id = ids.uuid4(random)
    event: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _identity(principal),
        "eventTime": _second(now),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": source_ip,
        "userAgent": user_agent[:_LONGEST_USER_AGENT],
        "requestParameters": _bounded(_elements(asked)),
        "responseElements": None if reads else _elements(answered),
        "requestID": request_id,
        "eventID": event_id,
        "readOnly": reads,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": principal.account_id,
        "eventCategory": "Management",
    }
    if refusal is not None:
        event["errorCode"] = error_code(refusal)
        event["errorMessage"] = refusal.loggable[:_LONGEST_MESSAGE]
    extra = dict(additional)
    if refusal is not None and refusal.reason is not None:
        extra["reason"] = refusal.reason
    if extra:
        event["additionalEventData"] = extra
    return AuditEvent(principal.account_id, event_id, now, event)


def error_code(refusal: AWSError) -> str:
    """The exception's name, as CloudTrail prints it: NoSuchEntityException, but AccessDenied."""
    return _PRINTED_OTHERWISE.get(refusal.code, f"{refusal.code}Exception")


def _identity(principal: Principal) -> dict[str, Any]:
    identity: dict[str, Any] = {
        "type": principal.kind.value,
        "principalId": principal.unique_id,
        "arn": principal.arn,
        "accountId": principal.account_id,
    }
    if principal.access_key_id is not None:
        identity["accessKeyId"] = principal.access_key_id
    if principal.user_name is not None:
        identity["userName"] = principal.user_name
    if principal.issued_at is not None:
        context: dict[str, Any] = {
            "attributes": {
                "mfaAuthenticated": "true" if principal.mfa_present else "false",
                "creationDate": _second(principal.issued_at),
            }
        }
        if principal.scope is not None:
            context["sessionIssuer"] = _issuer(principal, principal.scope)
            if principal.scope.source_identity is not None:
                context["sourceIdentity"] = principal.scope.source_identity
        identity["sessionContext"] = context
    return identity


def _issuer(principal: Principal, scope: SessionScope) -> dict[str, str]:
    """The role, or the user behind a federated one."""
    return {
        "type": "Role" if principal.kind is PrincipalKind.ROLE else "IAMUser",
        "principalId": principal.holder_id,
        "arn": scope.issuer_arn,
        "accountId": principal.account_id,
        "userName": scope.issuer_arn.rpartition("/")[2],
    }


def _bounded(elements: dict[str, Any] | None) -> dict[str, Any] | None:
    length = _length(elements)
    return elements if length <= _LONGEST_PARAMETERS else {"omitted": True, "originalSize": length}


def _length(value: Any) -> int:
    match value:
        case str():
            return len(value)
        case dict():
            return sum(_length(each) for each in value.values())
        case list():
            return sum(_length(each) for each in value)
        case _:
            return 0


def _elements(structure: object | None) -> dict[str, Any] | None:
    """A dataclass of the api as CloudTrail prints it, without what is secret; None when nothing is left."""
    if structure is None:
        return None
    kept: dict[str, Any] = {}
    for member in members(type(structure)):
        value = getattr(structure, member.name)
        if value is not None and member.name not in SECRET_MEMBERS:
            kept[member.wire[0].lower() + member.wire[1:]] = _element(member.shape, value)
    return kept or None


def _element(shape: Shape, value: Any) -> Any:
    match shape.kind:
        case Kind.STRUCTURE:
            return _elements(value)
        case Kind.LIST:
            assert shape.element is not None
            return [_element(shape.element, each) for each in value]
        case Kind.MAP:
            assert shape.element is not None
            return {key: _element(shape.element, each) for key, each in value.items()}
        case Kind.TIMESTAMP:
            return _second(value)
        case Kind.BLOB:
            return None
        case Kind.ENUM:
            return value.value
        case _:
            return value


def _second(at: datetime) -> str:
    return f"{at.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"
