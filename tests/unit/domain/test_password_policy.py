"""What a password must be like, with a policy and without; and that a hash is of one password alone."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.api.errors import PasswordPolicyViolation
from instep.domain.password import hash_password, is_password
from instep.domain.password_policy import PasswordPolicy, check_new

STRICT = PasswordPolicy(
    minimum_length=10, require_symbols=True, require_numbers=True, require_uppercase=True, require_lowercase=True
)
UPPERCASE = "Password should have at least one uppercase letter"
LOWERCASE = "Password should have at least one lowercase letter"
NUMBER = "Password should have at least one number"
SYMBOL = "Password should have at least one symbol"
NAMES = ("example-2026", "root@Example.com")


def wrong(password: str, policy: PasswordPolicy | None = None) -> str:
    """What is said against it; nothing when it is good."""
    try:
        check_new(password, policy, account_names=NAMES)
    except PasswordPolicyViolation as refused:
        return refused.message
    return ""


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("Abcdefgh1!", ""),
        ("Abcdefg1!", "Password should have a minimum length of 10"),
        ("abcdefgh1!", UPPERCASE),
        ("ABCDEFGH1!", LOWERCASE),
        ("Abcdefghi!", NUMBER),
        ("Abcdefgh12", SYMBOL),
        ("ÄBCDEFgh1é", SYMBOL),
        ("äbcdefgh1!", UPPERCASE),
        (
            "",
            f"Password should have a minimum length of 10, {UPPERCASE}, {LOWERCASE}, {NUMBER}, {SYMBOL}",
        ),
    ],
)
def test_a_policy_says_everything_that_it_misses(password: str, said: str) -> None:
    assert wrong(password, STRICT) == said


def test_a_policy_that_asks_for_nothing_takes_six_characters() -> None:
    assert wrong("      ", PasswordPolicy()) == ""
    assert wrong("aaaaa", PasswordPolicy()) == "Password should have a minimum length of 6"
    assert wrong(NAMES[0], PasswordPolicy()) == ""


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("abcdEFG1", ""),
        ("abcd-fg1", ""),
        ("ABCD-FG1", ""),
        ("abcdEFG'", ""),
        ("abcEFG1", "Password should have a minimum length of 8"),
        (
            "abcdefg1",
            f"Password should meet 1 more of the following requirements: {UPPERCASE}, {SYMBOL}",
        ),
        (
            "財布の紐を締める",
            f"Password should meet 3 more of the following requirements: {UPPERCASE}, {LOWERCASE}, {NUMBER}, {SYMBOL}",
        ),
        ("example-2026", "Password should not be identical to the AWS account name or email address"),
        ("ROOT@example.com", "Password should not be identical to the AWS account name or email address"),
    ],
)
def test_without_a_policy_three_of_four_kinds_of_characters_will_do(password: str, said: str) -> None:
    assert wrong(password) == said


@pytest.mark.parametrize("symbol", "!@#$%^&*()_+-=[]{}|'")
def test_the_symbols_are_those_that_aws_names(symbol: str) -> None:
    assert wrong(f"Abcdefgh1{symbol}", STRICT) == ""


@pytest.mark.parametrize("other", sorted(set(string.punctuation) - set("!@#$%^&*()_+-=[]{}|'")))
def test_other_punctuation_is_allowed_but_is_no_symbol(other: str) -> None:
    assert wrong(f"Abcdefgh1{other}", STRICT) == SYMBOL
    assert wrong(f"Abcdefgh1!{other}", STRICT) == ""


@given(password=st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=128), more=st.text(max_size=20))
def test_a_password_never_gets_worse_by_growing(password: str, more: str) -> None:
    if not wrong(password, STRICT):
        assert not wrong(password + more, STRICT)


def test_a_hash_is_of_one_password_alone() -> None:
    kept = hash_password("Correct horse 1", salt=b"0123456789abcdef")

    assert is_password("Correct horse 1", kept)
    assert not is_password("correct horse 1", kept)
    assert not is_password("Correct horse 1 ", kept)
    assert not is_password("", kept)
