"""`instep`: every command, and how what goes wrong is told."""

from __future__ import annotations

import io
import sys
from typing import Any

import click

from instep import __version__
from instep.api.common import AWSError
from instep.cli.accounts import account
from instep.cli.audit import audit
from instep.cli.credentials import credentials
from instep.cli.database import db
from instep.cli.device import device
from instep.cli.doctor import doctor
from instep.cli.guard import guard
from instep.cli.mfa import mfa
from instep.cli.policy import policy
from instep.cli.root import root
from instep.cli.settings import settings
from instep.cli.tokens import tokens
from instep.cli.up import init, serve, up
from instep.domain.totp import UnusableToken
from instep.services.faults import Conflict, Fault
from instep.settings import SettingsError


class Commands(click.Group):
    """Tells what goes wrong in one line on standard error, with exit code 1 and no traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AWSError as refusal:
            raise click.ClickException(f"{refusal.message} ({refusal.code})") from None
        except (Conflict, Fault, SettingsError, UnusableToken) as trouble:
            raise click.ClickException(str(trouble)) from None
        except BrokenPipeError:
            # Whoever read along, as `head`, has seen enough: click ends quietly.
            raise
        except OSError as trouble:
            raise click.ClickException(f"{trouble.filename or 'file'}: {trouble.strerror or trouble}") from None


@click.group(cls=Commands)
@click.version_option(__version__, prog_name="instep")
def commands() -> None:
    """A self-hosted IAM and STS that really checks MFA codes and puts wandered devices back in step.

    `instep up` sets up what is missing and serves; everything else works beside the running server.
    """


for _command in (up, init, serve, account, root, guard, policy, tokens, audit, mfa, credentials, device, doctor, settings, db):
    commands.add_command(_command)


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without "·" must not keep a password that is shown once from being shown.
            stream.reconfigure(errors="replace")
    commands(prog_name="instep")


if __name__ == "__main__":
    main()
