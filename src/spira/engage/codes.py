"""Codes: a way to one's preferences without a message at hand: six digits, sent to an address that one holds.

Reads   `identifiers`, and what the gate reads of an address

Asking answers the same, and as fast, whether the address is known or not: the code is made from the
challenge by a key, so that nothing is stored, and is sent on a thread of its own. A code is good
for ten minutes, once, and for five tries; an address gets three an hour, a visitor asks for ten.

A code passes the gate as every message does, by the way for what a reader waits for (`delivery.at_once`): as a
transactional message a restriction or a withdrawal keeps nobody from their own preferences, nor does a complaint; an
address that bounced for good gets none. What became of it is told to `told`, the gate's reason where it withheld the
code, and is written down under the address's HMAC, on the thread that sends; of an address that is nobody's nothing is.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from spira.engage import links
from spira.engage.channels.base import CHANNELS, OutgoingMessage, open_channel
from spira.engage.channels.definition import ChannelDefinition
from spira.engage.delivery.at_once import judge
from spira.engage.preferences import Asked
from spira.kernel.errors import NotAllowed, SpiraError
from spira.unify.kinds import guesses

LIVES = timedelta(minutes=10)
DIGITS = 6
TRIES = 5  # of one code
FOR_ADDRESS, FOR_VISITOR = 3, 10  # codes an hour
MOST_KEPT = 10_000  # counts kept at a time; the oldest go first
HOUR = timedelta(hours=1)
_ABOUT = 0  # a challenge is about nobody: it is a note that names a key
LOGGER = logging.getLogger("spira.engage")


class WrongCode(NotAllowed):
    """A code that is wrong, used, or too old; or a challenge that is not ours."""

    code = "E315"


class TooManyCodes(SpiraError):
    """An address or a visitor asked for too many codes."""

    code = "E316"
    status = 429


class Letter(Protocol):
    """How the message with a code is worded: the subject and the text, for the code."""

    def __call__(self, code: str) -> tuple[str, str]: ...


class _Challenge(msgspec.Struct, frozen=True, array_like=True):
    """What a challenge says: the address by its key, and a number used once."""

    key: str
    nonce: str


@dataclass(slots=True)
class Counts:
    """How often something happened lately, by name; of this process, and forgotten with it."""

    _seen: dict[str, deque[datetime]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, name: str, most: int, within: timedelta, at: datetime) -> bool:
        """Count one more, if that is no more than `most` within the time; whether it was."""
        with self._lock:
            times = self._seen.pop(name, deque())
            while times and at - times[0] >= within:
                times.popleft()
            allowed = len(times) < most
            if allowed:
                times.append(at)
            self._seen[name] = times
            while len(self._seen) > MOST_KEPT:
                self._seen.pop(next(iter(self._seen)))
            return allowed


def ask(
    core: Asked,
    counts: Counts,
    text: str,
    *,
    visitor: str,
    now: datetime,
    letter: Letter,
    send: Sending,
    told: Telling,
) -> str:
    """Send a code to the address that `text` is, if it is one of ours; the challenge that goes with it.

    TooManyCodes for a visitor or an address that asked too often, known or not.
    """
    kind, value = _address(core, text)
    key = core.keys.subject_key(kind, value)
    if not counts.take(f"visitor:{visitor}", FOR_VISITOR, HOUR, now) or not counts.take(
        f"address:{key}", FOR_ADDRESS, HOUR, now
    ):
        raise TooManyCodes("too many codes were asked for", help="wait an hour, or use the link of a message")
    asked = _Challenge(key, secrets.token_urlsafe(8))
    note = links.Note(at=now, text=msgspec.json.encode(asked).decode())
    challenge = links.sign_note(core.keys.derive(links.PURPOSE), _ABOUT, note)
    channel = next((each for each in core.applied.of("channel") if _writes_to(each) == kind), None)
    subject, text_of = letter(_code(core, asked, now))
    answer = judge(core.lane(), channel, key)
    if channel is not None and answer.reason is None:
        message = OutgoingMessage(
            delivery_id=f"code-{asked.nonce}", address=value, subject=subject, text=text_of, at=now
        )
        send(channel, message, lambda outcome: told(key, channel.channel, outcome))
    elif channel is not None and answer.subject_id is not None:
        send(channel, None, lambda _: told(key, channel.channel, str(answer.reason)))
    return challenge


def answer(core: Asked, counts: Counts, challenge: str, code: str, *, now: datetime) -> str:
    """The token of the preferences that a challenge and its code open; WrongCode for anything else."""
    key = core.keys.derive(links.PURPOSE)
    note = links.read_note(key, _ABOUT, challenge)
    wrong = WrongCode("this code is wrong, or too old", help="check it, or ask for another one")
    if note is None or not timedelta(0) <= now - note.at <= LIVES:
        raise wrong
    try:
        asked = msgspec.json.decode(note.text, type=_Challenge)
    except msgspec.DecodeError:
        raise wrong from None
    if not counts.take(f"tries:{challenge}", TRIES, LIVES, now):
        raise wrong
    given = "".join(each for each in code if each.isdecimal())
    right = hmac.compare_digest(given.encode(), _code(core, asked, note.at).encode())
    found = core.lane().one(_SUBJECT, {"key": asked.key}) if right else None
    if found is None or not counts.take(f"used:{challenge}", 1, LIVES, now):
        raise wrong
    return links.sign_subject(key, found[0], core.clock.now())


Ending = Callable[[str], object]  # what became of a message: sent or failed
Sending = Callable[[ChannelDefinition, OutgoingMessage | None, Ending], None]  # None: the gate withheld it
Telling = Callable[[str, str, str], object]  # the address's HMAC, the channel, and what became of it, or the reason


def send_soon(channel: ChannelDefinition, message: OutgoingMessage | None, told: Ending) -> None:
    """Send on a thread of its own, so that the answer takes as long for whoever is unknown."""
    threading.Thread(target=send_now, args=(channel, message, told), name="spira-code", daemon=True).start()


def send_now(channel: ChannelDefinition, message: OutgoingMessage | None, told: Ending) -> None:
    """Send through the channel's own code; what goes wrong is told to the program's log, without the address."""
    if message is None:
        told("withheld")
        return
    try:
        open_channel(channel.kind, channel.options).send(message)
    except SpiraError as fault:
        LOGGER.warning("a code could not be sent by %s: %s", channel.channel, type(fault).__name__)
        told("failed")
    else:
        told("sent")


def _address(core: Asked, text: str) -> tuple[str, str]:
    """What an address is, of the kinds that we can write to; anything else is an e-mail address that nobody has."""
    kinds = [_writes_to(each) for each in core.applied.of("channel")]
    found: Mapping[str, str] = {
        kind: value for kind, value in guesses(text.strip()[:200]) if kind in ("email", "phone")
    }
    kind = next((each for each in (*kinds, *found) if each in found), None)
    return ("email", text.strip()[:200].casefold()) if kind is None else (kind, found[kind])


def _writes_to(channel: ChannelDefinition) -> str:
    return CHANNELS.get(channel.kind).identifier if channel.kind in CHANNELS else ""


def _code(core: Asked, asked: _Challenge, at: datetime) -> str:
    mac = hmac.digest(core.keys.derive("codes"), f"{asked.key}:{asked.nonce}:{at.isoformat()}".encode(), "sha256")
    return f"{int.from_bytes(mac[:8], 'big') % 10**DIGITS:0{DIGITS}d}"


_SUBJECT = "select subject_id from identifiers where subject_key = $key"
