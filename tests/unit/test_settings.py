"""Where settings come from, which of them wins, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.settings import Settings, SettingsError, describe, duration, keys, load, without_password, written


def write(folder: Path, text: str) -> Path:
    file = folder / "instep.toml"
    file.write_text(text, encoding="utf-8")
    return file


def origin_of(settings: Settings, key: str) -> str:
    return next(row.origin for row in describe(settings) if row.key == key)


def test_without_file_environment_or_flags_every_setting_has_its_default(tmp_path: Path) -> None:
    settings = load(data=tmp_path, environment={})

    assert settings == Settings.defaults(tmp_path)
    assert settings.totp.resync_ahead == timedelta(hours=24)
    assert settings.totp.resync_behind == timedelta(hours=1)
    assert settings.quotas.mfa_devices_per_user == 8


def test_file_environment_and_flags_win_in_this_order(tmp_path: Path) -> None:
    file = write(tmp_path, "[server]\nthreads = 2\nport = 8001\nhost = '0.0.0.0'\n")

    settings = load(
        data=tmp_path,
        environment={"INSTEP_SERVER__PORT": "8002", "INSTEP_SERVER__HOST": "::1"},
        flags={"server.port": 8003, "server.threads": None},
    )

    assert (settings.server.threads, settings.server.host, settings.server.port) == (2, "::1", 8003)
    assert origin_of(settings, "server.threads") == str(file)
    assert origin_of(settings, "server.host") == "INSTEP_SERVER__HOST"
    assert origin_of(settings, "server.port") == "--port"
    assert origin_of(settings, "server.public_url") == ""


def test_the_data_folder_comes_from_the_flag_then_the_environment_then_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert load(environment={}).data == tmp_path / "instep-data"
    assert load(environment={"INSTEP_DATA": "elsewhere"}).data == tmp_path / "elsewhere"
    assert load(data=Path("/srv/instep"), environment={"INSTEP_DATA": "elsewhere"}).data == Path("/srv/instep")


def test_what_depends_on_the_data_folder_and_the_port_is_filled_in(tmp_path: Path) -> None:
    settings = load(data=tmp_path, environment={"INSTEP_SERVER__PORT": "9000"})

    assert settings.server.public_url == "http://localhost:9000"
    assert settings.database.url == f"sqlite:///{tmp_path}/instep.db"
    assert settings.vault.key_file == tmp_path / "vault.key"


def test_a_key_file_is_found_from_the_data_folder_unless_its_path_is_absolute(tmp_path: Path) -> None:
    assert load(data=tmp_path, environment={"INSTEP_VAULT__KEY_FILE": "a/key"}).vault.key_file == tmp_path / "a/key"
    assert load(data=tmp_path, environment={"INSTEP_VAULT__KEY_FILE": "/run/key"}).vault.key_file == Path("/run/key")


def test_a_public_url_loses_its_last_slash(tmp_path: Path) -> None:
    settings = load(data=tmp_path, environment={"INSTEP_SERVER__PUBLIC_URL": "https://id.example.com/"})

    assert settings.server.public_url == "https://id.example.com"


def test_a_settings_file_elsewhere_is_read_when_named(tmp_path: Path) -> None:
    file = write(tmp_path, "[log]\nlevel = 'debug'\n")
    data = tmp_path / "data"

    assert load(data=data, config=file, environment={}).log.level == "debug"
    assert load(data=data, environment={"INSTEP_CONFIG": str(file)}).log.level == "debug"


def test_a_settings_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no settings file .*absent\.toml"):
        load(data=tmp_path, config=tmp_path / "absent.toml", environment={})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[server]\nprot = 1\n", r"server\.prot \(in .*instep\.toml\) is no setting\. Did you mean server\.port\?"),
        ("[sevrer]\nport = 1\n", r"sevrer \(in .*\) is no setting\. Did you mean server\?"),
        ("[clock]\noffset = 60\n", r"clock \(in .*\) is no setting\. Remove it"),
        ("server = 8700\n", r"server in .*: expected a table\. Write \[server\]"),
        ("[server]\nport = '8700'\n", r"server\.port \(in .*\): expected `int`, got `str`\. .* the default is 8700"),
        ("[server]\nport = true\n", r"server\.port \(in .*\): expected `int`, got `bool`"),
        ("[server]\nport = 70000\n", r"server\.port \(in .*\): expected `int` <= 65535"),
        ("[totp]\nresync_ahead = 24\n", r"totp\.resync_ahead \(in .*\): expected `str`, got `int`"),
        ("[totp]\nresync_ahead = '24 hours'\n", r"totp\.resync_ahead \(in .*\): expected a duration such as"),
        ("[throttle]\nfirst_wait = '1h'\n", r"throttle\.longest_wait: expected at least throttle\.first_wait"),
        ("[throttle]\nfree_misses = 101\n", r"throttle\.stop_after: expected at least throttle\.free_misses"),
        ("[server]\npublic_url = 'id.example.com'\n", r"server\.public_url: expected .* Mend it in .*instep\.toml"),
        ("[server]\npublic_url = 'https://id.example.com/instep'\n", r"server\.public_url: expected .*without a path"),
        ("[log]\nlevel = 'loud'\n", r"log\.level \(in .*\): invalid enum value 'loud'"),
        ("[server\n", r"The settings file .* is not TOML"),
    ],
)
def test_what_does_not_fit_stops_the_start_with_its_path_and_what_to_do(tmp_path: Path, text: str, sentence: str) -> None:
    write(tmp_path, text)

    with pytest.raises(SettingsError, match=sentence):
        load(data=tmp_path, environment={})


def test_a_file_that_is_not_utf_8_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "instep.toml").write_bytes(b"[log]\nlevel = '\xff'\n")

    with pytest.raises(SettingsError, match="not TOML in UTF-8"):
        load(data=tmp_path, environment={})


def test_a_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "instep.toml").mkdir()

    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(data=tmp_path, environment={})


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("INSTEP_SERVER__PORT", "eighty", r"server\.port \(in INSTEP_SERVER__PORT\): expected `int`"),
        ("INSTEP_SERVER__PROT", "80", r"server\.prot \(in INSTEP_SERVER__PROT\) is no setting"),
        ("INSTEP_SERVER_PORT", "80", r"INSTEP_SERVER_PORT is no setting\. Write INSTEP_SERVER__PORT"),
    ],
)
def test_a_variable_that_does_not_fit_stops_the_start(tmp_path: Path, variable: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load(data=tmp_path, environment={variable: value})


def test_other_variables_are_none_of_our_business(tmp_path: Path) -> None:
    assert load(data=tmp_path, environment={"INSTEP_TEST_AWS_V1": "aws", "HOME": "/root"}) == Settings.defaults(tmp_path)


def test_a_number_in_the_environment_may_have_a_fraction_where_the_setting_has(tmp_path: Path) -> None:
    assert load(data=tmp_path, environment={"INSTEP_TOTP__CRYSTAL_PPM": "2.5"}).totp.crystal_ppm == 2.5


def test_no_setting_moves_the_clock() -> None:
    assert [path for path in keys() if "clock" in path or "now" in path.split("_")] == []


def test_every_setting_says_what_it_means_and_keeps_its_default_when_written_out_and_read_back(tmp_path: Path) -> None:
    lines: dict[str, list[str]] = {}
    for key in keys().values():
        lines.setdefault(key.section, []).append(f"{key.name} = {written(key.default)}  # {key.meaning}\n")
    write(tmp_path, "".join(f"[{section}]\n{''.join(body)}" for section, body in lines.items()))

    settings = load(data=tmp_path, environment={})

    assert all(key.meaning for key in keys().values())
    assert [(row.key, row.value) for row in describe(settings)] == [
        (row.key, row.value) for row in describe(Settings.defaults(tmp_path))
    ]


def test_a_database_password_is_shown_nowhere(tmp_path: Path) -> None:
    settings = load(
        data=tmp_path, environment={"INSTEP_DATABASE__URL": "postgresql+psycopg://instep:hush@db/instep?password=hush"}
    )

    assert "hush" in settings.database.url
    assert "hush" not in repr(settings)
    assert not any("hush" in row.value for row in describe(settings))


def test_an_address_without_a_password_is_shown_as_it_is() -> None:
    assert without_password("sqlite:////srv/instep/instep.db") == "sqlite:////srv/instep/instep.db"
    assert without_password("postgresql+psycopg://db/instep") == "postgresql+psycopg://db/instep"


@given(days=st.integers(0, 400), hours=st.integers(0, 23), minutes=st.integers(0, 59), seconds=st.integers(1, 59))
def test_a_duration_is_read_as_it_iswritten(days: int, hours: int, minutes: int, seconds: int) -> None:
    given_duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

    assert duration(written(given_duration).strip('"')) == given_duration


@pytest.mark.parametrize("text", ["", "24", "h", "-1h", "1.5h", "1h 30m", "0s", "1y", "٣h", "9999999d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        duration(text)
