"""What every command works on: a data folder and its settings, and the service over them."""

from __future__ import annotations

import functools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from instep import __version__
from instep.api.shape import ServiceModel
from instep.app import Service, is_fresh, open_service, utc_now
from instep.cli import kernel_clock
from instep.domain import ids
from instep.domain.identity import Account, Principal
from instep.domain.ids import Random
from instep.services.faults import Fault
from instep.services.gate import Request
from instep.settings import Settings, load

SOURCE_IP = "127.0.0.1"
USER_AGENT = f"instep/{__version__}"


def free_space(folder: Path) -> int:
    """Bytes."""
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What commands take from outside; whoever composes them may bring another as `ctx.obj`.  No option changes it."""

    clock: Callable[[], datetime] = utc_now
    random: Random = os.urandom
    pause: Callable[[float], None] = time.sleep
    clock_kept_right: Callable[[], bool | None] = kernel_clock.kept_right
    free_space: Callable[[Path], int] = free_space


@dataclass(frozen=True, slots=True)
class Folder:
    """`data` and `config` as the options say, None when they are not given."""

    data: Path | None
    config: Path | None
    around: Surroundings

    def settings(self, **flags: object) -> Settings:
        """With `flags` as server_port=8701; None for a flag not given.  Raises SettingsError."""
        return load(
            data=self.data,
            config=self.config,
            flags={name.replace("_", ".", 1): value for name, value in flags.items()},
        )

    @contextmanager
    def service(self) -> Iterator[Service]:
        """The service beside a server that may be running; closed at the end, so that the audit trail is written."""
        with self.service_of(self.settings()) as service:
            yield service

    @contextmanager
    def service_of(self, settings: Settings, *, ago: timedelta = timedelta(0)) -> Iterator[Service]:
        """What is done with it is done that long `ago`, for a demo that has a past."""
        require_set_up(settings)
        clock = self.around.clock
        service = open_service(settings, clock=(lambda: clock() - ago) if ago else clock, random=self.around.random)
        try:
            yield service
        finally:
            service.close()


def with_folder(command: Callable[..., None]) -> Callable[..., None]:
    """Adds --data and --config to a command, whose first argument becomes the folder they name."""

    @click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="Data folder.  [default: INSTEP_DATA, else instep-data]",
    )
    @click.option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Settings file.  [default: INSTEP_CONFIG, else instep.toml in the data folder]",
    )
    @click.pass_context
    @functools.wraps(command)
    def wrapped(ctx: click.Context, /, data: Path | None, config: Path | None, **arguments: Any) -> None:
        around = ctx.find_object(Surroundings) or Surroundings()
        command(Folder(data, config, around), **arguments)

    return wrapped


def require_set_up(settings: Settings) -> None:
    """Raises Fault for a folder in which nothing was set up yet."""
    if is_fresh(settings):
        raise Fault(
            f"There is nothing set up in the data folder {settings.data} yet. Run `instep up` or `instep init`,"
            " or say with --data where it is."
        )


def ask(service: Service, principal: Principal, model: ServiceModel, action: str, /, **parameters: object) -> Any:
    """What an operation answers through the gate, as for anybody else.  Raises AWSError and Fault."""
    request = Request(
        service=model,
        action=action,
        version=model.version,
        parameters=parameters,
        principal=principal,
        request_id=ids.uuid4(service.random),
        source_ip=SOURCE_IP,
        user_agent=USER_AGENT,
    )
    return service.gate.run(request).result


def all_accounts(service: Service) -> list[Account]:
    return service.store.read(lambda tx: tx.accounts.all())


def account_of(service: Service, named: str | None) -> Account:
    """The account of that id, else of that alias; the only one when none is named.  Raises Fault."""
    accounts = all_accounts(service)
    if not accounts:
        raise Fault("There is no account yet. Run `instep account create`.")
    if named is None and len(accounts) == 1:
        return accounts[0]
    known = ", ".join(account.account_id + (f" ({account.alias})" if account.alias else "") for account in accounts)
    if named is None:
        raise Fault(f"There are several accounts; say with --account which one is meant: {known}.")
    # Ids come last and win: somebody's alias may look like another's id.
    by_name = {one.alias: one for one in accounts} | {one.account_id: one for one in accounts}
    if named in by_name:
        return by_name[named]
    raise Fault(f"There is no account {named}. Those there are: {known}.")


account_option = click.option("--account", metavar="ID", help="Account id or alias; needed when there are several accounts.")
