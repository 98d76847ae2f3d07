"""Where people type `instep` as a client: a home folder with profiles in ~/.aws, and nothing else."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.server import PATIENCE, ROOT, clean_environment, instep
from tests.support.terminals import Seat
from tests.wire.people import Account, Person

PROFILE = "richard"


@dataclass(frozen=True, slots=True)
class Desk:
    """`person`'s: the profile `richard` has the access key and the endpoint, and AWS_PROFILE names it."""

    home: Path
    account: Account
    person: Person

    @classmethod
    def of(cls, home: Path, account: Account, person: Person) -> Desk:
        desk = cls(home, account, person)
        (home / ".aws").mkdir()
        (home / ".aws" / "credentials").write_text(
            f"[{PROFILE}]\naws_access_key_id = {person.access_key_id}\naws_secret_access_key = {person.secret_access_key}\n"
        )
        desk.profile(PROFILE, region="us-east-1")
        return desk

    def profile(self, name: str, **settings: str) -> None:
        """One more, at the served product."""
        lines = [f"[profile {name}]", f"endpoint_url = {self.account.server.endpoint}"]
        lines += [f"{key} = {value}" for key, value in settings.items()]
        with (self.home / ".aws" / "config").open("a") as config:
            config.write("\n".join([*lines, ""]))

    def keys(self) -> dict[str, str]:
        """As variables."""
        return {"AWS_ACCESS_KEY_ID": self.person.access_key_id, "AWS_SECRET_ACCESS_KEY": self.person.secret_access_key}

    def environment(self, **more: str | None) -> dict[str, str]:
        """With `more`, and without what is None there."""
        variables = {"AWS_PROFILE": PROFILE, "PYTHONPATH": str(ROOT / "src"), **more}
        return clean_environment(self.home, **{name: value for name, value in variables.items() if value is not None})

    def program(self) -> Path:
        """This checkout's `instep` as one file, for others to start."""
        program = self.home / "instep"
        program.write_text(f'#!/bin/sh\nexec {shlex.join(instep())} "$@"\n')
        program.chmod(0o700)
        return program

    def run(self, *arguments: str, **more: str | None) -> subprocess.CompletedProcess[str]:
        """`instep ARGUMENTS` in a script: nobody is at a terminal, not even whoever runs the tests."""
        return subprocess.run(
            instep(*arguments),
            cwd=self.home,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            start_new_session=True,
        )

    def done(self, *arguments: str, **more: str | None) -> str:
        finished = self.run(*arguments, **more)
        assert (finished.returncode, finished.stderr) == (0, "")
        return finished.stdout

    def json(self, *arguments: str, **more: str | None) -> Any:
        return json.loads(self.done(*arguments, "--output", "json", **more))

    def fails(self, *arguments: str, **more: str | None) -> tuple[int, str]:
        """The exit code, and the line on standard error."""
        finished = self.run(*arguments, **more)
        assert finished.stdout == ""
        (line,) = finished.stderr.splitlines()
        return finished.returncode, line

    def sits_down(self, *arguments: str, piped: bool = False, **more: str | None) -> Seat:
        """`instep ARGUMENTS` at a terminal."""
        return Seat(instep(*arguments), self.environment(**more), self.home, piped=piped)
