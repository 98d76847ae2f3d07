"""What it may take to evaluate a policy once: an estimate of the worst, so that no document can keep a whole service waiting.

It is meant to bound the time from above for all that requests may bring: texts of the greatest length, thought out by somebody
who knows the document, and everything looked at that could be.  Nearly all requests take a small part of it.  Its microseconds
are those of one machine; what matters is how the parts of a policy compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from instep.domain.policy.condition import Condition
from instep.domain.policy.document import Document, Effect, Principals, Statement
from instep.domain.policy.glob import Wildcard, cut
from instep.domain.policy.pattern import Pattern, Piece
from instep.domain.policy.refusals import malformed
from instep.domain.policy.variables import Template, Variable

MOST = 20_000
"""Microseconds of one document, for which other requests wait.  Those that people write stay far below."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Of a key: how many characters each of its values has at most, and how many values there are at most."""

    length: int
    values: int = 1


@dataclass(frozen=True, slots=True)
class Reach:
    """The most that requests bring: characters of a resource, and the extents of keys.

    `keys`: by name in lower case; `aws:requesttag/` stands for all that begin so.  `others`: of every key not in there.
    """

    resource: int
    keys: Mapping[str, Extent]
    others: Extent

    def of(self, key: str) -> Extent:
        name = key.lower()
        family, slash, _ = name.partition("/")
        return self.keys.get(name) or self.keys.get(family + slash) or self.others


_TAG_VALUE = Extent(256)
_TAG_KEYS = Extent(128, values=50)
REQUESTS = Reach(
    resource=2048,
    keys={
        "aws:useragent": Extent(1024),
        "aws:userid": Extent(256),
        "aws:username": Extent(64),
        "aws:principaltag/": _TAG_VALUE,
        "aws:requesttag/": _TAG_VALUE,
        "aws:resourcetag/": _TAG_VALUE,
        "iam:resourcetag/": _TAG_VALUE,
        "aws:tagkeys": _TAG_KEYS,
        "sts:transitivetagkeys": _TAG_KEYS,
    },
    # As of an ARN; no text is longer.
    others=Extent(2048),
)
"""What the service model, and the service itself, let through."""

_LONGEST_ACTION = 128
_SPECIAL = frozenset("*?$")


def check(document: Document) -> None:
    """Raises MalformedPolicyDocument for a policy that could keep other requests waiting."""
    if of_document(document, REQUESTS) > MOST:
        raise malformed(
            "The policy takes too long to evaluate: use fewer wildcards and variables,"
            " above all for keys of several values, or divide it into several policies."
        )


def of_document(document: Document, reach: Reach) -> float:
    """Microseconds to ask all its statements once, at worst."""
    return sum(_of_statement(statement, reach) for statement in document.statements) + _of_noting(document, reach)


def _of_statement(statement: Statement, reach: Reach) -> float:
    actions = _of_patterns(statement.actions, _LONGEST_ACTION, reach)
    resources = statement.resources or ()
    effort = 3 + actions + _of_patterns(resources, reach.resource, reach) + _of_principals(statement.principals or Principals())
    if statement.negated_resources and statement.effect is Effect.ALLOW:
        # Each is asked whether its variables have values, once it did not match.
        effort += sum(1 + 0.5 * len(pattern.template.variables) for pattern in resources)
    return effort + sum(_of_condition(condition, reach) for condition in statement.conditions)


def _of_principals(principals: Principals) -> float:
    return 0.1 * (len(principals.aws) + len(principals.service))


def _of_condition(condition: Condition, reach: Reach) -> float:
    given, values, variables = reach.of(condition.key), condition.values, condition.variables
    operator = condition.operator.rpartition(":")[2]
    if operator.startswith("Arn"):
        # As they are written; nothing is matched with them here, and to compile them would take longest.
        each = _of_patterns([Pattern(value, variables, arn=True) for value in values], given.length, reach)
    elif operator.startswith(("StringLike", "StringNotLike")):
        each = _of_patterns([Pattern(value, variables) for value in values], given.length, reach)
    elif operator.startswith(("String", "Bool")):
        folding = operator.startswith("Bool") or "IgnoreCase" in operator
        each = _of_texts([Template.of(value, variables=variables) for value in values], given.length, folding=folding)
    else:
        # Read, and compared with one after the other.
        each = 5 + given.length / 200 + 0.1 * len(values)
    return 0.5 + given.values * each


def _of_texts(templates: Iterable[Template], length: int, *, folding: bool) -> float:
    """To ask whether a text is equal to one of them; all constant ones are asked at once.  `folding`: whether case is ignored."""
    once = 0.5 + (_of_folding(length) if folding else length / 5000)
    return once + sum(once + 0.25 * len(template.parts) for template in templates if not template.constant)


def _of_folding(length: int) -> float:
    """To ignore case.  Greek takes four times as long as other alphabets, and stands in tags only, which are short."""
    return max(min(length, _TAG_VALUE.length) / 50, length / 200)


def _of_patterns(patterns: Iterable[Pattern], length: int, reach: Reach) -> float:
    return sum(_of_pattern(pattern, length, reach) for pattern in patterns)


def _of_pattern(pattern: Pattern, length: int, reach: Reach) -> float:
    # An ARN is cut into its segments first, and any of them may be the long one.
    once = 2 if pattern.arn else 0.75
    if _SPECIAL.isdisjoint(pattern.text):
        return once
    return once + sum(_of_segment(segment, length, reach) for segment in pattern.pieces)


def _of_segment(pieces: Sequence[Piece], length: int, reach: Reach) -> float:
    if len(pieces) == 1 and isinstance(pieces[0], str):
        return 0
    variables = sum(isinstance(piece, Variable) for piece in pieces)
    marks = sum(piece is Wildcard.ONE for piece in pieces)
    between = cut(pieces)[1:]
    effort = 0.15 * marks + 0.4 * len(between)
    if variables:
        # The runs they stand in are made for each value; the others are ready, and only put beside them.
        effort += 1.5 + 1.6 * variables + 0.1 * len(between) + length / 1000
    # The first and the last run have one place each to be in.
    marked = _of_trying([run for run in between[:-1] if Wildcard.ONE in run], length, reach)
    # Each of these goes on where the one before was found, so together they try no more places than the longest could alone.
    plain = max((_of_finding(run, length, reach) for run in between[:-1] if Wildcard.ONE not in run), default=0)
    return effort + marked + plain


def _of_trying(runs: Sequence[Sequence[Piece]], length: int, reach: Reach) -> float:
    """To look for runs with question marks in a text of `length`: a step for each character, in all places together.

    A run for which the text has no room behind the one before is not looked for, so they have no more characters than the text.
    """
    most = sum(_lengths(run, length, reach)[1] for run in runs)
    return min(most, length) * (0.5 + length / 1500)


def _of_finding(run: Sequence[Piece], length: int, reach: Reach) -> float:
    """To look for a run without: characters times places, which are fewer the longer the run is."""
    least, most = _lengths(run, length, reach)
    worst = min(max(least, length // 2), most)
    return worst * (length - worst) / 5000


def _lengths(run: Sequence[Piece], length: int, reach: Reach) -> tuple[int, int]:
    """The least and the most known characters that a run may have to fit into a text of `length`."""
    known = sum(len(piece) for piece in run if isinstance(piece, str))
    varying = sum(max(reach.of(piece.key).length, len(piece.default or "")) for piece in run if isinstance(piece, Variable))
    return min(known, length), min(known + varying, length)


def _of_noting(document: Document, reach: Reach) -> float:
    """To note where texts have their characters, which runs with question marks ask: once for each text."""
    statements = document.statements
    asked = {
        condition.key.lower()
        for statement in statements
        for condition in statement.conditions
        if any(_asks(value) for value in condition.values)
    }
    of_resource = any(_asks(pattern.text) for statement in statements for pattern in statement.resources or ())
    characters = sum(extent.length * extent.values for extent in map(reach.of, asked))
    return (characters + reach.resource * of_resource) / 4


def _asks(pattern: str) -> bool:
    return "?" in pattern and pattern.count("*") > 1
