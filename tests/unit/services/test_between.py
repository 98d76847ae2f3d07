"""What happens between the stages of a write: everything is asked again, and whoever is refused leaves a trace."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from instep.api.common import InvalidClientTokenId
from instep.api.errors import ConcurrentModification, InvalidAuthenticationCode
from instep.api.iam import IAM
from instep.services.gate import Gate
from instep.services.ports import Store, Transaction
from tests.support.house import ACCOUNT, House
from tests.unit.services.test_gate import key_of, signed

T = TypeVar("T")


class Meddling:
    """The real store, and something else that happens right after a try was claimed."""

    def __init__(self, store: Store, meddle: Callable[[], object]) -> None:
        self._store = store
        self._meddle: Callable[[], object] | None = meddle

    def read(self, work: Callable[[Transaction], T]) -> T:
        result = self._store.read(work)
        # After the preparation, which is the second read of such a request.
        self._reads = getattr(self, "_reads", 0) + 1
        if self._reads == 2 and self._meddle is not None:
            meddle, self._meddle = self._meddle, None
            meddle()
        return result

    def write(self, work: Callable[[Transaction], T], *, durable: bool = True) -> T:
        return self._store.write(work, durable=durable)


def meddling(home: House, meddle: Callable[[], object]) -> House:
    """The same house behind a door where `meddle` comes in between the search and the write."""
    service = home.service
    gate = Gate(
        store=Meddling(service.store, meddle),
        vault=service.vault,
        settings=service.settings,
        trail=service.trail,
        clock=service.clock,
        random=service.random,
        slow=nullcontext(),
    )
    return House(replace(service, gate=gate), home.clock)


def test_a_key_deactivated_after_the_claim_does_nothing_and_the_event_tells_of_it(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=2)
    key_id, secret = key_of(home)
    request = replace(
        signed(home, key_id, secret, "ResyncMFADevice"),
        parameters={"UserName": "Richard", "SerialNumber": serial_number, **home.pair(device)},
        request_id="request-999999",
    )
    assert request.service is IAM
    before = home.service.store.read(lambda tx: tx.mfa_devices.find(ACCOUNT, serial_number))

    other = meddling(home, lambda: home.call("iam:UpdateAccessKey", AccessKeyId=key_id, Status="Inactive"))
    with pytest.raises(InvalidClientTokenId):
        other.service.gate.run(request)

    after = home.service.store.read(lambda tx: tx.mfa_devices.find(ACCOUNT, serial_number))
    assert before is not None
    assert after is not None
    assert after.tracking == before.tracking
    refused = home.events()[-1]
    assert (refused["eventName"], refused["errorCode"]) == ("ResyncMFADevice", "InvalidClientTokenIdException")
    assert refused["userIdentity"]["accessKeyId"] == key_id
    home.resync("Richard", serial_number, device)  # its codes were not spent


def test_a_device_made_anew_under_the_same_name_is_not_enabled_by_the_old_ones_codes(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.virtual_device("RichardsMFA")

    def replace_it() -> None:
        home.call("iam:DeleteVirtualMFADevice", SerialNumber=serial_number)
        home.virtual_device("RichardsMFA")

    with pytest.raises(ConcurrentModification):
        meddling(home, replace_it).enable("Richard", serial_number, device)

    assert home.call("iam:ListMFADevices", UserName="Richard").mfa_devices == ()


def test_a_newer_code_accepted_since_the_search_puts_an_old_pair_out_of_its_owners_reach(home: House) -> None:
    richard = home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(hours=2)
    old = replace(device, drift=timedelta(minutes=-30))

    def sign_in() -> None:
        home.session(richard, serial_number, device.code(home.clock.now))

    with pytest.raises(InvalidAuthenticationCode) as caught:
        meddling(home, sign_in).resync("Richard", serial_number, old, home.owner("Richard"))

    assert caught.value.reason == "beyond-window"
