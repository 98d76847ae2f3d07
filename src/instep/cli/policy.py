"""`instep policy`: why somebody may do something, or not."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby

import click

from instep.cli.folder import Folder, account_of, account_option, ask, with_folder
from instep.cli.output import output_option, plain, print_json
from instep.domain.identity import Principal
from instep.domain.policy.evaluation import Layer, Outcome
from instep.services.iam.simulated_requests import is_action, is_resource
from instep.services.operator.model import INSTEP, CredentialsType, ExplainAccessResponse, ExplainedStatement

_WIDTH = 100
_LAYERS = {
    Layer.GUARD: "Guard policy of the account (a ceiling: has to allow as well)",
    Layer.RESOURCE: "Trust policy of the role (has to allow)",
    Layer.IDENTITY: "Identity-based policies",
    Layer.BOUNDARY: "Permissions boundary (has to allow as well)",
    Layer.SESSION: "Session policies (have to allow as well)",
}
_CREDENTIALS = {
    CredentialsType.ACCESS_KEY: "an access key",
    CredentialsType.SESSION_TOKEN: "temporary credentials without MFA",
    CredentialsType.SESSION_TOKEN_WITH_MFA: "temporary credentials with MFA",
    None: "the credentials of a role's session",
}
_NOTHING_ALLOWS = {
    Layer.GUARD: "the guard policy does not allow it",
    Layer.RESOURCE: "the trust policy does not allow it",
    Layer.IDENTITY: "no identity-based policy allows it",
    Layer.BOUNDARY: "the permissions boundary does not allow it",
    Layer.SESSION: "no session policy allows it",
}
_AN_ARN = "arn:aws:iam::123456789012:user/Richard"
_SHORTEST_KEY = 5
"""As the API has it."""
# These come with the credentials and not with the request.
_OF_MFA = "aws:multifactorauth"


@click.group()
def policy() -> None:
    """What policies say, and why."""


@policy.command()
@click.argument("principal")
@click.argument("action")
@click.argument("resource", required=False)
@click.option(
    "--context",
    "context",
    metavar="KEY=VALUE",
    multiple=True,
    help="A condition key that the request has, as aws:SourceIp=192.0.2.7; given again, a further value of the key.",
)
@click.option(
    "--access-key", "credentials", flag_value=CredentialsType.ACCESS_KEY.value, help="Ask with an access key.  [default]"
)
@click.option(
    "--no-mfa",
    "credentials",
    flag_value=CredentialsType.SESSION_TOKEN.value,
    help="Ask with temporary credentials without MFA.",
)
@click.option(
    "--mfa",
    "credentials",
    flag_value=CredentialsType.SESSION_TOKEN_WITH_MFA.value,
    help="Ask with temporary credentials with MFA.",
)
@click.option(
    "--mfa-age", metavar="SECONDS", type=click.IntRange(min=0, max=2**31 - 1), help="Since the code was checked.  [default: 60]"
)
@account_option
@output_option
@with_folder
def explain(
    folder: Folder,
    principal: str,
    action: str,
    resource: str | None,
    context: Sequence[str],
    credentials: str | None,
    mfa_age: int | None,
    account: str | None,
    output: str,
) -> None:
    """Tell whether PRINCIPAL may do ACTION, which statement decides, and why the others do not apply.

    PRINCIPAL is a user's name, role/NAME, root, or an ARN.  ACTION is written as in policies: iam:ResyncMFADevice.  RESOURCE is
    the ARN it is asked for; without it, the one of a request that names nothing, such as the user's own.

    An access key cannot say whether MFA was used: aws:MultiFactorAuthPresent is absent.  With temporary credentials it is true or
    false.
    """
    _check(action, resource, credentials, mfa_age)
    asked: dict[str, object] = {"Principal": principal, "Action": action, "ContextEntries": _entries(context)}
    if mfa_age is not None:
        # Whoever knows how old it is has it.
        credentials = credentials or CredentialsType.SESSION_TOKEN_WITH_MFA.value
        asked["MFAAge"] = str(mfa_age)
    asked |= {name: value for name, value in (("Resource", resource), ("Credentials", credentials)) if value is not None}
    with folder.service() as service:
        operator = Principal.operator(account_of(service, account).account_id)
        told: ExplainAccessResponse = ask(service, operator, INSTEP, "ExplainAccess", **asked)
    if output == "json":
        print_json(_as_json(told))
    else:
        for line in _lines(told):
            click.echo(line)


def _check(action: str, resource: str | None, credentials: str | None, mfa_age: int | None) -> None:
    """Raises click.UsageError, in words of the command line, for what the operation would refuse in the API's."""
    if "*" in action or "?" in action:
        raise click.BadParameter(f"{action!r} is a pattern; name one action, as iam:ListUsers.", param_hint="ACTION")
    if not is_action(action):
        raise click.BadParameter(
            f"{action!r} does not name an action; write it with its service, as iam:ListUsers.", param_hint="ACTION"
        )
    if resource is not None and not is_resource(resource):
        raise click.BadParameter(f"{resource!r} is neither an ARN nor *; write it as {_AN_ARN}.", param_hint="RESOURCE")
    if mfa_age is not None and credentials not in (None, CredentialsType.SESSION_TOKEN_WITH_MFA):
        raise click.UsageError("--mfa-age asks with MFA: leave out --access-key or --no-mfa.")


def _entries(context: Sequence[str]) -> list[dict[str, object]]:
    values: dict[str, list[str]] = {}
    for one in context:
        key, equals, value = one.partition("=")
        if not (key and equals):
            raise click.BadParameter(f"{one!r} is not KEY=VALUE.", param_hint="--context")
        if len(key) < _SHORTEST_KEY:
            raise click.BadParameter(
                f"{key!r} is too short for a condition key; write it with its service, as aws:SourceIp.", param_hint="--context"
            )
        values.setdefault(key, []).append(value)
    return [{"ContextKeyName": key, "ContextKeyValues": given} for key, given in values.items()]


def _lines(told: ExplainAccessResponse) -> Iterable[str]:
    """In at most a hundred columns, except where one word is longer."""
    yield from _wrapped(f"{told.principal_arn} asks for {told.action} on {told.resource}")
    credentials = CredentialsType(told.credentials) if told.credentials else None
    yield f"with {_CREDENTIALS[credentials]}."
    for note in told.notes:
        yield from _wrapped(f"Note: {note}", hanging=6)
    yield ""
    yield _outcome(told)
    if told.sentence is not None:
        yield from _wrapped(told.sentence)
    for layer in told.layers:
        yield ""
        yield _LAYERS[Layer(layer)]
        of_layer = [statement for statement in told.statements if statement.layer == layer]
        if not of_layer:
            yield "  none" if layer == Layer.IDENTITY else "  empty or gone: it allows nothing"
        for heading, statements in groupby(of_layer, key=_policy):
            yield f"  {heading}"
            yield from _statements(list(statements))
    if told.missing_context_keys:
        yield ""
        yield "Asked for, and not in this request"
        for key in told.missing_context_keys:
            brought = "--mfa or --no-mfa" if key.lower().startswith(_OF_MFA) else f"--context {key}=…"
            yield from _wrapped(f"{key}  ({brought})", indent=2, hanging=2)


def _outcome(told: ExplainAccessResponse) -> str:
    match Outcome(told.outcome):
        case Outcome.ALLOWED:
            return "ALLOWED."
        case Outcome.EXPLICIT_DENY:
            return "DENIED: a Deny statement applies."
        case Outcome.IMPLICIT_DENY:
            return f"DENIED: {_NOTHING_ALLOWS[Layer(told.layer)] if told.layer else 'nothing allows it'}."


def _policy(statement: ExplainedStatement) -> str:
    if statement.policy_owner is None:
        return plain(statement.policy_name)
    return plain(f"{statement.policy_name} (inline, of {statement.policy_type} {statement.policy_owner})")


def _statements(statements: Sequence[ExplainedStatement]) -> Iterable[str]:
    names = [f"{statement.number} {statement.sid or ''}".rstrip() for statement in statements]
    width = min(max(len(name) for name in names), _WIDTH // 2)
    for name, statement in zip(names, statements, strict=True):
        mark = ">" if statement.decides else " "
        verdict = "decides" if statement.decides else "applies" if statement.applies else "does not apply"
        yield f"  {mark} {plain(name).ljust(width)}  {statement.effect.ljust(5)}  {verdict}"
        for reason in statement.reasons:
            yield from _wrapped(f"- {reason}", indent=6, hanging=2)


def _wrapped(text: str, *, indent: int = 0, hanging: int = 0) -> Iterable[str]:
    return textwrap.wrap(
        plain(text),
        _WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _as_json(told: ExplainAccessResponse) -> dict[str, object]:
    return {
        "principal": told.principal_arn,
        "action": told.action,
        "resource": told.resource,
        "credentials": told.credentials,
        "outcome": told.outcome,
        "layer": told.layer,
        "sentence": told.sentence,
        "notes": told.notes,
        "statements": [
            {
                "layer": statement.layer,
                "policy": statement.policy_name,
                "policy_type": statement.policy_type,
                "policy_owner": statement.policy_owner,
                "number": statement.number,
                "sid": statement.sid,
                "effect": statement.effect,
                "applies": statement.applies,
                "decides": statement.decides,
                "reasons": statement.reasons,
            }
            for statement in told.statements
        ],
        "layers": told.layers,
        "missing_context_keys": told.missing_context_keys,
    }
