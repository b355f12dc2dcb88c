"""Messages of one person: why each went out or did not, and what the gate would say now.

Reads   `deliveries`, `enrolments`, `outbox`, `journey_versions`, `event_places`, `events`, `identifiers`,
        `moved`, `traits`, `permissions`, `suppressions`, `cap_counters`

It asks what the gate asks, in the gate's order, and decides nothing. Whoever calls has seen to it
that the viewer may look at the person (`unify.people.locate`).
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from spira.collect import places
from spira.engage.channels.base import CHANNELS
from spira.engage.channels.definition import Cap, ChannelDefinition
from spira.engage.delivery.gate import quiet_until
from spira.engage.journeys.flow import flow
from spira.engage.journeys.model import JourneyDefinition, Purpose
from spira.kernel.clock import local
from spira.storage.warehouse import Warehouse
from spira.unify.consent import GIVEN, WITHDRAWN
from spira.unify.portrait import says
from spira.unify.subjects import OURS, subjects_of

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
MARKETING, TRANSACTIONAL = "marketing", "transactional"
LATEST = 12


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
    warehouse: Warehouse, channels: Sequence[ChannelDefinition], profile_id: int, *, limit: int = LATEST
) -> tuple[MessageView, ...]:
    """The latest messages of a person, newest first."""
    rows = warehouse.rows(_MESSAGES, {"profile": profile_id, "limit": limit})
    kinds = {each.channel: each.kind for each in channels}
    said = _said(warehouse, profile_id) if rows else []
    ways = _ways(warehouse, {(row["journey"], row["version"]) for row in rows})
    return tuple(
        MessageView(
            conditions=_conditions(ways.get((row["journey"], row["version"]), {}), row["step"]),
            **_word(said, row["purpose"], kinds.get(row["channel"], row["channel"]), row["created_at"]),
            **row,
        )
        for row in rows
    )


def standings(
    warehouse: Warehouse, channels: Sequence[ChannelDefinition], profile_id: int, *, as_of: datetime, zone: str
) -> tuple[Standing, ...]:
    """The gate's answer now, for every applied channel and every purpose."""
    person = {"profile": profile_id}
    addresses: dict[str, str] = dict(warehouse.query(_ADDRESSES, person))
    barred = {(key, kind): since for key, kind, since in warehouse.query(_BARRED, {"keys": list(addresses.values())})}
    allowed = {(purpose, kind): (granted, since) for purpose, kind, granted, since in warehouse.query(_ALLOWED, person)}
    sent = warehouse.query(_SENT, person)
    today = local(as_of, zone).date()
    found = []
    for each in channels:
        key = addresses.get(CHANNELS.get(each.kind).identifier or "") if each.kind in CHANNELS else None
        caps = {cap.purpose: cap for cap in each.limits()}
        for purpose in PURPOSES:
            cap = caps.get(purpose)
            first = today - timedelta(days=cap.days - 1) if cap else today
            used = sum(n for channel, of, day, n in sent if (channel, of) == (each.channel, purpose) and day >= first)
            known = _Known(
                channel=each.channel,
                purpose=purpose,
                is_addressed=key is not None,
                barred=barred.get((key or "", each.kind)),
                word=allowed.get((purpose, each.kind)),
                quiet=quiet_until(each, as_of, zone),
                cap=cap,
                sent=used,
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


Said = list[tuple[str, str, datetime, bool]]


def _said(warehouse: Warehouse, profile_id: int) -> Said:
    if not {"purpose", "channel"} <= warehouse.columns("events").keys():
        return []
    told = places.latest(warehouse, subjects_of(warehouse, profile_id), events=(GIVEN, WITHDRAWN))
    asked = {"ids": [number for number, _ in told], "given": GIVEN}
    return [(row[0], row[1], row[2], row[3]) for row in warehouse.query(_SAID, asked)] if told else []


def _word(said: Said, purpose: str, kind: str, at: datetime) -> Mapping[str, Any]:
    """The person's last word before an instant; a withdrawal of the same instant wins."""
    before = [(ts, not granted) for of, by, ts, granted in said if (of, by) == (purpose, kind) and ts <= at]
    if not before:
        return {"allowed": None, "allowed_since": None}
    ts, withdrawn = max(before)
    return {"allowed": not withdrawn, "allowed_since": ts}


Ways = Mapping[str, tuple[str, ...]]


def _ways(warehouse: Warehouse, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Ways]:
    """The conditions of each branch of some versions of journeys, by the branch's position."""
    found: dict[tuple[str, int], Ways] = {}
    for journey, version in wanted:
        body = warehouse.value(_BODY, {"journey": journey, "version": version})
        if body is not None:
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
        number = part.removeprefix("when")
        if part.startswith("when") and number.isdecimal() and int(number) < len(branch):
            found.append(branch[int(number)])
    return tuple(found)


_MESSAGES = """
with latest as materialized (
    select * from deliveries where profile_id = $profile order by created_at desc, delivery_id desc limit $limit
), wanted as materialized (
    select outbox_id, enrolment_id from outbox where outbox_id in (select delivery_id from latest)
), walks as materialized (
    select enrolment_id, entered_at from enrolments where enrolment_id in (select enrolment_id from wanted)
)
select d.delivery_id, d.channel, d.template, d.purpose, d.journey, d.version, d.step, w.entered_at, d.state, d.reason,
       d.created_at, d.due_at, d.sent_at, d.opened_at, d.clicked_at
from latest d left join wanted o on o.outbox_id = d.delivery_id left join walks w on w.enrolment_id = o.enrolment_id
order by d.created_at desc, d.delivery_id desc
"""
_SAID = """
select purpose, channel, ts, event = $given from events where event_id in (select unnest($ids::bigint[]))
"""
_BODY = "select body from journey_versions where journey = $journey and version = $version"
# The address in use, chosen as the gate chooses it.
_ADDRESSES = f"""
with {OURS}, ids as (
    select * from identifiers where subject_id in (select subject_id from ours)
), told as (
    select name, vault_key from traits where profile_id = $profile
)
select one.kind, arg_max(one.subject_key, (trait.vault_key is not null, one.first_seen, one.subject_id))
from ids one left join told trait on trait.name = one.kind and trait.vault_key = one.subject_key
group by one.kind
"""
_BARRED = """
select address_key, channel, min(since) from suppressions where list_contains($keys::varchar[], address_key)
group by all
"""
_ALLOWED = "select purpose, channel, granted, since from permissions where profile_id = $profile"
_SENT = "select channel, purpose, day, sent from cap_counters where profile_id = $profile"
