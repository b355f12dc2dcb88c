"""Messages of one person: why each went out or did not, and what the gate would say now.

Reads   `outbox`, `enrolments`, `journey_versions`; the rest was read for the page (`unify/dossier.py`)

It asks what the gate asks, in the gate's order, and decides nothing. Whoever calls has seen to it
that the viewer may look at the person (`unify.people.locate`).
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from spira.engage.channels.base import CHANNELS
from spira.engage.channels.definition import Cap, ChannelDefinition
from spira.engage.delivery.gate import quiet_until
from spira.engage.journeys.flow import flow
from spira.engage.journeys.model import JourneyDefinition, Purpose
from spira.kernel.clock import local
from spira.storage.warehouse import Warehouse
from spira.unify.dossier import Dossier
from spira.unify.portrait import says
from spira.unify.timeline import Word

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
MARKETING, TRANSACTIONAL = "marketing", "transactional"
LATEST = 12
BRANCH = "when"  # how a part of a step begins that is a way of a branch


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """One message with its story: who wanted it, by which step, on which consent."""

    delivery_id: int = says("the delivery's number")
    channel: str = says("by which channel")
    template: str = says("which message")
    purpose: str = says("what for")
    journey: str = says("the journey that wanted it")
    version: int = says("which version of the journey")
    step: str = says("the step of it, as a path: 0, 2.when0.1")
    entered_at: datetime | None = says("when the person had entered the journey")
    conditions: tuple[str, ...] = says("the branches' conditions that led to this step; all of them held")
    state: str = says("queued, held, withheld, sent, delivered, bounced, failed or unknown")
    reason: str | None = says("why it was held or withheld")
    allowed: bool | None = says("what the person had last said of this purpose and channel then; null for nothing")
    allowed_since: datetime | None = says("when they had said it")
    created_at: datetime = says("when it was wanted")
    due_at: datetime | None = says("until when it is held")
    sent_at: datetime | None = says("when the provider took it")
    opened_at: datetime | None = says("when it was first opened")
    clicked_at: datetime | None = says("when a link in it was first clicked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the gate would answer now to a message by one channel for one purpose."""

    channel: str = says("the channel")
    purpose: str = says("what for")
    passes: bool = says("whether a message would go out now")
    reason: str | None = says("the first reason against it, in the gate's order")
    since: datetime | None = says("since when the reason holds, or the consent was given")
    until: datetime | None = says("when the quiet hours are over")
    sent: int = says("how many were let through within the cap's days")
    most: int | None = says("how many the cap allows; null without a cap")
    days: int | None = says("in how many days")


def messages(
    warehouse: Warehouse, channels: Sequence[ChannelDefinition], held: Dossier, words: Sequence[Word]
) -> tuple[MessageView, ...]:
    """The latest messages of a person, newest first; `words` are what they said of being written to."""
    rows = [dict(row) for row in held.deliveries[:LATEST]]
    kinds = {each.channel: each.kind for each in channels}
    entered: dict[int, datetime] = (
        dict(warehouse.query(_WALKS, {"ids": [row["delivery_id"] for row in rows]})) if rows else {}
    )
    ways = _ways(warehouse, {(row["journey"], row["version"]) for row in rows if BRANCH in row["step"]})
    return tuple(
        MessageView(
            entered_at=entered.get(row["delivery_id"]),
            conditions=_conditions(ways.get((row["journey"], row["version"]), {}), row["step"]),
            **_word(words, row["purpose"], kinds.get(row["channel"], row["channel"]), row["created_at"]),
            **row,
        )
        for row in rows
    )


def standings(
    channels: Sequence[ChannelDefinition], held: Dossier, *, as_of: datetime, zone: str
) -> tuple[Standing, ...]:
    """The gate's answer now, for every applied channel and every purpose."""
    allowed = {(each["purpose"], each["channel"]): (each["granted"], each["since"]) for each in held.permissions}
    today = local(as_of, zone).date()
    found = []
    for each in channels:
        key = held.addresses.get(CHANNELS.get(each.kind).identifier or "") if each.kind in CHANNELS else None
        caps = {cap.purpose: cap for cap in each.limits()}
        for purpose in PURPOSES:
            cap = caps.get(purpose)
            first = today - timedelta(days=cap.days - 1) if cap else today
            counted = (told for told in held.sent if (told["channel"], told["purpose"]) == (each.channel, purpose))
            known = _Known(
                channel=each.channel,
                purpose=purpose,
                is_addressed=key is not None,
                barred=held.barred.get((key or "", each.kind)),
                word=allowed.get((purpose, each.kind)),
                quiet=quiet_until(each, as_of, zone),
                cap=cap,
                sent=sum(told["sent"] for told in counted if told["day"] >= first),
            )
            found.append(_answer(known))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What stands for and against one channel and purpose."""

    channel: str
    purpose: str
    is_addressed: bool
    barred: datetime | None
    word: tuple[bool, datetime] | None
    quiet: datetime | None
    cap: Cap | None
    sent: int


def _answer(known: _Known) -> Standing:
    """The first reason against it, in the gate's order."""
    asks = known.purpose != TRANSACTIONAL
    refused = (known.word is None and known.purpose == MARKETING) or (known.word is not None and not known.word[0])
    since, until = known.word[1] if known.word else None, None
    reason = None
    if not known.is_addressed:
        reason, since = "unreachable", None
    elif known.barred is not None:
        reason, since = "suppressed", known.barred
    elif asks and refused:
        reason = "no_consent"
    elif asks and known.quiet is not None:
        reason, until = "quiet_hours", known.quiet
    elif known.cap is not None and known.sent >= known.cap.count:
        reason = "frequency_cap"
    return Standing(
        channel=known.channel,
        purpose=known.purpose,
        passes=reason is None,
        reason=reason,
        since=since,
        until=until,
        sent=known.sent,
        most=known.cap.count if known.cap else None,
        days=known.cap.days if known.cap else None,
    )


def _word(words: Sequence[Word], purpose: str, kind: str, at: datetime) -> Mapping[str, Any]:
    """The person's last word before an instant; a withdrawal of the same instant wins."""
    said = [each for each in words if (each.purpose, each.channel) == (purpose, kind)]
    before = [(each.ts, not each.granted) for each in said if each.ts <= at]
    if not before:
        return {"allowed": None, "allowed_since": None}
    ts, withdrawn = max(before)
    return {"allowed": not withdrawn, "allowed_since": ts}


Ways = Mapping[str, tuple[str, ...]]


def _ways(warehouse: Warehouse, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], Ways]:
    """The conditions of each branch of some versions of journeys, by the branch's position."""
    if not wanted:
        return {}
    asked = {"journeys": sorted({journey for journey, _ in wanted}), "versions": sorted({each for _, each in wanted})}
    found: dict[tuple[str, int], Ways] = {}
    for journey, version, body in warehouse.query(_BODIES, asked):
        nodes = flow(JourneyDefinition.model_validate_json(body))
        found[journey, version] = {
            each.position: tuple(text for text, _ in each.ways) for each in nodes if each.kind == "branch"
        }
    return found


def _conditions(ways: Ways, step: str) -> tuple[str, ...]:
    """The conditions on the way to a step: `2.when0.1` went the first way of the branch at `2`."""
    parts = step.split(".")
    found = []
    for place, part in enumerate(parts):
        branch = ways.get(".".join(parts[:place]), ())
        number = part.removeprefix(BRANCH)
        if part.startswith(BRANCH) and number.isdecimal() and int(number) < len(branch):
            found.append(branch[int(number)])
    return tuple(found)


_WALKS = """
with wanted as materialized (
    select outbox_id, enrolment_id from outbox where outbox_id in (select unnest($ids::bigint[]))
)
select wanted.outbox_id, walk.entered_at
from wanted join enrolments walk on walk.enrolment_id = wanted.enrolment_id
"""
_BODIES = """
select journey, version, body from journey_versions
where list_contains($journeys::varchar[], journey) and list_contains($versions::integer[], version)
"""
