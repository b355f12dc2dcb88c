"""Told: why somebody got a message, for themselves to read: what it was for, on which word, and how they were chosen.

Reads   `deliveries`, `consents`

Only messages to the address of the link are told of, since a link may be passed on. Nothing here is
in the words of conditions: an audience and an event are named by their label in the reader's language.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from spira.collect.tracking import plan_of
from spira.definitions.apply import Applied
from spira.engage.messages import GIVEN, source_in
from spira.engage.preferences import Asked
from spira.engage.render import BadTemplate, wanted
from spira.kernel.i18n import choose
from spira.unify.portrait import says

LATEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldMessage:
    """One message, as its reader may know it."""

    sent_at: datetime = says("when it went out")
    channel: str = says("by which kind of channel")
    purpose: str = says("what for")
    about: str = says("what it was about: the template's label, else nothing")
    audience: str | None = says("the group that the person was in, by its label")
    event: str | None = says("what the person did before, by its label")
    allowed_since: datetime | None = says("since when they had allowed it, where they were asked")
    personal: bool = says("whether the content names or depends on anything known of them")


def received(core: Asked, subject_id: int, profile_id: int, language: str) -> tuple[ToldMessage, ...]:
    """The latest messages that went to an address, newest first."""
    lane, applied = core.lane(), core.applied
    kinds = {each.channel: each.kind for each in applied.of("channel")}
    allowed = {(purpose, channel): since for purpose, channel, since in lane.query(_ALLOWED, {"profile": profile_id})}
    off_since: datetime | None = lane.value(_OFF_SINCE, {"profile": profile_id})
    rows = lane.rows(_RECEIVED, {"subject": subject_id, "limit": LATEST})
    return tuple(_told(applied, row, kinds, allowed, off_since=off_since, language=language) for row in rows)


def _told(
    applied: Applied,
    row: dict[str, Any],
    kinds: dict[str, str],
    allowed: dict[tuple[str, str], datetime],
    *,
    off_since: datetime | None,
    language: str,
) -> ToldMessage:
    kind = kinds.get(row["channel"], row["channel"])
    journey = applied.find("journey", row["journey"])
    enter = journey.model.enter if journey is not None else None
    since = allowed.get((row["purpose"], kind))
    generic = off_since is not None and off_since <= row["sent_at"]
    return ToldMessage(
        sent_at=row["sent_at"],
        channel=kind,
        purpose=row["purpose"],
        about=_label(applied, "template", row["template"], language),
        audience=_label(applied, "audience", enter.audience, language) or None if enter and enter.audience else None,
        event=_event(applied, enter.event, language) if enter and enter.event else None,
        allowed_since=since if since is not None and since <= row["sent_at"] else None,
        personal=not generic and _is_personal(applied, row["template"], language),
    )


def _label(applied: Applied, kind: str, name: str, language: str) -> str:
    found = applied.find(kind, name)
    return choose(found.model.label, language) if found is not None and found.model.label else ""


def _event(applied: Applied, name: str, language: str) -> str:
    plan = plan_of(applied.of("tracking")).events.get(name)
    return choose(plan.label, language, default=name) if plan is not None and plan.label else name


def _is_personal(applied: Applied, template: str, language: str) -> bool:
    """Whether a template asks for anything that is known of its reader."""
    found = applied.find("template", template)
    if found is None:
        return False
    try:
        return bool(wanted(source_in(found.model, found.companions, language)) - GIVEN)
    except BadTemplate:
        return False


_RECEIVED = """
select coalesce(sent_at, created_at) as sent_at, channel, template, journey, purpose
from deliveries
where subject_id = $subject and state in ('sent', 'delivered', 'bounced', 'unknown')
order by created_at desc, delivery_id desc limit $limit
"""
_ALLOWED = "select purpose, channel, since from consents where profile_id = $profile and said"
_OFF_SINCE = """
select since from permissions where profile_id = $profile and purpose = 'personalisation' and not granted
"""
