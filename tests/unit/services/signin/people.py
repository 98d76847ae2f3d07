"""People at the sign-in page, and what tests ask of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from instep.domain.password import hash_password
from instep.domain.practice import PracticeDevice
from instep.domain.sign_in import State
from instep.services.gate import Answer, Request
from instep.services.operation import SERVICES
from instep.services.signin.passwords import Entered, Entry, SignIn
from tests.support.house import ACCOUNT, House

PASSWORD = "correct-Horse-7"
HASH = hash_password(PASSWORD, salt=b"sixteen bytes ab")
ROOT_EMAIL = f"root-{ACCOUNT}@example.com"
_requests = count(500_000)


def request_id() -> str:
    return f"request-{next(_requests)}"


def with_password(home: House, name: str = "Richard", **parameters: str) -> None:
    """A new user with that password."""
    home.user(name)
    home.call("iam:CreateLoginProfile", UserName=name, Password=PASSWORD, **parameters)


def entry(
    name: str = "Richard", password: str = PASSWORD, account: str | None = ACCOUNT, source_ip: str = "198.51.100.7"
) -> Entry:
    return Entry(account, name, password, request_id(), source_ip, "tests")


def enter(home: House, name: str = "Richard", password: str = PASSWORD, **more: Any) -> Entered:
    return home.service.sign_in.enter(entry(name, password, **more))


def enter_root(home: House, email: str = ROOT_EMAIL) -> Entered:
    """With the password of a composed service: that of the account is shown once, to whoever made it."""
    service = home.service
    at_door = SignIn(
        store=service.store,
        vault=service.vault,
        settings=service.settings,
        trail=service.trail,
        clock=service.clock,
        random=service.random,
        slow=service.turns.aside,
        verify=lambda _password, _hash: True,
    )
    return at_door.enter(entry(email, "any", None))


class Verifier:
    """Verifies by comparison with the one right password, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, password: str, password_hash: str) -> bool:
        self.asked.append(password_hash)
        return password == PASSWORD and password_hash == HASH


def door(home: House, verify: Callable[[str, str], bool]) -> SignIn:
    service = home.service
    return SignIn(
        store=service.store,
        vault=service.vault,
        settings=service.settings,
        trail=service.trail,
        clock=service.clock,
        random=service.random,
        slow=service.turns.aside,
        verify=verify,
    )


def answer(home: House, action: str, session_id: str, /, **parameters: object) -> Answer:
    service, _, name = action.partition(":")
    return home.service.gate.run(
        Request(
            service=SERVICES[service],
            action=name,
            version=SERVICES[service].version,
            parameters=parameters,
            request_id=request_id(),
            source_ip="198.51.100.7",
            user_agent="tests",
            session_id=session_id,
        )
    )


def call(home: House, action: str, session_id: str, /, **parameters: object) -> Any:
    return answer(home, action, session_id, **parameters).result


def submit(home: House, session_id: str, serial_number: str, code: str) -> Any:
    return call(home, "signin:SubmitMFACode", session_id, SerialNumber=serial_number, TokenCode=code)


def state_of(home: House, session_id: str) -> State | None:
    session = home.service.sign_in.session(session_id)
    return session.state if session else None


def prompted(home: House, name: str = "Richard") -> tuple[str, PracticeDevice]:
    """A user with password and device, an hour later: the drift is settled."""
    with_password(home, name)
    serial_number, device = home.enabled_device(name, f"{name}sMFA")
    home.clock.advance(days=2)
    return serial_number, device


def shown(home: House, device: PracticeDevice, ahead: int = 0) -> str:
    """What the device shows, or will in so many steps."""
    return device.token.code(device.step(home.clock.now) + ahead)
