"""`instep up`, `init` and `serve`: set up what is missing, and serve."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import click
import structlog

from instep.app import configure_logs
from instep.cli.accounts import account_id_option, alias_option, root_email_option
from instep.cli.folder import Folder, with_folder
from instep.cli.output import output_option, print_json
from instep.cli.set_up import Installation, Wishes, set_up, survey
from instep.services.clock_check import check_clock
from instep.settings import CONFIG_VARIABLE, DATA_VARIABLE, Settings, keys

demo_option = click.option(
    "--demo", is_flag=True, help="The first account is an example, with a user whose device is 20 minutes slow."
)
port_option = click.option("--port", type=int, help="Port to listen on.  [default: 8700]")
host_option = click.option("--host", help="Address to listen on; 0.0.0.0 listens on all.  [default: 127.0.0.1]")


@click.command()
@demo_option
@account_id_option
@alias_option
@root_email_option
@port_option
@host_option
@output_option
@with_folder
def up(
    folder: Folder,
    demo: bool,
    account_id: str | None,
    alias: str | None,
    root_email: str | None,
    port: int | None,
    host: str | None,
    output: str,
) -> None:
    """Set up what is missing (keys, schema, first account), and serve.

    The first account's secrets are shown once, as soon as the service answers.  Run again it only serves.
    """
    settings = folder.settings(server_port=port, server_host=host)
    with _interruptible():
        _serve(folder, settings, output, Wishes(account_id, alias, root_email, demo))


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and a closed terminal end the set-up as Ctrl-C does, so that secrets made already are still shown."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.command()
@demo_option
@account_id_option
@alias_option
@root_email_option
@output_option
@with_folder
def init(folder: Folder, demo: bool, account_id: str | None, alias: str | None, root_email: str | None, output: str) -> None:
    """Set up as `up` does, without serving."""
    found = Installation()
    try:
        set_up(folder, folder.settings(), Wishes(account_id, alias, root_email, demo), found)
    finally:
        if output == "json" and found.account_ids:
            print_json(found.facts(None))
        elif found.made is not None:
            _show_secrets(found, output)


@click.command()
@port_option
@host_option
@output_option
@with_folder
def serve(folder: Folder, port: int | None, host: str | None, output: str) -> None:
    """Serve a data folder that is set up."""
    _serve(folder, folder.settings(server_port=port, server_host=host), output, None)


def _serve(folder: Folder, settings: Settings, output: str, wishes: Wishes | None) -> None:
    # Imported here: no other command needs the server, and it takes longer to load than most take to run.
    from instep.cli import serving  # noqa: PLC0415

    address = serving.listening_address(settings.server.host, settings.server.port)
    configure_logs(settings)
    found = Installation()
    shown = False

    def ready() -> None:
        nonlocal shown
        url = serving.endpoint(settings)
        if output == "json":
            print_json(found.facts(url))
        else:
            click.echo("\n".join(found.lines(url, folder.around.clock())))
        shown = True

    try:
        if wishes is not None:
            set_up(folder, settings, wishes, found)
        _look_around(folder, settings, found)
        serving.serve(settings, address, worker_environment(folder, settings), ready)
    finally:
        if not shown and found.made is not None:
            # It never answered, but the account is made, and nobody can ask for its secrets again.
            _show_secrets(found, output)


def _show_secrets(found: Installation, output: str) -> None:
    if found.made is None:
        return
    if output == "json":
        print_json(found.facts(None) | found.made.facts())
    else:
        click.echo("\n".join(found.made.lines()))


def _look_around(folder: Folder, settings: Settings, found: Installation) -> None:
    """Who is there, and whether the clock can be trusted: a wrong one refuses everybody's codes."""
    around = folder.around
    with folder.service_of(settings) as service:
        survey(service, found)
        findings = service.store.read(
            lambda tx: check_clock(tx, service.vault, around.clock(), kept_right=around.clock_kept_right())
        )
    log = structlog.get_logger("instep.clock")
    for finding in findings:
        if finding.fine is False:
            log.warning("the clock may be wrong", check=finding.check, found=finding.what, advice=finding.advice)
    if not found.account_ids:
        click.echo("There is no account yet; `instep account create` makes one.", err=True)


def worker_environment(folder: Folder, settings: Settings) -> dict[str, str]:
    """The options of this command as the worker process reads them."""
    environment = {DATA_VARIABLE: str(settings.data)}
    if folder.config is not None:
        environment[CONFIG_VARIABLE] = str(folder.config.absolute())
    for path, origin in settings.origins.items():
        if origin.startswith("--"):
            key = keys()[path]
            environment[key.variable] = str(getattr(getattr(settings, key.section), key.name))
    return environment
