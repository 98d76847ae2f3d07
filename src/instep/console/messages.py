"""What the pages say to a person about what happened and what to do next.  Message ids are the English sentences."""

from __future__ import annotations

from enum import StrEnum

from markupsafe import Markup

from instep.console.languages import Speech


class Message(StrEnum):
    """Every refusal, hint, warning and piece of news; labels stand in the templates."""

    # Refused.
    SIGN_IN_REFUSED = "That sign-in information is not correct. Check it and try again."
    CODE_REFUSED = "That MFA code was not accepted. Wait for the next code and enter it."
    CODE_SPENT = "That code has already been used. Wait for the next one."
    NOT_SIX_DIGITS = "Enter the six digits shown on your device."
    SAME_CODES = "Both codes are the same. Wait until your device shows a new code."
    PAIR_REFUSED = "Those two codes do not follow each other, or they are too old. Enter the next two codes in order."
    CHECK_REFUSED = "That code does not match yet. Resync again with two new codes."
    TOO_MANY_ATTEMPTS = "Too many attempts. Try again in {duration}."
    PAGE_EXPIRED = "This page expired. Nothing was changed; please try again."
    DENIED = "You are not allowed to do this ({action})."
    RESYNC_DENIED = "You are not allowed to resync this device yourself. Ask your administrator."
    UNKNOWN_SERIAL = "No token with that serial number is registered here."
    SERIAL_ASSIGNED = "That token is already assigned."
    BAD_DEVICE_NAME = "Use 1–128 letters, digits or + = , . @ _ -"
    DEVICE_NAME_TAKEN = "A device with that name exists. Choose another name."
    KEY_CANCELLED = "The security key was not used in time, or the request was cancelled."
    KEY_NOT_REGISTERED = "This security key is not registered for this user."
    KEYS_UNSUPPORTED = "Security keys need HTTPS (or localhost) and a supporting browser."
    KEYS_NEED_SCRIPTS = "Security keys need JavaScript. Use another device or turn JavaScript on."
    # Hints.
    ENTER_CODE = "Enter the code your device shows now."
    WAIT_FOR_CHANGE = "Wait for the code on your device to change ({duration} at most)."
    ENTER_NEW_CODE = "A new code should be showing now. Enter it."
    CODES_GET_OLD = "These codes are getting old. It is safer to enter the next two."
    SUBMIT_SOON = (
        "Submit right after the second code. "
        "If you wait too long, the request may seem to work while the device stays out of sync."
    )
    SERVER_TIME = "Server time: {time}. Compare it with the clock on your device."
    SIGN_IN_WITH_NEXT = "Wait for the next code, then sign in with it."
    # Warnings.
    MAYBE_OUT_OF_SYNC = "Codes not accepted? Your device may be out of sync. Resync it with two codes."
    LAST_DEVICE = "This is the last MFA device. Sign-in will need only the password."
    LOCKOUT = "Without MFA your permissions may be reduced. Type your user name to continue."
    HALF_SET_UP = 'You started setting up "{name}". Continue or discard it.'
    ROOT_USER = "You are signed in as the root user. Use IAM users for daily work."
    SERVER_CLOCK = "The server's clock is not synchronized. Codes may be refused for everyone."
    INSECURE = "This connection is not encrypted: passwords and codes can be read on the way. Use it for trials only."
    # News.
    RESYNCED = "The device is in sync. It was {drift}."
    RESYNCED_SIGN_IN = "The device is in sync. Now sign in with the next code."
    RESYNCED_PASSWORD = "The device is in sync. Enter your password again to sign in."  # noqa: S105 - a sentence
    CODE_MATCHED = "The code matched: the device works."
    FAST = "This device's clock is about {duration} fast ({steps})."
    SLOW = "This device's clock is about {duration} slow ({steps})."
    RIGHT = "This device's clock agrees with the server's."
    KEYS_STAY_IN_SYNC = "Security keys never go out of sync. If a key is lost or broken, deactivate it."
    NO_DEVICE = "No MFA device is assigned. Assign one to protect this user."
    EIGHT_DEVICES = "Eight devices are assigned, the most allowed."
    ASSIGNED = '"{name}" is assigned. The next sign-in asks for it.'
    DEACTIVATED = '"{name}" is deactivated.'
    DEACTIVATED_ONLY = '"{name}" is deactivated but still exists; deleting it needs {action}.'
    TOUCH_KEY = "Insert your security key and touch it."
    COPIED = "Copied."
    # How far off a device was, within RESYNCED.
    WAS_FAST = "about {duration} fast ({steps})"
    WAS_SLOW = "about {duration} slow ({steps})"
    WAS_RIGHT = "not off"
    ONE_STEP = "{steps} step"
    STEPS = "{steps} steps"


def drift_sentence(speech: Speech, steps: int, seconds: float) -> Markup:
    """How a device's clock stands: a sentence.  `steps` and `seconds` are device minus server."""
    return _drift(speech, steps, seconds, (Message.SLOW, Message.RIGHT, Message.FAST))


def drift_in_words(speech: Speech, steps: int, seconds: float) -> Markup:
    """The same as the `drift` of RESYNCED."""
    return _drift(speech, steps, seconds, (Message.WAS_SLOW, Message.WAS_RIGHT, Message.WAS_FAST))


def _drift(speech: Speech, steps: int, seconds: float, words: tuple[Message, Message, Message]) -> Markup:
    slow, right, fast = words
    if steps == 0:
        return speech.say(right)
    return speech.say(fast if steps > 0 else slow, duration=speech.duration(seconds), steps=steps_in_words(speech, steps))


def steps_in_words(speech: Speech, steps: int) -> Markup:
    return speech.say(Message.ONE_STEP if abs(steps) == 1 else Message.STEPS, steps=signed(steps))


def signed(steps: int) -> str:
    """+20, 0, or −40 with a real minus sign, which line breaks and screen readers keep with its number."""
    return f"{steps:+d}".replace("-", "\N{MINUS SIGN}") if steps else "0"
