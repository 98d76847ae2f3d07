"""Who may do what: which credentials reach an operation at all, and what policies say of it."""

from __future__ import annotations

from typing import Any

import msgspec

from instep.api.common import AccessDenied, InvalidClientTokenId
from instep.api.iam import IAM
from instep.api.sts import STS
from instep.domain.identity import Principal, PrincipalKind
from instep.domain.policy.evaluation import AccessRequest, Deciding, Decision, Outcome, decide
from instep.domain.policy.variables import Context
from instep.services.condition_keys import context
from instep.services.operation import Call, Operation, Resource
from instep.services.operator.model import INSTEP
from instep.services.signin.model import SIGNIN

ENCODED_MESSAGE_HEADER = "x-instep-encoded-message"
"""On a refusal by policies: its details, sealed, for somebody who may call DecodeAuthorizationMessage."""

# What credentials from GetSessionToken may call at STS, with MFA or without (API Reference, GetSessionToken).
_STS_FOR_SESSIONS = frozenset({"sts:AssumeRole", "sts:GetCallerIdentity"})
_STS_FOR_FEDERATED_USERS = frozenset({"sts:GetCallerIdentity"})
_STS_NOT_FOR_ROLES = frozenset({"sts:GetSessionToken", "sts:GetFederationToken"})
# Bytes.  As a header it has to pass the buffers of common proxies, of which the smallest hold 4 KiB for all headers.
_LONGEST_MESSAGE = 2200
_LONGEST_NAME = 256


def check_credentials(principal: Principal, operation: Operation) -> None:
    """Whether this kind of credentials reaches the operation at all, whatever policies say.

    Raises InvalidClientTokenId at IAM for a session without MFA and for federated users (AWS answers this, not AccessDenied),
    AccessDenied at STS.
    """
    if operation.service == INSTEP.name and principal.kind is not PrincipalKind.OPERATOR:
        # What limits an account is not for anybody in it, whatever its own policies say.
        raise AccessDenied(f"{operation.model.name} is for operators of the installation, through the instep command.")
    if principal.signing_in and operation.service != SIGNIN.name:
        raise AccessDenied(f"Cannot call {operation.model.name} before the sign-in is complete")
    if not principal.temporary:
        return
    federated, role = principal.kind is PrincipalKind.FEDERATED, principal.kind is PrincipalKind.ROLE
    if operation.service == IAM.name and (federated or not (role or principal.mfa_present)):
        # Without a full stop, as AWS prints it in this one case.
        raise InvalidClientTokenId("The security token included in the request is invalid")
    if operation.service != STS.name:
        return
    if role:
        refused = operation.action in _STS_NOT_FOR_ROLES
    else:
        refused = operation.action not in (_STS_FOR_FEDERATED_USERS if federated else _STS_FOR_SESSIONS)
    if refused:
        raise AccessDenied(f"Cannot call {operation.model.name} with session credentials")


def authorize(call: Call, action: str, resource: Resource, asked: object | None) -> None:
    """Raises AccessDenied, in AWS's sentence, unless the caller may do `action`, such as `iam:TagUser`, with `resource`.

    `asked` is the request's dataclass of the api.
    """
    if call.principal.kind is PrincipalKind.OPERATOR:
        # On the server itself, beside every policy: whoever has the data folder has everything in it.
        return
    decision = _decision(call, action, resource, context(call, resource, asked))
    if not decision.allowed:
        # Without tags and boundary, in the sealed message as well: by its length it would tell whether there is such a resource.
        shown = Resource(resource.shown or resource.arn)
        raise _refusal(call, action, shown.arn, context(call, shown, asked), decision)


def may(call: Call, action: str, resource: Resource) -> bool:
    """Whether the caller's policies would allow `action` on `resource` now; nothing is refused."""
    if call.principal.kind is PrincipalKind.OPERATOR:
        return True
    return _decision(call, action, resource, context(call, resource, None)).allowed


def explicitly_denied(call: Call, action: str, resource: Resource) -> bool:
    """Whether a Deny stands against it, for what takes no Allow."""
    return _decision(call, action, resource, context(call, resource, None)).outcome is Outcome.EXPLICIT_DENY


def _refusal(call: Call, action: str, resource_arn: str, keys: Context, decision: Decision) -> AccessDenied:
    """AWS's sentence, and as much of the whole story, sealed, as there is room for."""
    refused = AccessDenied(denial(call.principal, action, resource_arn, decision))
    details = msgspec.json.encode(_details(call, action, resource_arn, keys, decision, whole=True))
    if len(details) > _LONGEST_MESSAGE:
        details = msgspec.json.encode(_details(call, action, resource_arn, {}, decision, whole=True))
    if len(details) > _LONGEST_MESSAGE:
        details = msgspec.json.encode(_details(call, action, resource_arn, {}, decision, whole=False))
    refused.headers = {ENCODED_MESSAGE_HEADER: call.vault.seal_message(call.account_id, details)}
    return refused


def denial(principal: Principal, action: str, resource_arn: str, decision: Decision) -> str:
    """AWS's sentence (IAM User Guide, "Troubleshoot access denied error messages")."""
    # Before a policy's ARN, and no other, AWS names the kind of thing it is.
    named = f"policy {resource_arn}" if resource_arn.startswith("arn:aws:iam::") and ":policy/" in resource_arn else resource_arn
    return f"User: {principal.arn} is not authorized to perform: {action} on resource: {named} {decision.because(action)}"


def _decision(call: Call, action: str, resource: Resource, keys: Context) -> Decision:
    return decide(
        call.policies.of(call.tx, call.principal),
        AccessRequest(action, resource.arn, keys),
        root=call.principal.kind is PrincipalKind.ROOT,
    )


def _details(call: Call, action: str, resource_arn: str, keys: Context, decision: Decision, *, whole: bool) -> dict[str, Any]:
    """As DecodeAuthorizationMessage shows it (API Reference, DecodeAuthorizationMessage).

    Unless they shall be `whole`, statements are told by name alone, and what is long is cut: enough to find the place.
    """
    return {
        "allowed": decision.allowed,
        "explicitDeny": decision.outcome is Outcome.EXPLICIT_DENY,
        "matchedStatements": {"items": [_matched(one, whole=whole) for one in decision.statements]},
        "failures": {"items": []},
        "context": {
            "principal": {"id": call.principal.unique_id, "arn": call.principal.arn},
            "action": action,
            "resource": resource_arn if whole else resource_arn[:_LONGEST_NAME],
            "conditions": {
                "items": [
                    {"key": key, "values": {"items": [{"value": value} for value in values]}}
                    for key, values in sorted(keys.items())
                ]
            },
        },
    }


def _matched(deciding: Deciding, *, whole: bool) -> dict[str, Any]:
    statement = deciding.statement
    told: dict[str, Any] = {
        "statementId": (statement.sid or "")[:_LONGEST_NAME],
        "effect": statement.effect.value.upper(),
        "sourcePolicy": deciding.policy.name[:_LONGEST_NAME],
    }
    if whole:
        told["actions"] = {"items": [{"value": pattern.text} for pattern in statement.actions]}
        told["resources"] = {"items": [{"value": pattern.text} for pattern in statement.resources or ()]}
    return told
