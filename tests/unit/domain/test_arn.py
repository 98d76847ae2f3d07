"""What an ARN is made of."""

from __future__ import annotations

import pytest

from instep.domain.arn import is_arn, segments


def test_the_last_segment_keeps_its_colons() -> None:
    log_group = "arn:aws:logs:us-east-1:123456789012:log-group:demo:*"

    assert segments(log_group) == ["arn", "aws", "logs", "us-east-1", "123456789012", "log-group:demo:*"]


@pytest.mark.parametrize("text", ["arn:aws:s3:::bucket", "arn:aws:iam::123456789012:user/Richard", "arn:::::"])
def test_six_segments_that_begin_with_arn_have_the_form(text: str) -> None:
    assert is_arn(text)


@pytest.mark.parametrize("text", ["", "*", "bucket", "arn", "arn:aws:iam", "urn:aws:s3:::bucket", "ARN:aws:s3:::bucket"])
def test_anything_else_has_not(text: str) -> None:
    assert not is_arn(text)
