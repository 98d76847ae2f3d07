"""Variables in policies, and what requests put in their place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.domain.policy.variables import Context, Template, Variable, Verbatim
from tests.unit.domain.policy.making import Counting

RICHARD: Context = {
    "aws:username": ("Richard",),
    "aws:principaltag/team": ("blue",),
    "aws:tagkeys": ("a", "b"),
    "aws:calledvia": (),
}


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("", ""),
        ("plain", "plain"),
        ("${aws:username}", "Richard"),
        ("user/${aws:username}/x", "user/Richard/x"),
        ("${aws:username}${aws:username}", "RichardRichard"),
        ("${AWS:UserName}", "Richard"),
        ("${aws:PrincipalTag/Team}", "blue"),
        ("${aws:PrincipalTag/none, 'company-wide'}", "company-wide"),
        ("${aws:PrincipalTag/none,'company-wide'}", "company-wide"),
        ("${aws:PrincipalTag/none, ''}", ""),
        ("${aws:PrincipalTag/none, '}, ${*}'}", "}, ${*}"),
        ("${aws:username, 'nobody'}", "Richard"),
        ("${aws:CalledVia, 'nobody'}", "nobody"),
        ("${*}${?}${$}", "*?$"),
        ("${$}{aws:username}", "${aws:username}"),
        ("*?", "*?"),
        ("$", "$"),
        ("$$ {}", "$$ {}"),
        ("$ {aws:username}", "$ {aws:username}"),
        ("}{", "}{"),
    ],
)
def test_variables_are_replaced_by_what_the_request_brings(text: str, resolved: str) -> None:
    assert Template.of(text).resolve(RICHARD, longest=40) == resolved


@pytest.mark.parametrize(
    "text", ["${aws:userid}", "x${aws:username}${aws:userid}", "${aws:CalledVia}", "${aws:PrincipalTag/none}"]
)
def test_a_variable_without_a_value_leaves_no_text(text: str) -> None:
    assert Template.of(text).resolve(RICHARD, longest=40) is None


@pytest.mark.parametrize("text", ["${aws:TagKeys}", "${aws:TagKeys, 'default'}"])
def test_a_key_of_several_values_has_no_one_value_and_no_default_helps(text: str) -> None:
    assert Template.of(text).resolve(RICHARD, longest=40) is None


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "${}",
        "${aws:username",
        "${ aws:username}",
        "${aws:username }",
        "${a b}",
        "${aws:username, x}",
        "${a, 'x}",
        "${${a}}",
        "${**}",
    ],
)
def test_a_variable_that_is_begun_but_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a variable is malformed"):
        Template.of(f"x{text}")


def test_without_variables_all_is_plain_text() -> None:
    template = Template.of("${aws:username}${", variables=False)

    assert template.constant
    assert template.resolve(RICHARD, longest=40) == "${aws:username}${"


def test_a_template_tells_its_variables_as_written() -> None:
    template = Template.of("a/${AWS:UserName}/${*}/${x, 'y'}")

    assert template.parts == ("a/", Variable("AWS:UserName"), "/", Verbatim("*"), "/", Variable("x", "y"))
    assert template.variables == (Variable("AWS:UserName"), Variable("x", "y"))
    assert not template.constant
    assert Template.of("${*}").constant


@given(st.text(), st.text())
def test_what_a_request_brings_is_never_looked_through_for_variables(before: str, value: str) -> None:
    text = before.replace("$", "S") + "${aws:username}"

    resolved = before.replace("$", "S") + value
    assert Template.of(text).resolve({"aws:username": (value,)}, longest=len(resolved)) == resolved


def test_a_text_longer_than_asked_for_is_not_made() -> None:
    template = Template.of("user/${aws:username}")

    assert template.resolve(RICHARD, longest=12) == "user/Richard"
    assert template.resolve(RICHARD, longest=11) is None


def test_no_more_variables_are_resolved_than_the_text_has_room_for() -> None:
    context = Counting({"aws:useragent": ("a" * 1000,)})

    assert Template.of("${aws:UserAgent}" * 600).resolve(context, longest=2048) is None
    assert context.asked == 3
