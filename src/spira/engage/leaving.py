"""Leaving: the page behind the unsubscribe link of a message, from the question to the second thought.

Reads   `deliveries`, and what `preferences` reads
Writes  the log   `Unsubscribed` (by `receipts`), `Consent Given` for an undoing, `Unsubscribe Reason Given`

Only who allowed the message before may undo: the undoing needs a note that unsubscribing signed,
for an hour, so it can give back what was there and open nothing that was closed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from spira.collect.emit import emit
from spira.collect.envelope import OwnEvent
from spira.engage import links, preferences, receipts
from spira.engage.preferences import Asked
from spira.kernel.clock import iso
from spira.kernel.errors import Conflict
from spira.kernel.i18n import Language
from spira.unify import consent
from spira.unify.masks import masked

UNDO = timedelta(hours=1)
REASONS = ("too_many", "not_for_me", "never_asked", "other")
State = Literal["asked", "not_subscribed", "left", "back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What the page of an unsubscribe link shows."""

    delivery_id: int = field(metadata={"help": "The message that the link stood in."})
    subject_id: int = field(metadata={"help": "Whom it was for."})
    address: str | None = field(metadata={"help": "The address it went to, masked."})
    channel: str = field(metadata={"help": "The kind of channel it came by."})
    purpose: str = field(metadata={"help": "What is refused."})
    state: State = field(metadata={"help": "What the page has to say."})
    undo: str | None = field(metadata={"help": "What an undoing must carry, while it is allowed."})
    preferences: str = field(metadata={"help": "The token of the person's preferences."})
    language: Language | None = field(metadata={"help": "The language the person is written to in."})


def look(core: Asked, token: str, note: str | None = None) -> Leaving:
    """What the link is about and how things stand; nothing happens. NotFound for a link that is not ours."""
    asked = receipts.unsubscribing(core, token)
    row = core.lane().one(_WHOM, {"delivery": asked.delivery_id})
    if row is None:
        raise links.OldLink("this message is no longer known", help="there is nothing left to refuse")
    subject, profile, key = row
    told = links.read_note(_key(core), asked.delivery_id, note) if note else None
    now = core.clock.now()
    mask = core.vault.masks([key]).get(key) if key else None
    return Leaving(
        delivery_id=asked.delivery_id,
        subject_id=subject,
        address=None if mask is None else masked(mask),
        channel=asked.channel,
        purpose=asked.purpose,
        state=_state(core, subject, asked, told if told is not None and now - told.at <= UNDO else None),
        undo=note if told is not None and told.text == "left" and now - told.at <= UNDO else None,
        preferences=links.sign_subject(_key(core), subject, now),
        language=preferences.language_of(core.lane(), profile),
    )


def leave(core: Asked, token: str) -> str:
    """Unsubscribe; durable when this returns. The note that the page is shown by, and undone with."""
    before = look(core, token)
    receipts.unsubscribe(core, token)
    allowed = preferences.granted(core, before.subject_id, (before.purpose, before.channel))
    return _note(core, before, core.clock.now(), "left" if allowed else "left before")


def undo(core: Asked, token: str, note: str) -> str:
    """Allow again what was just refused by mistake; Conflict when it is too late or was never allowed."""
    found = look(core, token, note)
    told = links.read_note(_key(core), found.delivery_id, note)
    if found.undo is None or told is None:
        raise Conflict("this can't be undone here any more", help="choose what you get on the page of your preferences")
    at = max(preferences.instant(core, found.subject_id), told.at + timedelta(milliseconds=1))
    event = OwnEvent(
        message_id=f"again-{found.delivery_id}-{iso(told.at)}",
        event=consent.GIVEN,
        at=at,
        subject_id=found.subject_id,
        touchpoint=preferences.TOUCHPOINT,
        properties={"purpose": found.purpose, "channel": found.channel},
    )
    preferences.keep(core, found.delivery_id, [event])
    return _note(core, found, at, "back")


def tell_reason(core: Asked, token: str, reason: str) -> Leaving:
    """Keep why somebody left, one of `REASONS`; once a message. Anything else changes nothing."""
    found = look(core, token)
    if reason in REASONS:
        event = OwnEvent(
            message_id=f"reason-{found.delivery_id}",
            event="Unsubscribe Reason Given",
            at=core.clock.now(),
            subject_id=found.subject_id,
            touchpoint=preferences.TOUCHPOINT,
            properties={"delivery_id": found.delivery_id, "channel": found.channel, "reason": reason},
        )
        emit(core.log, core.clock, [event])
    return found


def _state(core: Asked, subject: int, asked: receipts.Unsubscribing, told: links.Note | None) -> State:
    if told is not None:
        return "back" if told.text == "back" else "left"
    return "asked" if preferences.granted(core, subject, (asked.purpose, asked.channel)) else "not_subscribed"


def _note(core: Asked, about: Leaving, at: datetime, text: str) -> str:
    return links.sign_note(_key(core), about.delivery_id, links.Note(at=at, text=text))


def _key(core: Asked) -> bytes:
    return core.keys.derive(links.PURPOSE)


_WHOM = """
select coalesce(d.subject_id, d.profile_id) as subject_id, coalesce(moved.profile_id, d.profile_id) as profile_id,
       d.address_key
from deliveries d left join moved on moved.subject_id = coalesce(d.subject_id, d.profile_id)
where d.delivery_id = $delivery
"""
