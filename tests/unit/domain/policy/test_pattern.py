"""Wildcards: what they match, and that no pattern takes long."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instep.domain.policy.glob import glob, search, wildcards
from instep.domain.policy.pattern import Pattern
from instep.domain.policy.variables import Context

LETTERS = st.text("ab", max_size=12)
PATTERNS = st.text("ab*?", max_size=12)
ARN = "arn:aws:iam::123456789012:user/division/Richard"
RICHARD: Context = {"aws:username": ("Richard",)}
LONGEST = 6144
"""Characters of a managed policy."""


def as_regular_expression(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("", ""),
        ("*", ""),
        ("*", "anything: at/all"),
        ("**", "x"),
        ("iam:ListUsers", "iam:ListUsers"),
        ("iam:List*", "iam:ListUsers"),
        ("iam:*Users", "iam:ListUsers"),
        ("iam:*MFADevice?", "iam:ListMFADevices"),
        ("*a*b*", "xxaxxbxx"),
        ("a*a", "aa"),
        ("a?c", "abc"),
        ("?*?", "ab"),
        ("*?b?*", "aabaa"),
        ("*ab*ab", "ababab"),
        ("[a-z]", "[a-z]"),
        (".*\\", "...\\"),
    ],
)
def test_a_pattern_matches(pattern: str, text: str) -> None:
    assert Pattern.of(pattern, variables=False).matches(text, {})


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("", "x"),
        ("iam:ListUsers", "iam:listusers"),
        ("iam:ListUsers", "iam:ListUsersX"),
        ("iam:List*", "iam:GetUser"),
        ("a*a", "a"),
        ("ab*ba", "aba"),
        ("?", ""),
        ("?", "ab"),
        ("?*?", "a"),
        ("*a*b*", "xxbxxaxx"),
        ("*ab*ab", "abcab "),
        ("*?b?*", "b"),
    ],
)
def test_a_pattern_does_not_match(pattern: str, text: str) -> None:
    assert not Pattern.of(pattern, variables=False).matches(text, {})


def test_case_is_ignored_where_asked() -> None:
    pattern = Pattern.of("IAM:list*${aws:username}", variables=True, ignore_case=True)

    assert pattern.matches("iam:LISTrichard", RICHARD)
    assert not Pattern.of("IAM:list*", variables=False).matches("iam:ListUsers", {})


@given(pattern=PATTERNS, text=LETTERS)
def test_a_pattern_matches_as_the_regular_expression_would(pattern: str, text: str) -> None:
    expected = re.fullmatch(as_regular_expression(pattern), text) is not None

    assert Pattern.of(pattern, variables=False).matches(text, {}) is expected
    assert search(glob(wildcards(pattern)), text)[0] is expected


@given(pattern=st.text("a*?", max_size=60), text=st.text("ab", max_size=120))
def test_steps_are_bounded_by_pattern_times_text(pattern: str, text: str) -> None:
    assert search(glob(wildcards(pattern)), text)[1] <= (len(pattern) + 1) * (len(text) + 1)


@pytest.mark.parametrize(
    "pattern",
    [
        "a*" * (LONGEST // 2),
        "*a" * (LONGEST // 2),
        "?*" * (LONGEST // 2),
        "*?a" * (LONGEST // 3),
        "*" + "a" * (LONGEST // 2) + "b*",
        "*" + "a?" * (LONGEST // 4) + "b*",
        "*a?b" * (LONGEST // 4),
        "*" * LONGEST,
    ],
)
@pytest.mark.parametrize("text", ["a" * 2048, "ab" * 1024, "a" * 2047 + "c", ""])
def test_steps_of_the_worst_patterns_in_the_longest_policies_are_bounded_too(pattern: str, text: str) -> None:
    steps = search(glob(wildcards(pattern)), text)[1]

    assert steps <= (len(pattern) + 1) * (len(text) + 1)


@settings(deadline=None)
@given(
    pieces=st.lists(st.sampled_from(["*", "?", "a", "b", "ab*", "a?a"]), max_size=LONGEST // 3), text=st.text("ab", max_size=2048)
)
def test_steps_of_any_pattern_in_the_longest_policies_are_bounded(pieces: Sequence[str], text: str) -> None:
    pattern = "".join(pieces)

    assert search(glob(wildcards(pattern)), text)[1] <= (len(pattern) + 1) * (len(text) + 1)


AT_ONCE = 30
"""Places that a run with question marks is tried in, in one step."""


@pytest.mark.parametrize("text", ["a" * 2048, "a" * 16_384, "ab" * 8192, "a" * 390_000])
@pytest.mark.parametrize(
    "pattern",
    [
        "*" + "?a" * 4900 + "?b*",
        "*" + "?a" * 500 + "?b*",
        "*?a" * 3400 + "*?b*",
        "*a?b*",
        "*" + "a?b" * 100 + "*" + "b?a" * 100 + "?b*",
    ],
)
def test_a_run_with_question_marks_is_tried_in_many_places_in_one_step(pattern: str, text: str) -> None:
    steps = search(glob(wildcards(pattern)), text)[1]

    assert steps <= len(pattern) * (len(text) // AT_ONCE + 1)


@settings(deadline=None)
@given(
    before=st.text("ab", max_size=3),
    run=st.text("ab?", max_size=12),
    behind=st.text("ab", max_size=3),
    text=st.text("ab", max_size=300),
)
def test_a_run_is_found_wherever_it_is_in_a_long_text(before: str, run: str, behind: str, text: str) -> None:
    pattern = f"{before}*{run}*{behind}"
    expected = re.fullmatch(as_regular_expression(pattern), text) is not None

    assert Pattern.of(pattern, variables=False).matches(text, {}) is expected


@given(
    run=st.text("aé𝄞?", min_size=1, max_size=5), text=st.text("aé𝄞", max_size=40), again=st.text("aé𝄞?", min_size=1, max_size=5)
)
def test_runs_follow_one_another_without_sharing_characters(run: str, text: str, again: str) -> None:
    pattern = f"*{run}*{again}*"
    expected = re.fullmatch(as_regular_expression(pattern), text) is not None

    assert Pattern.of(pattern, variables=False).matches(text, {}) is expected


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("home/${aws:username}/*", "home/Richard/x/y"),
        ("*${aws:username}", "anything/Richard"),
        ("${aws:username}", "Richard"),
        ("?${AWS:UserName}?", "xRichardx"),
        ("${aws:userid, 'nobody'}*", "nobody else"),
        ("a${*}b", "a*b"),
        ("a${?}${$}b*", "a?$bc"),
    ],
)
def test_a_variable_matches_what_the_request_has(pattern: str, text: str) -> None:
    assert Pattern.of(pattern, variables=True).matches(text, RICHARD)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("${aws:username}", "richard"),
        ("${aws:username}", "${aws:username}"),
        ("${aws:userid}", ""),
        ("*${aws:userid}*", "x"),
        ("a${*}b", "axb"),
        ("a${?}b", "axb"),
    ],
)
def test_a_variable_does_not_match_anything_else(pattern: str, text: str) -> None:
    assert not Pattern.of(pattern, variables=True).matches(text, RICHARD)


@given(
    pieces=st.lists(st.sampled_from(["*", "?", "a", "b", "${v}", "${w, 'b'}", "${*}"]), max_size=12),
    value=st.text("ab*?", max_size=3),
    text=st.text("ab*", max_size=12),
)
def test_a_variable_matches_as_its_value_written_out_would(pieces: list[str], value: str, text: str) -> None:
    written = {"*": ".*", "?": ".", "${v}": re.escape(value), "${w, 'b'}": "b", "${*}": r"\*"}
    expected = re.fullmatch("".join(written.get(piece, piece) for piece in pieces), text) is not None

    assert Pattern.of("".join(pieces), variables=True).matches(text, {"v": (value,)}) is expected


@pytest.mark.parametrize("name", ["*", "?ichard", "Rich*", "**"])
def test_wildcards_in_what_a_request_brings_are_plain_characters(name: str) -> None:
    pattern = Pattern.of_arn("arn:aws:iam::*:user/${aws:username}", variables=True)
    context: Context = {"aws:username": (name,)}

    assert pattern.matches(f"arn:aws:iam::123456789012:user/{name}", context)
    assert not pattern.matches("arn:aws:iam::123456789012:user/Richard", context)


def test_in_older_documents_variables_are_plain_text() -> None:
    pattern = Pattern.of("${aws:username}", variables=False)

    assert pattern.matches("${aws:username}", RICHARD)
    assert not pattern.matches("Richard", RICHARD)


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        ARN,
        "arn:aws:iam::*:user/*",
        "arn:aws:iam::123456789012:*",
        "arn:aws:iam::123456789012:user/*/${aws:username}",
        "arn:*:iam:*:*:*",
        "a?n:aws:iam::12345678901?:user/division/Richard",
    ],
)
def test_an_arn_matches_segment_by_segment(pattern: str) -> None:
    assert Pattern.of_arn(pattern, variables=True).matches(ARN, RICHARD)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "**",
        "arn:aws:iam:*:user/division/Richard",
        "arn:aws:*",
        "arn:*Richard",
        "arn:aws:iam::*",
        "arn:aws:iam::*:user/Richard",
        "arn:aws:iam::*:role/*",
        "arn:aws:iam::*:USER/*",
        "arn:aws:iam::*:user/division/${aws:userid}",
        "arn:aws:iam::123456789012:user/division/Richard:*",
        "*arn:aws:iam::123456789012:user/division/Richard:",
    ],
)
def test_no_asterisk_reaches_over_into_the_next_segment(pattern: str) -> None:
    assert not Pattern.of_arn(pattern, variables=True).matches(ARN, RICHARD)


def test_the_last_segment_may_hold_colons() -> None:
    pattern = Pattern.of_arn("arn:aws:lambda:*:*:function:*:1", variables=False)

    assert pattern.matches("arn:aws:lambda:us-east-1:123456789012:function:mine:1", {})
    assert not pattern.matches("arn:aws:lambda:us-east-1:123456789012:function:mine:2", {})


@pytest.mark.parametrize("text", ["*", "", "arn:aws:iam", "mfa/Richard"])
def test_only_an_asterisk_matches_what_is_no_arn(text: str) -> None:
    assert Pattern.of_arn("*", variables=False).matches(text, {})
    assert not Pattern.of_arn("arn:*:*:*:*:*", variables=False, pad=True).matches(text, {})


@pytest.mark.parametrize("pattern", ["arn:aws:iam", "arn:aws:iam:", "arn:aws:iam::123456789012"])
def test_missing_segments_are_asterisks_where_asked(pattern: str) -> None:
    assert Pattern.of_arn(pattern, variables=False, pad=True).matches(ARN, {})
    assert not Pattern.of_arn(pattern, variables=False).matches(ARN, {})


def test_a_variable_with_colons_in_its_name_is_in_one_segment() -> None:
    pattern = Pattern.of_arn("arn:aws:iam::${aws:PrincipalAccount}:user/${a:b:c:d:e:f:g, 'x:y'}", variables=True)

    assert pattern.matches("arn:aws:iam::123456789012:user/x:y", {"aws:principalaccount": ("123456789012",)})


def test_patterns_are_equal_when_they_are_written_and_meant_alike() -> None:
    assert Pattern.of("iam:*", variables=False) == Pattern.of("iam:*", variables=False)
    assert len({Pattern.of("iam:*", variables=False), Pattern.of("iam:*", variables=False, ignore_case=True)}) == 2
    assert Pattern.of("iam:*", variables=False) != Pattern.of_arn("iam:*", variables=False)


def test_a_pattern_shows_its_variables_to_those_who_explain() -> None:
    pattern = Pattern.of_arn("arn:aws:iam::*:user/${aws:username}", variables=True)

    assert pattern.template.resolve(RICHARD, longest=40) == "arn:aws:iam::*:user/Richard"


@pytest.mark.parametrize("text", ["${", "x${}", "${aws:username"])
def test_a_malformed_variable_is_refused_where_variables_work(text: str) -> None:
    for compiled in (Pattern.of, Pattern.of_arn):
        with pytest.raises(ValueError, match="a variable is malformed"):
            compiled(text, variables=True)
        assert not compiled(text, variables=False).matches("x", {})
