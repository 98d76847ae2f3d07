from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from instep.console.commands import aws_cli, powershell


def test_commands_are_what_a_person_would_type() -> None:
    serial = "arn:aws:iam::123456789012:mfa/RichardsMFA"
    aws = aws_cli("iam deactivate-mfa-device", {"user-name": "Richard", "serial-number": serial}, endpoint="https://id.example")
    shell = powershell("Disable-IAMMFADevice", {"UserName": "Richard", "SerialNumber": serial}, endpoint="https://id.example")

    assert aws.text == (
        f"aws iam deactivate-mfa-device --user-name Richard --serial-number {serial} --endpoint-url https://id.example"
    )
    assert shell.text == f"Disable-IAMMFADevice -UserName Richard -SerialNumber {serial} -EndpointUrl https://id.example"


@given(st.text())
def test_no_value_becomes_more_than_one_word_of_a_shell(value: str) -> None:
    assert shlex.split(aws_cli("iam get-user", {"user-name": value}, endpoint="http://x").text)[3:5] == ["--user-name", value]


def test_powershell_reads_quoted_what_would_mean_something_to_it() -> None:
    def word(value: str) -> str:
        return powershell("Get", {"Name": value}, endpoint="http://x").text.split(" -")[1].removeprefix("Name ")

    assert word("a,b") == "'a,b'"
    assert word("@home") == "'@home'"
    assert word("$x;y") == "'$x;y'"
    assert word("it's ’so’") == "'it''s ’’so’’'"
    assert word("") == "''"
