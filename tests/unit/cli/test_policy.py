"""`instep policy explain`: what people read who wonder why they may do something, or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from instep.api.iam import IAM
from instep.cli.folder import ask
from instep.domain.identity import Principal
from instep.services.operator.model import INSTEP
from tests.unit.cli.conftest import Desk

ACCOUNT = "123456789012"
ROOT = Principal.root(ACCOUNT, "AKIAROOTROOTROOTROOT")
RICHARD = f"arn:aws:iam::{ACCOUNT}:user/Richard"
SALLY = f"arn:aws:iam::{ACCOUNT}:user/Sally"
DEVICE = f"arn:aws:iam::{ACCOUNT}:mfa/RichardsMFA"
OPS = f"arn:aws:iam::{ACCOUNT}:role/Ops"
RESYNC_PAGE = (Path(__file__).parents[2] / "vectors" / "policies" / "resync-only.json").read_text("utf-8")
LONGEST_LINE = 100


def statement(**elements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "*", **elements}})


def trust(**elements: object) -> str:
    who = {"Principal": {"AWS": RICHARD}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **who, **elements}})


class People:
    """Those whom the tests ask about, made as by the root user."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def call(self, action: str, /, **parameters: object) -> Any:
        with self._desk.service() as service:
            return ask(service, ROOT, IAM, action, **parameters)

    def policy(self, user: str, document: str, name: str = "mfa") -> None:
        self.call("PutUserPolicy", UserName=user, PolicyName=name, PolicyDocument=document)


@pytest.fixture
def people(desk: Desk) -> People:
    """Richard has the policy of the guide's page, Sally none."""
    people = People(desk)
    people.call("CreateUser", UserName="Richard")
    people.call("CreateUser", UserName="Sally")
    people.policy("Richard", RESYNC_PAGE)
    return people


def explained(desk: Desk, *words: str) -> list[str]:
    """The lines that are printed, all of them short enough."""
    result = desk.type("policy", "explain", *words)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert all(len(line) <= LONGEST_LINE for line in lines)
    return lines


def refused(desk: Desk, *words: str) -> str:
    result = desk.type("policy", "explain", *words)
    assert result.exit_code != 0
    return result.stderr


WAYS = ("--access-key", "--no-mfa", "--mfa")
ALLOWED, EXPLICIT, IMPLICIT = "allowed", "explicitDeny", "implicitDeny"


@pytest.mark.usefixtures("people")
def test_a_refusal_names_the_statement_and_why_the_others_do_not_apply(desk: Desk) -> None:
    assert explained(desk, "Richard", "iam:GetUser") == [
        f"{RICHARD} asks for iam:GetUser on",
        RICHARD,
        "with an access key.",
        "Note: No resource was given; this is the one of a request that names none.",
        "",
        "DENIED: a Deny statement applies.",
        f"User: {RICHARD} is not authorized to perform: iam:GetUser on resource:",
        f"{RICHARD} with an explicit deny in an identity-based policy",
        "",
        "Identity-based policies",
        "  mfa (inline, of user Richard)",
        "    1 AllowListActions                         Allow  does not apply",
        "      - action iam:GetUser is not in Action (iam:ListVirtualMFADevices)",
        "    2 AllowUserToViewAndManageTheirOwnUserMFA  Allow  does not apply",
        "      - action iam:GetUser is not in Action (iam:ListMFADevices or iam:ResyncMFADevice)",
        "  > 3 BlockAllExceptListedIfNoMFA              Deny   decides",
        "      - aws:MultiFactorAuthPresent is absent, and BoolIfExists holds without it",
        "",
        "Asked for, and not in this request",
        "  aws:MultiFactorAuthPresent  (--mfa or --no-mfa)",
    ]


@pytest.mark.usefixtures("people")
def test_a_permission_names_the_statement_that_gives_it(desk: Desk) -> None:
    lines = explained(desk, "Richard", "iam:ResyncMFADevice", RICHARD, "--mfa")

    assert "ALLOWED." in lines
    assert "with temporary credentials with MFA." in lines
    assert "  > 2 AllowUserToViewAndManageTheirOwnUserMFA  Allow  decides" in lines
    assert "      - action iam:ResyncMFADevice is in NotAction (iam:ResyncMFADevice)" in lines
    assert not any("Asked for" in line for line in lines)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("action", "resource", "outcomes"),
    [
        ("iam:ListVirtualMFADevices", None, (ALLOWED, ALLOWED, ALLOWED)),
        ("iam:ListMFADevices", None, (ALLOWED, ALLOWED, ALLOWED)),
        ("iam:ListMFADevices", RICHARD, (ALLOWED, ALLOWED, ALLOWED)),
        ("iam:ListMFADevices", SALLY, (IMPLICIT, IMPLICIT, IMPLICIT)),
        ("iam:ResyncMFADevice", RICHARD, (ALLOWED, ALLOWED, ALLOWED)),
        ("iam:ResyncMFADevice", SALLY, (IMPLICIT, IMPLICIT, IMPLICIT)),
        ("iam:CreateVirtualMFADevice", DEVICE, (EXPLICIT, EXPLICIT, IMPLICIT)),
        ("iam:EnableMFADevice", RICHARD, (EXPLICIT, EXPLICIT, IMPLICIT)),
        ("iam:DeactivateMFADevice", RICHARD, (EXPLICIT, EXPLICIT, IMPLICIT)),
        ("iam:DeleteVirtualMFADevice", DEVICE, (EXPLICIT, EXPLICIT, IMPLICIT)),
        ("iam:ListUsers", None, (EXPLICIT, EXPLICIT, IMPLICIT)),
        ("iam:ChangePassword", None, (EXPLICIT, EXPLICIT, IMPLICIT)),
        ("sts:GetSessionToken", None, (ALLOWED, ALLOWED, ALLOWED)),
        ("sts:GetCallerIdentity", None, (ALLOWED, ALLOWED, ALLOWED)),
    ],
)
def test_the_guides_policy_is_explained_as_it_is_decided(
    desk: Desk, action: str, resource: str | None, outcomes: tuple[str, ...]
) -> None:
    words = ["policy", "explain", "Richard", action, *([resource] if resource else [])]
    told = [desk.facts(*words, way) for way in WAYS]

    assert tuple(one["outcome"] for one in told) == outcomes
    for one in told:
        deciding = [statement["sid"] for statement in one["statements"] if statement["decides"]]
        if one["outcome"] == EXPLICIT:
            assert deciding == ["BlockAllExceptListedIfNoMFA"]
        elif one["outcome"] == IMPLICIT:
            assert deciding == []
            assert not any(statement["applies"] for statement in one["statements"])
            assert all(statement["reasons"] for statement in one["statements"])


@pytest.mark.parametrize(
    ("effect", "condition", "found"),
    [
        (
            "Deny",
            {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
            (
                "decides: aws:MultiFactorAuthPresent is absent, and BoolIfExists holds without it",
                "decides: aws:MultiFactorAuthPresent is false, and BoolIfExists holds",
                "no: aws:MultiFactorAuthPresent is true and BoolIfExists wants false",
            ),
        ),
        (
            "Deny",
            {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
            (
                "no: aws:MultiFactorAuthPresent is absent and Bool needs it",
                "decides: aws:MultiFactorAuthPresent is false, and Bool holds",
                "no: aws:MultiFactorAuthPresent is true and Bool wants false",
            ),
        ),
        (
            "Allow",
            {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            (
                "no: aws:MultiFactorAuthPresent is absent and Bool needs it",
                "no: aws:MultiFactorAuthPresent is false and Bool wants true",
                "decides: aws:MultiFactorAuthPresent is true, and Bool holds",
            ),
        ),
        (
            "Allow",
            {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}},
            (
                "decides: aws:MultiFactorAuthPresent is absent, and BoolIfExists holds without it",
                "no: aws:MultiFactorAuthPresent is false and BoolIfExists wants true",
                "decides: aws:MultiFactorAuthPresent is true, and BoolIfExists holds",
            ),
        ),
        (
            "Allow",
            {"Null": {"aws:MultiFactorAuthPresent": "false"}},
            (
                "no: aws:MultiFactorAuthPresent is absent and Null wants it present",
                "decides: aws:MultiFactorAuthPresent is present, as Null wants it",
                "decides: aws:MultiFactorAuthPresent is present, as Null wants it",
            ),
        ),
        (
            "Allow",
            {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
            (
                "no: aws:MultiFactorAuthAge is absent and NumericLessThan needs it",
                "no: aws:MultiFactorAuthAge is absent and NumericLessThan needs it",
                "decides: aws:MultiFactorAuthAge is 60, and NumericLessThan holds",
            ),
        ),
        (
            "Deny",
            {"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "3600"}},
            (
                "decides: aws:MultiFactorAuthAge is absent, and NumericGreaterThanIfExists holds without it",
                "decides: aws:MultiFactorAuthAge is absent, and NumericGreaterThanIfExists holds without it",
                "no: aws:MultiFactorAuthAge is 60 and NumericGreaterThanIfExists wants 3600",
            ),
        ),
    ],
)
def test_the_usual_ways_to_ask_for_mfa_say_what_they_found(
    desk: Desk, people: People, effect: str, condition: dict[str, Any], found: tuple[str, ...]
) -> None:
    people.policy("Sally", statement(Effect=effect, Action="s3:*", Condition=condition))

    told = []
    for way in WAYS:
        (one,) = desk.facts("policy", "explain", "Sally", "s3:GetObject", way)["statements"]
        told.append(f"{'decides' if one['decides'] else 'no'}: {' · '.join(one['reasons'])}")

    assert tuple(told) == found


@pytest.mark.usefixtures("people")
def test_mfa_is_as_old_as_one_says(desk: Desk, people: People) -> None:
    people.policy("Sally", statement(Action="s3:*", Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}))

    outcomes = [desk.facts("policy", "explain", "Sally", "s3:GetObject", "--mfa-age", age)["outcome"] for age in ("3599", "3600")]

    assert outcomes == [ALLOWED, IMPLICIT]
    for without in ("--no-mfa", "--access-key"):
        told = refused(desk, "Sally", "s3:GetObject", without, "--mfa-age", "60")
        assert told.endswith("Error: --mfa-age asks with MFA: leave out --access-key or --no-mfa.\n")


@pytest.mark.usefixtures("people")
def test_credentials_that_reach_no_policy_are_noted(desk: Desk) -> None:
    lines = explained(desk, "Richard", "iam:ListMFADevices", "--no-mfa")

    assert "Note: These credentials are refused before policies are asked: The security token included in the" in lines
    assert "      request is invalid (InvalidClientTokenId)" in lines


@pytest.mark.usefixtures("people")
def test_an_operation_that_takes_no_permission_says_so(desk: Desk) -> None:
    lines = explained(desk, "Richard", "sts:GetSessionToken")

    assert "Note: sts:GetSessionToken takes no permission; no policy can allow or deny it." in lines
    assert lines[-1] == "ALLOWED."


def test_assuming_a_role_is_up_to_its_trust_policy_too(desk: Desk, people: People) -> None:
    asking = trust(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    people.call("CreateRole", RoleName="Ops", AssumeRolePolicyDocument=asking)

    lines = explained(desk, "Richard", "sts:AssumeRole", OPS, "--mfa-age", "0")
    assert "ALLOWED." in lines
    trusting = lines.index("Trust policy of the role (has to allow)")
    assert lines[trusting : trusting + 4] == [
        "Trust policy of the role (has to allow)",
        "  Ops",
        "  > 1  Allow  decides",
        "      - aws:MultiFactorAuthPresent is true, and Bool holds",
    ]

    lines = explained(desk, "Sally", "sts:AssumeRole", OPS, "--mfa")
    assert "DENIED: the trust policy does not allow it." in lines
    assert "      - the caller is not in Principal" in lines
    # AWS gives no reason here.
    assert lines[lines.index("DENIED: the trust policy does not allow it.") + 1 :][:2] == [
        f"User: {SALLY} is not authorized to perform: sts:AssumeRole on resource:",
        OPS,
    ]

    lines = explained(desk, "Sally", "sts:AssumeRole", f"{OPS}s")
    assert "Note: There is no role of this ARN, so the request is refused, whatever policies say." in lines
    assert "Note: With a code that is sent along, MFA counts as present, and its age is 0: explain that with" in lines

    notes = desk.facts("policy", "explain", "Sally", "sts:AssumeRole", "*", "--mfa")["notes"]
    assert notes == ["No role has been named: give its ARN as the resource, as its trust policy has to allow it too."]


def test_a_role_asks_with_its_sessions_credentials(desk: Desk, people: People) -> None:
    people.call("CreateRole", RoleName="Ops", AssumeRolePolicyDocument=trust())
    document = statement(Action="s3:*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}})
    people.call("PutRolePolicy", RoleName="Ops", PolicyName="s3", PolicyDocument=document)

    for named in ("role/Ops", OPS, f"arn:aws:sts::{ACCOUNT}:assumed-role/Ops/Monday"):
        told = desk.facts("policy", "explain", named, "s3:GetObject")
        # MFA is not carried into a role.
        assert told["statements"][0]["reasons"] == ["aws:MultiFactorAuthPresent is false and BoolIfExists wants true"]
        assert told["principal"].endswith("Ops/Monday" if named.endswith("Monday") else "Ops/SESSION")
    assert "A role's session has credentials of its own" in refused(desk, "role/Ops", "s3:GetObject", "--mfa")


def test_every_layer_is_told_with_what_it_says(desk: Desk, people: People) -> None:
    people.call("CreatePolicy", PolicyName="Ceiling", PolicyDocument=statement(Action="s3:Get*"))
    ceiling = f"arn:aws:iam::{ACCOUNT}:policy/Ceiling"
    people.call("PutUserPermissionsBoundary", UserName="Sally", PermissionsBoundary=ceiling)
    people.call("CreateGroup", GroupName="Staff")
    people.call("AddUserToGroup", GroupName="Staff", UserName="Sally")
    people.call("PutGroupPolicy", GroupName="Staff", PolicyName="s3", PolicyDocument=statement(Action="s3:*"))
    guard = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    with desk.service() as service:
        ask(service, Principal.operator(ACCOUNT), INSTEP, "PutGuardPolicy", PolicyDocument=guard)

    lines = explained(desk, "Sally", "s3:PutObject")

    assert "DENIED: the permissions boundary does not allow it." in lines
    start = lines.index("Guard policy of the account (a ceiling: has to allow as well)")
    assert lines[start:] == [
        "Guard policy of the account (a ceiling: has to allow as well)",
        "  guard policy",
        "    1  Allow  applies",
        "",
        "Identity-based policies",
        "  s3 (inline, of group Staff)",
        "    1  Allow  applies",
        "",
        "Permissions boundary (has to allow as well)",
        f"  {ceiling}",
        "    1  Allow  does not apply",
        "      - action s3:PutObject is not in Action (s3:Get*)",
    ]


def test_nothing_but_the_guard_policy_limits_the_root_user(desk: Desk) -> None:
    lines = explained(desk, "root", "iam:ListUsers")
    assert "Note: Nothing but a guard policy limits the root user, and there is none." in lines
    assert lines[-1] == "ALLOWED."

    with desk.service() as service:
        ask(service, Principal.operator(ACCOUNT), INSTEP, "PutGuardPolicy", PolicyDocument=statement(Action="sts:*"))
    told = desk.facts("policy", "explain", f"arn:aws:iam::{ACCOUNT}:root", "iam:ListUsers")
    assert (told["outcome"], told["layer"], told["layers"]) == (IMPLICIT, "guard", ["guard"])
    assert told["sentence"].endswith("with an explicit deny in a service control policy")


def test_context_is_what_one_says(desk: Desk, people: People) -> None:
    own = statement(
        Action="s3:*",
        Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}},
    )
    people.policy("Sally", own)

    missing = explained(desk, "Sally", "s3:GetObject")
    assert "  aws:SourceIp  (--context aws:SourceIp=…)" in missing
    keys = ["--context", "aws:SourceIp=192.0.2.7", "--context", "aws:TagKeys=a", "--context", "aws:TagKeys=c"]
    told = desk.facts("policy", "explain", "Sally", "s3:GetObject", *keys)
    assert told["statements"][0]["reasons"] == ["aws:TagKeys is a, c and ForAllValues:StringEquals wants a or b"]
    assert desk.facts("policy", "explain", "Sally", "s3:GetObject", *keys[:4])["outcome"] == ALLOWED


def test_what_hangs_on_the_resource_is_known(desk: Desk, people: People) -> None:
    people.call("TagUser", UserName="Richard", Tags=[{"Key": "team", "Value": "blue"}])
    people.policy("Sally", statement(Action="iam:*", Condition={"StringEquals": {"aws:ResourceTag/team": "blue"}}))

    outcomes = [desk.facts("policy", "explain", "Sally", "iam:GetUser", who)["outcome"] for who in (RICHARD, SALLY)]

    assert outcomes == [ALLOWED, IMPLICIT]


@pytest.mark.usefixtures("people")
def test_actions_are_found_whatever_their_case_and_unknown_ones_are_noted(desk: Desk) -> None:
    assert desk.facts("policy", "explain", "Richard", "IAM:resyncmfadevice")["action"] == "iam:ResyncMFADevice"
    unknown = explained(desk, "Richard", "iam:ResyncMFA")
    assert "Note: There is no operation iam:ResyncMFA; it is explained as it is written." in unknown


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("Nobody", "iam:GetUser"), "The user with name Nobody cannot be found. (NoSuchEntity)"),
        (("role/Nobody", "iam:GetUser"), "The role with name Nobody cannot be found. (NoSuchEntity)"),
        ((f"arn:aws:iam::{ACCOUNT}:user/Nobody", "iam:GetUser"), "The user with name Nobody cannot be found. (NoSuchEntity)"),
        ((f"arn:aws:iam::{ACCOUNT}:group/Staff", "iam:GetUser"), "A group asks for nothing; name one of its users."),
        (("team/Richard", "iam:GetUser"), "team/Richard is neither a user's name, nor role/NAME, nor an ARN."),
        (("Richard", "iam:GetRole"), "Say on which resource: iam:GetRole is always about a certain one."),
        (("Richard", "sts:AssumeRole"), "Say on which resource: sts:AssumeRole is always about a certain one."),
    ],
)
def test_what_cannot_be_explained_is_told_in_one_line(desk: Desk, words: tuple[str, ...], message: str) -> None:
    told = refused(desk, *words)

    assert told.startswith(f"Error: {message}")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ListUsers",), "ACTION: 'ListUsers' does not name an action; write it with its service, as iam:ListUsers."),
        (("",), "ACTION: '' does not name an action; write it with its service, as iam:ListUsers."),
        (("iam:*",), "ACTION: 'iam:*' is a pattern; name one action, as iam:ListUsers."),
        (("iam:GetUser", "Sally"), f"RESOURCE: 'Sally' is neither an ARN nor *; write it as {RICHARD}."),
        (("iam:GetUser", "arn:aws:iam"), f"RESOURCE: 'arn:aws:iam' is neither an ARN nor *; write it as {RICHARD}."),
        (("iam:GetUser", "--context", "aws:SourceIp"), "--context: 'aws:SourceIp' is not KEY=VALUE."),
        (
            ("iam:GetUser", "--context", "foo=1"),
            "--context: 'foo' is too short for a condition key; write it with its service, as aws:SourceIp.",
        ),
    ],
)
def test_what_is_not_written_as_it_should_be_says_how_to_write_it(desk: Desk, words: tuple[str, ...], message: str) -> None:
    assert refused(desk, "Richard", *words).endswith(f"Error: Invalid value for {message}\n")


def test_an_explanation_is_in_the_audit_trail(desk: Desk, people: People) -> None:
    explained(desk, "Richard", "iam:GetUser")

    (event,) = [event for event in desk.events() if event["eventName"] == "ExplainAccess"]
    assert (event["readOnly"], event["userIdentity"]["type"]) == (True, "Operator")
    assert event["requestParameters"]["principal"] == "Richard"
