"""What each kind of credentials says of MFA, and what becomes of the usual ways to ask for it in a policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.server import Server
from tests.wire.people import Account, Person, Phone, Secrets, refusal
from tests.wire.policies import (
    AGE,
    INVALID_TOKEN,
    PRESENT,
    allow,
    assume,
    deny,
    document,
    explicitly,
    new_role,
    not_assumed,
    restrict,
    trusting,
    user_arn,
    with_mfa,
    without_mfa,
)

# Names of what a caller's keys may say, and the condition that is met by just that.
SAYINGS: dict[str, dict[str, Any]] = {
    "present absent": {"Null": {PRESENT: "true"}},
    "present false": {"StringEquals": {PRESENT: "false"}},
    "present true": {"StringEquals": {PRESENT: "true"}},
    "age absent": {"Null": {AGE: "true"}},
    "age 0": {"NumericEquals": {AGE: "0"}},
    "age under five minutes": {"NumericLessThan": {AGE: "300"}},
}
NOTHING = {"present absent", "age absent"}
FALSE = {"present false", "age absent"}
TRUE = {"present true", "age under five minutes"}


@pytest.fixture(scope="module")
def roles(account: Account) -> dict[str, str]:
    """By saying, the ARN of a role that trusts whoever in the account says so."""
    return {saying: new_role(account, trusting(account.account_id, **met)) for saying, met in SAYINGS.items()}


@pytest.fixture(scope="module")
def richard(account: Account) -> Person:
    person = account.person()
    restrict(account, person, document(allow("sts:AssumeRole")))
    return person


@pytest.fixture(scope="module")
def phone(account: Account, richard: Person) -> Phone:
    return account.enabled_phone(richard.name)


def said(account: Account, sts: Any, roles: dict[str, str]) -> set[str]:
    """What the roles that let this caller in have heard."""
    heard = set()
    for saying, role in roles.items():
        try:
            assume(account, sts, role)
        except sts.exceptions.ClientError as refused:
            if refused.response["Error"]["Code"] != "AccessDenied":
                raise
        else:
            heard.add(saying)
    return heard


def test_an_access_key_says_nothing_of_mfa(account: Account, roles: dict[str, str], richard: Person) -> None:
    assert said(account, account.client_of(richard, "sts"), roles) == NOTHING


def test_a_session_without_mfa_says_so_and_has_no_age(account: Account, roles: dict[str, str], richard: Person) -> None:
    assert said(account, account.session(without_mfa(account, richard), "sts"), roles) == FALSE


def test_a_session_with_mfa_says_so_and_how_long_ago_it_was(
    account: Account, roles: dict[str, str], richard: Person, phone: Phone
) -> None:
    heard = said(account, account.session(with_mfa(account, richard, phone), "sts"), roles)

    # Whether it is younger than a second depends on the machine.
    assert heard - {"age 0"} == TRUE


def test_a_code_that_comes_along_with_the_call_counts_as_checked_that_moment(account: Account, roles: dict[str, str]) -> None:
    person = account.person()
    restrict(account, person, document(allow("sts:AssumeRole")))
    phone, sts = account.enabled_phone(person.name), account.client_of(person, "sts")

    for saying in ("present true", "age 0"):
        assert assume(account, sts, roles[saying], SerialNumber=phone.serial_number, TokenCode=phone.code())
    # Refused by the role before the code is looked at, which therefore stays good.
    code, arn = phone.code(), user_arn(account, person.name)
    for saying in ("present false", "present absent", "age absent"):
        call = {"RoleArn": roles[saying], "RoleSessionName": "Session1", "SerialNumber": phone.serial_number, "TokenCode": code}
        assert refusal(sts.assume_role, **call) == not_assumed(arn, roles[saying])
    assert sts.get_session_token(SerialNumber=phone.serial_number, TokenCode=code)["Credentials"]


def test_a_role_session_says_false_even_when_mfa_opened_it(
    account: Account, roles: dict[str, str], richard: Person, phone: Phone
) -> None:
    role = new_role(account, trusting(account.account_id, Bool={PRESENT: "true"}), allow("sts:AssumeRole"))

    assumed = assume(account, account.session(with_mfa(account, richard, phone), "sts"), role)

    assert said(account, account.session(assumed, "sts"), roles) == FALSE


def test_a_roots_key_says_nothing_of_mfa_either(server: Server, secrets: Secrets) -> None:
    account = Account.another(server, secrets)
    root = account.client_of(account.root(), "iam")
    # Nothing but a guard policy limits the root user; each saying has a read of its own.
    asks = ("ListUsers", "ListRoles", "ListGroups", "ListPolicies", "GetUser", "GetAccountSummary")
    calls = (root.list_users, root.list_roles, root.list_groups, root.list_policies, root.get_user, root.get_account_summary)
    guard = server.home / "guard.json"
    guard.write_text(document(*(allow(f"iam:{action}", **met) for action, met in zip(asks, SAYINGS.values(), strict=True))))
    done = server.instep("guard", "set", str(guard), "--account", account.account_id)
    assert done.returncode == 0, done.stderr

    for saying, call in zip(SAYINGS, calls, strict=True):
        if saying in NOTHING:
            call()
        else:
            assert refusal(call).message.endswith("with an explicit deny in a service control policy")


def test_a_federated_user_never_reaches_iam_and_has_no_mfa_to_show(account: Account, roles: dict[str, str]) -> None:
    person = account.person()
    restrict(account, person, document(allow()))
    made = account.client_of(person, "sts").get_federation_token(Name="Bob", Policy=document(allow()))["Credentials"]

    assert refusal(account.session(made, "iam").list_users) == INVALID_TOKEN
    sts = account.session(made, "sts")
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:sts::{account.account_id}:federated-user/Bob"
    for role in roles.values():
        refused = refusal(sts.assume_role, RoleArn=role, RoleSessionName="Session1")
        assert refused.message == "Cannot call AssumeRole with session credentials"


@dataclass(frozen=True)
class Construct:
    """A way to ask for MFA, and whether a caller gets through by an access key, by a session without MFA, by one with it."""

    statement: dict[str, Any]
    access_key: bool
    without: bool
    proven: bool


YES, NO = True, False
CONSTRUCTS = {
    "Deny BoolIfExists false": Construct(deny(BoolIfExists={PRESENT: "false"}), NO, NO, YES),
    "Deny Bool false": Construct(deny(Bool={PRESENT: "false"}), YES, NO, YES),
    "Allow Bool true": Construct(allow(Bool={PRESENT: "true"}), NO, NO, YES),
    "Allow BoolIfExists true": Construct(allow(BoolIfExists={PRESENT: "true"}), YES, NO, YES),
    "Allow Null false": Construct(allow(Null={PRESENT: "false"}), NO, YES, YES),
    "Allow a young age": Construct(allow(NumericLessThan={AGE: "3600"}), NO, NO, YES),
    "Deny an old age": Construct(deny(NumericGreaterThanIfExists={AGE: "3600"}), NO, NO, YES),
}


@pytest.mark.parametrize("construct", CONSTRUCTS.values(), ids=CONSTRUCTS)
def test_each_way_to_ask_for_mfa_lets_through_whom_the_guide_says(account: Account, construct: Construct) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    denies = construct.statement["Effect"] == "Deny"
    restrict(account, person, document(construct.statement, *([allow()] if denies else [])))
    # The account is trusted, so it is the caller's own policies that decide.
    role = new_role(account, trusting(account.account_id))
    arn = user_arn(account, person.name)
    proven = with_mfa(account, person, phone)
    by_key, session = account.client_of(person, "iam"), account.session(proven, "iam")

    callers = (
        (account.client_of(person, "sts"), construct.access_key),
        (account.session(without_mfa(account, person), "sts"), construct.without),
        (account.session(proven, "sts"), construct.proven),
    )
    for sts, through in callers:
        if through:
            assert assume(account, sts, role)
        else:
            assert refusal(sts.assume_role, RoleArn=role, RoleSessionName="Session1") == not_assumed(arn, role)
    for iam, through in ((by_key, construct.access_key), (session, construct.proven)):
        if through:
            assert iam.get_user()["User"]["UserName"] == person.name
        else:
            refused = refusal(iam.get_user)
            assert refused.message.startswith(f"User: {arn} is not authorized to perform: iam:GetUser on resource: {arn} ")
            assert (refused == explicitly(arn, "iam:GetUser", arn)) is denies
