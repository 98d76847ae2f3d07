"""`instep device`, as typed."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import segno
from click.testing import CliRunner, Result
from PIL import Image

from instep.cli.folder import Surroundings
from instep.cli.main import commands
from instep.cli.output import describe_drift
from instep.cli.qr import LARGEST_IMAGE_FILE
from instep.domain.totp import Algorithm, Token

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOKEN = Token(b"a seed that is no secret")
ADDRESS = TOKEN.uri("RichardsMFA@example", issuer="instep")


@dataclass
class Desk:
    """A data folder, and a clock that stands still until somebody pauses."""

    data: Path
    now: datetime = NOON
    pauses: list[float] = field(default_factory=list)
    patience: int = 0

    def pause(self, seconds: float) -> None:
        if len(self.pauses) == self.patience:
            raise KeyboardInterrupt
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)

    def run(self, *arguments: str, typed: str | bytes | None = None) -> Result:
        around = Surroundings(clock=lambda: self.now, pause=self.pause)
        command, *others = arguments
        words = ["device", command, "--data", str(self.data), *others]
        return CliRunner().invoke(commands, words, obj=around, input=typed)

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in (self.data / "devices").glob("*"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "data")


@pytest.fixture
def phone(desk: Desk) -> Desk:
    """A desk with the device `phone`, twenty minutes slow."""
    assert desk.run("new", "phone", "--secret", TOKEN.base32, "--drift", "-20m").exit_code == 0
    return desk


def test_a_new_device_shows_the_codes_of_its_own_time(phone: Desk) -> None:
    slow = TOKEN.time_step(NOON) - 40

    assert phone.run("code", "phone").output == f"{TOKEN.code(slow)}  30 s left\n"
    assert phone.run("code", "phone", "--next").output == f"{TOKEN.code(slow + 1)}  60 s left, shown in 30 s\n"


def test_a_code_is_also_given_as_json(phone: Desk) -> None:
    phone.now += timedelta(seconds=12)
    slow = TOKEN.time_step(NOON) - 40

    assert json.loads(phone.run("code", "phone", "--output", "json").output) == {
        "code": TOKEN.code(slow),
        "seconds_left": 18,
        "starts_in": 0,
    }
    assert json.loads(phone.run("code", "phone", "--next", "--output", "json").output) == {
        "code": TOKEN.code(slow + 1),
        "seconds_left": 48,
        "starts_in": 18,
    }


def test_making_a_device_says_what_was_made_and_not_its_seed(desk: Desk) -> None:
    result = desk.run("new", "phone", "--secret", TOKEN.base32, "--drift", "-1h30m", "--period", "60", "--algorithm", "sha256")

    assert result.output == "Device phone is ready: 1 hour 30 minutes slow, a new code every 60 seconds.\n"
    assert desk.run("code", "phone").output.startswith(
        Token(TOKEN.seed, Algorithm.SHA256, 60).code(Token(TOKEN.seed, period=60).time_step(NOON) - 90)
    )


def test_a_device_s_file_is_for_its_owner_s_eyes_only_and_nothing_else_is_left(phone: Desk) -> None:
    folder = phone.data / "devices"

    assert stat.S_IMODE(phone.data.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "phone.json").stat().st_mode) == 0o600
    assert phone.files == ["phone.json"]


def test_a_folder_that_was_open_to_all_is_closed(desk: Desk) -> None:
    folder = desk.data / "devices"
    folder.mkdir(parents=True)
    folder.chmod(0o755)

    desk.run("new", "phone", "--secret", TOKEN.base32)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("written", [f"{TOKEN.base32}\n", ADDRESS, f"  {ADDRESS.replace('otpauth', 'OTPAUTH')}\n"])
def test_a_seed_comes_from_standard_input_or_a_file(desk: Desk, tmp_path: Path, written: str) -> None:
    (tmp_path / "seed.txt").write_text(written)

    assert desk.run("new", "typed", "--secret-file", "-", typed=written).exit_code == 0
    assert desk.run("new", "read", "--secret-file", str(tmp_path / "seed.txt")).exit_code == 0

    now = TOKEN.code(TOKEN.time_step(NOON))
    assert desk.run("code", "typed").output[:6] == desk.run("code", "read").output[:6] == now


def test_a_device_is_made_from_an_address(desk: Desk) -> None:
    assert desk.run("new", "phone", "--uri", ADDRESS).exit_code == 0
    assert desk.run("code", "phone").output[:6] == TOKEN.code(TOKEN.time_step(NOON))


def picture(*texts: str, kind: str = "png", mode: str = "RGB") -> bytes:
    """QR codes beside one another, as on a screen."""
    images = []
    for text in texts:
        drawn = io.BytesIO()
        segno.make_qr(text).save(drawn, kind="png", scale=5)
        images.append(Image.open(drawn).convert(mode))
    whole = Image.new(mode, (sum(one.width for one in images) + 40, max(one.height for one in images) + 40), "white")
    left = 20
    for one in images:
        whole.paste(one, (left, 20))
        left += one.width
    out = io.BytesIO()
    whole.save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "mode"), [("png", "RGB"), ("png", "1"), ("png", "RGBA"), ("jpeg", "RGB")])
def test_a_device_is_made_from_a_picture_of_a_qr_code(desk: Desk, tmp_path: Path, kind: str, mode: str) -> None:
    (tmp_path / "qr").write_bytes(picture(ADDRESS, kind=kind, mode=mode))

    assert desk.run("new", "phone", "--qr", str(tmp_path / "qr")).exit_code == 0
    assert desk.run("code", "phone").output[:6] == TOKEN.code(TOKEN.time_step(NOON))


def test_the_address_is_found_beside_another_qr_code(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "qr.png").write_bytes(picture("https://example.com/", ADDRESS))

    assert desk.run("new", "phone", "--qr", str(tmp_path / "qr.png")).exit_code == 0


def _blank(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("1", (width, height), 1).save(out, "png")
    return out.getvalue()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: _blank(300, 300), "no QR code"),
        (lambda: picture("https://example.com/"), "does not hold an otpauth address"),
        (lambda: picture(ADDRESS, ADDRESS.replace("RichardsMFA", "Other")), "several otpauth addresses"),
        (lambda: picture(ADDRESS)[:700], "damaged"),
        (lambda: b"GIF89a", "not a PNG or JPEG"),
        pytest.param(lambda: b"", "not a PNG or JPEG", id="empty"),
        pytest.param(lambda: _blank(8000, 8000), "50 million pixels", id="large"),
        pytest.param(lambda: _blank(10_000, 10_000), "50 million pixels", id="so large that Pillow warns"),
        pytest.param(lambda: _blank(14_000, 14_000), "50 million pixels", id="so large that Pillow refuses"),
        (lambda: bytes(LARGEST_IMAGE_FILE + 1), "larger than 16 MiB"),
        (lambda: picture(TOKEN.uri("x", issuer="y") + "&digits=8"), "six digits"),
    ],
)
def test_a_picture_that_gives_no_device_is_refused_with_the_reason(
    desk: Desk, tmp_path: Path, make: Callable[[], bytes], reason: str
) -> None:
    (tmp_path / "qr.png").write_bytes(make())

    refusal(desk.run("new", "phone", "--qr", str(tmp_path / "qr.png")), reason)
    assert desk.files == []


def refusal(result: Result, reason: str) -> None:
    """One line on standard error that says why, and a status that scripts see."""
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    assert reason in result.stderr
    assert result.stdout == ""
    assert TOKEN.base32 not in result.stderr


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../phone", "a/b", "a\\b", ".phone", "-phone", "a b", "é", "a\n", "x" * 129, "con:", "a*"]
)
def test_a_name_unfit_for_a_file_is_refused(desk: Desk, name: str) -> None:
    refusal(desk.run("new", "--secret", TOKEN.base32, "--", name), "A device's name has")
    refusal(desk.run("code", "--", name), "A device's name has")
    refusal(desk.run("drift", "--", name, "5s"), "A device's name has")
    assert not desk.data.exists()


@pytest.mark.parametrize("name", ["RichardsMFA", "root-account-mfa-device@123456789012", "a+b=c,d.e_f", "x" * 128])
def test_the_names_aws_allows_are_taken(desk: Desk, name: str) -> None:
    assert desk.run("new", name, "--secret", TOKEN.base32).exit_code == 0
    assert desk.run("code", name).exit_code == 0


def test_a_device_is_not_made_twice(phone: Desk) -> None:
    refusal(phone.run("new", "phone", "--secret", "MFRGGZDFMZTWQ2LK"), "a practice device phone already")
    assert phone.run("code", "phone").output[:6] == TOKEN.code(TOKEN.time_step(NOON) - 40)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "Give one of"),
        (["--secret", TOKEN.base32, "--uri", ADDRESS], "Give one of"),
        (["--uri", ADDRESS, "--period", "60"], "its own period"),
        (["--uri", ADDRESS, "--algorithm", "SHA1"], "its own period"),
        (["--uri", "https://example.com"], "not an otpauth address"),
        (["--uri", "otpauth://hotp/x?secret=MFRGGZDFMZTWQ2LK"], "HOTP"),
        (["--secret", "0189"], "not base32"),
        (["--secret", "AAAA"], "10 to 256 bytes"),
        (["--secret", TOKEN.base32, "--period", "45"], "45"),
        (["--secret", TOKEN.base32, "--algorithm", "MD5"], "MD5"),
        (["--secret", TOKEN.base32, "--drift", "twenty"], "no length of time"),
        (["--secret", TOKEN.base32, "--drift", "-20"], "no length of time"),
        (["--secret", TOKEN.base32, "--drift", "４m"], "no length of time"),
        (["--secret", TOKEN.base32, "--drift", "99999d"], "ten years"),
        (["--secret", TOKEN.base32, "--drift", "9" * 400 + "d"], "no length of time"),
        (["--secret", TOKEN.base32, "--drift", "999999w" * 400], "no length of time"),
        (["--secret", TOKEN.base32, "--drift", "--20m"], "no length of time"),
        (["--secret", TOKEN.base32, "--drift", ""], "no length of time"),
        (["--qr", "/nowhere/qr.png"], "/nowhere/qr.png"),
        (["--secret-file", "/nowhere/seed"], "/nowhere/seed"),
    ],
)
def test_what_makes_no_device_is_refused_with_the_reason(desk: Desk, arguments: list[str], reason: str) -> None:
    refusal(desk.run("new", "phone", *arguments), reason)
    assert not desk.data.exists()


@pytest.mark.parametrize(("typed", "reason"), [(b"x" * 5000, "at most 4096"), (b"\xff\xfe", "not text"), (b"", "has 0")])
def test_standard_input_without_a_seed_is_refused(desk: Desk, typed: bytes, reason: str) -> None:
    refusal(desk.run("new", "phone", "--secret-file", "-", typed=typed), reason)


@pytest.mark.parametrize(
    ("drift", "steps"),
    [("-20m", -40), ("+45s", 1), ("1h30m", 180), ("0", 0), ("-0", 0), ("0s", 0), ("-1w", -20160), ("1d", 2880), ("-1d1h", -3000)],
)
def test_a_device_may_wander(phone: Desk, drift: str, steps: int) -> None:
    assert phone.run("drift", "phone", drift).exit_code == 0
    assert phone.run("code", "phone").output[:6] == TOKEN.code(TOKEN.time_step(NOON) + steps)
    assert stat.S_IMODE((phone.data / "devices" / "phone.json").stat().st_mode) == 0o600


def test_wandering_is_told_in_words(phone: Desk) -> None:
    assert phone.run("drift", "phone", "-1d2h3m4s").output == "Device phone is 1 day 2 hours 3 minutes 4 seconds slow now.\n"
    assert phone.run("drift", "phone", "90s").output == "Device phone is 1 minute 30 seconds fast now.\n"
    assert phone.run("drift", "phone", "0").output == "Device phone is on time now.\n"
    assert describe_drift(timedelta(milliseconds=-1)) == "on time"


def test_the_list_names_each_device_and_no_seed(phone: Desk) -> None:
    phone.run("new", "fob", "--secret", "MFRGGZDFMZTWQ2LK", "--period", "60")
    (phone.data / "devices" / "notes.txt").write_text("something of the owner's")

    assert phone.run("list").output == "fob  SHA1, 60 s, on time\nphone  SHA1, 30 s, 20 minutes slow\n"


def test_an_empty_list_says_how_to_begin(desk: Desk) -> None:
    assert "instep device new NAME" in desk.run("list").output
    assert not desk.data.exists()


def test_a_device_that_is_not_there_is_refused(desk: Desk) -> None:
    for command in (["code", "phone"], ["drift", "phone", "5s"], ["watch", "phone"]):
        refusal(desk.run(*command), "no practice device phone")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"version": 9}', b'{"version": 1}'])
def test_a_damaged_file_is_told_in_one_line(phone: Desk, content: bytes) -> None:
    (phone.data / "devices" / "phone.json").write_bytes(content)

    refusal(phone.run("code", "phone"), "practice device")


def test_a_data_folder_that_is_a_file_is_told_in_one_line(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "devices").write_text("")

    refusal(desk.run("new", "phone", "--secret", TOKEN.base32), "devices")


def test_watching_prints_each_code_once_and_ends_with_ctrl_c(phone: Desk) -> None:
    phone.now += timedelta(seconds=0.25)
    phone.patience = 61
    slow = TOKEN.time_step(NOON) - 40

    result = phone.run("watch", "phone")

    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"{TOKEN.code(slow)}  30 s left",
        f"{TOKEN.code(slow + 1)}  30 s left",
        f"{TOKEN.code(slow + 2)}  30 s left",
        "",
    ]
    # It looks at the device's full seconds.
    assert phone.pauses[:3] == [0.75, 1.0, 1.0]


def test_the_data_folder_comes_from_the_environment_too(phone: Desk) -> None:
    result = CliRunner().invoke(commands, ["device", "list"], env={"INSTEP_DATA": str(phone.data)})

    assert result.output == "phone  SHA1, 30 s, 20 minutes slow\n"


def test_without_another_clock_the_time_is_now(phone: Desk) -> None:
    before = datetime.now(UTC)
    phone.run("drift", "phone", "0")
    shown = CliRunner().invoke(commands, ["device", "code", "phone", "--data", str(phone.data)]).output[:6]
    after = datetime.now(UTC)

    assert shown in {TOKEN.code(TOKEN.time_step(before)), TOKEN.code(TOKEN.time_step(after))}


def test_help_warns_that_arguments_are_seen_by_others(desk: Desk) -> None:
    text = desk.run("new", "--help").output

    assert "--secret-file" in text
    assert "ps" in text
