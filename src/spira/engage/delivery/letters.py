"""Letters: single deliveries as staff read them: what was decided and why, what was tried, what came back.

Reads   `deliveries`, `attempts`, `events`, `profiles`, `permissions`, `suppressions`, `cap_counters`, `outbox`

People come masked, and only the viewer's own. The gate keeps its decision and the reason; what each of
its checks would find is read from the tables as they stand now, and said so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spira.collect.envelope import OWN_SOURCE
from spira.engage.channels.definition import ChannelDefinition
from spira.engage.delivery.gate import REASONS, SAME_MESSAGE, STALE
from spira.kernel.errors import NotFound
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify.people import require, rows

PAGE = 50
OPEN = ("queued", "sent", "delivered", "bounced", "failed", "unknown")  # states that the gate let through


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One delivery."""

    delivery_id: int = field(metadata={"help": "its id"})
    profile_id: str = field(metadata={"help": "whom it is for"})
    name: str = field(metadata={"help": "their name, masked"})
    number: str | None = field(metadata={"help": "the number that the brand knows them by"})
    channel: str = field(metadata={"help": "the channel"})
    template: str = field(metadata={"help": "what it says"})
    journey: str = field(metadata={"help": "the journey that asked for it"})
    version: int = field(metadata={"help": "of the journey"})
    step: str = field(metadata={"help": "the step that asked for it"})
    purpose: str = field(metadata={"help": "what for"})
    campaign: str | None = field(metadata={"help": "the campaign"})
    state: str = field(metadata={"help": "what became of it"})
    reason: str | None = field(metadata={"help": "why it was held or withheld"})
    detail: str | None = field(metadata={"help": "what the provider said"})
    tries: int = field(metadata={"help": "how often it was tried"})
    created_at: datetime = field(metadata={"help": "when it was asked for"})
    due_at: datetime | None = field(metadata={"help": "when it goes on"})
    sent_at: datetime | None = field(metadata={"help": "handed to the channel"})
    delivered_at: datetime | None = field(metadata={"help": "arrived"})
    opened_at: datetime | None = field(metadata={"help": "first opened"})
    clicked_at: datetime | None = field(metadata={"help": "first clicked"})
    bounced_at: datetime | None = field(metadata={"help": "came back"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterPage:
    """A page of deliveries."""

    deliveries: tuple[Letter, ...] = field(metadata={"help": "the deliveries, newest first"})
    next: str | None = field(metadata={"help": "continues as `before`"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Which deliveries are asked for; None leaves a question open. `since` and `until` bound the asking."""

    state: str | None = None
    reason: str | None = None
    channel: str | None = None
    journey: str | None = None
    template: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question of the gate. `outcome` is passed, stopped, or not_asked since an earlier one stopped it."""

    name: str = field(metadata={"help": "the reason that it may give"})
    outcome: str = field(metadata={"help": "passed, stopped or not_asked"})
    at: datetime | None = field(default=None, metadata={"help": "the instant it rests on: since when, or until when"})
    count: int | None = field(default=None, metadata={"help": "how many were counted"})
    limit: str | None = field(default=None, metadata={"help": "the rule of the channel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened to a delivery: an attempt, a result, or a receipt."""

    at: datetime = field(metadata={"help": "when"})
    kind: str = field(metadata={"help": "asked, attempt, result or receipt"})
    what: str = field(metadata={"help": "the outcome, or the receipt's event"})
    detail: str | None = field(metadata={"help": "what the provider said"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterStory:
    """One delivery with its story."""

    as_of: datetime = field(metadata={"help": "the instant the checks speak of"})
    delivery: Letter = field(metadata={"help": "the delivery"})
    checks: tuple[Check, ...] = field(metadata={"help": "the gate's questions, in its order"})
    happenings: tuple[Happening, ...] = field(metadata={"help": "what happened, in order of time"})
    provider_id: str | None = field(metadata={"help": "the provider's id for it"})
    can_render: bool = field(metadata={"help": "whether its template is applied, so that it can be shown again"})


def letters(warehouse: Warehouse, vault: Vault, viewer: Viewer, asked: LetterFilter) -> LetterPage:
    """A page of the viewer's people's deliveries, newest first."""
    require(viewer)
    bound = {**bound_units(viewer), **{name: getattr(asked, name) for name in LetterFilter.__dataclass_fields__}}
    told = _told(warehouse, vault, viewer, warehouse.rows(_LETTERS, bound))
    return LetterPage(deliveries=told, next=str(told[-1].delivery_id) if len(told) == asked.limit else None)


def picked(warehouse: Warehouse, vault: Vault, viewer: Viewer, ids: Sequence[int]) -> tuple[Letter, ...]:
    """Those of some deliveries that are the viewer's people's, newest first; the others are as if they were not."""
    require(viewer)
    return _told(warehouse, vault, viewer, warehouse.rows(_PICKED, {**bound_units(viewer), "ids": list(ids)}))


def letter(
    warehouse: Warehouse,
    vault: Vault,
    viewer: Viewer,
    delivery_id: int,
    *,
    channels: Sequence[ChannelDefinition],
    templates: Iterable[str],
    as_of: datetime,
) -> LetterStory:
    """One delivery and its story; NotFound for one that is not of the viewer's people."""
    require(viewer)
    found = warehouse.rows(_ONE, {**bound_units(viewer), "delivery_id": delivery_id})
    if not found:
        raise NotFound(f"there is no delivery {delivery_id}", help="it may have been erased")
    row = found[0]
    facts = {name: row.pop(name) for name in ("provider_id", "address_key", "raw_profile")}
    (told,) = _told(warehouse, vault, viewer, [row])
    channel = next((each for each in channels if each.channel == told.channel), None)
    return LetterStory(
        as_of=as_of,
        delivery=told,
        checks=_checks(warehouse, told, facts, channel),
        happenings=_happenings(warehouse, told),
        provider_id=facts["provider_id"],
        can_render=told.template in set(templates),
    )


def _told(warehouse: Warehouse, vault: Vault, viewer: Viewer, found: Sequence[dict[str, Any]]) -> tuple[Letter, ...]:
    known = {each.id: each for each in rows(warehouse, vault, viewer, [row["profile_id"] for row in found])}
    told = []
    for row in found:
        shown = show_profile(row["profile_id"])
        person = known.get(shown)
        name, number = (person.name, person.number) if person else (shown, None)
        told.append(Letter(**{**row, "profile_id": shown, "name": name, "number": number}))
    return tuple(told)


def _checks(
    warehouse: Warehouse, told: Letter, facts: dict[str, Any], channel: ChannelDefinition | None
) -> tuple[Check, ...]:
    """The gate's questions in its order: those before the reason passed, those after it were not asked."""
    stop = REASONS.index(told.reason) if told.reason in REASONS and told.state not in OPEN else len(REASONS)
    found = _found(warehouse, told, facts, channel)
    return tuple(
        Check(
            name=name,
            outcome="passed" if place < stop else "stopped" if place == stop else "not_asked",
            **found.get(name, {}),
        )
        for place, name in enumerate(REASONS)
        if name != "stale" or told.purpose == "marketing"
    )


def _found(
    warehouse: Warehouse, told: Letter, facts: dict[str, Any], channel: ChannelDefinition | None
) -> dict[str, dict[str, Any]]:
    kind = channel.kind if channel is not None else told.channel
    profile, address = facts["raw_profile"], facts["address_key"]
    allowed = warehouse.one(_ALLOWED, {"profile": profile, "purpose": told.purpose, "channel": kind})
    found: dict[str, dict[str, Any]] = {
        "stale": {"at": told.created_at + STALE},
        "no_consent": {"at": allowed[0] if allowed else None},
        "duplicate": {
            "count": warehouse.value(
                _SAME,
                {
                    "delivery_id": told.delivery_id,
                    "address": address,
                    "channel": told.channel,
                    "template": told.template,
                    "after": told.created_at - SAME_MESSAGE,
                    "before": told.created_at,
                },
            )
        },
    }
    if address is not None:
        found["suppressed"] = {"at": warehouse.value(_SUPPRESSED, {"address": address, "channel": kind})}
    if channel is None:
        return found
    found["quiet_hours"] = {"limit": channel.quiet_hours, "at": told.due_at if told.state == "held" else None}
    cap = next((each for each in channel.limits() if each.purpose == told.purpose), None)
    if cap is not None:
        counted = {"profile": profile, "channel": told.channel, "purpose": told.purpose, "days": cap.days - 1}
        count = warehouse.value(_COUNTED, {**counted, "day": told.created_at})
        found["frequency_cap"] = {"count": int(count), "limit": channel.caps.get(cap.purpose)}  # type: ignore[call-overload]
    return found


def _happenings(warehouse: Warehouse, told: Letter) -> tuple[Happening, ...]:
    happened = [Happening(at=told.created_at, kind="asked", what=told.state, detail=None)]
    happened += [
        Happening(at=at, kind=phase, what=outcome or phase, detail=detail)
        for at, phase, outcome, detail in warehouse.query(_ATTEMPTS, {"delivery_id": told.delivery_id})
    ]
    if "delivery_id" in warehouse.columns("events"):
        asked = {"delivery_id": told.delivery_id, "source": OWN_SOURCE}
        happened += [
            Happening(at=at, kind="receipt", what=event, detail=None) for at, event in warehouse.query(_RECEIPTS, asked)
        ]
    return tuple(sorted(happened, key=lambda each: each.at))


_LETTERS = """
select d.delivery_id, d.profile_id, d.channel, d.template, d.journey, d.version, d.step, d.purpose, d.campaign,
       d.state, d.reason, d.detail, d.tries, d.created_at, d.due_at, d.sent_at, d.delivered_at, d.opened_at,
       d.clicked_at, d.bounced_at
from deliveries d join profiles p on p.profile_id = d.profile_id
where ($units::bigint[] is null or list_contains($units::bigint[], p.unit_id))
  and ($state::varchar is null or d.state = $state) and ($reason::varchar is null or d.reason = $reason)
  and ($channel::varchar is null or d.channel = $channel) and ($journey::varchar is null or d.journey = $journey)
  and ($template::varchar is null or d.template = $template)
  and ($since::timestamp is null or d.created_at >= $since) and ($until::timestamp is null or d.created_at < $until)
  and ($before::bigint is null or (d.created_at, d.delivery_id) <
       (select (b.created_at, b.delivery_id) from deliveries b where b.delivery_id = $before))
order by d.created_at desc, d.delivery_id desc limit $limit
"""
_PICKED = """
select d.delivery_id, d.profile_id, d.channel, d.template, d.journey, d.version, d.step, d.purpose, d.campaign,
       d.state, d.reason, d.detail, d.tries, d.created_at, d.due_at, d.sent_at, d.delivered_at, d.opened_at,
       d.clicked_at, d.bounced_at
from deliveries d join profiles p on p.profile_id = d.profile_id
where list_contains($ids::bigint[], d.delivery_id)
  and ($units::bigint[] is null or list_contains($units::bigint[], p.unit_id))
order by d.created_at desc, d.delivery_id desc
"""
_ONE = """
select d.delivery_id, d.profile_id, d.channel, d.template, d.journey, d.version, d.step, d.purpose, d.campaign,
       d.state, d.reason, d.detail, d.tries, d.created_at, d.due_at, d.sent_at, d.delivered_at, d.opened_at,
       d.clicked_at, d.bounced_at, d.provider_id, d.address_key, d.profile_id as raw_profile
from deliveries d join profiles p on p.profile_id = d.profile_id
where d.delivery_id = $delivery_id and ($units::bigint[] is null or list_contains($units::bigint[], p.unit_id))
"""
_ALLOWED = """
select since from permissions where profile_id = $profile and purpose = $purpose and channel = $channel
"""
_SUPPRESSED = "select min(since) from suppressions where address_key = $address and channel = $channel"
_SAME = """
select count(*) from deliveries
where address_key = $address and channel = $channel and template = $template and delivery_id <> $delivery_id
  and state in ('queued', 'sent', 'delivered', 'unknown') and created_at > $after and created_at <= $before
"""
_COUNTED = """
select coalesce(sum(sent), 0) from cap_counters
where profile_id = $profile and channel = $channel and purpose = $purpose
  and day > $day::date - $days::integer - 1 and day <= $day::date
"""
_ATTEMPTS = """
select a.at, a.phase, a.outcome, a.detail from attempts a where delivery_id = $delivery_id
order by a.at, a.phase
"""
_RECEIPTS = "select ts, event from events where delivery_id = $delivery_id and source = $source order by ts, event_id"
