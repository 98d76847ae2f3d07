"""From a policy's text to a document that can be evaluated, and what of it other entities are named in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache

from instep.domain.policy.document import Document, Effect, Position, Statement, Version
from instep.domain.policy.grammar import Checked, texts_of
from instep.domain.policy.identity_grammar import check_identity
from instep.domain.policy.json_text import Place, parse, places, positions
from instep.domain.policy.pattern import Pattern
from instep.domain.policy.principal_names import principals_of
from instep.domain.policy.refusals import SYNTAX, Element, malformed
from instep.domain.policy.resource_grammar import check_resource
from instep.domain.policy.trust_grammar import check_trust
from instep.domain.policy.variables import Template

_REMEMBERED = 20_480
"""Characters: twice the longest policy that may be saved.  Longer texts are read, but not kept in memory."""

_STATEMENT = "Statement"
_PRINCIPAL = ("Principal", "NotPrincipal")
_RESOURCE = {"Resource", "NotResource"}


class DocumentKind(StrEnum):
    """What a policy is for.

    IDENTITY: inline policies, boundaries, session policies and the guard policy.  MANAGED: policies with an ARN, which have to be
    of the newer version.  TRUST: who may assume a role.  RESOURCE: any other resource-based policy, which is only ever simulated.
    """

    IDENTITY = "identity"
    MANAGED = "managed"
    TRUST = "trust"
    RESOURCE = "resource"


def read(text: str, kind: DocumentKind) -> Document:
    """The policy that `text` is.  The same text gives the same document, which is not read again.

    Raises MalformedPolicyDocument in AWS's words where they are known, else in a sentence that names statement and element.
    """
    return _read_once(text, kind) if len(text) <= _REMEMBERED else _read(text, kind)


def named_principals(document: Document) -> tuple[str, ...]:
    """All that stands under AWS in Principal and NotPrincipal, each once, in the order written."""
    named = [name for statement in document.statements if statement.principals for name in statement.principals.aws]
    return tuple(dict.fromkeys(named))


def with_principals(text: str, names: Mapping[str, str]) -> str:
    """`text`, which `read` has read, with other names under AWS in Principal and NotPrincipal; `names` tells new ones by old.

    All else stays as written, white space included; a text in which nothing is replaced comes back as it was.
    """
    pieces: list[str] = []
    end = 0
    for place in places(text):
        if text[place.start] == '"' and _names_principal(place):
            new = names.get(json.loads(text[place.start : place.end]))
            if new is not None:
                pieces += text[end : place.start], json.dumps(new)
                end = place.end
    return "".join([*pieces, text[end:]])


def context_keys(document: Document) -> set[str]:
    """The keys that conditions and variables of the document ask for, as written."""
    variables = document.version is Version.V2012
    keys: set[str] = set()
    for statement in document.statements:
        templates = [resource.template for resource in statement.resources or ()]
        for condition in statement.conditions:
            keys.add(condition.key)
            templates += [Template.of(value, variables=variables) for value in condition.values]
        keys.update(variable.key for template in templates for variable in template.variables)
    return keys


def _read(text: str, kind: DocumentKind) -> Document:
    trust = kind is DocumentKind.TRUST
    try:
        document = parse(text)
    except ValueError:
        # Without the cause, as that may repeat the text.
        raise malformed("This policy contains invalid Json" if trust else SYNTAX) from None
    match kind:
        case DocumentKind.TRUST:
            checked = check_trust(document)
        case DocumentKind.RESOURCE:
            checked = check_resource(document)
        case _:
            checked = check_identity(document, newer_only=kind is DocumentKind.MANAGED)
    version = Version(document.get("Version", Version.V2008))
    position = positions(text)
    statements = tuple(
        _statement(one, number, version, start=position(span.start), end=position(span.end))
        for number, (one, span) in enumerate(zip(checked, _statement_spans(text), strict=True), 1)
    )
    return Document(version, document.get("Id"), statements, len(text))


_read_once: Callable[[str, DocumentKind], Document] = lru_cache(maxsize=256)(_read)


def _statement(checked: Checked, number: int, version: Version, *, start: Position, end: Position) -> Statement:
    element, conditions = checked
    variables = version is Version.V2012
    principals = element.get("Principal", element.get("NotPrincipal"))
    return Statement(
        sid=element.get("Sid"),
        effect=Effect(element["Effect"]),
        actions=tuple(Pattern.of(text, variables=False, ignore_case=True) for text in texts_of(element, "Action", "NotAction")),
        negated_actions="NotAction" in element,
        resources=_resources(element, number, variables=variables) if element.keys() & _RESOURCE else None,
        negated_resources="NotResource" in element,
        principals=None if principals is None else principals_of(principals),
        negated_principals="NotPrincipal" in element,
        conditions=conditions,
        start=start,
        end=end,
    )


def _resources(element: Element, number: int, *, variables: bool) -> tuple[Pattern, ...]:
    resources = []
    for text in texts_of(element, "Resource", "NotResource"):
        try:
            resources.append(Pattern.of_arn(text, variables=variables, pad=True))
        except ValueError as error:
            raise malformed(f"Statement {number}: in resource {{}}, {{}}.", text, error) from None
    return tuple(resources)


def _statement_spans(text: str) -> list[Place]:
    found = [place for place in places(text, levels=2) if place.path[:1] == (_STATEMENT,)]
    several = [place for place in found if len(place.path) == 2 and isinstance(place.path[1], int)]
    return several or [place for place in found if len(place.path) == 1]


def _names_principal(place: Place) -> bool:
    """Whether a name under AWS stands there: Statement, perhaps a number, Principal, AWS, perhaps a number."""
    names = [step for step in place.path if isinstance(step, str)]
    return len(names) == 3 and names[0] == _STATEMENT and names[1] in _PRINCIPAL and names[2] == "AWS"
