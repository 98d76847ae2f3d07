"""Whether a role's trust policy is one, in AWS's words: others than for identities, and statement by statement."""

from __future__ import annotations

import re
from typing import Any

from instep.domain.policy.condition import Condition
from instep.domain.policy.document import Effect, Version
from instep.domain.policy.grammar import DOCUMENT, PRINCIPAL, STATEMENT, Checked, check_texts, conditions_of, statements, texts_of
from instep.domain.policy.principal_names import principals_of
from instep.domain.policy.refusals import SYNTAX, Element, malformed

_ACTION = re.compile(
    r"sts:(?:AssumeRole(?:With(?:SAML|WebIdentity))?|TagSession|SetSourceIdentity|SetContext|AssumeRole[A-Za-z]*[*?]+)",
    re.IGNORECASE,
)


def check_trust(document: Any) -> list[Checked]:
    """The statements of a role's trust policy.  Raises MalformedPolicyDocument."""
    if not isinstance(document, dict):
        raise malformed("This policy contains invalid Json")
    if not document.keys() <= DOCUMENT or not isinstance(document.get("Id", ""), str):
        raise malformed(SYNTAX)
    version = document.get("Version", Version.V2008)
    if not isinstance(version, str) or version not in set(Version):
        raise malformed("The policy must contain a valid version string")
    if "Statement" not in document:
        raise malformed("Missing required field Statement")
    if document["Statement"] in ([], {}):
        raise malformed("Could not parse the policy: Statement is empty!")
    elements = statements(document["Statement"])
    checked: list[Checked] = []
    seen: set[str] = set()
    for number, element in enumerate(elements, 1):
        checked.append((element, _check_statement(element, number, variables=version == Version.V2012)))
        sid = element.get("Sid", "")
        if sid and sid in seen:
            raise malformed("The Statement Ids in the policy are not unique")
        seen.add(sid)
    return checked


def _check_statement(element: Element, number: int, *, variables: bool) -> tuple[Condition, ...]:
    """The conditions of a statement that is one."""
    if not element.keys() <= STATEMENT | PRINCIPAL or not isinstance(element.get("Sid", ""), str):
        raise malformed(SYNTAX)
    effect = element.get("Effect", "")
    if not isinstance(effect, str):
        raise malformed(SYNTAX)
    if not effect:
        raise malformed("Missing required field Effect")
    if effect not in set(Effect):
        raise malformed("Invalid effect: {}", effect)
    _check_principals(element, effect)
    conditions = conditions_of(element, number, variables=variables)
    check_texts(element, "Action", "NotAction")
    actions = texts_of(element, "Action", "NotAction")
    if not actions:
        raise malformed("Missing required field Action")
    if not all(_ACTION.fullmatch(action) for action in actions):
        raise malformed("AssumeRole policy may only specify STS AssumeRole actions.")
    if "Resource" in element:
        raise malformed("Has prohibited field Resource.")
    if "NotResource" in element:
        raise malformed("AssumeRole policy must not contain resources.")
    return conditions


def _check_principals(element: Element, effect: str) -> None:
    match element.keys() & PRINCIPAL:
        case names if not names:
            raise malformed("Missing required field Principal")
        case names if len(names) == 2:
            raise malformed(SYNTAX)
        case names if "NotPrincipal" in names and effect == Effect.ALLOW:
            raise malformed("Allow with NotPrincipal is not allowed.")
        case _:
            principals_of(element.get("Principal", element.get("NotPrincipal")))
