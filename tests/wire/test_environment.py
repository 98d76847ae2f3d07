"""What stands in the operator's environment is nobody's request header."""

from __future__ import annotations

from pathlib import Path

from tests.support.server import Server


def test_a_variable_that_looks_like_a_header_reaches_no_request(tmp_path: Path) -> None:
    """The server underneath hands its whole environment to every request, beside the headers as HTTP_…."""
    with Server(tmp_path, variables={"HTTP_X_AMZ_SECURITY_TOKEN": "from the environment", "HTTP_PROXY": "x"}) as server:
        identity = server.boto("sts").get_caller_identity()

        assert identity["Account"] == server.facts["account_id"]
