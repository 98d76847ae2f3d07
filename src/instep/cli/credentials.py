"""`instep credentials`: a session with MFA for every program that reads an AWS profile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Any

import click

from instep.cli.aws import AWS, Exit, Failed, error_code, error_message, told, with_aws
from instep.cli.mfa import only_device, serial_number_option
from instep.cli.output import plain, print_json
from instep.cli.pair import Code, ask_code
from instep.cli.session_cache import Session, SessionCache, SessionKey, cache_folder
from instep.cli.terminal import Terminal

# Set for what is started from here: a profile whose credential_process leads back to itself would never end.
_STARTED_HERE = "INSTEP_CREDENTIAL_PROCESS"

# How AWS begins its refusals of a code, and goes on where the device is not the caller's.
_MFA_REFUSED, _NOT_THEIRS = "MultiFactorAuthentication failed", "unable to validate"


@click.command()
@serial_number_option
@click.option("--duration-seconds", type=click.IntRange(900, 129600), help="How long the session lasts.  [default: 12 hours]")
@click.option("--token-code", type=Code(), help="For scripts: the code the device shows; a kept session is replaced.")
@click.option("--no-cache", is_flag=True, help="Neither give out a kept session nor keep the new one.")
@with_aws
def credentials(
    aws: AWS, serial_number: str | None, duration_seconds: int | None, token_code: str | None, no_cache: bool
) -> None:
    """Print temporary credentials with MFA, as credential_process in ~/.aws/config wants them.

    They are kept, for you alone, in XDG_CACHE_HOME/instep until shortly before they expire.  Codes are asked for at the terminal,
    as standard input and output belong to the program that wants the credentials.

    \b
    Ends with 0 when it is done, or
      1  something else failed         4  not permitted
      2  the command is wrong          5  no device, or several
      3  the code was refused          6  the service cannot be reached
    """
    with _not_from_itself():
        if no_cache:
            session = _new_session(aws, serial_number, duration_seconds, token_code)
        else:
            key = SessionKey(aws.client("sts").meta.endpoint_url, aws.access_key_id(), serial_number or "")
            session = _kept_or_new(aws, SessionCache(cache_folder(), key), serial_number, duration_seconds, token_code)
    print_json(session.for_process())


def _kept_or_new(
    aws: AWS, cache: SessionCache, serial_number: str | None, duration_seconds: int | None, token_code: str | None
) -> Session:
    if token_code is None and (kept := cache.load(aws.around.clock())):
        return kept
    with _in_line(cache):
        # Whoever was before us in line may have got it meanwhile.
        if token_code is None and (kept := cache.load(aws.around.clock())):
            return kept
        session = _new_session(aws, serial_number, duration_seconds, token_code)
        try:
            cache.save(session)
        except OSError as trouble:
            click.echo(f"The session could not be kept: {trouble.strerror}.", err=True)
        return session


@contextmanager
def _not_from_itself() -> Iterator[None]:
    """Marks what is started meanwhile: a profile's credential_process.  Raises Failed when it is this very command."""
    if os.environ.get(_STARTED_HERE):
        raise Failed("This profile's credential_process asks itself: say with --profile where the access key is.", Exit.USAGE)
    os.environ[_STARTED_HERE] = "1"
    try:
        yield
    finally:
        del os.environ[_STARTED_HERE]


@contextmanager
def _in_line(cache: SessionCache) -> Iterator[None]:
    """Behind the others, where that is possible: a cache that cannot be written to is no reason to get nothing."""
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(cache.alone())
        yield


def _new_session(aws: AWS, serial_number: str | None, duration_seconds: int | None, token_code: str | None) -> Session:
    serial_number = serial_number or only_device(aws, None, None)
    asked: dict[str, Any] = {"SerialNumber": serial_number, "TokenCode": token_code or _asked_code(serial_number)}
    if duration_seconds is not None:
        asked["DurationSeconds"] = duration_seconds
    given = told(_get_session_token(aws, asked), "Credentials", dict)
    return Session(
        told(given, "AccessKeyId", str),
        told(given, "SecretAccessKey", str),
        told(given, "SessionToken", str),
        told(given, "Expiration", datetime),
    )


def _asked_code(serial_number: str) -> str:
    try:
        with Terminal.controlling() as terminal:
            return ask_code(terminal, f"MFA code for {plain(serial_number)}: ")
    except OSError:
        raise Failed(
            "A code is needed, and there is no terminal to ask at: run this once in a terminal, or give --token-code.",
            Exit.USAGE,
        ) from None


def _get_session_token(aws: AWS, asked: dict[str, Any]) -> Any:
    """Raises Failed when the code is refused."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        return aws.client("sts").get_session_token(**asked)
    except ClientError as refusal:
        message = error_message(refusal)
        if error_code(refusal) != "AccessDenied" or not message.startswith(_MFA_REFUSED):
            raise
        if _NOT_THEIRS in message:
            raise Failed(message, Exit.WHICH_DEVICE) from None
        raise Failed(
            "The code was refused. Try the next one; if that is refused too, put the device back in step: instep mfa resync",
            Exit.CODES_REFUSED,
        ) from None
