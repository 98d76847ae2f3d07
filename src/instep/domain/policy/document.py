"""A policy document, read and understood: what `reading.read` makes of the text and `evaluation.decide` works on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from instep.domain.policy.condition import Condition
from instep.domain.policy.pattern import Pattern


class Version(StrEnum):
    """Variables work in the newer one only; in the older they are plain text."""

    V2008 = "2008-10-17"
    V2012 = "2012-10-17"


class Effect(StrEnum):
    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the text: line and column, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Principals:
    """A Principal or NotPrincipal element.

    `aws` holds what stands under "AWS" as written: `*`, an account id, ARNs of root, users, roles and role sessions, unique ids
    (AIDA…, AROA…) in place of ARNs of users and roles.  `Principal: "*"` is `aws=("*",)`, too.
    """

    aws: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical_user: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """`negated_…`: the element was NotAction, NotResource, NotPrincipal.  `resources` is None in a trust policy, `principals` in
    every other."""

    sid: str | None
    effect: Effect
    actions: tuple[Pattern, ...]
    negated_actions: bool
    resources: tuple[Pattern, ...] | None
    negated_resources: bool
    principals: Principals | None
    negated_principals: bool
    conditions: tuple[Condition, ...]
    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class Document:
    version: Version
    id: str | None
    statements: tuple[Statement, ...]
    length: int
    """In characters, as it was written: what it takes to keep it goes with that."""
