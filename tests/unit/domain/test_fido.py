"""Security keys are registered and believed by what they sign, and refused with the reason why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from instep.domain import fido
from instep.domain.fido import Assertion, Holder, KeyRefusal, RelyingParty, SecurityKeyRefused
from instep.domain.security_key import Credential, SecurityKey
from tests.support.authenticator import (
    BACKED_UP,
    EDDSA,
    ES256,
    PRESENT,
    RS256,
    VERIFIED,
    Authenticator,
    b64,
    cbor,
    cose_key,
    passkey,
    private_key,
    u2f_key,
    unb64,
)

PARTY = RelyingParty("example.com", "Example", frozenset({"https://id.example.com", "https://signin.example.com"}))
HOLDER = Holder("123456789012", "AIDARICHARD", "Richard @ example")
CHALLENGE, OTHER_CHALLENGE = bytes(range(32)), bytes(32)
KINDS = {
    "es256": Authenticator(),
    "rs256": Authenticator(key=private_key(RS256), credential_id=b"windows hello"),
    "packed": Authenticator(fmt="packed", credential_id=b"packed"),
    "u2f": u2f_key(),
    "passkey": passkey(),
}


def to_register(known: tuple[Credential, ...] = ()) -> Mapping[str, Any]:
    return fido.registration_options(PARTY, HOLDER, challenge=CHALLENGE, known=known)


def to_prove(*known: Credential) -> Mapping[str, Any]:
    return fido.assertion_options(PARTY, challenge=CHALLENGE, known=known)


def registered(authenticator: Authenticator, **client: Any) -> Credential:
    answer = authenticator.register(to_register(), **client)
    return fido.check_registration(PARTY, answer, challenge=CHALLENGE, known=())


def held(authenticator: Authenticator, holder_id: str = HOLDER.holder_id) -> SecurityKey:
    return SecurityKey(
        account_id=HOLDER.account_id,
        serial_number=f"arn:aws:iam::123456789012:u2f/user/Richard/{authenticator.credential_id!r}",
        name="key",
        holder_id=holder_id,
        credential=registered(authenticator),
        created_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
    )


def proven(authenticator: Authenticator, *keys: SecurityKey, **client: Any) -> Assertion:
    answer = authenticator.prove(to_prove(*(key.credential for key in keys)), **client)
    return fido.check_assertion(PARTY, answer, challenge=CHALLENGE, keys=keys)


def test_the_browser_is_asked_for_a_key_as_the_specification_has_it() -> None:
    known = Credential("AAAA", b"", 0, ("usb", "nfc"), "")

    options = to_register((known,))

    user = options["user"]
    assert len(unb64(user["id"])) == 32
    assert options == {
        "rp": {"id": "example.com", "name": "Example"},
        "user": {"id": user["id"], "name": "Richard @ example", "displayName": "Richard @ example"},
        "challenge": b64(CHALLENGE),
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -257}],
        "timeout": 60_000,
        "excludeCredentials": [{"type": "public-key", "id": "AAAA", "transports": ["usb", "nfc"]}],
        "authenticatorSelection": {"residentKey": "discouraged", "requireResidentKey": False, "userVerification": "preferred"},
        "attestation": "none",
    }
    assert json.loads(json.dumps(options)) == options


def test_the_browser_is_asked_for_any_key_of_the_holder() -> None:
    options = to_prove(Credential("AAAA", b"", 0, ("usb",), ""), Credential("BBBB", b"", 0, (), ""))

    assert options == {
        "challenge": b64(CHALLENGE),
        "timeout": 60_000,
        "rpId": "example.com",
        "allowCredentials": [
            {"type": "public-key", "id": "AAAA", "transports": ["usb"]},
            {"type": "public-key", "id": "BBBB", "transports": []},
        ],
        "userVerification": "preferred",
    }


def test_whose_key_it_is_does_not_show_in_it() -> None:
    handles = {
        fido.registration_options(PARTY, Holder(account_id, holder_id, "x"), challenge=CHALLENGE, known=())["user"]["id"]
        for account_id, holder_id in [("1", "1"), ("1", "AIDA"), ("2", "2"), ("1", "AIDB")]
    }

    assert len(handles) == 4
    assert not any(b"AIDA" in unb64(handle) for handle in handles)


def test_a_challenge_that_could_be_guessed_is_not_asked() -> None:
    with pytest.raises(ValueError, match="128 bits"):
        fido.registration_options(PARTY, HOLDER, challenge=bytes(15), known=())
    with pytest.raises(ValueError, match="128 bits"):
        fido.assertion_options(PARTY, challenge=bytes(15), known=())


@pytest.mark.parametrize("authenticator", KINDS.values(), ids=KINDS)
def test_a_key_is_registered_and_then_proves_to_be_there(authenticator: Authenticator) -> None:
    authenticator = authenticator.but(counter=0)
    key = held(authenticator)
    other = held(Authenticator(credential_id=b"another"))

    assertion = proven(authenticator, other, key)

    assert key.credential.credential_id == b64(authenticator.credential_id)
    assert key.credential.transports == authenticator.transports
    assert assertion == Assertion(key, int(authenticator.counts), bool(authenticator.flags & VERIFIED))


def test_the_model_of_a_key_is_kept() -> None:
    assert registered(passkey()).aaguid == "fbfc3007-154e-4ecc-8c0b-6e020557d7bd"
    assert registered(u2f_key()).aaguid == "00000000-0000-0000-0000-000000000000"


def test_ways_to_reach_a_key_that_nobody_knows_are_not_kept() -> None:
    assert registered(Authenticator(transports=("telepathy", "internal", "usb", "usb"))).transports == ("usb", "internal")


def test_of_a_public_key_nothing_is_kept_that_is_no_part_of_it() -> None:
    plain = cose_key(private_key(ES256))

    assert registered(Authenticator(public_key={**plain, 99: b"x" * 999})) == registered(Authenticator(public_key=plain))


def refused_registration(authenticator: Authenticator, **client: Any) -> KeyRefusal:
    with pytest.raises(SecurityKeyRefused) as refused:
        registered(authenticator, **client)
    return refused.value.reason


def refused_assertion(authenticator: Authenticator, *keys: SecurityKey, **client: Any) -> KeyRefusal:
    with pytest.raises(SecurityKeyRefused) as refused:
        proven(authenticator, *keys, **client)
    return refused.value.reason


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        ({"challenge": b64(OTHER_CHALLENGE)}, KeyRefusal.WRONG_CHALLENGE),
        ({"challenge": b64(CHALLENGE[:-1])}, KeyRefusal.WRONG_CHALLENGE),
        ({"challenge": ""}, KeyRefusal.WRONG_CHALLENGE),
        ({"challenge": "*"}, KeyRefusal.MALFORMED),
        ({"challenge": 7}, KeyRefusal.MALFORMED),
        ({"origin": "https://id.example.com.attacker.test"}, KeyRefusal.WRONG_ORIGIN),
        ({"origin": "http://id.example.com"}, KeyRefusal.WRONG_ORIGIN),
        ({"origin": "https://other.example.com"}, KeyRefusal.WRONG_ORIGIN),
        ({"crossOrigin": True}, KeyRefusal.WRONG_ORIGIN),
        ({"topOrigin": "https://attacker.test"}, KeyRefusal.WRONG_ORIGIN),
        ({"type": "payment.get"}, KeyRefusal.WRONG_CEREMONY),
    ],
)
def test_what_the_browser_says_must_be_what_was_asked(client: Mapping[str, Any], reason: KeyRefusal) -> None:
    authenticator = Authenticator()

    assert refused_registration(authenticator, **client) is reason
    assert refused_assertion(authenticator, held(authenticator), **client) is reason


def test_an_answer_to_the_one_question_is_none_to_the_other() -> None:
    authenticator = Authenticator()

    assert refused_registration(authenticator, type="webauthn.get") is KeyRefusal.WRONG_CEREMONY
    assert refused_assertion(authenticator, held(authenticator), type="webauthn.create") is KeyRefusal.WRONG_CEREMONY


def test_a_key_registered_elsewhere_signs_nobody_in() -> None:
    authenticator = Authenticator()
    elsewhere = RelyingParty("attacker.test", "Example", PARTY.origins)
    options = fido.registration_options(elsewhere, HOLDER, challenge=CHALLENGE, known=())
    key = held(authenticator)

    with pytest.raises(SecurityKeyRefused) as unregistered:
        fido.check_registration(PARTY, authenticator.register(options), challenge=CHALLENGE, known=())
    answer = authenticator.prove({**to_prove(key.credential), "rpId": "attacker.test"})
    with pytest.raises(SecurityKeyRefused) as unproven:
        fido.check_assertion(PARTY, answer, challenge=CHALLENGE, keys=[key])

    assert unregistered.value.reason is unproven.value.reason is KeyRefusal.WRONG_RELYING_PARTY


def test_nobody_is_signed_in_who_did_not_touch_the_key() -> None:
    authenticator = Authenticator()

    assert refused_registration(authenticator.but(flags=VERIFIED)) is KeyRefusal.NOT_TOUCHED
    assert refused_assertion(authenticator.but(flags=VERIFIED), held(authenticator)) is KeyRefusal.NOT_TOUCHED


def test_a_key_that_cannot_be_copied_is_not_believed_to_have_been() -> None:
    authenticator = Authenticator()

    assert refused_registration(authenticator.but(flags=PRESENT | BACKED_UP)) is KeyRefusal.MALFORMED
    assert refused_assertion(authenticator.but(flags=PRESENT | BACKED_UP), held(authenticator)) is KeyRefusal.MALFORMED


def test_a_key_is_registered_once() -> None:
    authenticator = Authenticator()
    known = registered(authenticator)

    with pytest.raises(SecurityKeyRefused) as refused:
        fido.check_registration(PARTY, authenticator.register(to_register((known,))), challenge=CHALLENGE, known=[known])

    assert refused.value.reason is KeyRefusal.ALREADY_REGISTERED


def test_algorithms_that_were_not_offered_are_refused() -> None:
    assert refused_registration(Authenticator(key=private_key(EDDSA))) is KeyRefusal.UNSUPPORTED_ALGORITHM
    assert refused_registration(Authenticator(public_key={1: 2, 3: "ES256"})) is KeyRefusal.UNSUPPORTED_ALGORITHM


POINT, MODULUS = cose_key(private_key(ES256)), cose_key(private_key(RS256))
SHORT = cose_key(rsa.generate_private_key(65537, 1024))


NO_KEYS: dict[str, Mapping[int, Any]] = {
    "beside the curve": {**POINT, -3: POINT[-2]},
    "another curve": {**POINT, -1: 2},
    "ES256 of the type of RSA": {**POINT, 1: 3},
    "a coordinate too long": {**POINT, -2: POINT[-2] + b"\0"},
    "a number for a coordinate": {**POINT, -2: 5},
    "no point": {1: 2, 3: ES256},
    "too short": SHORT,
    "an exponent of one": {**MODULUS, -2: b"\1"},
    "an exponent too long": {**MODULUS, -2: MODULUS[-1]},
    "too long": {**MODULUS, -1: b"\xff" * 4096},
    "RS256 of the type of points": {**MODULUS, 1: 2},
    "texts for numbers": {1: 3, 3: RS256, -1: "n", -2: "e"},
    "no algorithm": {3: 0},
}


@pytest.mark.parametrize("public_key", NO_KEYS.values(), ids=NO_KEYS)
def test_a_public_key_that_is_none_is_refused(public_key: Mapping[int, Any]) -> None:
    assert refused_registration(Authenticator(public_key=public_key)) is KeyRefusal.MALFORMED


def test_a_credential_without_an_id_or_with_an_endless_one_is_refused() -> None:
    assert refused_registration(Authenticator(credential_id=b"")) is KeyRefusal.MALFORMED
    assert refused_registration(Authenticator(credential_id=bytes(1024))) is KeyRefusal.MALFORMED
    assert registered(Authenticator(credential_id=bytes(1023))).credential_id == b64(bytes(1023))


def test_the_key_of_somebody_else_is_unknown() -> None:
    stranger = Authenticator(credential_id=b"a stranger's")

    assert refused_assertion(stranger, held(Authenticator())) is KeyRefusal.UNKNOWN_CREDENTIAL
    assert refused_assertion(stranger) is KeyRefusal.UNKNOWN_CREDENTIAL


def test_a_key_that_says_whose_it_is_must_say_so_of_this_holder() -> None:
    mine = to_register()["user"]["id"]
    authenticator = passkey(user_handle=mine)

    assert proven(authenticator, held(authenticator)).sign_count == 0
    assert refused_assertion(authenticator, held(authenticator, "AIDASALLY")) is KeyRefusal.UNKNOWN_CREDENTIAL
    assert refused_assertion(authenticator.but(user_handle=b64(bytes(65))), held(authenticator)) is KeyRefusal.MALFORMED


@pytest.mark.parametrize("algorithm", [ES256, RS256])
def test_only_the_registered_key_signs(algorithm: int) -> None:
    authenticator = Authenticator(key=private_key(algorithm))
    forger = authenticator.but(key=private_key(algorithm, 1))

    assert refused_assertion(forger, held(authenticator)) is KeyRefusal.WRONG_SIGNATURE


def test_a_signature_is_for_what_was_signed_alone() -> None:
    authenticator = Authenticator()
    key = held(authenticator)
    answer = json.loads(authenticator.prove(to_prove(key.credential)))
    data = bytearray(unb64(answer["response"]["authenticatorData"]))
    data[-1] += 1
    answer["response"]["authenticatorData"] = b64(bytes(data))

    with pytest.raises(SecurityKeyRefused) as refused:
        fido.check_assertion(PARTY, json.dumps(answer), challenge=CHALLENGE, keys=[key])

    assert refused.value.reason is KeyRefusal.WRONG_SIGNATURE


@pytest.mark.parametrize(("kept", "shown"), [(0, 1), (1, 2), (1, 4_294_967_295), (0, 0)])
def test_a_counter_that_goes_up_or_always_shows_zero_is_believed(kept: int, shown: int) -> None:
    key = held(Authenticator(counter=kept))

    assert proven(Authenticator(counter=shown, counts=False), key).sign_count == shown


@pytest.mark.parametrize(("kept", "shown"), [(1, 1), (2, 1), (1, 0), (4_294_967_295, 0)])
def test_a_counter_that_does_not_go_up_tells_of_a_twin(kept: int, shown: int) -> None:
    key = held(Authenticator(counter=kept))

    assert refused_assertion(Authenticator(counter=shown, counts=False), key) is KeyRefusal.COUNTER_WENT_BACKWARDS


@given(
    st.one_of(
        st.text(),
        st.binary().map(lambda plain: plain.decode("latin-1")),
        st.recursive(
            st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
        ).map(json.dumps),
    )
)
def test_rubbish_is_refused_as_malformed(answer: str) -> None:
    with pytest.raises(SecurityKeyRefused) as unregistered:
        fido.check_registration(PARTY, answer, challenge=CHALLENGE, known=())
    with pytest.raises(SecurityKeyRefused) as unproven:
        fido.check_assertion(PARTY, answer, challenge=CHALLENGE, keys=())

    assert unregistered.value.reason is unproven.value.reason is KeyRefusal.MALFORMED


@given(st.data())
def test_whatever_is_changed_in_an_answer_it_is_believed_or_refused_and_nothing_else(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    authenticator = KINDS[kind].but()
    key = held(authenticator)
    registering = data.draw(st.booleans())
    answer = json.loads(authenticator.register(to_register()) if registering else authenticator.prove(to_prove()))
    part = data.draw(
        st.sampled_from(["clientDataJSON", "attestationObject"] if registering else ["authenticatorData", "signature"])
    )
    plain = bytearray(unb64(answer["response"][part]))
    for _ in range(data.draw(st.integers(1, 3))):
        # Of no fixed range, as a signature is a byte longer one time than another.
        place = data.draw(st.integers(0, 999)) % (len(plain) + 1)
        cut, added = data.draw(st.integers(0, 9)), data.draw(st.binary(max_size=9))
        plain[place : place + cut] = added
    answer["response"][part] = b64(bytes(plain))

    with suppress(SecurityKeyRefused):
        if registering:
            fido.check_registration(PARTY, json.dumps(answer), challenge=CHALLENGE, known=())
        else:
            fido.check_assertion(PARTY, json.dumps(answer), challenge=CHALLENGE, keys=[key])


NO_ATTESTATIONS = {
    "nothing": b"",
    "a list": cbor([]),
    "half": cbor({"fmt": "none"}),
    "short data": cbor({"fmt": "none", "attStmt": {}, "authData": b"short"}),
    "a number for data": cbor({"fmt": "none", "attStmt": {}, "authData": 7}),
    "lists in lists": b"\x81" * 16_000,
    "a map without end": b"\xbb" + b"\xff" * 8,
    "a map for a key": b"\xa1\xa0\xa0",
    "too long": bytes(16_385),
}


@pytest.mark.parametrize("attestation", NO_ATTESTATIONS.values(), ids=NO_ATTESTATIONS)
def test_what_no_key_would_say_is_malformed(attestation: bytes) -> None:
    answer = json.loads(Authenticator().register(to_register()))
    answer["response"]["attestationObject"] = b64(attestation)

    with pytest.raises(SecurityKeyRefused) as refused:
        fido.check_registration(PARTY, json.dumps(answer), challenge=CHALLENGE, known=())

    assert refused.value.reason is KeyRefusal.MALFORMED


def test_an_answer_without_a_new_credential_registers_nothing() -> None:
    authenticator = Authenticator()
    answer = json.loads(authenticator.register(to_register()))
    proof = json.loads(authenticator.prove(to_prove()))
    data = unb64(proof["response"]["authenticatorData"])
    answer["response"]["attestationObject"] = b64(cbor({"fmt": "none", "attStmt": {}, "authData": data}))

    with pytest.raises(SecurityKeyRefused) as refused:
        fido.check_registration(PARTY, json.dumps(answer), challenge=CHALLENGE, known=())

    assert refused.value.reason is KeyRefusal.MALFORMED


def test_an_endless_answer_is_not_read() -> None:
    answer = json.loads(Authenticator().register(to_register()))
    answer["padding"] = "x" * 40_000

    with pytest.raises(SecurityKeyRefused) as refused:
        fido.check_registration(PARTY, json.dumps(answer), challenge=CHALLENGE, known=())

    assert refused.value.reason is KeyRefusal.MALFORMED
