"""The page that says which operations exist."""

from __future__ import annotations

from tools.generate_coverage import render


def test_the_page_lists_every_operation_and_marks_those_that_are_built() -> None:
    lines = render({"iam:ResyncMFADevice", "sts:GetSessionToken"}).splitlines()

    assert "| ResyncMFADevice | yes |" in lines
    assert "| CreateRole |  |" in lines
    assert "1 of 180 operations." in lines
    assert "1 of 11 operations." in lines


def test_operations_that_aws_does_not_have_stand_under_a_heading_of_their_own() -> None:
    assert "## Our own" not in render({"iam:ResyncMFADevice"})
    assert render({"signin:Resync"}).endswith("## Our own\n\nOperations that AWS's models do not have.\n\n- `signin:Resync`\n")
