"""Validation in AWS's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.api.common import MalformedInput, ValidationError
from instep.api.iam import (
    IAM,
    CreateAccountAliasRequest,
    CreateUserRequest,
    CreateVirtualMFADeviceRequest,
    ListMFADevicesRequest,
    ListVirtualMFADevicesRequest,
    ResyncMFADeviceRequest,
    SetSecurityTokenServicePreferencesRequest,
    Tag,
    TagUserRequest,
    UntagUserRequest,
    UpdateAccountPasswordPolicyRequest,
)
from instep.api.shape import Kind, Limits, Shape, members, wire
from instep.api.sts import STS, AssumeRoleRequest, GetCallerIdentityRequest, GetSessionTokenRequest
from instep.services.validate import Wording, validate

RESYNC: Mapping[str, object] = {
    "UserName": "Richard",
    "SerialNumber": "arn:aws:iam::123456789012:mfa/RichardsMFA",
    "AuthenticationCode1": "123456",
    "AuthenticationCode2": "987654",
}
ROLE: Mapping[str, object] = {"RoleArn": "arn:aws:iam::123456789012:role/demo", "RoleSessionName": "Session1"}


def refusal(structure: type[Any], loose: Mapping[str, object], wording: Wording = Wording.IAM) -> str:
    with pytest.raises(ValidationError) as caught:
        validate(structure, loose, wording)
    return caught.value.message


# What passes.


def test_a_good_request_becomes_the_typed_one() -> None:
    request = validate(ResyncMFADeviceRequest, {**RESYNC, "Unheard": "of"}, Wording.IAM)

    assert request == ResyncMFADeviceRequest(
        user_name="Richard",
        serial_number="arn:aws:iam::123456789012:mfa/RichardsMFA",
        authentication_code1="123456",
        authentication_code2="987654",
    )


def test_lists_structures_enums_numbers_and_booleans_are_converted() -> None:
    tagged = validate(TagUserRequest, {"UserName": "Richard", "Tags": [{"Key": "部署", "Value": ""}]}, Wording.IAM)
    listed = validate(ListVirtualMFADevicesRequest, {"AssignmentStatus": "Any", "MaxItems": "+0100"}, Wording.IAM)
    policy = validate(UpdateAccountPasswordPolicyRequest, {"RequireSymbols": "true", "RequireNumbers": "False"}, Wording.IAM)

    assert tagged.tags == (Tag(key="部署", value=""),)
    assert (listed.assignment_status, listed.max_items) == ("Any", 100)
    assert (policy.require_symbols, policy.require_numbers, policy.hard_expiry) == (True, False, None)


def test_a_request_without_members_takes_anything() -> None:
    assert validate(GetCallerIdentityRequest, {"X": {"Y": ["z"]}}, Wording.STS) == GetCallerIdentityRequest()


@pytest.mark.parametrize("path", ["/", "/division/", "/test//double/", "/!~/"])
def test_paths_may_hold_any_printable_character_and_double_slashes(path: str) -> None:
    assert validate(CreateUserRequest, {"UserName": "u", "Path": path}, Wording.IAM).path == path


def test_lengths_are_counted_in_code_points() -> None:
    assert validate(AssumeRoleRequest, {**ROLE, "RoleArn": "é" * 2048}, Wording.STS).role_arn == "é" * 2048
    assert "less than or equal to 2048" in refusal(AssumeRoleRequest, {**ROLE, "RoleArn": "é" * 2049}, Wording.STS)


def test_composed_characters_are_not_normalized_before_counting() -> None:
    assert "less than or equal to 2048" in refusal(AssumeRoleRequest, {**ROLE, "RoleArn": "e\u0301" * 1025}, Wording.STS)


# How a refusal is worded.


def test_iam_does_not_repeat_the_value() -> None:
    assert refusal(CreateVirtualMFADeviceRequest, {"VirtualMFADeviceName": "m", "Path": f"/{'a' * 511}/"}) == (
        "1 validation error detected: Value at 'path' failed to satisfy constraint: "
        "Member must have length less than or equal to 512"
    )


def test_sts_repeats_the_value() -> None:
    assert refusal(AssumeRoleRequest, {**ROLE, "RoleSessionName": "Session1:2"}, Wording.STS) == (
        "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\w+=,.@-]*"
    )


def test_a_missing_member_is_null() -> None:
    tail = "failed to satisfy constraint: Member must not be null"

    assert refusal(AssumeRoleRequest, {"RoleSessionName": "Session1"}, Wording.STS) == (
        f"1 validation error detected: Value null at 'roleArn' {tail}"
    )
    assert refusal(CreateUserRequest, {}) == f"1 validation error detected: Value at 'userName' {tail}"


def test_several_failures_are_counted_and_joined() -> None:
    loose = {"MinimumPasswordLength": "129", "MaxPasswordAge": "1096", "PasswordReusePrevention": "25"}

    assert refusal(UpdateAccountPasswordPolicyRequest, loose) == (
        "3 validation errors detected: "
        "Value at 'minimumPasswordLength' failed to satisfy constraint: Member must have value less than or equal to 128; "
        "Value at 'passwordReusePrevention' failed to satisfy constraint: Member must have value less than or equal to 24; "
        "Value at 'maxPasswordAge' failed to satisfy constraint: Member must have value less than or equal to 1095"
    )


def test_the_pattern_is_told_before_the_length() -> None:
    emoji = "\U0001f600" * 2049

    assert refusal(AssumeRoleRequest, {**ROLE, "RoleArn": emoji}, Wording.STS) == (
        f"2 validation errors detected: Value '{emoji}' at 'roleArn' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: "
        r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+; "
        f"Value '{emoji}' at 'roleArn' failed to satisfy constraint: Member must have length less than or equal to 2048"
    )


def test_emoji_of_an_allowed_length_fail_only_the_pattern() -> None:
    assert refusal(AssumeRoleRequest, {**ROLE, "RoleArn": "\U0001f600" * 2048}, Wording.STS).startswith("1 validation error ")


def test_acronyms_keep_their_capitals_in_a_members_name() -> None:
    assert refusal(CreateVirtualMFADeviceRequest, {"VirtualMFADeviceName": "m" * 227}) == (
        "1 validation error detected: Value at 'virtualMFADeviceName' failed to satisfy constraint: "
        "Member must have length less than or equal to 226"
    )


def test_a_member_of_a_list_is_named_by_its_place() -> None:
    loose = {"UserName": "Richard", "Tags": [{"Key": "a", "Value": ""}, {"Key": "#"}]}

    assert refusal(TagUserRequest, loose) == (
        "2 validation errors detected: Value at 'tags.2.member.key' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+; "
        "Value at 'tags.2.member.value' failed to satisfy constraint: Member must not be null"
    )


def test_a_list_has_a_length() -> None:
    loose = {"UserName": "Richard", "Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]}

    assert refusal(TagUserRequest, loose) == (
        "1 validation error detected: Value at 'tags' failed to satisfy constraint: "
        "Member must have length less than or equal to 50"
    )


def test_a_list_of_strings_is_told_all_that_is_demanded_of_them() -> None:
    assert refusal(UntagUserRequest, {"UserName": "Richard", "TagKeys": ["fine", "#", ""]}) == (
        "1 validation error detected: Value at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: "
        "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1, "
        r"Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+, Member must not be null]"
    )
    assert "Value '[#, a]' at 'transitiveTagKeys' failed" in refusal(
        AssumeRoleRequest, {**ROLE, "TransitiveTagKeys": ["#", "a"]}, Wording.STS
    )


def test_a_value_outside_its_set_is_refused_without_listing_the_set() -> None:
    assert refusal(ListVirtualMFADevicesRequest, {"AssignmentStatus": "any"}) == (
        "1 validation error detected: Value at 'assignmentStatus' failed to satisfy constraint: "
        "Member must satisfy enum value set"
    )
    assert refusal(SetSecurityTokenServicePreferencesRequest, {"GlobalEndpointTokenVersion": ""}).endswith("enum value set")


@pytest.mark.parametrize(
    ("seconds", "repeated", "bound"),
    [
        ("899", "899", "greater than or equal to 900"),
        ("-1", "-1", "greater than or equal to 900"),
        ("+0899", "899", "greater than or equal to 900"),
        ("129601", "129601", "less than or equal to 129600"),
    ],
)
def test_a_number_out_of_range_is_repeated_as_the_number_it_is(seconds: str, repeated: str, bound: str) -> None:
    assert refusal(GetSessionTokenRequest, {"DurationSeconds": seconds}, Wording.STS) == (
        f"1 validation error detected: Value '{repeated}' at 'durationSeconds' failed to satisfy constraint: "
        f"Member must have value {bound}"
    )


@pytest.mark.parametrize("path", ["test", "/test", "test/", "/te st/", "/ä/"])
def test_a_path_of_another_form_is_refused_in_words_of_its_own(path: str) -> None:
    assert refusal(CreateVirtualMFADeviceRequest, {"VirtualMFADeviceName": "m", "Path": path}) == (
        "The specified value for path is invalid. "
        "It must begin and end with / and contain only alphanumeric characters and/or / characters."
    )


def test_a_user_name_with_a_foreign_character_is_refused_in_words_of_its_own() -> None:
    assert refusal(ResyncMFADeviceRequest, {**RESYNC, "UserName": "Richard Roe"}) == (
        "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
    )


def test_words_of_its_own_give_way_to_counted_failures() -> None:
    assert refusal(ResyncMFADeviceRequest, {**RESYNC, "UserName": "Richard Roe", "AuthenticationCode2": "1234567"}) == (
        "1 validation error detected: Value at 'authenticationCode2' failed to satisfy constraint: "
        "Member must have length less than or equal to 6"
    )


@pytest.mark.parametrize("code", ["12345", "1234567"])
def test_a_code_has_six_digits(code: str) -> None:
    assert "'authenticationCode1' failed to satisfy constraint: Member must have length" in refusal(
        ResyncMFADeviceRequest, {**RESYNC, "AuthenticationCode1": code}
    )


@pytest.mark.parametrize("code", ["１２３４５６", "12345a", "12 456", "٣٣٣٣٣٣", "12345\n"])
def test_a_code_has_ascii_digits(code: str) -> None:
    assert refusal(ResyncMFADeviceRequest, {**RESYNC, "AuthenticationCode1": code}) == (
        "1 validation error detected: Value at 'authenticationCode1' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\d]+"
    )


def test_a_code_that_sts_repeats_to_its_sender_is_not_written_down() -> None:
    with pytest.raises(ValidationError) as caught:
        validate(GetSessionTokenRequest, {"SerialNumber": "short", "TokenCode": "12345 "}, Wording.STS)

    assert "Value '12345 ' at 'tokenCode'" in caught.value.message
    assert caught.value.loggable == str(caught.value)
    assert "Value at 'tokenCode'" in caught.value.loggable
    assert "short" not in caught.value.loggable  # a code may stand in any place


def test_a_bad_alias_is_refused_by_its_pattern() -> None:
    assert refusal(CreateAccountAliasRequest, {"AccountAlias": "a--b"}).endswith("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$")


def test_a_hundred_failures_are_enough() -> None:
    loose = {"UserName": "Richard", "Tags": [{}] * 50_000}

    assert refusal(TagUserRequest, loose).startswith("100 validation errors detected: ")


# What is not even of the right kind.


@pytest.mark.parametrize(
    "number", ["abc", "900.0", "9e2", " 900", "0x10", "９００", "2147483648", "-2147483649", "9" * 100_000, "-"]
)
def test_what_is_not_a_number_is_malformed_without_a_message(number: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        validate(ListMFADevicesRequest, {"MaxItems": number}, Wording.IAM)

    assert caught.value.message == ""


def test_an_empty_number_is_malformed_with_a_message() -> None:
    with pytest.raises(MalformedInput, match=r"^missing value for decimal type$"):
        validate(GetSessionTokenRequest, {"DurationSeconds": ""}, Wording.STS)


def test_malformed_input_comes_before_everything_else() -> None:
    with pytest.raises(MalformedInput):
        validate(ListMFADevicesRequest, {"UserName": "", "MaxItems": "many"}, Wording.IAM)


def test_the_extremes_of_a_number_reach_its_range() -> None:
    for number in ("2147483647", "-2147483648", "0" * 5000):
        assert "'maxItems' failed to satisfy constraint: Member must have value" in refusal(
            ListMFADevicesRequest, {"MaxItems": number}
        )


@pytest.mark.parametrize("boolean", ["yes", "1", "", "ＴＲＵＥ"])
def test_what_is_not_a_boolean_is_malformed(boolean: str) -> None:
    with pytest.raises(MalformedInput):
        validate(UpdateAccountPasswordPolicyRequest, {"RequireSymbols": boolean}, Wording.IAM)


@pytest.mark.parametrize("wrong", [{"X": "y"}, ["Richard"], 7, True, None])
def test_what_is_not_of_its_members_kind_is_not_given(wrong: object) -> None:
    assert "'userName' failed to satisfy constraint: Member must not be null" in refusal(CreateUserRequest, {"UserName": wrong})
    assert validate(CreateUserRequest, {"UserName": "u", "Path": wrong}, Wording.IAM).path is None


def test_an_empty_list_is_sent_as_an_empty_string() -> None:
    assert validate(TagUserRequest, {"UserName": "Richard", "Tags": ""}, Wording.IAM).tags == ()
    assert "'tags' failed to satisfy constraint: Member must not be null" in refusal(
        TagUserRequest, {"UserName": "R", "Tags": "x"}
    )


def test_a_gap_in_a_list_is_null() -> None:
    assert refusal(TagUserRequest, {"UserName": "Richard", "Tags": [None, "x"]}) == (
        "2 validation errors detected: Value at 'tags.1.member' failed to satisfy constraint: Member must not be null; "
        "Value at 'tags.2.member' failed to satisfy constraint: Member must not be null"
    )


# Kinds that no input of today's models has, and structures within themselves.


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    leaf: Annotated[bytes, Limits(max=3)] = field(metadata=wire("Leaf"))
    grown: datetime | None = field(default=None, metadata=wire("Grown"))
    twigs: tuple[Branch, ...] | None = field(default=None, metadata=wire("Twigs"))
    notes: Annotated[Mapping[Annotated[str, Limits(min=2)], int], Limits(max=2)] | None = field(
        default=None, metadata=wire("Notes")
    )


def test_structures_may_contain_themselves() -> None:
    loose = {"Leaf": "YQ==", "Twigs": [{"Leaf": "Yg=="}, {"Leaf": "YWJjZA=="}]}

    assert refusal(Branch, loose) == (
        "1 validation error detected: Value at 'twigs.2.member.leaf' failed to satisfy constraint: "
        "Member must have length less than or equal to 3"
    )


def test_blobs_are_base64_and_times_are_utc() -> None:
    branch = validate(Branch, {"Leaf": "YWI=", "Grown": "2019-10-28T22:37:09+02:00"}, Wording.IAM)

    assert (branch.leaf, branch.grown) == (b"ab", datetime(2019, 10, 28, 20, 37, 9, tzinfo=UTC))
    assert validate(Branch, {"Leaf": "", "Grown": "2019-10-28T20:37:09"}, Wording.IAM).grown == branch.grown


@pytest.mark.parametrize("wrong", [{"Leaf": "é"}, {"Leaf": "YQ"}, {"Grown": "yesterday"}, {"Grown": "0001-01-01T00:00:00+09:00"}])
def test_a_bad_blob_or_time_is_malformed(wrong: dict[str, object]) -> None:
    with pytest.raises(MalformedInput):
        validate(Branch, {"Leaf": "YQ==", **wrong}, Wording.IAM)


def test_maps_have_keys_and_values() -> None:
    assert validate(Branch, {"Leaf": "", "Notes": {"ab": "1"}}, Wording.IAM).notes == {"ab": 1}
    assert validate(Branch, {"Leaf": "", "Notes": ""}, Wording.IAM).notes == {}
    assert "'notes' failed to satisfy constraint: Map keys must satisfy constraint" in refusal(
        Branch, {"Leaf": "", "Notes": {"a": "1"}}
    )
    assert "'notes.ab.member' failed to satisfy constraint: Member must not be null" in refusal(
        Branch, {"Leaf": "", "Notes": {"ab": []}}
    )
    assert "length less than or equal to 2" in refusal(Branch, {"Leaf": "", "Notes": {"ab": "1", "cd": "2", "ef": "3"}})


# Whatever comes.


INPUTS = [operation.input for model in (IAM, STS) for operation in model.operations.values() if operation.input is not None]
JUNK = st.recursive(
    st.none() | st.text(max_size=20) | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NUMBERS = st.integers(-(2**33), 2**33).map(str)


def loose_value(shape: Shape) -> st.SearchStrategy[object]:
    """Something of about the right kind."""
    match shape.kind:
        case Kind.LIST if shape.element is not None:
            return st.lists(loose_value(shape.element) | JUNK, max_size=3)
        case Kind.MAP if shape.element is not None:
            return st.dictionaries(st.text(max_size=8), loose_value(shape.element) | JUNK, max_size=3)
        case Kind.STRUCTURE if shape.type is not None:
            return loose_structure(shape.type)
        case Kind.INTEGER:
            return NUMBERS | st.text(max_size=5)
        case Kind.BOOLEAN:
            return st.sampled_from(["true", "false", "maybe", ""])
        case Kind.ENUM if shape.type is not None:
            return st.sampled_from([str(value.value) for value in shape.type]) | st.text(max_size=5)
        case _:
            return st.text(max_size=40) | st.from_regex(r"\A[A-Za-z0-9/]{0,40}\Z")


def loose_structure(structure: type[Any]) -> st.SearchStrategy[object]:
    return st.fixed_dictionaries({}, optional={member.wire: loose_value(member.shape) | JUNK for member in members(structure)})


@given(st.data(), st.sampled_from(INPUTS), st.sampled_from(Wording))
def test_whatever_comes_is_a_request_or_refused(data: st.DataObject, structure: type[Any], wording: Wording) -> None:
    loose = data.draw(loose_structure(structure))
    assert isinstance(loose, dict)

    try:
        request = validate(structure, loose, wording)
    except (ValidationError, MalformedInput):
        return

    assert isinstance(request, structure)
    assert all(getattr(request, member.name) is not None for member in members(structure) if member.required)


@given(st.text(max_size=8))
def test_only_six_ascii_digits_are_ever_a_code(text: str) -> None:
    try:
        request = validate(ResyncMFADeviceRequest, {**RESYNC, "AuthenticationCode1": text}, Wording.IAM)
    except ValidationError:
        return

    assert request.authentication_code1.encode().isdigit()
    assert len(request.authentication_code1) == 6
