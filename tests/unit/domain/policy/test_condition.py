"""Condition operators, one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.domain.policy.condition import Condition
from instep.domain.policy.variables import Context
from tests.unit.domain.policy.making import Counting, condition, holds

POSITIVE = {
    "StringEquals": "a",
    "StringEqualsIgnoreCase": "a",
    "StringLike": "a*",
    "NumericEquals": "1",
    "NumericLessThan": "1",
    "NumericLessThanEquals": "1",
    "NumericGreaterThan": "1",
    "NumericGreaterThanEquals": "1",
    "DateEquals": "2026-11-24",
    "DateLessThan": "2026-11-24",
    "DateLessThanEquals": "2026-11-24",
    "DateGreaterThan": "2026-11-24",
    "DateGreaterThanEquals": "2026-11-24",
    "Bool": "true",
    "BinaryEquals": "QUJD",
    "IpAddress": "192.0.2.0/24",
    "ArnEquals": "arn:aws:iam::*:user/a",
    "ArnLike": "arn:aws:iam::*:user/a",
}
NEGATED = {
    "StringNotEquals": "a",
    "StringNotEqualsIgnoreCase": "a",
    "StringNotLike": "a*",
    "NumericNotEquals": "1",
    "DateNotEquals": "2026-11-24",
    "NotIpAddress": "192.0.2.0/24",
    "ArnNotEquals": "arn:aws:iam::*:user/a",
    "ArnNotLike": "arn:aws:iam::*:user/a",
}
EVERY = {**POSITIVE, **NEGATED}


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("StringEquals", "Richard", "Richard", True),
        ("StringEquals", "Richard", "richard", False),
        ("StringEquals", "R*", "Richard", False),
        ("StringEquals", "R*", "R*", True),
        ("StringEquals", "", "", True),
        ("StringNotEquals", "Richard", "richard", True),
        ("StringNotEquals", "Richard", "Richard", False),
        ("StringEqualsIgnoreCase", "RICHARD", "richard", True),
        ("StringEqualsIgnoreCase", "Straße", "STRAßE", True),
        ("StringEqualsIgnoreCase", "Straße", "STRASSE", False),
        ("StringEqualsIgnoreCase", "\N{LATIN SMALL LIGATURE FI}", "fi", False),
        ("StringNotEqualsIgnoreCase", "Straße", "strasse", True),
        ("StringNotEqualsIgnoreCase", "RICHARD", "richard", False),
        ("StringNotEqualsIgnoreCase", "RICHARD", "richards", True),
        ("StringLike", "R*d", "Richard", True),
        ("StringLike", "Rich??d", "Richard", True),
        ("StringLike", "rich*", "Richard", False),
        ("StringLike", "Richard", "Richard", True),
        ("StringLike", "home/", "home/x", False),
        ("StringNotLike", "R*", "Richard", False),
        ("StringNotLike", "S*", "Richard", True),
    ],
)
def test_strings_are_compared(operator: str, wanted: str, given: str, expected: bool) -> None:
    assert holds(operator, wanted, given) is expected


@pytest.mark.parametrize("operator", ["Equals", "Like"])
def test_the_segments_of_arns_are_matched_each_on_its_own(operator: str) -> None:
    pattern = "arn:aws:someservice:*:111122223333:finance/*"
    near = "arn:aws:someservice:us-east-2:111122223333:finance/document.txt"
    far = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"

    assert holds(f"Arn{operator}", pattern, near)
    assert not holds(f"Arn{operator}", pattern, far)
    assert holds(f"ArnNot{operator}", pattern, far)
    assert not holds(f"ArnNot{operator}", pattern, near)
    assert holds("StringLike", pattern, far)
    assert not holds(f"Arn{operator}", pattern, "no ARN")


@pytest.mark.parametrize("operator", POSITIVE)
def test_a_missing_key_matches_no_positive_operator(operator: str) -> None:
    assert not condition(operator, POSITIVE[operator]).holds({})
    assert not condition(operator, POSITIVE[operator]).holds({"aws:key": ()})


@pytest.mark.parametrize("operator", NEGATED)
def test_a_missing_key_satisfies_a_negated_operator(operator: str) -> None:
    assert condition(operator, NEGATED[operator]).holds({})


@pytest.mark.parametrize("operator", EVERY)
def test_a_missing_key_satisfies_every_operator_that_ends_in_if_exists(operator: str) -> None:
    assert condition(f"{operator}IfExists", EVERY[operator]).holds({})
    assert condition(f"ForAnyValue:{operator}IfExists", EVERY[operator]).holds({})
    assert condition(f"ForAllValues:{operator}IfExists", EVERY[operator]).holds({})


@pytest.mark.parametrize("operator", EVERY)
@pytest.mark.parametrize(
    "given", ["a", "1", "true", "2026-11-24", "192.0.2.7", "arn:aws:iam::1:user/a", "QUJD", "", "\ud800", "*" * 99]
)
def test_a_key_that_is_there_is_tested_whether_or_not_the_operator_ends_in_if_exists(operator: str, given: str) -> None:
    context = {"aws:key": (given,)}

    plain = condition(operator, EVERY[operator]).holds(context)

    assert plain is condition(f"{operator}IfExists", EVERY[operator]).holds(context)


@pytest.mark.parametrize("operator", EVERY)
def test_for_all_values_lets_a_missing_key_pass_and_for_any_value_does_not(operator: str) -> None:
    for empty in ({}, {"aws:key": ()}):
        assert condition(f"ForAllValues:{operator}", EVERY[operator]).holds(empty)
        assert not condition(f"ForAnyValue:{operator}", EVERY[operator]).holds(empty)


def test_null_asks_whether_a_key_is_there() -> None:
    for empty in ({}, {"aws:key": ()}):
        assert condition("Null", "true").holds(empty)
        assert not condition("Null", "false").holds(empty)
    for present in ({"aws:key": ("x",)}, {"aws:key": ("",)}, {"aws:key": ("a", "b")}):
        assert not condition("Null", "True").holds(present)
        assert condition("Null", "False").holds(present)


@pytest.mark.parametrize(
    ("operator", "given", "expected"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "c"), False),
        ("ForAnyValue:StringEquals", ("c", "b"), True),
        ("ForAnyValue:StringEquals", ("c", "d"), False),
        ("ForAllValues:StringNotEquals", ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ("c", "a"), False),
        ("ForAnyValue:StringNotEquals", ("c", "a"), True),
        ("ForAnyValue:StringNotEquals", ("a", "b"), False),
        ("StringEquals", ("c", "b"), True),
        ("StringEquals", ("c", "d"), False),
        ("StringNotEquals", ("c", "b"), False),
        ("StringNotEquals", ("c", "d"), True),
    ],
)
def test_quantifiers_say_how_many_of_a_requests_values_must_do(operator: str, given: tuple[str, ...], expected: bool) -> None:
    assert holds(operator, ("a", "b"), given) is expected


def test_any_of_several_wanted_values_will_do_and_of_a_negated_operator_none_may() -> None:
    assert holds("NumericLessThan", ("1", "100"), "50")
    assert holds("StringEquals", ("a", "b"), "b")
    assert not holds("StringNotEquals", ("a", "b"), "b")
    assert holds("StringNotEquals", ("a", "b"), "c")


def test_without_wanted_values_nothing_matches() -> None:
    assert not holds("StringEquals", (), "a")
    assert holds("StringNotEquals", (), "a")


def test_names_of_keys_are_compared_ignoring_case() -> None:
    assert condition("Bool", "true", key="AWS:MultifactorAUTHPresent").holds({"aws:multifactorauthpresent": ("true",)})


USER: Context = {"aws:username": ("Richard",)}


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("StringEquals", "${aws:username}", "Richard", True),
        ("StringEquals", "${aws:UserName}", "Richard", True),
        ("StringEqualsIgnoreCase", "team-${aws:username}", "TEAM-richard", True),
        ("StringLike", "home/${aws:username}/*", "home/Richard/x", True),
        ("StringLike", "home/${aws:username}/*", "home/Sally/x", False),
        ("StringNotEquals", "${aws:username}", "Richard", False),
        ("ArnLike", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::123456789012:user/Richard", True),
        ("StringEquals", "${aws:PrincipalTag/team, 'company-wide'}", "company-wide", True),
        ("StringEquals", "${*}", "*", True),
        ("StringLike", "${*}", "x", False),
        ("StringLike", "${*}${?}${$}", "*?$", True),
        ("StringEquals", "${aws:PrincipalTag/team}", "", False),
        ("StringEquals", "${aws:PrincipalTag/team}", "${aws:PrincipalTag/team}", False),
        ("StringNotEquals", "${aws:PrincipalTag/team}", "anything", True),
        ("StringNotLike", "${aws:PrincipalTag/team}*", "anything", True),
        ("ArnNotLike", "arn:aws:iam::*:user/${aws:PrincipalTag/team}", "arn:aws:iam::1:user/x", True),
    ],
)
def test_variables_take_their_values_from_the_request(operator: str, wanted: str, given: str, expected: bool) -> None:
    assert holds(operator, wanted, given, USER) is expected


MANY = "${aws:UserAgent}" * 600


@pytest.mark.parametrize("agent", ["a" * 390_000, "a" * 700, "İ" * 700])
@pytest.mark.parametrize(
    ("operator", "wanted", "given"),
    [
        ("StringEquals", MANY, "a" * 2048),
        ("StringNotEquals", MANY, "a" * 2048),
        ("StringEqualsIgnoreCase", MANY, "A" * 2048),
        ("StringLike", f"*{MANY}*", "a" * 2048),
        ("StringNotLike", f"*{MANY}?", "a" * 2048),
        ("ArnLike", f"arn:aws:iam::*:user/{MANY}", f"arn:aws:iam::1:user/{'a' * 2000}"),
    ],
)
def test_what_becomes_too_long_to_match_is_not_made(operator: str, wanted: str, given: str, agent: str) -> None:
    line = condition(operator, wanted)
    context = Counting({"aws:key": (given,), "aws:useragent": (agent,)})

    assert line.holds(context) is line.negated
    # For the key itself, and for as many values as fit into the text, and one more.
    assert context.asked <= 1 + 2048 // 700 + 1


@pytest.mark.parametrize("operator", ["StringEquals", "StringEqualsIgnoreCase", "StringLike"])
@given(
    parts=st.lists(st.sampled_from(["a", "A", "b", "${x}", "${y}", "${z, 'İ'}"]), min_size=1, max_size=6),
    x=st.text("abİiΣσς", max_size=3),
    y=st.text("abİiΣσς", max_size=3),
    given=st.text("abAİiΣσς", max_size=6),
    equal=st.booleans(),
)
def test_only_what_could_not_match_is_left_out(operator: str, parts: list[str], x: str, y: str, given: str, equal: bool) -> None:
    values = {"${x}": x, "${y}": y, "${z, 'İ'}": "İ"}
    whole = "".join(values.get(part, part) for part in parts)
    value = whole if equal else given
    context: Context = {"x": (x,), "y": (y,)}
    expected = whole.lower() == value.lower() if "IgnoreCase" in operator else whole == value

    assert holds(operator, "".join(parts), value, context) is expected
    assert holds(operator.replace("String", "StringNot"), "".join(parts), value, context) is not expected


def test_what_is_too_long_to_be_shown_is_not_made_to_explain_it() -> None:
    line = condition("StringEquals", MANY)

    said = line.explain({"aws:key": ("x",), "aws:useragent": ("a" * 1000,)})

    assert said == f"aws:Key is x and StringEquals wants {MANY} (= a longer text than can be shown)"


def test_truth_values_may_come_from_a_variable() -> None:
    assert holds("Bool", "${aws:SecureTransport}", "true", {"aws:securetransport": ("TRUE",)})
    assert not holds("Bool", "${aws:SecureTransport}", "true")


def test_a_users_name_with_an_asterisk_is_no_wildcard() -> None:
    assert not holds("StringLike", "${aws:username}", "Richard", {"aws:username": ("R*",)})


def test_in_older_documents_variables_are_plain_text() -> None:
    old = condition("StringEquals", "${aws:username}", variables=False)

    assert old.holds({"aws:key": ("${aws:username}",), **USER})
    assert not old.holds({"aws:key": ("Richard",), **USER})


@pytest.mark.parametrize(
    "operator",
    [
        "",
        "StringFoo",
        "stringEquals",
        "STRINGEQUALS",
        "StringLikeIgnoreCase",
        "BinaryNotEquals",
        "BoolNot",
        "IfExists",
        "NullIfExists",
        "ForAllValues:Null",
        "ForAnyValue:NullIfExists",
        "ForSomeValues:StringEquals",
        "forAllValues:StringEquals",
        ":StringEquals",
        "ForAllValues:",
        "ForAllValues:ForAnyValue:StringEquals",
        "StringEqualsIfExistsIfExists",
        " StringEquals",
    ],
)
def test_operators_that_there_are_not_are_refused_in_awss_words(operator: str) -> None:
    with pytest.raises(ValueError, match="Invalid Condition type") as refusal:
        condition(operator, "true")
    assert str(refusal.value) == f"Invalid Condition type : {operator}"


@pytest.mark.parametrize(
    ("line", "context", "clause"),
    [
        (
            condition("Bool", "true", key="aws:MultiFactorAuthPresent"),
            {},
            "aws:MultiFactorAuthPresent is absent and Bool needs it",
        ),
        (
            condition("IpAddress", "10.0.0.0/8", "203.0.113.0/24", key="aws:SourceIp"),
            {"aws:sourceip": ("192.0.2.7",)},
            "aws:SourceIp is 192.0.2.7 and IpAddress wants 10.0.0.0/8 or 203.0.113.0/24",
        ),
        (condition("StringNotEquals", "a"), {"aws:key": ("a",)}, "aws:Key is a and StringNotEquals wants anything but a"),
        (condition("Null", "true"), {"aws:key": ("a",)}, "aws:Key is present and Null wants it absent"),
        (condition("Null", "false"), {}, "aws:Key is absent and Null wants it present"),
        (
            condition("ForAllValues:StringEquals", "a"),
            {"aws:key": ("a", "b")},
            "aws:Key is a, b and ForAllValues:StringEquals wants a",
        ),
        (
            condition("StringEquals", "x/${aws:username}"),
            {"aws:key": ("a",), **USER},
            "aws:Key is a and StringEquals wants x/${aws:username} (= x/Richard)",
        ),
        (
            condition("StringEquals", "${aws:username}"),
            {"aws:key": ("a",)},
            "aws:Key is a and StringEquals wants ${aws:username} (no single value for aws:username)",
        ),
        (condition("StringEquals"), {"aws:key": ("a",)}, "aws:Key is a and StringEquals wants something else"),
    ],
)
def test_it_says_why_it_does_not_hold(line: Condition, context: Context, clause: str) -> None:
    assert not line.holds(context)
    assert line.explain(context) == clause


def test_it_tells_which_keys_a_request_lacks() -> None:
    line = condition("StringEquals", "${aws:username}", "${aws:PrincipalTag/Team}", "${aws:userid, 'nobody'}", key="aws:Key")

    assert line.missing({}) == ("aws:Key", "aws:username", "aws:PrincipalTag/Team")
    assert line.missing({"aws:key": ("x",), "aws:principaltag/team": ("y",)}) == ("aws:username",)


texts = st.text(alphabet=st.sampled_from("ab*?${}:/.'0129-TZ é"), max_size=12)


@given(operator=st.sampled_from(sorted(EVERY)), given=st.lists(texts | st.text(max_size=8), max_size=3))
def test_it_explains_itself_exactly_when_it_does_not_hold(operator: str, given: list[str]) -> None:
    context = {"aws:key": tuple(given)}
    for name in (operator, f"{operator}IfExists", f"ForAllValues:{operator}", f"ForAnyValue:{operator}"):
        line = condition(name, EVERY[operator])

        assert (line.explain(context) is None) is line.holds(context)


@given(given=st.lists(texts, min_size=1, max_size=3), wanted=st.lists(st.text(alphabet="ab*? ", max_size=5), max_size=3))
@pytest.mark.parametrize("operator", ["Equals", "Like"])
def test_a_negated_operator_is_the_opposite_of_its_positive(operator: str, given: list[str], wanted: list[str]) -> None:
    context = {"aws:key": tuple(given)}

    assert condition(f"String{operator}", *wanted).holds(context) is not condition(f"StringNot{operator}", *wanted).holds(context)
