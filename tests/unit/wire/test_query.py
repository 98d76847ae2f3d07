from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.serialize import QuerySerializer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from instep.api.common import MalformedQueryString
from instep.api.iam import IAM
from instep.api.shape import wire
from instep.wire.query import PARAMETER_LIMIT, loose, parse
from tests.unit.wire.values import OPERATIONS, VENDOR, instances, loosened, named


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    key: str = field(metadata=wire("Key"))
    value: str = field(metadata=wire("Value"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    name: str | None = field(default=None, metadata=wire("Name"))
    values: tuple[str, ...] | None = field(default=None, metadata=wire("Values"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    name: str = field(metadata=wire("Name"))
    number: int | None = field(default=None, metadata=wire("Number"))
    tags: tuple[Tag, ...] | None = field(default=None, metadata=wire("Tags"))
    words: tuple[str, ...] | None = field(default=None, metadata=wire("Words"))
    entries: tuple[Entry, ...] | None = field(default=None, metadata=wire("Entries"))
    sums: Mapping[str, str] | None = field(default=None, metadata=wire("Sums"))
    groups: Mapping[str, tuple[str, ...]] | None = field(default=None, metadata=wire("Groups"))
    tag: Tag | None = field(default=None, metadata=wire("Tag"))


def read(form: str) -> dict[str, object]:
    return loose(parse(form.encode()), Everything)


def steps(action: Callable[[], object]) -> int:
    """How many calls, Python's and C's, `action` makes: a measure of its work that no slow machine changes."""
    count = 0

    def on_event(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(on_event)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


def test_parameters_keep_their_order() -> None:
    assert list(parse(b"b=1&a=2&c=3").items()) == [("b", "1"), ("a", "2"), ("c", "3")]


def test_the_first_value_of_a_repeated_parameter_wins() -> None:
    assert parse(b"Action=First&Action=Second", b"Action=Third&Version=1") == {"Action": "First", "Version": "1"}


@pytest.mark.parametrize(
    ("form", "parameters"),
    [
        (b"", {}),
        (b"&&&", {}),
        (b"a", {"a": ""}),
        (b"a=", {"a": ""}),
        (b"=a", {"": "a"}),
        (b"a=b=c", {"a": "b=c"}),
        (b"a=b;c=d", {"a": "b;c=d"}),
        (b"a+b=c+d%2B%20e", {"a b": "c d+ e"}),
        (b"%61=%e6%9d%B1", {"a": "東"}),
        ("名=東京".encode(), {"名": "東京"}),
        (b"a=%00%0d%0A", {"a": "\x00\r\n"}),
    ],
)
def test_a_form_is_read_to_the_letter(form: bytes, parameters: dict[str, str]) -> None:
    assert parse(form) == parameters


@pytest.mark.parametrize("form", [b"a=\xff", b"\xc3=1", b"a=%ff", b"a=%C3", b"a=%ed%a0%80", b"a=%c0%af", "a=ü".encode("latin-1")])
def test_bytes_that_are_not_utf8_are_refused(form: bytes) -> None:
    with pytest.raises(MalformedQueryString, match=r"^The request holds bytes that are not UTF-8\.$") as refusal:
        parse(form)

    assert refusal.value.__context__ is None


@pytest.mark.parametrize("form", [b"a=%", b"a=%4", b"a=%zz", b"%g0=1", b"a=%%41", b"a=%u0041", b"a=% 41", b"a=%+1"])
def test_a_broken_escape_is_refused(form: bytes) -> None:
    with pytest.raises(MalformedQueryString, match="percent sign that two hexadecimal digits do not follow"):
        parse(form)


def test_as_many_parameters_as_the_limit_are_read() -> None:
    form = b"&".join(b"a%d=1" % n for n in range(PARAMETER_LIMIT))

    assert len(parse(form)) == PARAMETER_LIMIT
    with pytest.raises(MalformedQueryString, match="more than 10000 parameters"):
        parse(form, b"one=more")


@pytest.mark.parametrize(
    "form", [b"&".join(b"a%d=1" % n for n in range(100_000)), b"a=1&" * 100_000, b"&" * 1_000_000, b"%C3&" * 100_000]
)
def test_100_000_parameters_are_refused_without_being_read(form: bytes) -> None:
    def refused() -> None:
        with pytest.raises(MalformedQueryString):
            parse(form)

    assert steps(refused) < 100


def test_the_work_grows_with_the_number_of_parameters_and_no_faster() -> None:
    def work(count: int) -> int:
        form = b"&".join(b"Tags.member.%d.Key=%%41&Words.member.%d=b&A.member.%d.member.1=c" % (n, n, n) for n in range(count))
        return steps(lambda: loose(parse(form), Everything))

    work(1)  # what is made once is made here
    few, many = work(30), work(3_000)

    assert many < 110 * few


def test_scalars_are_left_as_they_came() -> None:
    assert read("Name=Bob&Number=007&Unknown=1") == {"Name": "Bob", "Number": "007"}
    assert read("Name=") == {"Name": ""}


def test_a_list_is_in_the_order_of_its_numbers_whatever_the_gaps() -> None:
    assert read("Words.member.10=c&Words.member.2=b&Words.member.999999999999=d&Words.member.0=a") == {
        "Words": ["a", "b", "c", "d"]
    }


def test_a_list_of_structures_gathers_the_parts_of_each() -> None:
    form = "Tags.member.2.Value=w&Tags.member.1.Key=k&Tags.member.2.Key=l&Tags.member.1.Value=v&Tags.member.1.Color=red"

    assert read(form) == {"Tags": [{"Key": "k", "Value": "v"}, {"Key": "l", "Value": "w"}]}


def test_lists_may_stand_in_structures_in_lists() -> None:
    assert read("Entries.member.1.Name=n&Entries.member.1.Values.member.1=a&Entries.member.1.Values.member.2=b") == {
        "Entries": [{"Name": "n", "Values": ["a", "b"]}]
    }


def test_an_empty_list_can_be_said() -> None:
    assert read("Tags=&Words=&Sums=") == {"Tags": [], "Words": [], "Sums": {}}


def test_a_misspelt_part_of_a_list_s_member_is_not_lost_without_a_word() -> None:
    assert read("Tags.member.1.key=k") == {"Tags": [{}]}


def test_a_map_is_read_from_its_entries() -> None:
    form = (
        "Sums.entry.1.key=a&Sums.entry.1.value=1&Sums.entry.2.key=b&Sums.entry.2.value=2&Sums.entry.3.key=a&Sums.entry.3.value=3"
    )

    assert read(form) == {"Sums": {"a": "1", "b": "2"}}
    assert read("Groups.entry.1.key=g&Groups.entry.1.value.member.1=x") == {"Groups": {"g": ["x"]}}
    assert read("Sums.entry.1.key=a&Sums.entry.2.value=1") == {}


def test_a_structure_is_read_from_its_parts() -> None:
    assert read("Tag.Key=k&Tag.Value=v") == {"Tag": {"Key": "k", "Value": "v"}}


@pytest.mark.parametrize(
    "form",
    [
        "Words=1",
        "Sums=1",
        "Tag=1",
        "Tag=",
        "Words.1=a",
        "Words.member=a",
        "Words.member.=a",
        "Words.member.x=a",
        "Words.member.-1=a",
        "Words.member.+1=a",
        "Words.member.1_0=a",
        "Words.member.１=a",
        "Words.member.²=a",
        "Words.member." + "9" * 5_000 + "=a",
        "Words.member.1.=a",
        "Words.member.1.Key=a",
        "Words.entry.1=a",
        "Tags.member.1=a",
        "Sums.entry.1=a",
        "Sums.member.1.key=a&Sums.member.1.value=a",
        "Name.member.1=a",
        "Name.=a",
        ".Name=a",
        "name=a",
        "Name =a",
        "." * 100_000 + "=a",
    ],
)
def test_what_the_model_does_not_know_is_passed_over(form: str) -> None:
    assert read(form) == {}


def test_a_name_given_as_scalar_and_as_list_is_what_the_model_says_it_is() -> None:
    assert read("Words=1&Words.member.1=2") == {"Words": ["2"]}
    assert read("Words.member.1=2&Words=") == {"Words": ["2"]}
    assert read("Name=1&Name.member.1=2") == {"Name": "1"}
    assert read("Tags.member.1=x&Tags.member.1.Key=k") == {"Tags": [{"Key": "k"}]}


def test_two_spellings_of_one_number_are_one_member_and_the_first_wins() -> None:
    assert read("Words.member.01=a&Words.member.1=b") == {"Words": ["a"]}


def test_depth_is_the_model_s_however_deep_the_names_go() -> None:
    name = "Entries" + ".member.1" * 100_000
    form = name + "=x"

    assert read(form) == {"Entries": [{}]}
    assert steps(lambda: read(form)) < 500


@given(st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_botocore_writes_is_read_back(data: st.DataObject) -> None:
    service, operation = data.draw(st.sampled_from([pair for pair in OPERATIONS if pair[1].input]))
    assert operation.input is not None
    value = data.draw(instances(operation.input))

    vendor = VENDOR[service.name].operation_model(operation.name)
    body = QuerySerializer().serialize_to_request(named(value, operation.input), vendor)["body"]
    parameters = parse(urlencode(body).encode())

    assert (parameters["Action"], parameters["Version"]) == (operation.name, service.version)
    assert loose(parameters, operation.input) == loosened(value, operation.input)


_NAMES = st.lists(
    st.sampled_from(
        ["Name", "Tags", "Words", "Sums", "Tag", "member", "entry", "1", "2", "99", "key", "value", "Key", "Values", ""]
    ),
    max_size=6,
).map(".".join)


@given(st.binary() | st.lists(st.tuples(_NAMES, st.text(max_size=3))).map(lambda pairs: urlencode(pairs).encode()))
@example(b"Tags.member.1.member.1.member.1=a")
@example(b"Action=&%")
def test_any_bytes_are_read_or_refused(form: bytes) -> None:
    try:
        parameters = parse(form)
    except MalformedQueryString:
        return
    for structure in (Everything, IAM.operations["CreateVirtualMFADevice"].input):
        assert structure is not None
        loose(parameters, structure)
