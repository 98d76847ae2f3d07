"""Whether a policy for identities is one, asked in AWS's order and answered in AWS's words.

Each question goes round all statements before the next one is asked.
"""

from __future__ import annotations

import re
from typing import Any

from instep.domain.policy.document import Effect, Version
from instep.domain.policy.grammar import (
    DOCUMENT,
    PRINCIPAL,
    STATEMENT,
    Checked,
    check_operator,
    check_texts,
    condition_values,
    conditions_of,
    statements,
    texts_of,
)
from instep.domain.policy.refusals import LEGACY, SYNTAX, Element, malformed
from instep.domain.policy.resource_names import fails_legacy_parsing, problem

_SID = re.compile(r"[A-Za-z0-9]*")
_VENDOR = re.compile(r"[A-Za-z0-9.-]+|\*")


def check_identity(document: Any, *, newer_only: bool) -> list[Checked]:
    """The statements of a policy for users, groups, roles, boundaries and sessions.

    `newer_only`: a managed policy must say that it is of the newer version.  Raises MalformedPolicyDocument.
    """
    elements = _check_structure(document)
    newer = document.get("Version") == Version.V2012
    if newer_only and not newer:
        raise malformed("Policy document must be version 2012-10-17 or greater.")
    conditions = []
    for number, element in enumerate(elements, 1):
        if element["Effect"] not in set(Effect):
            raise malformed(LEGACY)
        conditions.append(conditions_of(element, number, variables=newer))
    _check_resources_parse(elements, variables=newer)
    _check_sids(elements)
    if not all(texts_of(element, "Action", "NotAction") for element in elements):
        raise malformed("Policy statement must contain actions.")
    for element in elements:
        for resource in texts_of(element, "Resource", "NotResource"):
            if refusal := problem(resource, variables=newer):
                raise refusal
    for number, element in enumerate(elements, 1):
        _check_actions(element, number, variables=newer)
    if not all(texts_of(element, "Resource", "NotResource") for element in elements):
        raise malformed("Policy statement must contain resources.")
    return list(zip(elements, conditions, strict=True))


def _check_structure(document: Any) -> list[Element]:
    """That document and statements have what they must, nothing unknown, and all of the right types."""
    if not isinstance(document, dict) or not document.keys() <= DOCUMENT or "Statement" not in document:
        raise malformed(SYNTAX)
    version = document.get("Version", Version.V2008)
    if not isinstance(version, str) or version not in set(Version) or not isinstance(document.get("Id", ""), str):
        raise malformed(SYNTAX)
    elements = statements(document["Statement"])
    for element in elements:
        _check_shape(element)
    return elements


def _check_shape(element: Element) -> None:
    if element.keys() & PRINCIPAL:
        raise malformed("Policy document should not specify a principal.")
    if not element.keys() <= STATEMENT:
        raise malformed(SYNTAX)
    effect = element.get("Effect")
    if not isinstance(effect, str) or effect.lower() not in {"allow", "deny"} or not isinstance(element.get("Sid", ""), str):
        raise malformed(SYNTAX)
    check_texts(element, "Action", "NotAction")
    check_texts(element, "Resource", "NotResource")
    block = element.get("Condition", {})
    if not isinstance(block, dict):
        raise malformed(SYNTAX)
    for operator, keys in block.items():
        check_operator(operator, keys)
        for value in keys.values():
            condition_values(value)


def _check_resources_parse(elements: list[Element], *, variables: bool) -> None:
    for element in elements:
        for resource in texts_of(element, "Resource", "NotResource"):
            if problem(resource, variables=variables):
                return  # which is told in its turn
            if fails_legacy_parsing(resource):
                raise malformed(LEGACY)


def _check_sids(elements: list[Element]) -> None:
    sids = [sid for element in elements if (sid := element.get("Sid"))]
    if not all(_SID.fullmatch(sid) for sid in sids):
        raise malformed(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
        )
    if len(set(sids)) < len(sids):
        raise malformed("Statement IDs (SID) in a single policy must be unique.")


def _check_actions(element: Element, number: int, *, variables: bool) -> None:
    for action in texts_of(element, "Action", "NotAction"):
        if action == "*":
            continue
        vendor, colon, name = action.partition(":")
        if not colon:
            raise malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
        if ":" in name:
            raise malformed("Actions/Condition can contain only one colon.")
        if not _VENDOR.fullmatch(vendor):
            raise malformed("Vendor {} is not valid", vendor)
        if not name:
            raise malformed(f"Statement {number}: {{}} names no action.", action)
        if variables and "${" in name:
            raise malformed(f"Statement {number}: {{}} has a policy variable, which works in no action.", action)
