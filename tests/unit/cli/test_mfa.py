"""`instep mfa` and `instep credentials` where no service answers, or something that is none."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import MappingProxyType

import pytest
from click.testing import CliRunner, Result

from instep.cli.aws import Exit, drift_seconds
from instep.cli.main import commands
from instep.cli.mfa import Kind
from instep.cli.output import rough_drift
from tests.support.server import PATIENCE, ROOT, clean_environment, free_port, instep

PAIR = ("--code1", "123456", "--code2", "987654")
DEVICE = ("--user-name", "Richard", "--serial-number", "arn:aws:iam::123456789012:mfa/RichardsMFA")
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "no secret"}


@dataclass
class Desk:
    """A home folder, and variables; what is left out is unset, whatever the machine's own are."""

    home: Path
    variables: dict[str, str] = field(default_factory=lambda: dict(KEYS))

    def type(self, *words: str) -> Result:
        environment: dict[str, str | None] = dict.fromkeys(
            ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), None
        )
        environment |= {
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "AWS_CONFIG_FILE": str(self.home / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_ENDPOINT_URL": f"http://localhost:{free_port()}",
        }
        result = CliRunner().invoke(commands, words, env={**environment, **self.variables})
        # Whatever goes wrong is told in words; anything else is a bug that would print a traceback.
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    def fails(self, *words: str) -> tuple[int, str]:
        """The exit code and the line on standard error."""
        result = self.type(*words)
        (line,) = result.stderr.splitlines()
        assert result.stdout == ""
        return result.exit_code, line


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@contextmanager
def answering(
    status: int, body: str, kind: str = "text/html", headers: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Something that answers every request alike; its URL."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body.encode())))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_request(self, code: object = None, size: object = None) -> None:
            """Not to standard error."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def refusing(code: str, message: str = "No.") -> str:
    return (
        '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>x</RequestId></ErrorResponse>"
    )


def test_no_other_command_waits_for_the_vendor_s_client_to_load() -> None:
    look = "import sys, instep.cli.main; print('botocore' in sys.modules)"

    found = subprocess.run(
        [sys.executable, "-c", look], env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True
    )

    assert found.stdout == "False\n"


def test_without_codes_somebody_has_to_be_at_a_terminal(desk: Desk) -> None:
    assert desk.fails("mfa", "resync") == (
        Exit.USAGE,
        "Error: Nobody is at a terminal to type codes: give --code1 and --code2.",
    )


@pytest.mark.parametrize("given", [("--code1", "123456"), ("--code2", "123456")])
def test_half_a_pair_is_no_pair(desk: Desk, given: tuple[str, str]) -> None:
    assert desk.fails("mfa", "resync", *given) == (Exit.USAGE, "Error: Give both --code1 and --code2, or neither.")


def test_the_same_code_twice_is_caught_here(desk: Desk) -> None:
    status, line = desk.fails("mfa", "resync", "--code1", "123456", "--code2", "１２３ ４５６")

    assert (status, line) == (Exit.USAGE, "Error: Both codes are the same; wait for the device to show the next one.")


def test_what_is_no_code_is_a_usage_error_that_does_not_repeat_it(desk: Desk) -> None:
    result = desk.type("mfa", "resync", "--code1", "12345678", "--code2", "987654")

    assert result.exit_code == Exit.USAGE
    assert "A code is six digits." in result.stderr
    assert "1234" not in result.output


@pytest.mark.parametrize(
    "words",
    [("mfa", "resync", *PAIR), ("mfa", "status"), ("credentials", "--token-code", "123456"), ("credentials", "--no-cache")],
)
def test_without_credentials_it_says_where_they_come_from(desk: Desk, words: tuple[str, ...]) -> None:
    desk.variables = {}

    assert desk.fails(*words) == (
        Exit.FAILED,
        "Error: There are no AWS credentials: name a profile with --profile, or set AWS_ACCESS_KEY_ID and its like.",
    )


def test_a_profile_that_is_not_there_is_named(desk: Desk) -> None:
    status, line = desk.fails("mfa", "status", "--profile", "richard")

    assert (status, line) == (Exit.FAILED, "Error: The config profile (richard) could not be found")


@pytest.mark.parametrize("words", [("mfa", "resync", *PAIR), ("mfa", "status"), ("credentials", "--token-code", "123456")])
def test_where_nobody_listens_the_service_cannot_be_reached(desk: Desk, words: tuple[str, ...]) -> None:
    endpoint = f"http://localhost:{free_port()}"

    status, line = desk.fails(*words, "--endpoint-url", endpoint)

    assert status == Exit.UNREACHABLE
    assert line == f'Error: Could not connect to the endpoint URL: "{endpoint}/"'


@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize("body", ["Hello.", "<html><body>Hello.</body></html>", "{}", ""])
def test_what_is_no_aws_service_is_told_in_one_line(desk: Desk, status: int, body: str) -> None:
    with answering(status, body) as url:
        code, line = desk.fails("mfa", "resync", *DEVICE, *PAIR, "--endpoint-url", url)
        listing, _ = desk.fails("mfa", "status", "--endpoint-url", url)

    assert line.startswith("Error: ")
    assert {code, listing} <= {Exit.FAILED, Exit.UNREACHABLE}


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("AccessDenied", Exit.NOT_PERMITTED),
        ("InvalidClientTokenId", Exit.NOT_PERMITTED),
        ("SignatureDoesNotMatch", Exit.NOT_PERMITTED),
        ("ExpiredToken", Exit.NOT_PERMITTED),
        ("NoSuchEntity", Exit.WHICH_DEVICE),
        ("ValidationError", Exit.USAGE),
        ("LimitExceeded", Exit.FAILED),
        ("InvalidAuthenticationCode", Exit.CODES_REFUSED),
    ],
)
def test_a_refusal_ends_with_an_exit_code_to_go_by(desk: Desk, code: str, exit_code: Exit) -> None:
    with answering(403, refusing(code), "text/xml") as url:
        assert desk.fails("mfa", "resync", *DEVICE, *PAIR, "--endpoint-url", url)[0] == exit_code


@pytest.mark.parametrize(("status", "exit_code"), [(500, Exit.FAILED), (502, Exit.UNREACHABLE), (503, Exit.UNREACHABLE)])
def test_a_gateway_s_answer_is_not_the_service_s(desk: Desk, status: int, exit_code: Exit) -> None:
    with answering(status, refusing("Whatever"), "text/xml") as url:
        assert desk.fails("mfa", "resync", *DEVICE, *PAIR, "--endpoint-url", url)[0] == exit_code


def test_what_others_wrote_stays_on_its_line_and_off_the_terminal_s_controls(desk: Desk) -> None:
    with answering(400, refusing("LimitExceeded", "One\n\ntwo \x9b31mthree"), "text/xml") as url:
        _, line = desk.fails("mfa", "resync", *DEVICE, *PAIR, "--endpoint-url", url)

    assert line == "Error: One two \N{REPLACEMENT CHARACTER}31mthree (LimitExceeded)"


def test_an_endpoint_that_is_no_url_is_a_usage_error(desk: Desk) -> None:
    assert desk.fails("mfa", "status", "--endpoint-url", "localhost:8700") == (
        Exit.USAGE,
        "Error: Invalid endpoint: localhost:8700",
    )


def test_a_serial_number_that_is_none_is_a_usage_error(desk: Desk) -> None:
    status, line = desk.fails("mfa", "resync", "--user-name", "Richard", "--serial", "x", *PAIR)

    assert status == Exit.USAGE
    assert "SerialNumber" in line


def test_a_role_that_asks_for_a_code_asks_nobody_in_a_script(desk: Desk) -> None:
    (desk.home / "config").write_text(
        "[profile richard]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = none\n"
        "[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = richard\n"
        "mfa_serial = arn:aws:iam::123456789012:mfa/RichardsMFA\n"
    )

    # In a session of its own, so that the terminal of whoever runs the tests is not asked.
    finished = subprocess.run(
        instep("mfa", "status", "--profile", "admin"),
        env=clean_environment(desk.home, AWS_CONFIG_FILE=str(desk.home / "config"), PYTHONPATH=str(ROOT / "src")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        start_new_session=True,
    )

    assert (finished.returncode, finished.stdout, finished.stderr) == (
        Exit.USAGE,
        "",
        "Error: The profile's role asks for an MFA code, and there is no terminal to ask at.\n",
    )


def listed(*serial_numbers: str, enabled: str = "<EnableDate>2026-11-24T12:00:00Z</EnableDate>") -> str:
    """A page of ListMFADevices; ResyncMFADevice and GetMFADevice, of which nothing is read, may have the same."""
    members = "".join(
        f"<member><UserName>Richard</UserName><SerialNumber>{one}</SerialNumber>{enabled}</member>" for one in serial_numbers
    )
    return (
        '<ListMFADevicesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetMFADeviceResult/><ListMFADevicesResult>'
        f"<IsTruncated>false</IsTruncated><MFADevices>{members}</MFADevices></ListMFADevicesResult>"
        "<ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></ListMFADevicesResponse>"
    )


def test_security_keys_are_passed_over_and_a_drift_is_told_only_where_the_service_tells_it(desk: Desk) -> None:
    key, token = "arn:aws:iam::123456789012:u2f/user/Richard/key-ABC", "ABCD12345678"
    with answering(200, listed(key, token), "text/xml") as url:
        by_aws = desk.type("mfa", "resync", "--user-name", "Richard", *PAIR, "--endpoint-url", url)
        in_json = desk.type("mfa", "resync", "--user-name", "Richard", *PAIR, "--endpoint-url", url, "--output", "json")

    assert (by_aws.exit_code, by_aws.output) == (0, "In step again.\n")
    assert json.loads(in_json.stdout) == {"user_name": "Richard", "serial_number": token, "drift_seconds": None}


@pytest.mark.parametrize(
    "enabled", ["", "<EnableDate/>", "<EnableDate>once</EnableDate>", f"<EnableDate>{'9' * 20}</EnableDate>"]
)
def test_a_device_that_was_never_enabled_is_no_answer_of_iam_s(desk: Desk, enabled: str) -> None:
    with answering(200, listed("ABCD12345678", enabled=enabled), "text/xml") as url:
        resync = desk.fails("mfa", "resync", "--user-name", "Richard", *PAIR, "--endpoint-url", url)
        status = desk.fails("mfa", "status", "--user-name", "Richard", "--endpoint-url", url)
        credentials = desk.fails("credentials", "--token-code", "123456", "--endpoint-url", url)

    missing = "Error: The service did not answer as IAM and STS do: EnableDate is missing."
    no_time = "Error: What answers there does not speak as IAM and STS do: check the endpoint's URL."
    assert {resync, status, credentials} == {(Exit.UNREACHABLE, no_time if enabled else missing)}


def empty(operation: str) -> str:
    return (
        f"<{operation}Response><{operation}Result></{operation}Result>"
        f"<ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></{operation}Response>"
    )


@pytest.mark.parametrize(
    ("operation", "words", "missing"),
    [
        ("GetCallerIdentity", ("mfa", "status"), "Arn"),
        ("ListMFADevices", ("mfa", "status", "--user-name", "Richard"), "MFADevices"),
        ("ListMFADevices", ("credentials", "--token-code", "123456"), "MFADevices"),
        ("GetSessionToken", ("credentials", "--token-code", "123456", "--serial-number", "ABCD12345678"), "Credentials"),
    ],
)
def test_what_is_missing_in_an_answer_is_told(desk: Desk, operation: str, words: tuple[str, ...], missing: str) -> None:
    with answering(200, empty(operation), "text/xml") as url:
        told = desk.fails(*words, "--endpoint-url", url)

    assert told == (Exit.UNREACHABLE, f"Error: The service did not answer as IAM and STS do: {missing} is missing.")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, empty("GetUser")),
        (200, empty("ListMFADevices").replace("<RequestId>x</RequestId>", "<RequestId>x</RequestId>" * 2)),
        (200, listed("ABCD12345678").replace("<SerialNumber>", "<SerialNumber>ABCD</SerialNumber><SerialNumber>")),
        (403, "<ErrorResponse><Error>No.</Error></ErrorResponse>"),
        (403, refusing("AccessDenied").replace("<Code>", "<Code>Never</Code><Code>")),
        (403, "<ErrorResponse><ResponseMetadata>x</ResponseMetadata></ErrorResponse>"),
    ],
    ids=["another-answer", "two-ids", "two-numbers", "a-text", "two-codes", "no-metadata"],
)
def test_an_answer_that_is_not_made_as_iam_s_is_told_in_one_line(desk: Desk, status: int, body: str) -> None:
    with answering(status, body, "text/xml") as url:
        told = [
            desk.fails(*words, "--user-name", "Richard", "--endpoint-url", url)
            for words in (("mfa", "resync", *PAIR), ("mfa", "status"))
        ]

    assert {code for code, _ in told} == {Exit.UNREACHABLE}


CREDENTIALS = {
    "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
    "SecretAccessKey": "none",
    "SessionToken": "none",
    "Expiration": "2126-11-24T12:00:00Z",
}


def given(credentials: Mapping[str, str]) -> str:
    """An answer of GetSessionToken."""
    members = "".join(f"<{name}>{value}</{name}>" for name, value in credentials.items())
    return (
        '<GetSessionTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetSessionTokenResult>'
        f"<Credentials>{members}</Credentials></GetSessionTokenResult>"
        "<ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></GetSessionTokenResponse>"
    )


@pytest.mark.parametrize("missing", CREDENTIALS)
def test_credentials_of_which_something_is_missing_are_none(desk: Desk, missing: str) -> None:
    with answering(200, given({name: value for name, value in CREDENTIALS.items() if name != missing}), "text/xml") as url:
        told = desk.fails("credentials", "--serial", "ABCD12345678", "--token-code", "123456", "--endpoint-url", url)

    assert told == (Exit.UNREACHABLE, f"Error: The service did not answer as IAM and STS do: {missing} is missing.")


def test_a_cache_folder_that_is_a_link_keeps_nobody_from_a_session(desk: Desk) -> None:
    elsewhere, link = desk.home / "elsewhere", desk.home / "cache" / "instep"
    for folder in (elsewhere, link.parent):
        folder.mkdir()
    elsewhere.chmod(0o755)
    link.symlink_to(elsewhere)

    with answering(200, given(CREDENTIALS), "text/xml") as url:
        told = desk.type("credentials", "--serial", "ABCD12345678", "--token-code", "123456", "--endpoint-url", url)

    assert (told.exit_code, json.loads(told.stdout)["AccessKeyId"]) == (0, CREDENTIALS["AccessKeyId"])
    assert told.stderr == f"The session could not be kept: {link} is a link.\n"
    assert list(elsewhere.iterdir()) == []
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o755


def test_who_has_only_security_keys_has_no_device_that_shows_codes(desk: Desk) -> None:
    with answering(200, listed("arn:aws:iam::123456789012:u2f/user/Richard/key-ABC"), "text/xml") as url:
        told = desk.fails("mfa", "resync", "--user-name", "Richard", *PAIR, "--endpoint-url", url)

    assert told == (Exit.WHICH_DEVICE, "Error: Richard has no device that shows codes.")


def test_a_profile_that_asks_itself_is_stopped(desk: Desk) -> None:
    desk.variables["INSTEP_CREDENTIAL_PROCESS"] = "1"

    assert desk.fails("credentials", "--token-code", "123456") == (
        Exit.USAGE,
        "Error: This profile's credential_process asks itself: say with --profile where the access key is.",
    )


@pytest.mark.parametrize(
    ("serial_number", "kind"),
    [
        ("arn:aws:iam::123456789012:mfa/RichardsMFA", Kind.VIRTUAL),
        ("arn:aws:iam::123456789012:u2f/user/Richard/key-ABC", Kind.SECURITY_KEY),
        ("ABCD12345678", Kind.HARDWARE),
    ],
)
def test_a_serial_number_tells_the_kind(serial_number: str, kind: Kind) -> None:
    assert Kind.of(serial_number) is kind


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "on time"),
        (-14, "on time"),
        (15, "15 s fast"),
        (-89, "89 s slow"),
        (90, "2 min fast"),
        (-1187, "20 min slow"),
        (-3598, "1 h slow"),
        (5400, "1 h 30 min fast"),
        (-86400 * 3 - 3600, "3 d 1 h slow"),
        (86399, "1 d fast"),
    ],
)
def test_a_drift_is_told_as_precisely_as_two_codes_know_it(seconds: int, words: str) -> None:
    assert rough_drift(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("-1187", -1187),
        ("2419200", 2419200),
        ("-2419200", -2419200),
        ("2419201", None),
        ("-2419201", None),
        ("9" * 20, None),
        ("9" * 5000, None),
        ("far", None),
        ("", None),
        (None, None),
    ],
)
def test_a_drift_is_told_where_the_service_tells_one_of_four_weeks_at_most(told: str | None, seconds: int | None) -> None:
    headers = {} if told is None else {"x-instep-drift-seconds": told}

    assert drift_seconds({"ResponseMetadata": {"HTTPHeaders": headers}}) == seconds


def test_a_drift_beyond_all_clocks_stops_no_command(desk: Desk) -> None:
    with answering(200, listed("ABCD12345678"), "text/xml", {"x-instep-drift-seconds": "9" * 20}) as url:
        resync = desk.type("mfa", "resync", "--user-name", "Richard", *PAIR, "--endpoint-url", url)
        status = desk.type("mfa", "status", "--user-name", "Richard", "--endpoint-url", url)

    assert (resync.exit_code, resync.output) == (0, "In step again.\n")
    assert (status.exit_code, status.stdout.split()[-1]) == (0, "-")
