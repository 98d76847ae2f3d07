"""What a document may cost: those that could hold others up are refused, all others are not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.api.errors import MalformedPolicyDocument
from instep.domain import aws_policies
from instep.domain.policy import effort
from instep.domain.policy.document import Document
from instep.domain.policy.effort import MOST, REQUESTS, Extent, Reach
from instep.domain.policy.glob import glob, search, wildcards
from instep.domain.policy.reading import DocumentKind, read
from tests.unit.domain.policy.making import PUBLISHED, allow, deny, document

LONGEST = 10_240
"""Characters of all policies of a role."""
OWN = "arn:aws:iam::*:user/"


def filled(operator: str, key: str, value: str) -> Document:
    """As long as can be, of one value again and again."""
    condition: dict[str, Any] = {operator: {key: [value] * (LONGEST // (len(json.dumps(value)) + 1))}}
    return document(deny(**condition))


def cost(*statements: dict[str, Any], reach: Reach = REQUESTS) -> float:
    return effort.of_document(document(*statements), reach)


@pytest.mark.parametrize(
    "costly",
    [
        filled("StringLike", "aws:TagKeys", "*a*"),
        filled("StringLike", "aws:TagKeys", "${a}*"),
        filled("ForAnyValue:StringNotLike", "sts:TransitiveTagKeys", "*?a*"),
        filled("ForAllValues:StringLikeIfExists", "AWS:TAGKEYS", "*" + "?a" * 40 + "?b*"),
        filled("StringEqualsIgnoreCase", "aws:TagKeys", "${a}"),
        filled("ArnEquals", "aws:TagKeys", "a:a:a:a:*:*a*"),
        filled("StringLike", "iam:PolicyARN", "*${aws:UserAgent}*"),
        filled("StringLike", "iam:PolicyARN", "*?${aws:UserAgent}*"),
        document(deny(resource=[f"{OWN}*${{aws:PrincipalArn}}*"] * 250)),
        # White space is not counted where quotas are.
        document(deny(resource=[f"{OWN}*" + "? " * 900 + "?b*"] * 20)),
    ],
)
def test_a_document_that_could_hold_others_up_is_refused(costly: Document) -> None:
    with pytest.raises(MalformedPolicyDocument, match=r"takes too long to evaluate: use fewer wildcards and variables"):
        effort.check(costly)


@pytest.mark.parametrize(
    "bearable",
    [
        # All places together.
        document(deny(resource=f"{OWN}*" + "?a" * 4900 + "?b*")),
        document(deny(resource=[f"{OWN}*" + "?a" * 480 + "?b*"] * 10)),
        filled("StringLike", "iam:PolicyARN", "*a?b*"),
        filled("StringLike", "iam:PolicyARN", "*" + "a" * 20 + "b" + "a" * 20 + "*"),
        document(deny(StringLike={"iam:PolicyARN": "*a" * 5000})),
        # What gets too long for a match is given up early.
        document(deny(StringEquals={"iam:PolicyARN": "${aws:UserAgent}" * 600})),
        document(deny(StringEqualsIgnoreCase={"iam:PolicyARN": "${aws:UserAgent}" * 600})),
        filled("StringEquals", "aws:TagKeys", "team"),
        filled("StringEqualsIgnoreCase", "iam:PolicyARN", "${a}"),
        filled("NumericEquals", "aws:TagKeys", "1"),
    ],
)
def test_a_document_that_only_looks_costly_is_not_refused(bearable: Document) -> None:
    effort.check(bearable)


@pytest.mark.parametrize("text", [path.read_text("utf-8") for path in sorted(PUBLISHED.glob("*.json"))])
def test_a_published_policy_is_a_hundred_times_below_the_limit(text: str) -> None:
    assert effort.of_document(read(text, DocumentKind.IDENTITY), REQUESTS) < MOST / 100


@pytest.mark.parametrize("arn", sorted(aws_policies.ALL))
def test_a_policy_of_aws_is_a_hundred_times_below_the_limit(arn: str) -> None:
    assert effort.of_document(read(aws_policies.document_of(arn) or "", DocumentKind.MANAGED), REQUESTS) < MOST / 100


def test_a_policy_of_many_resources_conditions_and_tags_is_not_refused() -> None:
    large = document(
        allow(
            [f"s3:Get*Object{number}" for number in range(60)],
            [f"arn:aws:s3:::team-*-bucket-??-{number}/${{aws:username}}/*" for number in range(60)],
            **{
                "ForAllValues:StringLike": {"aws:TagKeys": [f"team-{number}-*" for number in range(60)]},
                "ArnLike": {"aws:PrincipalArn": [f"arn:aws:iam::*:role/team-{number}-*" for number in range(40)]},
                "StringLike": {"aws:RequestTag/team": ["*-${aws:PrincipalTag/team}-*"] * 10},
            },
        )
    )

    effort.check(large)


def test_asking_whether_variables_have_values_is_counted_where_it_is_done() -> None:
    resources = [f"{OWN}${{k}}{number}" for number in range(100)]
    listed, spared = ({"Effect": effect, "Action": "*", "NotResource": resources} for effect in ("Deny", "Allow"))

    assert cost(spared) >= cost(listed) + len(resources)


def test_ignoring_case_is_counted_as_for_the_slowest_alphabet_where_texts_are_short() -> None:
    def reach(length: int) -> Reach:
        return Reach(resource=1, keys={"k": Extent(length, values=100)}, others=Extent(0, values=0))

    statement = deny(StringEqualsIgnoreCase={"k": "a"})

    assert cost(statement, reach=reach(200)) - cost(statement, reach=reach(0)) >= 100 * 200 / 50
    assert cost(statement, reach=reach(2000)) - cost(statement, reach=reach(0)) < 100 * 2000 / 50


def test_what_variables_become_is_counted_rather_than_how_they_are_written() -> None:
    def reach(length: int) -> Reach:
        return Reach(resource=2048, keys={"k": Extent(length)}, others=Extent(0, values=0))

    statement = allow(resource=[f"{OWN}*${{k}}*"] * 100)

    assert cost(statement, reach=reach(1000)) > 15 * cost(statement, reach=reach(10))


def test_values_are_counted_as_often_as_a_key_may_have_them() -> None:
    def reach(values: int) -> Reach:
        return Reach(resource=1, keys={"k": Extent(20, values)}, others=Extent(0, values=0))

    statement = allow(StringLike={"K": [f"*{number}*" for number in range(100)]})

    assert cost(statement, reach=reach(100)) > 50 * cost(statement, reach=reach(1))


def test_conditions_on_keys_that_nobody_brings_cost_next_to_nothing() -> None:
    nothing = Reach(resource=1, keys={}, others=Extent(0, values=0))

    assert cost(allow(StringLike={"k": ["*a*b*c*"] * 1000}), reach=nothing) < 10


def test_a_family_of_keys_has_one_extent() -> None:
    reach = Reach(resource=1, keys={"aws:requesttag/": Extent(256), "aws:x": Extent(1)}, others=Extent(2048))

    assert reach.of("aws:RequestTag/Team") == Extent(256)
    assert reach.of("AWS:X") == Extent(1)
    assert reach.of("aws:ResourceTag/team") == reach.of("aws:RequestTag") == Extent(2048)


@given(
    pieces=st.lists(st.sampled_from(["*", "?", "a", "b", "ab*", "a?a", "*b"]), max_size=400), text=st.text("ab", max_size=2048)
)
def test_no_pattern_takes_more_steps_than_are_estimated(pieces: list[str], text: str) -> None:
    pattern = "".join(pieces)
    reach = Reach(resource=1, keys={"k": Extent(len(text))}, others=Extent(0, values=0))

    steps = search(glob(wildcards(pattern)), text)[1]

    # A microsecond is good for some thousand steps of the machine's own search.
    assert steps <= 5000 * cost(deny(StringLike={"k": pattern}), reach=reach)
