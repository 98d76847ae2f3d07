"""Reading a dataclass's shapes, and what an error tells to whom."""

from __future__ import annotations

from instep.api.common import ValidationError
from instep.api.errors import NoSuchEntity
from instep.api.iam import GetAccountSummaryResponse, TagUserRequest
from instep.api.shape import Kind, members


def test_members_of_lists_and_maps_are_read_through() -> None:
    tags = members(TagUserRequest)[1].shape
    summary = members(GetAccountSummaryResponse)[0].shape

    assert tags.kind is Kind.LIST
    assert tags.limits.max == 50
    assert tags.element is not None
    assert tags.element.kind is Kind.STRUCTURE
    assert summary.kind is Kind.MAP
    assert summary.key is not None
    assert summary.key.kind is Kind.STRING
    assert summary.element is not None
    assert summary.element.kind is Kind.INTEGER


def test_an_error_is_raised_with_its_sentence_and_may_keep_a_reason_for_us() -> None:
    error = NoSuchEntity("The user with name X cannot be found.", reason="deleted")

    assert error.message == str(error) == error.loggable == "The user with name X cannot be found."
    assert error.reason == "deleted"


def test_what_must_not_be_written_down_is_not_in_the_text_of_the_exception() -> None:
    error = ValidationError("Value '123 456' is wrong", loggable="Value is wrong")

    assert error.message == "Value '123 456' is wrong"
    assert str(error) == error.loggable == "Value is wrong"
    assert "123 456" not in repr(error)
