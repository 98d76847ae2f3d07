"""One line of a Condition element: an operator, a key, the values wanted (IAM User Guide, "Condition operators").

Of a policy's values any may match (of a negated operator's, none may); of a request's values, where a key has several and no
quantifier says how many, one is enough.  A request's value that is not of the operator's kind (no number, say) matches nothing.
"""

from __future__ import annotations

import operator as order
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from instep.domain.policy import values as read
from instep.domain.policy.pattern import Pattern
from instep.domain.policy.variables import Context, Template
from instep.domain.policy.wording import missing_keys, with_values

_T = TypeVar("_T")

Test: TypeAlias = Callable[[str, Context], bool]
"""Whether a request's value matches any of the policy's; an operator's negation is not its business."""

Compiler: TypeAlias = Callable[[tuple[str, ...], bool], Test]
"""Makes a test of a policy's values and whether variables work in its document; raises ValueError for values it cannot use."""


class Quantifier(StrEnum):
    """How many of a request's values must do."""

    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class Condition:
    """`operator`, `key` and `values` as written.  `missing_does`: whether it holds for a request without the key."""

    operator: str
    key: str
    values: tuple[str, ...]
    variables: bool
    quantifier: Quantifier | None = field(compare=False)
    negated: bool = field(compare=False)
    missing_does: bool = field(compare=False)
    name: str = field(compare=False, repr=False)
    test: Test = field(compare=False, repr=False)

    @classmethod
    def of(cls, operator: str, key: str, values: tuple[str, ...], *, variables: bool) -> Condition:
        """`variables`: whether they work in this document.

        Raises ValueError: in AWS's words for an operator that there is not (case counts), in ours for values it cannot use.
        """
        prefix, colon, rest = operator.partition(":")
        base = rest if colon else prefix
        if_exists = base.endswith(_IF_EXISTS)
        kind = _OPERATORS.get(base.removesuffix(_IF_EXISTS))
        if kind is None or (colon and prefix not in _QUANTIFIERS) or (kind is _NULL and (colon or if_exists)):
            raise ValueError(f"Invalid Condition type : {operator}")
        quantifier = Quantifier(prefix) if colon else None
        test = kind.compile(values, variables)
        if kind is _NULL:
            missing_does = any(value.lower() == "true" for value in values)
        elif quantifier:
            missing_does = if_exists or quantifier is Quantifier.ALL
        else:
            missing_does = if_exists or kind.negated
        return cls(operator, key, values, variables, quantifier, kind.negated, missing_does, key.lower(), test)

    def holds(self, context: Context) -> bool:
        """A key without any value is as good as missing."""
        given = context.get(self.name)
        if not given:
            return self.missing_does
        if len(given) == 1:
            return self.test(given[0], context) is not self.negated
        if self.quantifier is None:
            return any(self.test(value, context) for value in given) is not self.negated
        enough = all if self.quantifier is Quantifier.ALL else any
        return enough(self.test(value, context) is not self.negated for value in given)

    def explain(self, context: Context) -> str | None:
        """Why it does not hold, in a clause; None when it does."""
        if self.holds(context):
            return None
        given = context.get(self.name)
        if self.operator == "Null":
            is_so, wanted = ("present", "absent") if given else ("absent", "present")
            return f"{self.key} is {is_so} and Null wants it {wanted}"
        if not given:
            return f"{self.key} is absent and {self.operator} needs it"
        templates = (Template.of(value, variables=self.variables) for value in self.values)
        wanted = " or ".join(with_values(template, context) for template in templates) or "something else"
        but = "anything but " if self.negated else ""
        return f"{self.key} is {', '.join(given)} and {self.operator} wants {but}{wanted}"

    def missing(self, context: Context) -> tuple[str, ...]:
        """The keys, as written, that this condition asks for and `context` does not have."""
        own = () if context.get(self.name) else (self.key,)
        templates = (Template.of(value, variables=self.variables) for value in self.values)
        return own + tuple(key for template in templates for key in missing_keys(template, context))


def _texts(values: tuple[str, ...], variables: bool, fold: Callable[[str], str]) -> Test:
    """Equal texts.  `*` and `?` are plain characters here.  `fold` makes no text shorter."""
    templates = [Template.of(value, variables=variables) for value in values]
    constant = frozenset(
        fold(template.resolve({}, longest=len(template.text)) or "") for template in templates if template.constant
    )
    changing = tuple(template for template in templates if not template.constant)

    def test(value: str, context: Context) -> bool:
        folded = fold(value)
        if folded in constant:
            return True
        for template in changing:
            resolved = template.resolve(context, longest=len(folded))
            if resolved is not None and fold(resolved) == folded:
                return True
        return False

    return test


def _equal(values: tuple[str, ...], variables: bool) -> Test:
    return _texts(values, variables, str)


def _equal_ignoring_case(values: tuple[str, ...], variables: bool) -> Test:
    return _texts(values, variables, str.lower)


def _like(values: tuple[str, ...], variables: bool) -> Test:
    patterns = tuple(Pattern.of(value, variables=variables) for value in values)
    return lambda value, context: any(pattern.matches(value, context) for pattern in patterns)


def _arn_like(values: tuple[str, ...], variables: bool) -> Test:
    """ArnEquals and ArnLike are one: each of an ARN's six segments is matched on its own."""
    patterns = tuple(Pattern.of_arn(value, variables=variables) for value in values)
    return lambda value, context: any(pattern.matches(value, context) for pattern in patterns)


def _bool(values: tuple[str, ...], variables: bool) -> Test:
    """Variables are let in: the guide says yes in one place and no in another."""
    for value in values:
        if value.lower() not in {"true", "false"} and Template.of(value, variables=variables).constant:
            raise ValueError(f"{value!r} is neither true nor false")
    return _texts(values, variables, str.lower)


def _null(values: tuple[str, ...], _variables: bool) -> Test:
    for value in values:
        if value.lower() not in {"true", "false"}:
            raise ValueError(f"{value!r} is neither true nor false")
    # Asked only when the key is there.
    wanted = any(value.lower() == "false" for value in values)
    return lambda _value, _context: wanted


def _ordered(reader: Callable[[str], Any], noun: str, compare: Callable[[Any, Any], bool]) -> Compiler:
    """For values that are read first: what is compared is what the texts stand for.  Variables do not work in these."""

    def compile_values(values: tuple[str, ...], _variables: bool) -> Test:
        wanted = tuple(_read(reader, noun, value) for value in values)

        def test(value: str, _context: Context) -> bool:
            found = reader(value)
            return found is not None and any(compare(found, one) for one in wanted)

        return test

    return compile_values


def _read(reader: Callable[[str], _T | None], noun: str, text: str) -> _T:
    found = reader(text)
    if found is None:
        raise ValueError(f"{text!r} is no {noun}")
    return found


def _within(address: read.Network, network: read.Network) -> bool:
    return address[0] == network[0] and network[1] <= address[1] and address[2] <= network[2]


@dataclass(frozen=True, slots=True)
class _Operator:
    compile: Compiler
    negated: bool = False


_IF_EXISTS = "IfExists"
_QUANTIFIERS = frozenset(Quantifier)
_NULL = _Operator(_null)
_COMPARISONS: dict[str, tuple[Callable[[Any, Any], bool], bool]] = {
    "Equals": (order.eq, False),
    "NotEquals": (order.eq, True),
    "LessThan": (order.lt, False),
    "LessThanEquals": (order.le, False),
    "GreaterThan": (order.gt, False),
    "GreaterThanEquals": (order.ge, False),
}
_OPERATORS: dict[str, _Operator] = {
    "StringEquals": _Operator(_equal),
    "StringNotEquals": _Operator(_equal, negated=True),
    "StringEqualsIgnoreCase": _Operator(_equal_ignoring_case),
    "StringNotEqualsIgnoreCase": _Operator(_equal_ignoring_case, negated=True),
    "StringLike": _Operator(_like),
    "StringNotLike": _Operator(_like, negated=True),
    **{f"Numeric{name}": _Operator(_ordered(read.number, "number", compare), no) for name, (compare, no) in _COMPARISONS.items()},
    **{f"Date{name}": _Operator(_ordered(read.moment, "date", compare), no) for name, (compare, no) in _COMPARISONS.items()},
    "Bool": _Operator(_bool),
    "BinaryEquals": _Operator(_ordered(read.data, "base64", order.eq)),
    "IpAddress": _Operator(_ordered(read.network, "IP address or range", _within)),
    "NotIpAddress": _Operator(_ordered(read.network, "IP address or range", _within), negated=True),
    "ArnEquals": _Operator(_arn_like),
    "ArnLike": _Operator(_arn_like),
    "ArnNotEquals": _Operator(_arn_like, negated=True),
    "ArnNotLike": _Operator(_arn_like, negated=True),
    "Null": _NULL,
}
