"""Dispatch: what was let through is handed to its channel, a few messages at a time.

Reads   `deliveries` (queued and due), `traits`, `tags`, the vault
Writes  the log        an Attempt for each before the call, a Result after it; `Email Bounced` for no such address
        `deliveries`   unknown while the call lasts, then what came of it
        `shared_people` (state)   whose data a channel's provider gets, before they get it (`delivery.carriers`)

Between the Attempt and the Result a message's fate is unknown, in the log and in the
warehouse alike; whoever dies there leaves it so, and nothing is sent twice. A channel that
does not answer is left alone until the next tick, and its messages come back by and by.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, cast

import pyarrow as pa

from spira.collect.emit import emit
from spira.collect.envelope import Attempt, Outcome, OwnEvent, Result, encode
from spira.definitions.apply import Applied
from spira.engage import links
from spira.engage.channels.base import CHANNELS, Handed
from spira.engage.channels.definition import ChannelDefinition
from spira.engage.delivery import carriers
from spira.engage.delivery.fold import BACK_OFF_MINUTES, MOST_TRIES
from spira.engage.delivery.handing import Dispatched, DispatchTask, Item, hand_over
from spira.engage.messages import source_in
from spira.engage.render import BadTemplate, Source, wanted
from spira.engage.values import values_of
from spira.kernel.clock import Clock
from spira.kernel.i18n import LANGUAGES
from spira.kernel.jobs import JobRunner
from spira.kernel.settings import Settings
from spira.storage.keys import Keys
from spira.storage.log import Log
from spira.storage.state import State
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import personal

BATCH = 50
_NO_SUCH_ADDRESS = re.compile(r"5\d\d 5\.1\.(1|2|3|6|10)\b")


class DeliveryTurn(Protocol):
    """What stage 8 needs of a turn."""

    @property
    def warehouse(self) -> Warehouse: ...
    @property
    def applied(self) -> Applied: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def state(self) -> State: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def log(self) -> Log: ...
    @property
    def runner(self) -> JobRunner: ...
    @property
    def public_url(self) -> str: ...
    @property
    def as_of(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One delivery that is due."""

    delivery_id: int
    profile_id: int
    subject_id: int
    address_key: str
    template: str
    journey: str
    purpose: str
    campaign: str | None
    tries: int


def dispatch(turn: DeliveryTurn) -> int:
    """Hand over everything that is queued and due; how many were tried."""
    again = [each.channel for each in _channels(turn) if each.resend_unknown]
    turn.warehouse.execute(_RESEND, {"again": again, "most": MOST_TRIES})
    return sum(_dispatch_channel(turn, each) for each in _channels(turn))


def _dispatch_channel(turn: DeliveryTurn, channel: ChannelDefinition) -> int:
    tried = 0
    while rows := _due(turn, channel):
        handed = _hand(turn, channel, rows)
        tried += len(rows)
        if all(each.outcome in ("retry", "unknown") for each in handed):
            break
    return tried


def _hand(turn: DeliveryTurn, channel: ChannelDefinition, rows: Sequence[_Row]) -> list[Handed]:
    """One batch: Attempts, the call, Results, each durable before the next."""
    task = _task(turn, channel, rows)
    _count(turn, channel, rows)
    turn.log.append([encode(Attempt(row.delivery_id, turn.as_of)) for row in rows])
    ids = [row.delivery_id for row in rows]
    turn.warehouse.execute(_IN_FLIGHT, {"ids": ids})
    told: Dispatched = turn.runner.run(hand_over, task)
    settled = [each for each in told.handed if each.outcome != "unknown"]
    if settled:
        turn.log.append([encode(_result(each, turn.as_of)) for each in settled])
        with turn.warehouse.registered("settled", _settled(settled, rows, turn.as_of)):
            turn.warehouse.execute(_SETTLE)
        emit(turn.log, turn.clock, _bounces(channel, settled, rows, turn.as_of))
    return told.handed


def _count(turn: DeliveryTurn, channel: ChannelDefinition, rows: Sequence[_Row]) -> None:
    people = sorted({row.profile_id for row in rows if row.purpose != carriers.UNASKED})
    settings = turn.settings
    zone = settings.workspace.zone
    carriers.note(turn.state, turn.warehouse, channel, settings.rights, people, at=turn.as_of, zone=zone)


def _bounces(
    channel: ChannelDefinition, handed: Sequence[Handed], rows: Sequence[_Row], at: datetime
) -> list[OwnEvent]:
    """An address that the server says does not exist is as good as bounced: it is never written to again."""
    by_id = {str(row.delivery_id): row for row in rows}
    return [
        OwnEvent(
            message_id=f"bounced-{each.delivery_id}",
            event=f"{CHANNELS.get(channel.kind).events} Bounced",
            at=at,
            subject_id=by_id[each.delivery_id].subject_id,
            properties={
                "delivery_id": int(each.delivery_id),
                "channel": channel.kind,
                "bounce_type": "hard",
                "reason": each.detail,
            },
        )
        for each in handed
        if each.outcome == "failed" and _NO_SUCH_ADDRESS.match(each.detail or "")
    ]


def _result(handed: Handed, at: datetime) -> Result:
    outcome = cast("Outcome", handed.outcome)
    return Result(int(handed.delivery_id), at, outcome, handed.provider_id, handed.detail)


def _settled(handed: Sequence[Handed], rows: Sequence[_Row], at: datetime) -> pa.Table:
    """What the warehouse keeps of each: the same as `fold` makes of the log's records."""
    tries = {row.delivery_id: row.tries + 1 for row in rows}
    told = []
    for each in handed:
        delivery, sent = int(each.delivery_id), each.outcome == "sent"
        count = tries[delivery]
        waits = each.outcome == "retry" and count < MOST_TRIES
        told.append(
            {
                "delivery_id": delivery,
                "state": "sent" if sent else "queued" if waits else "failed",
                "sent_at": at if sent else None,
                "due_at": at + timedelta(minutes=BACK_OFF_MINUTES[count - 1]) if waits else None,
                "provider_id": each.provider_id,
                "detail": each.detail,
            }
        )
    return pa.Table.from_pylist(told, schema=_SETTLED)


def _due(turn: DeliveryTurn, channel: ChannelDefinition) -> list[_Row]:
    params = {"channel": channel.channel, "as_of": turn.as_of, "most": BATCH}
    return [
        _Row(
            delivery_id=delivery,
            profile_id=profile,
            subject_id=subject,
            address_key=key,
            template=template,
            journey=journey,
            purpose=purpose,
            campaign=campaign,
            tries=tries,
        )
        for delivery, profile, subject, key, template, journey, purpose, campaign, tries in turn.warehouse.query(
            _DUE, params
        )
    ]


def _task(turn: DeliveryTurn, channel: ChannelDefinition, rows: Sequence[_Row]) -> DispatchTask:
    templates = _templates(turn, {row.template for row in rows})
    names = frozenset[str]().union(*(_wanted(source) for source in templates.values())) | {"language"}
    people = sorted({row.profile_id for row in rows})
    values = values_of(turn.warehouse, turn.vault.open, people, names)
    for profile in personal.refusing(turn.warehouse, people):  # generic content: all but the language stays unsaid
        values[profile] = {"language": values.get(profile, {}).get("language")}
    addresses = _addresses(turn, channel, [row.address_key for row in rows])
    workspace = turn.settings.workspace
    items = []
    for row in rows:
        own = values.get(row.profile_id, {})
        language = own.get("language")
        items.append(
            Item(
                delivery_id=row.delivery_id,
                subject_id=row.subject_id,
                address=addresses.get(row.address_key, ""),
                template=row.template,
                journey=row.journey,
                purpose=row.purpose,
                campaign=row.campaign,
                language=language if language in LANGUAGES else workspace.language,
                values=own,
            )
        )
    return DispatchTask(
        kind=channel.kind,
        options=dict(channel.options),
        at=turn.as_of,
        links_key=turn.keys.derive(links.PURPOSE),
        base_url=base_url(turn),
        brand=workspace.brand,
        postal_address=workspace.postal_address,
        templates=templates,
        items=items,
    )


def base_url(turn: DeliveryTurn) -> str:
    """How consumers reach this workspace: as the settings say, else where the server listens."""
    server = turn.settings.server
    return (turn.public_url or server.public_url or f"http://{server.host}:{server.port}").rstrip("/")


def _templates(turn: DeliveryTurn, names: set[str]) -> dict[str, Source]:
    return {
        f"{each.name}|{language}": source_in(each.model, each.companions, language)
        for each in turn.applied.definitions_of("template")
        if each.name in names
        for language in LANGUAGES
    }


def _wanted(source: Source) -> frozenset[str]:
    """The names a template asks for; none for one that can't be read, which the job will say."""
    try:
        return wanted(source)
    except BadTemplate:
        return frozenset()


def _addresses(turn: DeliveryTurn, channel: ChannelDefinition, keys: Sequence[str]) -> dict[str, str]:
    clear: dict[str, str] = dict(
        turn.warehouse.query(_CLEAR, {"keys": list(keys), "kind": CHANNELS.get(channel.kind).identifier})
    )
    return clear | turn.vault.open(key for key in keys if key not in clear)


def _channels(turn: DeliveryTurn) -> list[ChannelDefinition]:
    return turn.applied.of("channel")


_SETTLED = pa.schema(
    [
        ("delivery_id", pa.int64()),
        ("state", pa.string()),
        ("sent_at", pa.timestamp("us")),
        ("due_at", pa.timestamp("us")),
        ("provider_id", pa.string()),
        ("detail", pa.string()),
    ]
)
_RESEND = """
update deliveries set state = 'queued', due_at = null
where state = 'unknown' and purpose = 'transactional' and tries < $most
  and list_contains($again::varchar[], channel)
"""
_DUE = """
select delivery_id, profile_id, coalesce(subject_id, profile_id), address_key, template, journey, purpose, campaign,
       tries
from deliveries
where state = 'queued' and channel = $channel and (due_at is null or due_at <= $as_of) and address_key is not null
order by created_at, delivery_id limit $most
"""
_IN_FLIGHT = """
update deliveries set state = 'unknown', tries = tries + 1, due_at = null
where list_contains($ids::bigint[], delivery_id) and state = 'queued'
"""
_SETTLE = """
update deliveries set state = settled.state, sent_at = settled.sent_at, due_at = settled.due_at,
  provider_id = settled.provider_id, detail = settled.detail
from settled where deliveries.delivery_id = settled.delivery_id
"""
_CLEAR = """
select subject_key, value from identifiers
where kind = $kind and value is not null and list_contains($keys::varchar[], subject_key)
"""
