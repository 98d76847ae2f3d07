"""The house that tests ask of: what they ask is what a client could."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.house import house


@pytest.mark.parametrize("value", [7200, True, None, b"x", ("7200",), ["7200", 7200], [{"Key": "team", "Value": 1}]])
def test_a_parameter_that_no_client_can_send_is_refused_rather_than_passed_over(tmp_path: Path, value: object) -> None:
    with house(tmp_path) as home, pytest.raises(TypeError, match="DurationSeconds is sent as text, not as "):
        home.call("sts:GetSessionToken", DurationSeconds=value)
