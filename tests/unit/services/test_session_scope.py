"""What a role session is limited to and known by: session policies, tags, source identity; and what of it goes on."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from instep.api.common import AWSError, InvalidParameterValue, ValidationError
from instep.api.errors import MalformedPolicyDocument, PackedPolicyTooLarge
from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, OTHER_ACCOUNT, House
from tests.support.sessions import Keys, assume, make_role, run, session_of, statement, trust, who_is

MAY_TAG = ["sts:AssumeRole", "sts:TagSession"]
MAY_NAME_SOURCE = ["sts:AssumeRole", "sts:SetSourceIdentity"]
EVERYTHING = statement(Action="*", Resource="*")


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def scattered(number: int, length: int) -> str:
    """Hexadecimal digits without a pattern, so that they pack no smaller than half their length; the same in every run."""
    return hashlib.shake_128(str(number).encode()).hexdigest(length // 2)


def refused(home: House, principal: Principal, arn: str, **parameters: object) -> AWSError:
    with pytest.raises(AWSError) as caught:
        assume(home, principal, arn, **parameters)
    return caught.value


def sentence(principal: Principal, arn: str, action: str) -> str:
    return f"User: {principal.arn} is not authorized to perform: {action} on resource: {arn}"


def powerful_role(home: House, *principals: str, name: str = "Deploy", action: str | list[str] = "sts:AssumeRole") -> str:
    arn = make_role(home, name, trust(*principals, action=action))
    home.call("iam:PutRolePolicy", RoleName=name, PolicyName="all", PolicyDocument=EVERYTHING)
    return arn


def test_a_session_may_do_what_both_its_role_and_its_session_policies_allow(home: House) -> None:
    richard = home.user("Richard")
    arn = powerful_role(home, richard.arn)
    own = home.call(
        "iam:CreatePolicy", PolicyName="Groups", PolicyDocument=statement(Action="iam:ListGroups", Resource="*")
    ).policy.arn

    answer = assume(
        home,
        richard,
        arn,
        Policy=statement(Action="iam:ListUsers", Resource="*"),
        PolicyArns=[{"arn": own}, {"arn": "arn:aws:iam::aws:policy/IAMUserChangePassword"}],
    )

    keys = Keys.of(answer.credentials)
    assert 0 < answer.packed_policy_size < 10
    assert run(home, keys, "iam:ListUsers").users
    assert run(home, keys, "iam:ListGroups").groups == ()
    with pytest.raises(AWSError) as caught:
        run(home, keys, "iam:ListRoles")
    assert caught.value.message.endswith("because no session policy allows the iam:ListRoles action")
    assert run(home, Keys.of(assume(home, richard, arn).credentials), "iam:ListRoles").roles


def test_session_policies_that_are_none_are_refused(home: House) -> None:
    richard = home.user("Richard")
    arn = powerful_role(home, richard.arn)
    elsewhere = home.call(
        "iam:CreatePolicy", Principal.root(OTHER_ACCOUNT, "AKIAOTHEROTHEROTHERO"), PolicyName="P", PolicyDocument=EVERYTHING
    ).policy.arn

    assert isinstance(refused(home, richard, arn, Policy="not JSON"), MalformedPolicyDocument)
    assert isinstance(refused(home, richard, arn, Policy=trust("*")), MalformedPolicyDocument)
    costly = {"StringLike": {"aws:TagKeys": ["*a*"] * 1000}}
    too_long = refused(home, richard, arn, Policy=statement(Action="*", Resource="*", Condition=costly))
    assert isinstance(too_long, MalformedPolicyDocument)
    assert too_long.message.startswith("The policy takes too long to evaluate: use fewer wildcards and variables,")
    missing = f"arn:aws:iam::{ACCOUNT}:policy/Missing"
    for policy_arn in (missing, elsewhere, "arn:aws:iam::aws:policy/Missing"):
        refusal = refused(home, richard, arn, PolicyArns=[{"arn": policy_arn}])
        assert (type(refusal), refusal.message) == (ValidationError, f"{policy_arn} is invalid")
    assert refused(home, richard, arn, PolicyArns=[{"arn": missing}] * 11).message == (
        "1 validation error detected: Value at 'policyArns' failed to satisfy constraint:"
        " Member must have length less than or equal to 10"
    )
    assert "'policyArns.1.member.arn'" in refused(home, richard, arn, PolicyArns=[{}]).message
    assert "'policy' failed" in refused(home, richard, arn, Policy=EVERYTHING + " " * 10_240).message


def test_policies_and_tags_that_do_not_fit_a_token_are_refused_with_how_much_they_take(home: House) -> None:
    richard = home.user("Richard")
    arn = powerful_role(home, richard.arn, action=MAY_TAG)
    resources = [f"arn:aws:iam::{ACCOUNT}:user/{scattered(number, 120)}" for number in range(60)]
    policy = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": resources}})
    many = tags(**{f"k{number}": scattered(number, 256) for number in range(50)})

    too_long = refused(home, richard, arn, Policy=policy)
    assert isinstance(too_long, PackedPolicyTooLarge)
    assert re.fullmatch(r"Packed policy consumes 1\d\d% of allotted space, please use smaller policy\.", too_long.message)
    too_many = refused(home, richard, arn, Tags=many)
    assert re.fullmatch(r"Packed size of session tags consumes 1\d\d% of allotted space\.", too_many.message)


def test_the_longest_session_that_is_given_signs_requests(home: House) -> None:
    richard = home.user("Richard")
    arn = powerful_role(home, richard.arn, action=MAY_TAG)
    most = tags(**{f"k{number}": scattered(number, 120) for number in range(50)})

    answer = assume(home, richard, arn, Tags=most)

    assert 70 < answer.packed_policy_size <= 100
    assert len(answer.credentials.session_token) < 7000
    assert len(who_is(home, Keys.of(answer.credentials)).tags) == 50


def test_tags_take_a_permission_of_their_own(home: House) -> None:
    richard = home.user("Richard")
    plain = make_role(home, "Plain", trust(richard.arn))
    team_only = make_role(
        home, "TeamOnly", trust(richard.arn, action=MAY_TAG, Condition={"StringEqualsIfExists": {"aws:RequestTag/team": "a"}})
    )

    assert refused(home, richard, plain, Tags=tags(team="a")).message == sentence(richard, plain, "sts:TagSession")
    assert refused(home, richard, team_only, Tags=tags(team="b")).message == sentence(richard, team_only, "sts:AssumeRole")
    assert session_of(home, richard, team_only, Tags=tags(team="a")).tags == {"team": "a"}


def test_session_tags_lie_over_the_roles_own(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(richard.arn, action=MAY_TAG), Tags=tags(team="role", cost="1"))
    document = statement(
        Action="iam:ListUsers", Resource="*", Condition={"StringEquals": {"aws:PrincipalTag/Team": "${aws:PrincipalTag/wanted}"}}
    )
    home.call("iam:PutRolePolicy", RoleName="Deploy", PolicyName="by-team", PolicyDocument=document)

    keys = Keys.of(assume(home, richard, arn, Tags=tags(TEAM="session", wanted="session")).credentials)

    assert run(home, keys, "iam:ListUsers").users


def test_tags_that_contradict_one_another_are_refused(home: House) -> None:
    richard = home.user("Richard")
    arn = powerful_role(home, richard.arn, action=MAY_TAG)

    twice = refused(home, richard, arn, Tags=tags(team="a", TEAM="b"))
    assert (type(twice), twice.message) == (
        InvalidParameterValue,
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    )
    assert refused(home, richard, arn, Tags=tags(team="a"), TransitiveTagKeys=["cost"]).message == (
        "The specified transitive tag key must be included in the requested tags."
    )
    assert "aws: prefixed" in refused(home, richard, arn, Tags=[{"Key": "AWS:x", "Value": ""}]).message
    assert "'tags' failed" in refused(home, richard, arn, Tags=tags(**{f"k{n}": "" for n in range(51)})).message


def test_transitive_tags_go_on_and_cannot_be_changed(home: House) -> None:
    richard = home.user("Richard")
    first = make_role(home, "First", trust(richard.arn, action=MAY_TAG))
    second = make_role(home, "Second", trust(first, action=MAY_TAG), Tags=tags(team="role"))
    third = make_role(home, "Third", trust(second, action=MAY_TAG))
    untagged = make_role(home, "Untagged", trust(first))
    session = session_of(home, richard, first, Tags=tags(Team="a", cost="1"), TransitiveTagKeys=["team"])

    chained = session_of(home, session, second, Tags=tags(stage="x"))
    assert chained.tags == {"team": "role", "Team": "a", "stage": "x"}
    assert session_of(home, chained, third).tags == {"Team": "a"}
    for key in ("Team", "TEAM"):
        refusal = refused(home, session, second, Tags=tags(**{key: "b"}))
        assert isinstance(refusal, InvalidParameterValue)
        assert refusal.message == (
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the"
            " calling session."
        )
    assert refused(home, session, untagged).message == sentence(session, untagged, "sts:TagSession")


def test_a_source_identity_takes_a_permission_goes_on_and_cannot_be_changed(home: House) -> None:
    richard = home.user("Richard")
    plain = make_role(home, "Plain", trust(richard.arn))
    own_name = {"StringEqualsIfExists": {"sts:SourceIdentity": "${aws:username}"}}
    first = make_role(home, "First", trust(richard.arn, action=MAY_NAME_SOURCE, Condition=own_name))
    second = make_role(home, "Second", trust(first, action=MAY_NAME_SOURCE))
    unnaming = make_role(home, "Unnaming", trust(first))

    assert refused(home, richard, plain, SourceIdentity="Richard").message == sentence(richard, plain, "sts:SetSourceIdentity")
    assert refused(home, richard, first, SourceIdentity="Diego").message == sentence(richard, first, "sts:AssumeRole")
    assert assume(home, richard, first, SourceIdentity="Richard").source_identity == "Richard"
    session = session_of(home, richard, first, SourceIdentity="Richard")
    assert assume(home, session, second).source_identity == "Richard"
    assert assume(home, session, second, SourceIdentity="Richard").source_identity == "Richard"
    changed = refused(home, session, second, SourceIdentity="Diego")
    assert (type(changed), changed.message) == (
        ValidationError,
        "The source identity is already set for this assume role session",
    )
    assert refused(home, session, unnaming).message == sentence(session, unnaming, "sts:SetSourceIdentity")


def test_contexts_of_others_are_refused_rather_than_passed_over(home: House) -> None:
    richard = home.user("Richard")
    arn = powerful_role(home, richard.arn)

    refusal = refused(home, richard, arn, ProvidedContexts=[{"ProviderArn": arn, "ContextAssertion": "abcd"}])

    assert isinstance(refusal, ValidationError)


def test_tags_that_go_on_count_with_new_ones(home: House) -> None:
    richard = home.user("Richard")
    first = make_role(home, "First", trust(richard.arn, action=MAY_TAG))
    second = make_role(home, "Second", trust(first, action=MAY_TAG))
    inherited = {f"k{number}": "" for number in range(30)}
    session = session_of(home, richard, first, Tags=tags(**inherited), TransitiveTagKeys=list(inherited))

    refusal = refused(home, session, second, Tags=tags(**{f"n{number}": "" for number in range(21)}))

    assert isinstance(refusal, ValidationError)
    assert refusal.message == (
        "1 validation error detected: Value at 'tags' failed to satisfy constraint:"
        " Member must have length less than or equal to 50"
    )
    assert len(session_of(home, session, second, Tags=tags(**{f"n{number}": "" for number in range(20)})).tags) == 50


@pytest.mark.parametrize(
    "condition",
    [
        {"ForAllValues:StringEquals": {"aws:TagKeys": ["stage"]}},
        {"StringEqualsIfExists": {"aws:RequestTag/team": "b"}},
        {"ForAllValues:StringEquals": {"sts:TransitiveTagKeys": ["stage"]}},
    ],
)
def test_tags_that_go_on_are_asked_about_like_new_ones(home: House, condition: dict[str, object]) -> None:
    richard = home.user("Richard")
    first = make_role(home, "First", trust(richard.arn, action=MAY_TAG))
    limited = make_role(home, "Limited", trust(first, action=MAY_TAG, Condition=condition))
    new = {"Tags": tags(stage="x"), "TransitiveTagKeys": ["stage"]}

    bare = session_of(home, richard, first)
    assert session_of(home, bare, limited, **new).tags == {"stage": "x"}
    session = session_of(home, richard, first, Tags=tags(Team="a"), TransitiveTagKeys=["Team"])
    assert refused(home, session, limited, **new).message == sentence(session, limited, "sts:AssumeRole")
    assert refused(home, session, limited).message == sentence(session, limited, "sts:AssumeRole")
