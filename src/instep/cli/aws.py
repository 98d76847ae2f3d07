"""The AWS client that some commands are: the person's own profile, over the wire, and what goes wrong in one line.

botocore is imported inside functions only, as it takes longer to load than most commands take to run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import IntEnum
from functools import cached_property
from getpass import GetPassWarning
from typing import Any, TypeVar
from warnings import catch_warnings, simplefilter

import click

from instep import __version__
from instep.cli.folder import Surroundings
from instep.cli.output import plain
from instep.domain import arn as arns
from instep.services.pairs import DRIFT_HEADER, REASON_HEADER

T = TypeVar("T")

# IAM is the same everywhere, but a signature and an STS endpoint need some region.
_REGION = "us-east-1"
_SECONDS_TO_CONNECT = 10

_CREDENTIALS_REFUSED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
    }
)
_NO_SERVICE = "What answers there does not speak as IAM and STS do: check the endpoint's URL."
_GATEWAYS = frozenset({502, 503, 504})

# Farther than services search.  A number beyond tells nothing of a clock, and may be too long to reckon with.
_FARTHEST_DRIFT = timedelta(weeks=4)


class Exit(IntEnum):
    """What commands that are AWS clients end with when they do not succeed; scripts go by it."""

    FAILED = 1
    USAGE = 2
    CODES_REFUSED = 3
    NOT_PERMITTED = 4
    WHICH_DEVICE = 5
    UNREACHABLE = 6


class Failed(Exception):
    """What went wrong, for one line on standard error, and what the command ends with.

    Not click's exception, whose exit code is its class's.
    """

    def __init__(self, message: str, exit_code: Exit = Exit.FAILED) -> None:
        # Services and configuration files are others' words, and some of botocore's sentences have several lines.
        self.message = plain(" ".join(message.split()))
        self.exit_code = exit_code
        super().__init__(self.message)


class AWS:
    """The service as the person's own configuration says: profile, keys, endpoint, region, proxies, certificates."""

    def __init__(self, around: Surroundings, *, profile: str | None, endpoint_url: str | None, region: str | None) -> None:
        self.around = around
        self._profile = profile
        self._endpoint_url = endpoint_url
        self._region = region

    @cached_property
    def session(self) -> Any:
        from botocore.session import Session  # noqa: PLC0415

        session: Any = Session(profile=self._profile)
        session.register_component("response_parser_factory", _Parsers(session.get_component("response_parser_factory")))
        session.user_agent_name, session.user_agent_version = "instep", __version__
        return session

    def client(self, service: str) -> Any:
        """Raises Failed for an endpoint that is no URL, and BotoCoreError for a configuration that cannot be used."""
        from botocore.config import Config  # noqa: PLC0415

        region = self._region or self.session.get_config_variable("region") or _REGION
        try:
            client = self.session.create_client(
                service,
                region_name=region,
                endpoint_url=self._endpoint_url,
                config=Config(connect_timeout=_SECONDS_TO_CONNECT),
            )
        except ValueError as trouble:
            raise Failed(str(trouble), Exit.USAGE) from None
        client.meta.events.register("before-parse", _check_who_answered)
        return client

    def access_key_id(self) -> str:
        """Of the keys that requests will be signed with.  Raises NoCredentialsError when there are none."""
        from botocore.exceptions import NoCredentialsError  # noqa: PLC0415

        credentials = self.session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return str(credentials.access_key)

    def user_name(self) -> str:
        """Whose keys these are.  Raises Failed when they are not an IAM user's."""
        arn = told(self.client("sts").get_caller_identity(), "Arn", str)
        kind, _, rest = arns.segments(arn)[-1].partition("/")
        if kind == "user":
            # A path stands between.
            return rest.rpartition("/")[2]
        raise Failed(f"{arn} is not an IAM user: say with --user-name whose device is meant.", Exit.USAGE)

    def devices(self, user_name: str | None) -> list[dict[str, Any]]:
        """As ListMFADevices lists them, each with SerialNumber and EnableDate; the caller's own when nobody is named."""
        named = {} if user_name is None else {"UserName": user_name}
        pages = self.client("iam").get_paginator("list_mfa_devices").paginate(**named)
        devices = [device for page in pages for device in told(page, "MFADevices", list)]
        for device in devices:
            told(device, "SerialNumber", str)
            told(device, "EnableDate", datetime)
        return devices


def with_aws(command: Callable[..., None]) -> Callable[..., None]:
    """Adds --profile, --endpoint-url and --region to a command, whose first argument becomes the service they lead to."""

    @click.option("--profile", metavar="NAME", help="A profile of yours in ~/.aws/config.  [default: AWS_PROFILE]")
    @click.option("--endpoint-url", metavar="URL", help="[default: AWS_ENDPOINT_URL, else the profile's endpoint_url, else AWS]")
    @click.option("--region", metavar="NAME", help=f"[default: the profile's, else {_REGION}]")
    @click.pass_context
    @functools.wraps(command)
    def wrapped(
        ctx: click.Context, /, profile: str | None, endpoint_url: str | None, region: str | None, **arguments: Any
    ) -> None:
        around = ctx.find_object(Surroundings) or Surroundings()
        try:
            with _explained():
                command(AWS(around, profile=profile, endpoint_url=endpoint_url, region=region), **arguments)
        except Failed as failure:
            click.echo(f"Error: {failure.message}", err=True)
            ctx.exit(failure.exit_code)

    return wrapped


def error_code(refusal: Any) -> str:
    """Of botocore's ClientError."""
    return str(refusal.response.get("Error", {}).get("Code", ""))


def error_message(refusal: Any) -> str:
    return str(refusal.response.get("Error", {}).get("Message", ""))


def told(answer: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """What IAM and STS always tell under that name.  Raises Failed where it is missing: botocore minds only what is sent."""
    found = answer.get(name)
    # What is sent twice comes as a list.
    if not isinstance(found, kind):
        raise Failed(f"The service did not answer as IAM and STS do: {name} is missing.", Exit.UNREACHABLE)
    return found


def drift_seconds(response: Mapping[str, Any]) -> int | None:
    """How far the device is off: below zero it is slow.  None where the service does not say so, as AWS does not."""
    try:
        seconds = int(_header(response, DRIFT_HEADER) or "")
    except ValueError:
        return None
    return seconds if abs(seconds) <= _FARTHEST_DRIFT.total_seconds() else None


def refusal_reason(refusal: Any) -> str | None:
    """Why a pair of codes was refused, where the service says so."""
    return _header(refusal.response, REASON_HEADER)


def _check_who_answered(response_dict: Mapping[str, Any], **_: object) -> None:
    """Raises Failed for a page of a proxy's or a portal's, which botocore would take for a result if it is well-formed."""
    if response_dict["status_code"] < 300 and b"<RequestId>" not in response_dict["body"]:
        raise Failed(_NO_SERVICE, Exit.UNREACHABLE)


class _Parsers:
    """botocore's parsers, which stumble over well-formed answers that are not made as their model says.  `factory` makes them."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory

    def create_parser(self, protocol: str) -> Any:
        """As botocore asks for it.  Its `parse` raises Failed where it would stumble."""
        parser = self._factory.create_parser(protocol)
        parser.parse = functools.partial(_parsed, parser.parse)
        return parser


def _parsed(parse: Callable[[Any, Any], Any], response: Any, shape: Any) -> Any:
    try:
        parsed = parse(response, shape)
        # botocore looks it up, whatever it is.
        hash(parsed.get("Error", {}).get("Code"))
    except (ArithmeticError, AttributeError, LookupError, NameError, RuntimeError, TypeError, ValueError):
        raise Failed(_NO_SERVICE, Exit.UNREACHABLE) from None
    return parsed


def _header(response: Mapping[str, Any], name: str) -> str | None:
    found = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(name)
    return None if found is None else str(found)


@contextmanager
def _explained() -> Iterator[None]:
    from botocore import exceptions as boto  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    try:
        with catch_warnings():
            # A profile with mfa_serial has botocore ask for a code: never of a pipe, with warnings around it.
            simplefilter("error", GetPassWarning)
            yield
    except boto.ClientError as refusal:
        raise _refused(refusal) from None
    except (boto.ConnectionError, boto.HTTPClientError) as trouble:
        raise Failed(str(trouble), Exit.UNREACHABLE) from None
    except ResponseParserError:
        raise Failed(_NO_SERVICE, Exit.UNREACHABLE) from None
    except boto.NoCredentialsError:
        raise Failed(
            "There are no AWS credentials: name a profile with --profile, or set AWS_ACCESS_KEY_ID and its like."
        ) from None
    except boto.ParamValidationError as trouble:
        raise Failed(str(trouble), Exit.USAGE) from None
    except boto.BotoCoreError as trouble:
        raise Failed(str(trouble)) from None
    except (GetPassWarning, EOFError):
        raise Failed("The profile's role asks for an MFA code, and there is no terminal to ask at.", Exit.USAGE) from None


def _refused(refusal: Any) -> Failed:
    code, status = error_code(refusal), refusal.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    message = f"{error_message(refusal)} ({code})"
    if code in _CREDENTIALS_REFUSED:
        return Failed(message, Exit.NOT_PERMITTED)
    if code == "NoSuchEntity":
        return Failed(message, Exit.WHICH_DEVICE)
    if code == "ValidationError":
        return Failed(message, Exit.USAGE)
    return Failed(message, Exit.UNREACHABLE if status in _GATEWAYS else Exit.FAILED)
