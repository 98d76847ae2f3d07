"""What CloudTrail tells of a sign-in: ConsoleLogin, CheckMfa, PasswordUpdated (CloudTrail User Guide, "AWS Management Console
sign-in events")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instep.domain.identity import PrincipalKind
from instep.services.operation import Call
from instep.settings import Settings

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""In the place of a name that is nobody's: people type passwords there."""

FAILED = "Failed authentication"
NO_SUCH_USER = "No username found in supplied account"

_ROOT_USER = "AWS ROOT USER"


def of_sign_in(event: Mapping[str, Any], name: str, *, failure: str | None = None, **additional: str | None) -> Mapping[str, Any]:
    """`event`, made as that of an API call, as the sign-in event `name`.

    `failure`: the sentence that says why not.  `additional` that is None is left out.
    """
    told = {key: value for key, value in event.items() if key not in ("errorCode", "errorMessage")}
    told |= {
        "eventSource": "signin.amazonaws.com",
        "eventName": name,
        "eventType": "AwsConsoleSignIn",
        "readOnly": False,
        "requestParameters": None,
        "responseElements": {name: "Success" if failure is None else "Failure"},
        "additionalEventData": {
            **{key: value for key, value in additional.items() if value is not None},
            **event.get("additionalEventData", {}),
        },
    }
    if failure is not None:
        told["errorMessage"] = failure
        # Nobody is signed in: there is no ARN and no key to act with.
        identity = {key: value for key, value in event["userIdentity"].items() if key not in ("arn", "sessionContext")}
        told["userIdentity"] = {**identity, "accessKeyId": ""}
    return told


def login_to(settings: Settings) -> str:
    return f"{settings.server.public_url}/console/"


def console_login(call: Call, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of the second factor."""
    return of_sign_in(
        event,
        "ConsoleLogin",
        failure=FAILED if "errorCode" in event else None,
        LoginTo=login_to(call.settings),
        MobileVersion="No",
        MFAUsed="Yes",
        MFAIdentifier=(event["requestParameters"] or {}).get("serialNumber"),
    )


def without_answer(call: Call, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of what asks a security key: the challenge is nobody else's."""
    return {**event, "responseElements": None}


def security_key_enabled(call: Call, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """As of any other MFA device, without anything of the credential."""
    asked = {key: value for key, value in (event["requestParameters"] or {}).items() if key in ("userName", "name")}
    if asked:
        of_root = call.principal.kind is PrincipalKind.ROOT
        asked = {"userName": _ROOT_USER if of_root else call.principal.user_name, **asked, **(event["responseElements"] or {})}
    return {
        **event,
        "eventSource": "iam.amazonaws.com",
        "eventName": "EnableMFADevice",
        "requestParameters": asked or None,
        "responseElements": None,
    }


def password_updated(call: Call, event: Mapping[str, Any]) -> Mapping[str, Any]:
    failure = event.get("errorMessage")
    return of_sign_in(event, "PasswordUpdated", failure=failure, LoginTo=login_to(call.settings), MobileVersion="No")


def resync_by_holder(call: Call, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same as by the API, whoever reads the trail: the user's name is in no request here."""
    of_root = call.principal.kind is PrincipalKind.ROOT
    asked = event["requestParameters"] and {
        "userName": _ROOT_USER if of_root else call.principal.user_name,
        **event["requestParameters"],
    }
    return {**event, "eventSource": "iam.amazonaws.com", "requestParameters": asked, "responseElements": None}
