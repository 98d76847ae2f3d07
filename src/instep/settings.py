"""Typed settings: defaults < instep.toml < environment < flags; one frozen object, read once and handed down.

A key is `section.name`: `[section] name = …` in the file, `INSTEP_SECTION__NAME` in the environment.  What is not known or does
not fit stops the start with the key's path.  No setting moves the clock of a served product.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

FILE_NAME = "instep.toml"
DATA_VARIABLE = "INSTEP_DATA"
CONFIG_VARIABLE = "INSTEP_CONFIG"
PREFIX = "INSTEP_"
DEFAULT_DATA = Path("instep-data")

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_PASSWORD_IN_URL = re.compile(r"(://[^:/?#@]*:).*@")
_PASSWORD_IN_QUERY = re.compile(r"(password=)[^&]*", re.IGNORECASE)


class SettingsError(Exception):
    """A setting that is not known or does not fit; the sentence says where it stands and what to do."""


class Server(Struct, frozen=True, kw_only=True):
    host: Annotated[str, Meta(min_length=1, description="address to listen on; 0.0.0.0 listens on all")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="port to listen on")] = 8700
    public_url: Annotated[str, Meta(description="address people and clients use; by default http://localhost:PORT")] = ""
    threads: Annotated[int, Meta(ge=1, le=1024, description="requests heard at the same time; slow senders each hold one")] = 4

    def __post_init__(self) -> None:
        """Raises ValueError when `public_url` is not the address of a whole site."""
        if not self.public_url:
            return
        url = urlsplit(self.public_url)
        if (
            url.scheme not in ("http", "https")
            or not url.hostname
            or url.path.strip("/")
            or url.query
            or url.fragment
            or url.username
        ):
            raise ValueError('server.public_url: expected "https://HOST" or "https://HOST:PORT", without a path')


class Database(Struct, frozen=True, kw_only=True):
    url: Annotated[str, Meta(description="where the data lie; by default SQLite, instep.db in the data folder")] = ""

    def __repr__(self) -> str:
        return f"Database(url={without_password(self.url)!r})"


class Vault(Struct, frozen=True, kw_only=True):
    key_file: Annotated[
        Path,
        Meta(description="file with the key that seals seeds and secrets; by default vault.key; relative to the data folder"),
    ] = Path()


class Totp(Struct, frozen=True, kw_only=True):
    sign_in_window: Annotated[
        int, Meta(ge=0, le=10, description="time steps either side of the learned drift that one code may show")
    ] = 1
    late_pair_behind: Annotated[
        int, Meta(ge=0, le=20, description="time steps behind, until a code confirms a pair that may have been typed late")
    ] = 2
    late_pair_ahead: Annotated[int, Meta(ge=0, le=60, description="time steps ahead, likewise")] = 10
    late_pair_allowance: Annotated[timedelta, Meta(description="how long after a pair that wider reach lasts at most")] = (
        timedelta(hours=24)
    )
    resync_ahead: Annotated[timedelta, Meta(description="how far fast a clock may be when its owner resynchronizes it")] = (
        timedelta(hours=24)
    )
    resync_behind: Annotated[timedelta, Meta(description="how far slow, likewise; codes seen by others must not live long")] = (
        timedelta(hours=1)
    )
    administrator_reach: Annotated[
        timedelta, Meta(description="how far off, either way, when someone else resynchronizes it or it is being enabled")
    ] = timedelta(hours=24)
    unused_hardware_reach: Annotated[
        timedelta, Meta(description="how far off, either way, a hardware token never used before")
    ] = timedelta(days=7)
    owner_steps_behind_accepted: Annotated[
        int,
        Meta(ge=0, description="time steps an owner's resync may lie behind the newest accepted one; beyond, an administrator's"),
    ] = 10
    repeat_within: Annotated[
        timedelta, Meta(description="how long the same pair sent again by the same key has the same success")
    ] = timedelta(minutes=3)
    crystal_ppm: Annotated[
        float, Meta(ge=0, le=1000, description="how fast an unknown hardware clock is taken to wander, parts per million")
    ] = 20.0


class Throttle(Struct, frozen=True, kw_only=True):
    free_misses: Annotated[int, Meta(ge=1, description="consecutive wrong codes of a device before it has to wait")] = 5
    first_wait: Annotated[timedelta, Meta(description="the first wait; each further wrong code doubles it")] = timedelta(
        seconds=30
    )
    longest_wait: Annotated[timedelta, Meta(description="the longest wait")] = timedelta(minutes=15)
    stop_after: Annotated[
        int, Meta(ge=1, description="consecutive wrong codes that stop the device until an administrator's resync")
    ] = 100
    failed_pairs_per_hour: Annotated[int, Meta(ge=1, description="refused pairs of a device an hour, owner and others apart")] = (
        10
    )
    failed_pairs_per_day: Annotated[int, Meta(ge=1, description="refused pairs of a device a day, likewise")] = 30

    def __post_init__(self) -> None:
        """Raises ValueError when the limits contradict one another."""
        if self.longest_wait < self.first_wait:
            raise ValueError("throttle.longest_wait: expected at least throttle.first_wait")
        if self.stop_after < self.free_misses:
            raise ValueError("throttle.stop_after: expected at least throttle.free_misses")


class Signin(Struct, frozen=True, kw_only=True):
    password_ok: Annotated[
        timedelta, Meta(description="how long the right password waits for its MFA code, or to be changed where it has to be")
    ] = timedelta(minutes=5)
    session: Annotated[timedelta, Meta(description="how long a console session lasts at most")] = timedelta(hours=12)
    idle: Annotated[timedelta, Meta(description="how long a console session lasts without a request")] = timedelta(hours=1)
    remember_code: Annotated[
        timedelta, Meta(description="how long a refused code and its successor, typed next, sign in together")
    ] = timedelta(minutes=3)
    successor_reach: Annotated[
        int, Meta(ge=0, le=120, description="time steps either way of the learned drift that such two codes may show")
    ] = 20
    password_failures: Annotated[
        int, Meta(ge=1, description="wrong passwords for a name, or from an address, from which on the next has to wait")
    ] = 5
    password_failures_within: Annotated[timedelta, Meta(description="how long a wrong password counts")] = timedelta(minutes=5)
    longest_password_wait: Annotated[timedelta, Meta(description="the longest wait after wrong passwords")] = timedelta(
        minutes=15
    )


class Audit(Struct, frozen=True, kw_only=True):
    retention: Annotated[timedelta, Meta(description="how long audit events are kept")] = timedelta(days=400)
    queue_length: Annotated[int, Meta(ge=1, description="events of successful reads that may wait to be written")] = 10_000


class Quotas(Struct, frozen=True, kw_only=True):
    users: Annotated[int, Meta(ge=1, description="users of an account")] = 5000
    mfa_devices_per_user: Annotated[int, Meta(ge=1, description="MFA devices of a user")] = 8
    access_keys_per_user: Annotated[int, Meta(ge=1, description="access keys of a user")] = 2
    groups: Annotated[int, Meta(ge=1, description="groups of an account")] = 300
    groups_per_user: Annotated[int, Meta(ge=1, description="groups that a user is in")] = 10
    user_policy_size: Annotated[
        int, Meta(ge=1, description="characters of all of a user's inline policies, not counting white space")
    ] = 2048
    group_policy_size: Annotated[
        int, Meta(ge=1, description="characters of all of a group's inline policies, not counting white space")
    ] = 5120
    role_policy_size: Annotated[
        int, Meta(ge=1, description="characters of all of a role's inline policies, not counting white space")
    ] = 10240
    policies_per_user: Annotated[int, Meta(ge=1, description="managed policies attached to a user")] = 10
    policies_per_group: Annotated[int, Meta(ge=1, description="managed policies attached to a group")] = 10
    policies_per_role: Annotated[int, Meta(ge=1, description="managed policies attached to a role")] = 10
    policies: Annotated[int, Meta(ge=1, description="managed policies of an account's own")] = 1500
    policy_size: Annotated[int, Meta(ge=1, description="characters of a managed policy, not counting white space")] = 6144
    versions_per_policy: Annotated[int, Meta(ge=1, description="versions of a managed policy")] = 5
    roles: Annotated[int, Meta(ge=1, description="roles of an account")] = 1000
    trust_policy_size: Annotated[int, Meta(ge=1, description="characters of a role's trust policy, not counting white space")] = (
        2048
    )


class Log(Struct, frozen=True, kw_only=True):
    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="the least serious lines that are written")
    ] = "info"


class Settings(Struct, frozen=True, kw_only=True):
    """What is in force.  Empty defaults that depend on others (`public_url`, `url`, `key_file`) are filled in.

    `data` is the data folder, absolute; `origins` says for each key that was set where: a file, a variable or a flag.
    """

    data: Path
    server: Server = Server()
    database: Database = Database()
    vault: Vault = Vault()
    totp: Totp = Totp()
    throttle: Throttle = Throttle()
    signin: Signin = Signin()
    audit: Audit = Audit()
    quotas: Quotas = Quotas()
    log: Log = Log()
    origins: Mapping[str, str] = MappingProxyType({})

    @classmethod
    def defaults(cls, data: Path = DEFAULT_DATA) -> Self:
        """Every default, for a service composed without file, environment or flags."""
        return cls(data=data)

    def __post_init__(self) -> None:
        data = self.data.absolute()
        public_url = self.server.public_url.rstrip("/") or f"http://localhost:{self.server.port}"
        url = self.database.url or f"sqlite:///{data / 'instep.db'}"
        key_file = data / (self.vault.key_file if self.vault.key_file.name else "vault.key")
        put = msgspec.structs.force_setattr
        put(self, "data", data)
        put(self, "server", msgspec.structs.replace(self.server, public_url=public_url))
        put(self, "database", msgspec.structs.replace(self.database, url=url))
        put(self, "vault", msgspec.structs.replace(self.vault, key_file=key_file))


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its section and name, type, default and what it means."""

    section: str
    name: str
    type: Any
    default: Any
    meaning: str

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        return f"{PREFIX}{self.section}__{self.name}".upper()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `instep settings`.  `value` is written as in instep.toml, passwords left out; `origin`: "" for a default."""

    key: str
    value: str
    origin: str
    meaning: str


def load(
    *,
    data: Path | None = None,
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Settings:
    """The settings in force.

    `data` and `config` are what --data and --config say; `environment` is the process's own when not given; `flags` maps a
    key's path, as "server.port", to its value, with None for a flag not given.  Raises SettingsError.
    """
    environment = os.environ if environment is None else environment
    data = data or Path(environment.get(DATA_VARIABLE) or DEFAULT_DATA)
    values: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    for path, raw, origin in (*_from_file(data, config, environment), *_from_environment(environment), *_from_flags(flags or {})):
        key = _known(path, origin)
        values.setdefault(key.section, {})[key.name] = _read(key, raw, origin)
        origins[path] = origin
    try:
        sections: dict[str, Any] = {name: kind(**values.get(name, {})) for name, kind in _sections().items()}
    except ValueError as error:
        path = str(error).partition(":")[0]
        raise SettingsError(f"{error}. Mend it in {origins.get(path, 'the settings')}.") from None
    return Settings(data=data, origins=MappingProxyType(origins), **sections)


def describe(settings: Settings) -> list[Row]:
    """Every setting with its value in force, where that comes from, and what it means."""
    rows = [Row("data", written(settings.data), "", f"the data folder; a flag or {DATA_VARIABLE}, never in the file")]
    for key in keys().values():
        value = written(getattr(getattr(settings, key.section), key.name))
        rows.append(Row(key.path, value, settings.origins.get(key.path, ""), key.meaning))
    return rows


def without_password(url: str) -> str:
    """A database's address as it may be shown."""
    return _PASSWORD_IN_QUERY.sub(r"\1***", _PASSWORD_IN_URL.sub(r"\1***@", url))


def duration(text: str, *, signed: bool = False) -> timedelta:
    """`90s`, `20m`, `24h`, `7d` or `1h30m`; when `signed`, also `-20m`, `+45s` and `0`.  Raises ValueError."""
    sign = text[:1] if signed and text.startswith(("+", "-")) else ""
    length = text.removeprefix(sign)
    if signed and length == "0":
        return timedelta()
    parts = re.findall(r"([0-9]{1,6})([wdhms])", length)
    if not parts or "".join(number + unit for number, unit in parts) != length:
        raise ValueError('expected a duration such as "90s", "20m", "24h" or "7d"')
    try:
        total = sum((int(number) * _UNITS[unit] for number, unit in parts), timedelta())
    except OverflowError:
        raise ValueError("expected a duration that ends") from None
    if not total and not signed:
        raise ValueError("expected a duration longer than nothing")
    return -total if sign == "-" else total


@cache
def _sections() -> Mapping[str, type[Struct]]:
    hints = typing.get_type_hints(Settings)
    return {name: kind for name, kind in hints.items() if isinstance(kind, type) and issubclass(kind, Struct)}


@cache
def keys() -> Mapping[str, Key]:
    """Every setting by its path."""
    found = {}
    for section, kind in _sections().items():
        for name, hint in typing.get_type_hints(kind, include_extras=True).items():
            meta = typing.get_args(hint)[1]
            key = Key(section, name, hint, getattr(kind(), name), meta.description)
            found[key.path] = key
    return found


def _from_file(data: Path, config: Path | None, environment: Mapping[str, str]) -> Iterator[tuple[str, object, str]]:
    named = config or (Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None)
    file = named or data / FILE_NAME
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named is None:
            return
        raise SettingsError(f"There is no settings file {file}. Correct --config or {CONFIG_VARIABLE}.") from None
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {file} is not TOML in UTF-8: {error}. Mend it there.") from None
    for section, entries in document.items():
        if section not in _sections():
            _unknown(section, str(file), _sections())
        if not isinstance(entries, dict):
            raise SettingsError(
                f"{section} in {file}: expected a table. Write [{section}] on a line of its own, and its keys below."
            )
        for name, raw in entries.items():
            yield f"{section}.{name}", raw, str(file)


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, object, str]]:
    # One underscore where two belong would else go unnoticed.
    near_misses = {key.variable.replace("__", "_"): key.variable for key in keys().values()}
    for variable, raw in sorted(environment.items()):
        if variable.startswith(PREFIX) and "__" in variable:
            section, _, name = variable.removeprefix(PREFIX).partition("__")
            yield f"{section}.{name}".lower(), raw, variable
        elif variable in near_misses:
            raise SettingsError(f"{variable} is no setting. Write {near_misses[variable]}, or unset it.")


def _from_flags(flags: Mapping[str, object]) -> Iterator[tuple[str, object, str]]:
    for path, raw in flags.items():
        if raw is not None:
            yield path, raw, f"--{path.partition('.')[2].replace('_', '-')}"


def _known(path: str, origin: str) -> Key:
    return keys().get(path) or _unknown(path, origin, keys())


def _unknown(path: str, origin: str, known: Mapping[str, object]) -> typing.NoReturn:
    near = difflib.get_close_matches(path, known, n=1)
    advice = f"Did you mean {near[0]}?" if near else "Remove it; `instep settings` lists what there is."
    raise SettingsError(f"{path} (in {origin}) is no setting. {advice}")


def _read(key: Key, raw: object, origin: str) -> Any:
    """`raw` in the type of `key`.  Raises SettingsError."""
    kind = typing.get_args(key.type)[0]
    from_text = origin == key.variable
    try:
        if kind is timedelta:
            if isinstance(raw, timedelta):
                return raw
            return duration(msgspec.convert(raw, str))
        if kind is Path:
            return Path(msgspec.convert(str(raw) if isinstance(raw, Path) else raw, str))
        # A variable is text whatever it means; a file says 8700 or "8700", and only the one is a number.
        return msgspec.convert(raw, key.type, strict=not from_text)
    except ValueError as error:
        default = f"the default is {written(key.default)}" if key.default not in ("", Path()) else "there is a default"
        wrong = str(error)[:1].lower() + str(error)[1:]
        raise SettingsError(f"{key.path} (in {origin}): {wrong}. Mend it, or remove it: {default}.") from None


def written(value: object) -> str:
    """`value` as it is written in instep.toml."""
    if isinstance(value, timedelta):
        return f'"{_shortest(value)}"'
    if isinstance(value, str | Path):
        escaped = without_password(str(value)).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def _shortest(value: timedelta) -> str:
    parts = []
    for unit in "dhms":
        number, value = divmod(value, _UNITS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"
