"""Guessing: how many wrong codes the served product takes, and that no client is ever asked to send one again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire.people import BAD_PAIR, Account, Phone, Refusal, refusal

BAD_CODE = Refusal(403, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ")


class Guesser:
    """A user who has the right phone and a wrong one at hand."""

    def __init__(self, account: Account) -> None:
        person = account.person()
        self.right, self.wrong = account.enabled_phone(person.name), account.phone()
        self.who = {"UserName": person.name, "SerialNumber": self.right.serial_number}
        self._sts = account.client_of(person, "sts")

    def is_refused(self, phone: Phone) -> bool:
        """A session was asked for with what `phone` shows next, and refused in the one way there is."""
        refused = refusal(self._sts.get_session_token, SerialNumber=self.right.serial_number, TokenCode=phone.code())
        return refused == BAD_CODE

    def session(self) -> Any:
        answer = self._sts.get_session_token(SerialNumber=self.right.serial_number, TokenCode=self.right.code())
        return answer["Credentials"]


def test_after_five_wrong_codes_even_a_right_one_is_refused_until_an_administrator_resynchronizes(account: Account) -> None:
    guesser = Guesser(account)
    assert all(guesser.is_refused(guesser.wrong) for _ in range(5))

    assert guesser.is_refused(guesser.right)

    account.iam.resync_mfa_device(**guesser.who, **guesser.right.pair())
    assert guesser.session()


def test_a_right_code_forgives_the_wrong_ones_before_it(account: Account) -> None:
    guesser = Guesser(account)

    for _ in range(2):
        assert all(guesser.is_refused(guesser.wrong) for _ in range(4))
        assert guesser.session()


def test_after_ten_refused_pairs_even_a_right_one_is_refused_and_an_administrator_learns_to_wait(account: Account) -> None:
    guesser = Guesser(account)
    resync = account.iam.resync_mfa_device
    assert [refusal(resync, **guesser.who, **guesser.wrong.pair()) for _ in range(10)] == [BAD_PAIR] * 10

    with pytest.raises(account.iam.exceptions.InvalidAuthenticationCodeException) as raised:
        resync(**guesser.who, **guesser.right.pair())

    assert raised.value.response["ResponseMetadata"]["HTTPHeaders"]["x-instep-reason"] == "waiting"


def test_wrong_codes_for_a_device_that_is_not_theirs_count_against_nobody(account: Account) -> None:
    guesser, stranger = Guesser(account), account.person()
    theirs = account.client_of(stranger, "sts")

    for _ in range(6):
        refused = refusal(theirs.get_session_token, SerialNumber=guesser.right.serial_number, TokenCode=guesser.wrong.code())
        assert refused.message.startswith("MultiFactorAuthentication failed, unable to validate MFA code.  Please verify")

    assert guesser.session()
