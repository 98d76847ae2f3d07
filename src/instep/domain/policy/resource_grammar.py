"""Whether a resource-based policy other than a role's trust policy is one: such as a bucket's, which is only ever simulated."""

from __future__ import annotations

from typing import Any

from instep.domain.policy.condition import Condition
from instep.domain.policy.document import Effect, Version
from instep.domain.policy.grammar import DOCUMENT, PRINCIPAL, STATEMENT, Checked, check_texts, conditions_of, statements, texts_of
from instep.domain.policy.principal_names import principals_of
from instep.domain.policy.refusals import SYNTAX, Element, malformed


def check_resource(document: Any) -> list[Checked]:
    """The statements of a resource-based policy, which may leave out Resource as trust policies do.

    Raises MalformedPolicyDocument.
    """
    if not isinstance(document, dict) or not document.keys() <= DOCUMENT or not isinstance(document.get("Id", ""), str):
        raise malformed(SYNTAX)
    version = document.get("Version", Version.V2008)
    if not isinstance(version, str) or version not in set(Version) or "Statement" not in document:
        raise malformed(SYNTAX)
    variables = version == Version.V2012
    return [
        (element, _check_statement(element, number, variables=variables))
        for number, element in enumerate(statements(document["Statement"]), 1)
    ]


def _check_statement(element: Element, number: int, *, variables: bool) -> tuple[Condition, ...]:
    """The conditions of a statement that is one."""
    if not element.keys() <= STATEMENT | PRINCIPAL or not isinstance(element.get("Sid", ""), str):
        raise malformed(SYNTAX)
    effect = element.get("Effect")
    if not isinstance(effect, str) or effect not in set(Effect):
        raise malformed(SYNTAX)
    named = element.keys() & PRINCIPAL
    if not named:
        raise malformed("Missing required field Principal")
    if len(named) == len(PRINCIPAL):
        raise malformed(SYNTAX)
    if "NotPrincipal" in named and effect == Effect.ALLOW:
        raise malformed("Allow with NotPrincipal is not allowed.")
    principals_of(element.get("Principal", element.get("NotPrincipal")))
    check_texts(element, "Action", "NotAction")
    check_texts(element, "Resource", "NotResource")
    if not texts_of(element, "Action", "NotAction"):
        raise malformed("Policy statement must contain actions.")
    return conditions_of(element, number, variables=variables)
