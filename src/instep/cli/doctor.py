"""`instep doctor`: what is wrong with an installation, and what to do about it."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator

import click

from instep.app import is_fresh
from instep.cli.folder import Folder, with_folder
from instep.cli.output import print_json, print_table, table_option
from instep.services.clock_check import Finding, check_clock
from instep.services.faults import Conflict, Fault
from instep.settings import Settings
from instep.storage import migrations
from instep.storage.vault import Vault

# Room for a day's audit events of a busy installation, and for the write-ahead log.
LEAST_FREE_BYTES = 256 * 1024 * 1024
_STATES = {True: "ok", False: "wrong", None: "unknown"}


@click.command()
@table_option
@with_folder
@click.pass_context
def doctor(ctx: click.Context, folder: Folder, output: str) -> None:
    """Check folder, key, schema, disk and clock.  Exit code 1 when something is wrong."""
    findings = list(examine(folder, folder.settings()))
    wrong = [finding for finding in findings if finding.fine is False]
    if output == "json":
        checks = [{"check": one.check, "state": _STATES[one.fine], "what": one.what, "advice": one.advice} for one in findings]
        print_json({"ok": not wrong, "checks": checks})
    else:
        print_table(("CHECK", "STATE", "FOUND"), [(one.check, _STATES[one.fine], one.what) for one in findings])
        for finding in wrong:
            click.echo(f"{finding.check}: {finding.what}. {finding.advice}".rstrip(), err=True)
    if wrong:
        ctx.exit(1)


def examine(folder: Folder, settings: Settings) -> Iterator[Finding]:
    """What can still be looked at is, whatever is wrong before it."""
    yield _data_folder(settings)
    if not settings.data.is_dir():
        return
    yield _disk(folder, settings)
    if is_fresh(settings):
        yield Finding("set-up", False, "nothing is set up in the data folder yet", "Run `instep up` or `instep init`.")
        return
    key = _tried("key file", f"{settings.vault.key_file} is there, for its owner alone", lambda: _vault(folder, settings))
    yield key
    if not key.fine:
        return
    schema = _tried(
        "database",
        "its schema is this version's, and the key is its own",
        lambda: migrations.check(settings.database.url, _vault(folder, settings)),
    )
    yield schema
    if schema.fine:
        yield from _clock(folder, settings)


def _vault(folder: Folder, settings: Settings) -> Vault:
    return Vault.from_key_file(settings.vault.key_file, folder.around.random)


def _tried(check: str, fine: str, work: Callable[[], object]) -> Finding:
    try:
        work()
    except (Conflict, Fault) as trouble:
        return Finding(check, False, str(trouble).rstrip("."))
    return Finding(check, True, fine)


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        return Finding("data folder", False, f"{folder}: {error.strerror}", "Name another with --data, or run `instep init`.")
    if mode & 0o077:
        return Finding("data folder", False, f"{folder} is open to others (mode {mode:04o})", f"Run: chmod 700 {folder}")
    return Finding("data folder", True, f"{folder} is its owner's alone")


def _disk(folder: Folder, settings: Settings) -> Finding:
    free = folder.around.free_space(settings.data)
    what = f"{free // (1024 * 1024)} MiB are free in the data folder"
    if free < LEAST_FREE_BYTES:
        advice = f"Free some: below {LEAST_FREE_BYTES // (1024 * 1024)} MiB a full disk is near, and then nothing can be changed."
        return Finding("disk space", False, what, advice)
    return Finding("disk space", True, what)


def _clock(folder: Folder, settings: Settings) -> list[Finding]:
    around = folder.around
    try:
        with folder.service_of(settings) as service:
            return service.store.read(
                lambda tx: check_clock(tx, service.vault, around.clock(), kept_right=around.clock_kept_right())
            )
    except (Conflict, Fault) as trouble:
        return [Finding("clock", False, str(trouble).rstrip("."))]
