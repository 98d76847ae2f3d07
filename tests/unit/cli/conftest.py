"""A desk to type commands at: a data folder of its own, and a clock that tests move."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from instep.app import Service, open_service
from instep.cli.folder import Surroundings
from instep.cli.main import commands
from instep.settings import Settings
from tests.support.house import Clock


@dataclass
class Desk:
    data: Path
    clock: Clock = field(default_factory=Clock)
    pause: Callable[[float], None] = lambda seconds: None
    clock_kept_right: bool | None = True
    free_bytes: int = 10**12

    def type(self, *words: str, stdin: str | bytes | None = None) -> Result:
        around = Surroundings(
            clock=self.clock,
            random=os.urandom,
            pause=self.pause,
            clock_kept_right=lambda: self.clock_kept_right,
            free_space=lambda folder: self.free_bytes,
        )
        environment = {"INSTEP_DATA": str(self.data), "INSTEP_CONFIG": None}
        result = CliRunner().invoke(commands, words, obj=around, env=environment, input=stdin)
        # Whatever goes wrong is told in words; anything else is a bug that would print a traceback.
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    def facts(self, *words: str) -> Any:
        """What a command prints with --output json."""
        result = self.type(*words, "--output", "json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    @property
    def settings(self) -> Settings:
        return Settings.defaults(self.data)

    @contextmanager
    def service(self) -> Iterator[Service]:
        service = open_service(self.settings, clock=self.clock)
        try:
            yield service
        finally:
            service.close()

    def events(self) -> list[dict[str, Any]]:
        with self.service() as service:
            kept = service.store.read(lambda tx: tx.audit_events.latest(None, limit=1000))
        return [dict(one.event) for one in kept]


@pytest.fixture
def empty_desk(tmp_path: Path) -> Desk:
    """Nothing is set up yet."""
    return Desk(tmp_path / "data")


@pytest.fixture
def desk(empty_desk: Desk) -> Desk:
    """With one account, 123456789012."""
    empty_desk.facts("init", "--account-id", "123456789012", "--alias", "example", "--root-email", "root@example.com")
    return empty_desk
