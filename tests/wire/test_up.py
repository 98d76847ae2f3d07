"""`instep up` and `serve` as processes: what is printed and when, who answers, how it ends."""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, HTTPClientError

PATIENCE = 60
"""Seconds; what takes longer never comes."""


class Instep:
    """A command as somebody would start it in a terminal, with a process group of its own."""

    def __init__(self, *words: str, data: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("INSTEP_", "AWS_"))}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "instep.cli.main", *words, "--data", str(data)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.errors: list[str] = []
        self._readers = [threading.Thread(target=self._read_lines), threading.Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.wait()

    def _read_lines(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            self.errors.extend(stream)

    def line(self) -> str | None:
        """The next one on standard output; None at its end."""
        try:
            return self.lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"nothing was printed; on standard error: {self.said}") from None

    def facts(self) -> Any:
        line = self.line()
        assert line is not None, "".join(self.errors)
        return json.loads(line)

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> int:
        """As a terminal does: to the whole group.  The exit code."""
        os.killpg(self.process.pid, number)
        code = self.wait()
        assert "Traceback" not in self.said
        return code

    def wait(self) -> int:
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    @property
    def said(self) -> str:
        return "".join(self.errors)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*words: str, data: Path) -> Iterator[Instep]:
    with Instep(*words, data=data) as instep:
        yield instep


def client(service: str, facts: dict[str, Any]) -> Any:
    factory: Any = boto3.client
    return factory(
        service,
        endpoint_url=facts["endpoint"],
        region_name="us-east-1",
        aws_access_key_id=facts["access_key_id"],
        aws_secret_access_key=facts["secret_access_key"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def status_of(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("OPTIONS", "/")
    status = connection.getresponse().status
    connection.close()
    return status


def test_it_answers_as_soon_as_it_says_so_and_shows_its_secrets_once(tmp_path: Path, port: int) -> None:
    data = tmp_path / "data"
    with running("up", "--port", str(port), "--output", "json", data=data) as instep:
        first = instep.facts()
        assert set(first) == {
            "endpoint",
            "account_id",
            "alias",
            "root_email",
            "root_password",
            "user_name",
            "access_key_id",
            "secret_access_key",
        }
        assert first["endpoint"] == f"http://localhost:{port}"
        identity = client("sts", first).get_caller_identity()
        assert identity["Account"] == first["account_id"]
        assert instep.interrupt() == 0
        assert instep.line() is None
    secrets = (first["root_password"], first["secret_access_key"])
    assert not any(secret in instep.said for secret in secrets)

    with running("up", "--port", str(port), "--output", "json", data=data) as again:
        assert again.facts() == {"endpoint": first["endpoint"], "account_id": first["account_id"]}
        # What was made is still there, and what was asked before the stop is in the trail.
        assert client("sts", first).get_caller_identity()["Account"] == first["account_id"]
        assert again.interrupt(signal.SIGTERM) == 0
    assert not any(secret in again.said for secret in secrets)

    listed = subprocess.run(
        [sys.executable, "-m", "instep.cli.main", "audit", "--output", "json", "--data", str(data)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    names = [json.loads(line)["eventName"] for line in listed.stdout.splitlines()]
    assert names == ["CreateAccount", "GetCallerIdentity", "GetCallerIdentity"]


def test_the_demo_prints_a_command_whose_codes_put_the_device_back_in_step(tmp_path: Path, port: int) -> None:
    with running("up", "--demo", "--port", str(port), data=tmp_path / "data") as instep:
        lines = [instep.line() or "" for _ in range(9)]
        assert lines[0] == f"instep is serving http://localhost:{port}"
        assert re.fullmatch(
            r"account 123456789012 · alias example · root e-mail root@example\.com · root password \S+ \(shown once\)", lines[1]
        )
        assert re.fullmatch(r"IAM user admin · AWS access key AKIA\w{16} · secret access key \S{40} \(shown once\)", lines[2])
        assert lines[3] == "Richard's device RichardsMFA is 20 minutes slow. Try it:"
        exported = re.fullmatch(
            r"  export AWS_ACCESS_KEY_ID=(\S+) AWS_SECRET_ACCESS_KEY=(\S+) AWS_DEFAULT_REGION=us-east-1", lines[4]
        )
        command = re.fullmatch(
            rf"  aws --endpoint-url http://localhost:{port} iam resync-mfa-device --user-name Richard"
            r" --serial-number (arn:aws:iam::123456789012:mfa/RichardsMFA)"
            r" --authentication-code1 (\d{6}) --authentication-code2 (\d{6})",
            lines[5],
        )
        assert lines[6] == "Or as Richard, who may put his own device right, and nothing else:"
        assert lines[7].startswith("  export AWS_ACCESS_KEY_ID=AKIA")
        assert lines[7].endswith(f" AWS_DEFAULT_REGION=us-east-1 AWS_ENDPOINT_URL=http://localhost:{port}")
        assert lines[8].endswith("instep mfa resync")
        assert exported is not None
        assert command is not None
        facts = {
            "endpoint": f"http://localhost:{port}",
            "access_key_id": exported[1],
            "secret_access_key": exported[2],
        }
        answer = client("iam", facts).resync_mfa_device(
            UserName="Richard", SerialNumber=command[1], AuthenticationCode1=command[2], AuthenticationCode2=command[3]
        )
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert -1230 < int(headers["x-instep-drift-seconds"]) < -1140
        assert instep.interrupt() == 0

    with running("up", "--demo", "--port", str(port), data=tmp_path / "data") as again:
        lines = [again.line() or "" for _ in range(6)]
        assert lines[:3] == [
            f"instep is serving http://localhost:{port}",
            "account 123456789012 · alias example",
            "Richard's device RichardsMFA is 20 minutes slow. Try it:",
        ]
        assert facts["secret_access_key"] not in "".join(lines)
        assert re.search(r"--authentication-code1 \d{6} --authentication-code2 \d{6}$", lines[5])
        assert again.interrupt() == 0


def test_a_port_that_is_taken_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with running("up", "--port", str(port), data=tmp_path / "data") as instep:
            assert instep.wait() == 1
            assert instep.line() is None
    assert f"Port {port} of 127.0.0.1 is taken" in instep.said
    assert "--port" in instep.said
    assert len(instep.said.splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_a_second_server_does_not_share_the_port_of_the_first(tmp_path: Path, port: int) -> None:
    with running("up", "--port", str(port), "--output", "json", data=tmp_path / "one") as first:
        first.facts()
        with running("up", "--port", str(port), "--output", "json", data=tmp_path / "two") as second:
            assert second.wait() == 1
        assert status_of(port) == 200
        assert first.interrupt() == 0


def test_serving_needs_no_set_up_and_names_every_account(tmp_path: Path, port: int) -> None:
    data = tmp_path / "data"
    for words in (("init", "--account-id", "111122223333"), ("account", "create", "--account-id", "444455556666")):
        with running(*words, data=data) as command:
            assert command.wait() == 0
    with running("serve", "--port", str(port), "--output", "json", data=data) as instep:
        facts = instep.facts()
        assert facts["account_ids"] == ["111122223333", "444455556666"]
        assert instep.interrupt(signal.SIGHUP) == 0


def test_a_killed_worker_is_replaced(tmp_path: Path, port: int) -> None:
    with running("up", "--port", str(port), "--output", "json", data=tmp_path / "data") as instep:
        facts = instep.facts()
        os.kill(worker_of(instep.process.pid), signal.SIGKILL)
        answered = retrying(lambda: client("sts", facts).get_caller_identity()["Account"])
        assert answered == facts["account_id"]
        assert instep.interrupt() == 0


def test_a_worker_does_not_outlive_its_parent(tmp_path: Path, port: int) -> None:
    with running("up", "--port", str(port), "--output", "json", data=tmp_path / "data") as instep:
        instep.facts()
        instep.process.kill()
        # Its standard output ends once nobody holds it any more.
        assert instep.line() is None
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def test_secrets_are_shown_even_when_the_set_up_breaks_off_after_the_account(tmp_path: Path, port: int) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    # Where the demo's practice device should go.
    (data / "devices").write_text("no folder")
    with running("up", "--demo", "--port", str(port), "--output", "json", data=data) as instep:
        facts = instep.facts()
        assert facts["account_id"] == "123456789012"
        assert facts["root_password"]
        assert facts["secret_access_key"]
        assert instep.wait() == 1
    assert "devices" in instep.said
    assert "Traceback" not in instep.said


def worker_of(parent: int) -> int:
    """The process that serves: the child that runs Python's spawn, not its resource tracker."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    (worker,) = [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return worker


def retrying(work: Any) -> Any:
    """What `work` gives once the port is listened on again."""
    for _ in range(PATIENCE * 10):
        try:
            return work()
        except (BotoCoreError, HTTPClientError):
            threading.Event().wait(0.1)
    return work()
