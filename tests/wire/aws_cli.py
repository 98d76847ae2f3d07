"""The AWS CLI, unmodified, in both its generations."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import PATIENCE, ROOT, Server, clean_environment
from tests.wire.people import Account, Person

_DEFAULTS = {"v1": ROOT / ".venv-awscli-v1" / "bin" / "aws", "v2": Path("/usr/bin/aws")}
_ADVICE = {
    "v1": "./test installs it, as does: python3 -I -B tools/environment.py awscli-v1",
    "v2": "./test installs it, as does: apt install awscli",
}
# The first of each generation to read endpoint_url from a profile and AWS_ENDPOINT_URL.
_READS_ENDPOINTS = {"v1": (1, 29), "v2": (2, 13)}
# What an `aws` that was refused exits with.
_REFUSED = {"v1": 255, "v2": 254}


@dataclass(frozen=True, slots=True)
class AWS:
    """One generation of the client, with a home folder that nobody has configured anything in."""

    generation: str
    program: Path
    home: Path

    @property
    def refused(self) -> int:
        return _REFUSED[self.generation]

    def environment(self, server: Server, person: Person | Account, **more: str) -> dict[str, str]:
        variables = {
            "AWS_ACCESS_KEY_ID": person.access_key_id,
            "AWS_SECRET_ACCESS_KEY": person.secret_access_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            # An older v2 does not know it.
            "AWS_ENDPOINT_URL": server.endpoint,
        }
        return clean_environment(self.home, **(variables | more))

    def run(self, account: Account, *arguments: str, as_: Person | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        """`aws --endpoint-url … ARGUMENTS`, by the administrator unless `as_` is given; `more` goes to its environment."""
        return subprocess.run(
            [str(self.program), "--endpoint-url", account.server.endpoint, *arguments],
            env=self.environment(account.server, as_ or account, **more),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def done(self, account: Account, *arguments: str, as_: Person | None = None, **more: str) -> str:
        """What it prints when it succeeds, and nothing on standard error with it."""
        finished = self.run(account, *arguments, as_=as_, **more)
        assert (finished.returncode, finished.stderr) == (0, ""), finished
        return finished.stdout

    def json(self, account: Account, *arguments: str, as_: Person | None = None, **more: str) -> Any:
        return json.loads(self.done(account, *arguments, "--output", "json", as_=as_, **more))

    def shell(self, script: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """`script` in a shell that finds this client as `aws`."""
        programs = self.home / "bin"
        programs.mkdir()
        (programs / "aws").symlink_to(self.program)
        return subprocess.run(
            ["sh", "-c", script],
            env={**environment, "PATH": f"{programs}:{environment['PATH']}"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def client(generation: str, home: Path) -> AWS:
    program = _program(generation)
    if not program.exists():
        pytest.fail(f"There is no AWS CLI {generation} at {program}. {_ADVICE[generation]}")
    return AWS(generation, program, home)


@cache
def with_endpoints() -> tuple[str, ...]:
    """The generations that read an endpoint from a profile in the versions that are here.

    One that is missing is among them, for `client` to tell.
    """
    return tuple(
        generation
        for generation, first in _READS_ENDPOINTS.items()
        if not _program(generation).exists() or _version(_program(generation)) >= first
    )


def _program(generation: str) -> Path:
    return Path(os.environ.get(f"INSTEP_TEST_AWS_{generation.upper()}") or _DEFAULTS[generation])


def _version(program: Path) -> tuple[int, ...]:
    """Of `aws-cli/2.9.19 Python/3.11.2 …`."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    found = re.match(r"aws-cli/(\d+)\.(\d+)", told)
    assert found is not None, told
    return int(found[1]), int(found[2])
