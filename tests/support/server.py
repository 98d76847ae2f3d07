"""The product as people run it: a process of its own, its data in a folder, its clients over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Self

import boto3
import botocore.session
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
"""Seconds that a start, a stop or a command may take before the test fails; the machine may be a slow one."""

# What whoever runs the tests has set of these may reach neither the product nor a client.
_FOREIGN = ("AWS_", "INSTEP_", "PYTHON", "XDG_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class DidNotServe(AssertionError):
    """The product ended, or kept silent, before it said that it serves; says what it wrote to standard error."""


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """This process's environment without settings of AWS's and ours, at home in the folder `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_FOREIGN)}
    return {**kept, "HOME": str(home), **more}


def free_port() -> int:
    """A port of this host that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """`instep up` in a process group of its own, from `with` to its end.

        with Server(tmp_path, demo=True) as server:
            server.boto("iam").list_users()

    `folder` is for this server alone: `data`, `home` (empty) and the log come to lie in it.  `facts` are what it printed, those
    of the first start included: endpoint, account_id, and shown once alias, root_email, root_password, demo, and of the
    administrator user_name, access_key_id, secret_access_key.  `variables` are settings as environment variables:
    INSTEP_SERVER__THREADS="2".  With `as_text` it is told to speak to people: what it says is in `printed`, and of the facts only
    the endpoint is known.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        demo: bool = False,
        as_text: bool = False,
        port: int | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.data = folder / "data"
        self.home = folder / "home"
        self.log = folder / "stderr.log"
        self.port = port or free_port()
        self.facts: dict[str, Any] = {}
        self.printed = ""
        self._arguments = (*arguments, *(["--demo"] if demo else []))
        # The last of its lines: those of one start come all at once.
        self._last_line = r".*instep mfa resync$" if demo else "IAM user "
        self._as_text = as_text
        self._variables = dict(variables or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.home.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def endpoint(self) -> str:
        return str(self.facts["endpoint"])

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment(self.home, PYTHONPATH=str(ROOT / "src"), **self._variables)

    @property
    def pid(self) -> int:
        """Of the process that was started, whose workers are its children; it leads their process group."""
        return self._running().pid

    def start(self) -> None:
        """Returns once it serves; on a folder that is set up already it only serves.  Raises DidNotServe."""
        assert self._process is None, "it runs already"
        arguments = self._arguments if not self.facts else ()
        output = "text" if self._as_text else "json"
        command = instep("up", *arguments, "--output", output, "--data", str(self.data), "--port", str(self.port))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._read_what_it_prints(self._process)
        except DidNotServe:
            self.kill()
            raise

    def stop(self) -> None:
        """Ctrl-C: as at a terminal, everybody in its process group is interrupted.  It has to end with exit status 0."""
        process = self._running()
        os.killpg(process.pid, signal.SIGINT)
        try:
            status = process.wait(PATIENCE)
        finally:
            self.kill()
        assert status == 0, f"exit status {status}; standard error ends:\n{self._last_words()}"

    def kill(self) -> None:
        """SIGKILL to all of it at once; nothing happens when it is dead already."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()

    def restart(self) -> None:
        """Stop it, unless it was killed, and serve the same folder on the same port again."""
        if self._process is not None:
            self.stop()
        self.start()

    def boto(
        self,
        service: str,
        key: str | None = None,
        secret: str | None = None,
        token: str | None = None,
        *,
        region: str = "us-east-1",
    ) -> Any:
        """A boto3 client that never sends anything twice; by default with the administrator's access key."""
        # Not typed: the stubs know every service, but only by a name that stands in the code.
        session: Any = boto3.Session(botocore_session=_botocore())
        return session.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=key or self.facts["access_key_id"],
            aws_secret_access_key=secret or self.facts["secret_access_key"],
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}, proxies={}, connect_timeout=PATIENCE, read_timeout=PATIENCE),
        )

    def instep(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What an `instep` command beside the server printed: server.instep("account", "list", "--output", "json")."""
        environment = {**self.environment, "INSTEP_DATA": str(self.data)}
        return subprocess.run(
            instep(*arguments), cwd=self.home, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def log_text(self) -> str:
        """What it wrote to standard error, over all of its starts."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it does not run"
        return self._process

    def _read_what_it_prints(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        printed, deadline = b"", time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while selector.select(deadline - time.monotonic()):
                part = os.read(process.stdout.fileno(), 65536)
                if not part:
                    raise DidNotServe(f"It ended with {process.wait(PATIENCE)}; standard error ends:\n{self._last_words()}")
                printed += part
                if printed.endswith(b"\n") and self._understands(printed.decode()):
                    return
        raise DidNotServe(f"It said too little in {PATIENCE} s; standard error ends:\n{self._last_words()}")

    def _understands(self, printed: str) -> bool:
        """Whether this is all of it; then what it says is known from now on."""
        if self._as_text:
            serving = re.match(r"instep is serving (\S+)\n", printed)
            complete = self.facts or re.match(self._last_line, printed.splitlines()[-1])
            if serving is None or not complete:
                return False
            self.facts["endpoint"] = serving[1]
        else:
            try:
                self.facts.update(json.loads(printed))
            except ValueError:
                return False
        self.printed = printed
        return True

    def _last_words(self) -> str:
        return self.log_text()[-2000:]


def instep(*arguments: str) -> list[str]:
    """The command line that runs `instep` from this checkout."""
    return [sys.executable, "-m", "instep.cli.main", *arguments]


@cache
def _botocore() -> botocore.session.Session:
    """One session for all clients, as reading AWS's models takes long; blind to the files of whoever runs the tests."""
    blind: dict[str, tuple[str | None, str | None, str | None, Any]] = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return botocore.session.Session(session_vars=blind)
