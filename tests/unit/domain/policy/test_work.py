"""How much is done to read a policy and to ask it, counted in calls of functions, against its length and against the estimate."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from instep.domain.policy import effort
from instep.domain.policy.effort import MOST, REQUESTS
from instep.domain.policy.evaluation import Policies, Policy, ResourcePolicy, decide
from instep.domain.policy.pattern import Pattern
from instep.domain.policy.reading import DocumentKind, read
from instep.domain.policy.subject import Subject
from tests.unit.domain.policy.making import ACCOUNT, allow, deny, document, request, trust

PER_MICROSECOND = 12
"""Calls that may be made for each that was estimated: Python makes about twenty in one."""
PER_CHARACTER = 13
"""Calls to read one character of a policy in which every few characters are a wildcard, a variable or a value."""

MANY_KEYS = tuple("a" * 126 + f"{number:02}" for number in range(50))
FULL = {
    "aws:tagkeys": MANY_KEYS,
    "aws:useragent": ("a" * 1024,),
    "aws:username": ("a" * 64,),
    "aws:principaltag/empty": ("",),
}
LONG_USER = f"arn:aws:iam::{ACCOUNT}:user/" + "a" * 480
OWN = "arn:aws:iam::*:user/"


def calls(work: Callable[[], object]) -> int:
    made = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal made
        made += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return made


def denied(operator: str, key: str, *wanted: str) -> dict[str, Any]:
    condition: dict[str, Any] = {operator: {key: list(wanted)}}
    return deny(**condition)


def any_key(*wanted: str) -> dict[str, Any]:
    return denied("ForAnyValue:StringLike", "aws:TagKeys", *wanted)


def no_key(*wanted: str) -> dict[str, Any]:
    return denied("ForAllValues:StringNotLike", "aws:TagKeys", *wanted)


def agent(*wanted: str, operator: str = "StringLike") -> dict[str, Any]:
    return denied(operator, "aws:UserAgent", *wanted)


def all_but(*resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "*", "NotResource": list(resources)}


@pytest.mark.parametrize(
    "statement",
    [
        denied("ForAnyValue:StringNotLike", "aws:TagKeys", "${aws:n,''}" + "*" * 900),
        agent("${a:b,''}" + "*" * 5500, operator="StringNotLike"),
        agent("${a:b,''}" + "*a" * 400 + "*"),
        agent("${a:b,''}" + "*?" * 400 + "*z*"),
        agent("*${a:b,''}" + "?a" * 400 + "*z*"),
        *[
            quantified(*wanted)
            for quantified in (any_key, no_key)
            for wanted in (
                ["${a:b,''}" + "*a" * 120 + "*z*"],
                ["${a:b,''}*" * 100 + "*z*"],
                ["${a:b,''}?" * 60 + "*z*"],
                ["${a:b,''}*?" * 10 + "*z*"],
                ["*a" * 120 + "*z*"] * 4,
                ["*?a" * 60 + "*z*"] * 4,
                [f"*${{aws:PrincipalTag/empty}}*z{number}*" for number in range(60)],
                [f"*${{aws:UserName}}z*{number}" for number in range(60)],
                [f"*{number}z*" for number in range(200)],
            )
        ],
        all_but(*[f"{OWN}z"] * 200),
        all_but(*[f"{OWN}z${{a:b,''}}{number}" for number in range(150)]),
        all_but(*[f"{OWN}*${{a:b,''}}*z*{number}" for number in range(80)]),
        all_but(OWN + "${a:b,''}" * 300 + "z"),
    ],
)
def test_no_more_is_done_than_was_estimated(statement: dict[str, Any]) -> None:
    asked = document(statement)
    policies = Policies(identity=(Policy(asked, "test"),))
    wanted = request("iam:GetUser", LONG_USER, FULL)

    estimate = effort.of_document(asked, REQUESTS)

    assert estimate < MOST
    assert calls(lambda: decide(policies, wanted)) <= PER_MICROSECOND * estimate


@pytest.mark.parametrize("element", ["Principal", "NotPrincipal"])
@pytest.mark.parametrize("form", ["1234567{:05}", "AIDA{:017}", "arn:aws:iam::123456789012:role/{}"])
@pytest.mark.parametrize("statements", [1, 40])
def test_no_more_is_done_for_principals_than_was_estimated(element: str, form: str, statements: int) -> None:
    named = [form.format(number) for number in range(240 // statements)]
    policy = trust(*[{"Effect": "Deny", element: {"AWS": named}, "Action": "sts:TagSession"}] * statements)
    subject = Subject(ACCOUNT, exact=frozenset({"AROA:x"}), role=frozenset({"AROA"}))
    asked = ResourcePolicy(policy, ACCOUNT, subject, required=True)
    wanted = request("sts:AssumeRole")

    estimate = effort.of_document(policy.document, REQUESTS)

    assert calls(lambda: decide(Policies(), wanted, resource=asked)) <= PER_MICROSECOND * estimate
    # Looking through a list of names is one call, however long it is, so the names are counted.
    assert estimate > 0.05 * len(named) * statements


def test_what_has_no_variables_in_a_pattern_with_some_is_made_ready_once() -> None:
    few, many = (Pattern.of("${v}" + "*a" * runs + "*", variables=True) for runs in (10, 310))
    context = {"v": ("x",)}
    text = "x" + "a" * 400

    more = calls(lambda: many.matches(text, context)) - calls(lambda: few.matches(text, context))

    # To make a run takes a dozen; to look for it, and to put it where it is looked for, these.
    assert more <= 5 * 300


def test_asterisks_side_by_side_are_one() -> None:
    one, many = (Pattern.of("${v}" + "*" * asterisks + "b", variables=True) for asterisks in (1, 5000))

    assert one.pieces == many.pieces
    assert calls(lambda: many.matches("xab", {"v": ("x",)})) == calls(lambda: one.matches("xab", {"v": ("x",)}))


@pytest.mark.parametrize(
    "statements",
    [
        [allow(resource=["*"] * 1500)],
        [allow(resource=["arn:*:a"] * 600)],
        [allow(resource=["arn:*:a:::${a}"] * 350)],
        [allow(["*"] * 1500)],
        [allow(["a:*b*c"] * 700)],
        [allow(StringLike={"a": ["*"] * 1500})],
        [allow(StringLike={"a": [""] * 2000})],
        [allow(StringLike={"a": "*" * 5900})],
        [allow(StringLike={"a": "*?" * 2900})],
        [allow(StringLike={"a": "${a}*" * 1200})],
        [allow(ArnLike={"a": ["*:*:*:*:*:*"] * 430})],
        [allow(Bool={f"a{number}": True for number in range(500)})],
        [allow()] * 120,
    ],
)
@pytest.mark.parametrize("kind", [DocumentKind.IDENTITY, DocumentKind.MANAGED])
def test_reading_takes_as_much_as_the_text_is_long(statements: list[dict[str, Any]], kind: DocumentKind) -> None:
    # With an id, as a text that has been read is not read again.
    text = json.dumps({"Version": "2012-10-17", "Id": "counted", "Statement": statements}, separators=(",", ":"))

    assert calls(lambda: read(text, kind)) <= PER_CHARACTER * len(text)


def test_a_policy_as_people_write_them_takes_a_few_calls_for_each_character() -> None:
    statements = [
        {
            "Sid": f"Team{number}",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "iam:*AccessKey*"],
            "Resource": [f"arn:aws:s3:::team-{number}/${{aws:username}}/*", f"{OWN}team{number}/*"],
            "Condition": {
                "BoolIfExists": {"aws:MultiFactorAuthPresent": "true"},
                "IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]},
            },
        }
        for number in range(21)
    ]
    text = json.dumps({"Version": "2012-10-17", "Id": "counted", "Statement": statements}, separators=(",", ":"))

    assert calls(lambda: read(text, DocumentKind.IDENTITY)) <= 4 * len(text)
