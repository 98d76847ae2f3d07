"""What may stand in Principal and NotPrincipal (IAM User Guide, "AWS JSON policy elements: Principal")."""

from __future__ import annotations

import re
from typing import Any

from instep.domain.policy.document import Principals
from instep.domain.policy.refusals import SYNTAX, malformed

_ACCOUNT = re.compile(r"[0-9]{12}")
_ARN = re.compile(
    r"arn:aws(?:-[a-z]+)*:(?:"
    r"iam::[0-9]{12}:(?:root|(?:user|role)/(?:[!-~]+/)?[A-Za-z0-9_+=,.@-]+)"
    r"|sts::[0-9]{12}:(?:assumed-role/[A-Za-z0-9_+=,.@-]+/[A-Za-z0-9_+=,.@-]+|federated-user/[A-Za-z0-9_+=,.@-]+)"
    r")"
)
# What a stored document has in place of the ARN of a user or a role.
_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,124}")
_WILDCARD = re.compile(r"[*?]")
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_PROVIDER = re.compile(r"arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:(?:saml-provider/[\w.-]+|oidc-provider/[!-~]+)", re.ASCII)
_CANONICAL = re.compile(r"[0-9a-f]{64}")


def principals_of(value: Any) -> Principals:
    """The principals that `value` of the element names.  Raises MalformedPolicyDocument."""
    if value == "*":
        return Principals(aws=("*",))
    if not value and isinstance(value, str | dict):
        raise malformed("Missing required field Principal cannot be empty!")
    if isinstance(value, str):
        raise malformed("Principal must be a JSON object.")
    if not isinstance(value, dict):
        raise malformed(SYNTAX)
    found = {kind: _named(kind, names) for kind, names in value.items()}
    return Principals(
        aws=found.get("AWS", ()),
        service=found.get("Service", ()),
        federated=found.get("Federated", ()),
        canonical_user=found.get("CanonicalUser", ()),
    )


def _named(kind: str, value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    if kind not in {"AWS", "Service", "Federated", "CanonicalUser"}:
        raise malformed('Invalid principal in policy: "{}"', kind)
    if not names:
        raise malformed("Missing required field Principal cannot be empty!")
    for name in names:
        if not isinstance(name, str):
            raise malformed(SYNTAX)
        if not _valid(kind, name):
            raise malformed('Invalid principal in policy: "{}":"{}"', kind.upper(), name)
    return tuple(names)


def _valid(kind: str, name: str) -> bool:
    match kind:
        case "AWS":
            forms = (_ACCOUNT, _ARN, _UNIQUE_ID)
            # An asterisk stands for everybody or for nothing: no part of a name can be left open.
            return name == "*" or (not _WILDCARD.search(name) and any(form.fullmatch(name) for form in forms))
        case "Service":
            return _HOST.fullmatch(name) is not None
        case "Federated":
            return (_HOST.fullmatch(name) or _PROVIDER.fullmatch(name)) is not None
        case _:
            return _CANONICAL.fullmatch(name) is not None
