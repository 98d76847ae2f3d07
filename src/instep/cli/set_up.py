"""What `instep up` and `instep init` make, as far as it is missing: folder, key, schema, first account, demo."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import click

from instep.app import Service, initialize, make_private_folder
from instep.cli import demo as practice
from instep.cli.accounts import NewAccount, new_account
from instep.cli.demo import Demo
from instep.cli.folder import Folder, all_accounts
from instep.cli.output import step, waiting
from instep.cli.shelf import Shelf
from instep.services.faults import Fault
from instep.settings import Settings

_LOCK = "set-up.lock"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options ask of a first account."""

    account_id: str | None = None
    alias: str | None = None
    root_email: str | None = None
    demo: bool = False

    @property
    def named(self) -> bool:
        return any((self.account_id, self.alias, self.root_email))


@dataclass(slots=True)
class Installation:
    """What there is now.  `made` is the account that was made just now, whose secrets have not been shown yet."""

    account_ids: list[str] = field(default_factory=list)
    aliases: dict[str, str | None] = field(default_factory=dict)
    made: NewAccount | None = None
    demo: Demo | None = None

    def facts(self, endpoint: str | None) -> dict[str, Any]:
        """For scripts."""
        facts: dict[str, Any] = {} if endpoint is None else {"endpoint": endpoint}
        facts["account_id"] = self.account_ids[0] if self.account_ids else None
        if len(self.account_ids) > 1:
            facts["account_ids"] = self.account_ids
        if self.made is not None:
            facts |= self.made.facts()
        if self.demo is not None:
            facts["demo"] = self.demo.facts()
        return facts

    def lines(self, endpoint: str, now: datetime) -> list[str]:
        """For people, once the service answers."""
        lines = [f"instep is serving {endpoint}"]
        if self.made is not None:
            lines += self.made.lines()
        else:
            for account_id in self.account_ids:
                alias = self.aliases.get(account_id)
                lines.append(f"account {account_id}" + (f" · alias {alias}" if alias else ""))
        if self.demo is not None:
            key = (self.made.access_key_id, self.made.secret_access_key) if self.made else None
            lines += self.demo.lines(endpoint, now, key)
        return lines


def set_up(folder: Folder, settings: Settings, wishes: Wishes, found: Installation) -> None:
    """Make what is missing, one line for each step, and put into `found` what there is: also when it breaks off halfway."""
    make_private_folder(settings)
    with _alone(settings):
        with waiting("Making keys and schema…"):
            fresh = initialize(settings, random=folder.around.random)
        step("keys", f"{'made' if fresh else 'found'} in {settings.vault.key_file}")
        step("schema", "made" if fresh else "this version's")
        with folder.service_of(settings) as service:
            first = not all_accounts(service)
        with folder.service_of(settings, ago=practice.AGO if first and wishes.demo else timedelta(0)) as service:
            if first:
                _first_account(service, settings, wishes, found)
            else:
                _explain(service, settings, wishes, found)
            survey(service, found)


def survey(service: Service, found: Installation) -> None:
    accounts = all_accounts(service)
    found.account_ids = [account.account_id for account in accounts]
    found.aliases = {account.account_id: account.alias for account in accounts}


def _first_account(service: Service, settings: Settings, wishes: Wishes, found: Installation) -> None:
    shelf = Shelf(settings.data)
    if wishes.demo and practice.DEVICE in shelf.names():
        raise Fault(f"There is a practice device {practice.DEVICE} already. Choose another folder for the demo with --data.")
    with waiting("Making the account…"):
        found.made = made = new_account(
            service,
            account_id=wishes.account_id or (practice.ACCOUNT_ID if wishes.demo else None),
            alias=wishes.alias or (practice.ALIAS if wishes.demo else None),
            root_email=wishes.root_email or (practice.ROOT_EMAIL if wishes.demo else None),
        )
    step("account", f"{made.account_id} made")
    if wishes.demo:
        key = practice.make_demo(service, shelf, made.account_id)
        demo = practice.find_demo(service, settings.data)
        found.demo = demo and replace(demo, key=key)
        step("demo", f"{practice.USER_NAME} and the device {practice.DEVICE} made")


def _explain(service: Service, settings: Settings, wishes: Wishes, found: Installation) -> None:
    accounts = all_accounts(service)
    ids = {account.account_id for account in accounts}
    step("account", "found " + ", ".join(sorted(ids)))
    if wishes.named and wishes.account_id not in ids:
        click.echo(
            "There is an account already, so none was made as the options say; `instep account create` makes another.", err=True
        )
    if wishes.demo:
        found.demo = practice.find_demo(service, settings.data)
        if found.demo is None:
            click.echo(
                "The demo is not in this data folder, which was set up before."
                f" See it in another: --demo --data {settings.data}-demo",
                err=True,
            )


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One set-up at a time in a data folder: two at once would make two first accounts."""
    descriptor = os.open(settings.data / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
