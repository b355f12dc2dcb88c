"""Quarantine: the calls that could not become events, why, and what to do about it.

Reads   `quarantine`

A refused call is kept sealed. What is shown of it has contact values and keys taken out; a body
that is no JSON object is not shown at all. For what a tracking plan could take, a part of one
is proposed that would have taken the call.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

from spira.collect.people import QUARANTINE
from spira.collect.shown import call_shown, without_contacts
from spira.collect.tracking import Plan
from spira.definitions.model import NAME
from spira.kernel.clock import midnight
from spira.kernel.errors import NotFound
from spira.storage.keys import Keys
from spira.storage.sealing import unseal
from spira.storage.warehouse import Warehouse

State = Literal["open", "done", "all"]
STATES: tuple[State, ...] = get_args(State)
LIST = 50
MOST_SOURCES = 100
_PROPOSED = {bool: "boolean", int: "integer", float: "number", str: "text"}
_CHANGE = "  # declared as {}; change it there"
_SENT_AS = {"integer": ("number", "money"), "number": ("money",), "text": ("time", "date")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which refused calls are looked at; None is all of them. `day` is a local one.

    `state` is `open` for what still lies in quarantine, `done` for what was replayed and needs no
    more, `all` for both.
    """

    source: str | None = None
    event: str | None = None
    reason: str | None = None
    day: date | None = None
    state: State = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCount:
    """One reason and how often it was given."""

    reason: str = field(metadata={"help": "malformed, too_large, missing_identifier, wrong_type…"})
    calls: int = field(metadata={"help": "how many calls"})
    last_seen: datetime = field(metadata={"help": "the latest of them"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One refused call in the list."""

    id: str = field(metadata={"help": "its number, batch and place"})
    received_at: datetime = field(metadata={"help": "when it was received"})
    source: str = field(metadata={"help": "the source that sent it"})
    event: str | None = field(metadata={"help": "the event, as far as it was told"})
    reason: str = field(metadata={"help": "why it was refused"})
    detail: str = field(metadata={"help": "what exactly is wrong"})
    outcome: str | None = field(
        metadata={"help": "what became of its replay: loaded, duplicate, refused; none was none"}
    )
    replayed_at: datetime | None = field(metadata={"help": "when it was replayed last"})


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinePage:
    """A page of the quarantine, newest first."""

    as_of: datetime = field(metadata={"help": "the instant the counts speak of"})
    total: int = field(metadata={"help": "how many calls still lie in quarantine, whatever is looked at"})
    replayed: int = field(metadata={"help": "how many were replayed and need no more"})
    reasons: tuple[ReasonCount, ...] = field(metadata={"help": "reasons, of what source, event and day leave"})
    sources: tuple[str, ...] = field(metadata={"help": "the sources that had calls refused"})
    events: tuple[str, ...] = field(metadata={"help": "the events that had calls refused"})
    calls: tuple[Refused, ...] = field(metadata={"help": "the calls"})
    next: str | None = field(metadata={"help": "where the next page begins; none on the last"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedView:
    """One refused call in full."""

    call: Refused = field(metadata={"help": "the call"})
    message_id: str | None = field(metadata={"help": "the message id it told, or the one it was given"})
    replayed_by: str | None = field(metadata={"help": "who replayed it last, by id"})
    tries: int = field(metadata={"help": "how often it was replayed"})
    bytes: int = field(metadata={"help": "how long its text is"})
    body: str | None = field(metadata={"help": "its text without contact values; none when it can't be shown"})
    proposal: str | None = field(metadata={"help": "a part of a tracking plan that would take it, as YAML"})


def page(
    warehouse: Warehouse, filters: Filters, *, as_of: datetime, zone: str, before: str | None = None
) -> QuarantinePage:
    """A page of the refused calls; `before` is the `next` of the page before."""
    chosen = bound_of(filters, zone)
    batch, item = place_of(before)
    total, replayed = warehouse.one(_TOTALS) or (0, 0)
    rows = warehouse.rows(_PAGE, {**chosen, "reason": filters.reason, "batch": batch, "item": item, "limit": LIST + 1})
    calls = tuple(_refused(row) for row in rows[:LIST])
    named = {"limit": MOST_SOURCES}
    return QuarantinePage(
        as_of=as_of,
        total=total,
        replayed=replayed,
        reasons=tuple(ReasonCount(**each) for each in warehouse.rows(_REASONS, chosen)),
        sources=tuple(name for (name,) in warehouse.query(_SOURCES, named)),
        events=tuple(name for (name,) in warehouse.query(_EVENTS, named)),
        calls=calls,
        next=calls[-1].id if len(rows) > LIST else None,
    )


def call(warehouse: Warehouse, keys: Keys, plan: Plan, refused: str) -> RefusedView:
    """One refused call, as far as it may be shown."""
    batch, item = place_of(refused)
    found = warehouse.rows(_ONE, {"batch": batch, "item": item})
    if not found:
        raise NotFound(
            f"there is no refused call `{refused[:40]}`", help="the list of the quarantine has their numbers"
        )
    (row,) = found
    body = unseal(keys, row["body"], context=QUARANTINE)
    return RefusedView(
        call=_refused(row),
        message_id=row["message_id"],
        replayed_by=row["replayed_by"],
        tries=row["tries"] or 0,
        bytes=len(body),
        body=call_shown(body, plan.contact),
        proposal=proposal(body, row["reason"], plan),
    )


def proposal(body: bytes, reason: str, plan: Plan) -> str | None:
    """A part of a tracking plan with the event and the properties of a call, typed by what they hold.

    Only where declaring helps: an event that no plan has, or a value of another type than declared.
    A property whose name can't be declared is left out, and stays kept as JSON.
    """
    if reason not in ("unknown_event", "wrong_type"):
        return None
    try:
        told = json.loads(body)
        event, properties = str(told["event"]).strip(), told.get("properties") or {}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    if not event or not isinstance(properties, dict):
        return None
    known = plan.events[event].properties if event in plan.events else {}
    lines = [
        f"      {name}: {told_type}{_CHANGE.format(known[name]) if name in known else ''}"
        for name, value in properties.items()
        if re.fullmatch(NAME, name)
        and (told_type := _PROPOSED.get(type(value)))
        and not _takes(known.get(name), told_type)
    ]
    if reason == "wrong_type" and not lines:
        return None  # it is a trait or a line that is wrong, and what is declared of them stands elsewhere
    head = ["tracking: proposed", "events:", f"  {quoted(event)}:"]
    return "\n".join([*head, *(["    properties:", *lines] if lines else ["    properties: {}"])]) + "\n"


def _takes(declared: str | None, told: str) -> bool:
    """Whether a value of one type is what a property of another is sent as."""
    return declared == told or declared in _SENT_AS.get(told, ())


def quoted(name: str) -> str:
    """A name as a YAML key; in quotes where it is more than words."""
    simple = (
        bool(name) and name.replace("_", "").replace(" ", "").isalnum() and name[0].isalpha() and name == name.strip()
    )
    return (
        name if simple and name.lower() not in ("no", "yes", "on", "off", "true", "false", "null") else json.dumps(name)
    )


def bound_of(filters: Filters, zone: str) -> dict[str, Any]:
    """What `CHOSEN` is bound to; the reason is bound beside it."""
    start = None if filters.day is None else midnight(filters.day, zone)
    end = None if filters.day is None else midnight(filters.day + timedelta(days=1), zone)
    return {"source": filters.source, "event": filters.event, "start": start, "end": end, "state": filters.state}


def place_of(written: str | None) -> tuple[int | None, int | None]:
    """The batch and item of a call's number; NotFound for what is none."""
    if not written:
        return None, None
    batch, _, item = written.partition("-")
    if not (batch.isascii() and batch.isdigit() and item.isascii() and item.isdigit()) or len(written) > 30:
        raise NotFound("there is no such place in the quarantine", help="begin at the first page")
    return min(int(batch), 2**63 - 1), min(int(item), 2**31 - 1)


def _refused(row: dict[str, Any]) -> Refused:
    return Refused(
        id=f"{row['batch']}-{row['item']}",
        received_at=row["received_at"],
        source=row["source"],
        event=row["event"],
        reason=row["reason"],
        detail=without_contacts(row["detail"]),
        outcome=row["outcome"],
        replayed_at=row["replayed_at"],
    )


CHOSEN = """
    ($source::varchar is null or source = $source)
and ($event::varchar is null or event = $event)
and ($start::timestamp is null or (received_at >= $start and received_at < $end))
and ($state = 'all' or ($state = 'done') = coalesce(outcome in ('loaded', 'duplicate'), false))
"""
_REASONS = (
    "select reason, count(*) as calls, max(received_at) as last_seen from quarantine where"
    + CHOSEN
    + "group by reason order by calls desc, reason"
)
_PAGE = (
    "select batch, item, received_at, source, event, reason, detail, outcome, replayed_at from quarantine where"
    + CHOSEN
    + """
and ($reason::varchar is null or reason = $reason)
and ($batch::bigint is null or batch < $batch or (batch = $batch and item < $item))
order by batch desc, item desc limit $limit
"""
)
_ONE = """
select batch, item, received_at, source, message_id, event, reason, detail, body, outcome, replayed_at,
       replayed_by, tries
from quarantine where batch = $batch and item = $item
"""
_TOTALS = """
select count(*) filter (where outcome is null or outcome = 'refused'),
       count(*) filter (where outcome in ('loaded', 'duplicate'))
from quarantine
"""
_SOURCES = "select source from quarantine group by source order by source limit $limit"
_EVENTS = """
select event from quarantine where event is not null group by event order by count(*) desc, event limit $limit
"""
