"""Retention: events, messages and refused calls are deleted once their time is over, day by day.

Reads   `events`, `deliveries`, `quarantine`, and the settings under `[retention]`
Writes  `events`, the tables of lines, `event_places`, `deliveries`, `outbox`, `attempts`, `quarantine`   (deletes)
        `retention_runs`   what went, by day and rule

It is maintenance, as erasing is. A day's work is done in slices, each in one transaction, so a kill
leaves a state that the next slice goes on from. Consents are kept for proof unless a rule names them.
People whose events went are noted as changed, so that tags and audiences follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from spira.collect.log_retention import Kept
from spira.kernel.durations import parse_duration
from spira.kernel.settings import RetentionSettings
from spira.storage import ddl
from spira.storage.tables import Table, columns, table
from spira.storage.warehouse import Warehouse
from spira.unify import changed

Kind = Literal["event", "message", "quarantine", "log"]
EVERY = "*"
KEPT = ("Consent Given", "Consent Withdrawn", "Unsubscribed")  # proof; a rule has to name them
SLICE = 50_000
RUNS = table(
    Table(
        name="retention_runs",
        store="warehouse",
        stage="storage.upkeep",
        columns=columns(
            """
            day DATE required
            kind VARCHAR required
            name VARCHAR required
            cutoff TIMESTAMP required
            rows BIGINT required
            at TIMESTAMP required
            """
        ),
        key=("day", "kind", "name"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How long something is kept."""

    kind: Kind = field(metadata={"help": "event, message or quarantine"})
    name: str = field(metadata={"help": "the event, or the purpose of messages; `*` is every other"})
    days: int = field(metadata={"help": "how many days it is kept"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one rule deleted on one day."""

    day: date = field(metadata={"help": "the day"})
    kind: Kind = field(metadata={"help": "event, message, quarantine, or log: calls that were made bare in the log"})
    name: str = field(metadata={"help": "the event, or the purpose of messages; `*` is every other"})
    cutoff: datetime = field(metadata={"help": "what was older went"})
    rows: int = field(metadata={"help": "how many rows"})
    at: datetime = field(metadata={"help": "when the last of them went"})


def rules(settings: RetentionSettings) -> tuple[Rule, ...]:
    """The rules that the settings make."""
    found = [_rule("event", each) for each in settings.events] + [_rule("message", each) for each in settings.messages]
    if settings.quarantine_days:
        found.append(Rule(kind="quarantine", name=EVERY, days=settings.quarantine_days))
    return tuple(found)


def step(warehouse: Warehouse, wanted: Sequence[Rule], *, as_of: datetime, day: date, limit: int = SLICE) -> int:
    """Delete up to `limit` rows whose time is over; how many. 0 says that this day's work is done."""
    for each in wanted:
        cutoff = as_of - timedelta(days=each.days)
        named = [rule.name for rule in wanted if rule.kind == each.kind and rule.name != EVERY]
        with warehouse.transaction():
            gone = _delete(warehouse, each, cutoff, named, limit)
            if gone:
                _note(warehouse, each, cutoff, gone, as_of=as_of, day=day)
        if gone:
            return gone
    return 0


def of_events(wanted: Sequence[Rule]) -> Kept:
    """The rules of events, for the log."""
    return Kept(days={each.name: each.days for each in wanted if each.kind == "event"}, kept=KEPT)


def note_log(warehouse: Warehouse, wanted: Sequence[Rule], calls: int, *, as_of: datetime, day: date) -> None:
    """Report that so many calls were made bare in the log."""
    shortest = min(each.days for each in wanted if each.kind == "event")
    rule = Rule(kind="log", name=EVERY, days=shortest)
    with warehouse.transaction():
        _note(warehouse, rule, as_of - timedelta(days=shortest), calls, as_of=as_of, day=day)


def latest(warehouse: Warehouse, *, limit: int) -> list[Run]:
    """What was deleted, the latest day first."""
    return [Run(**row) for row in warehouse.rows(_LATEST, {"limit": limit})]


def _rule(kind: Kind, written: str) -> Rule:
    name, _, length = written.rpartition(":")
    return Rule(kind=kind, name=name.strip(), days=parse_duration(length) // timedelta(days=1))


def _delete(warehouse: Warehouse, rule: Rule, cutoff: datetime, named: Sequence[str], limit: int) -> int:
    asked = {"cutoff": cutoff, "limit": limit}
    if rule.kind == "quarantine":
        return warehouse.execute(_QUARANTINE, asked)
    asked |= {
        "name": rule.name,
        "every": rule.name == EVERY,
        "named": [*named, *KEPT] if rule.kind == "event" else named,
    }
    if rule.kind == "message":
        warehouse.execute(_OLD_MESSAGES, asked)
        for name, column in (("outbox", "outbox_id"), ("attempts", "delivery_id")):
            warehouse.execute(ddl.delete_where(name, column, "expired"))
        return warehouse.execute(ddl.delete_where("deliveries", "delivery_id", "expired"))
    warehouse.execute(_OLD_EVENTS, asked)
    if not warehouse.value("select count(*) from expired"):
        return 0
    warehouse.execute(_CHANGED, {"batch": changed.new_batch(warehouse)})
    for (name,) in warehouse.query(_CHILDREN):
        warehouse.execute(ddl.delete_where(name, "event_id", "expired"))
    return warehouse.execute(ddl.delete_where("events", "event_id", "expired"))


def _note(warehouse: Warehouse, rule: Rule, cutoff: datetime, gone: int, *, as_of: datetime, day: date) -> None:
    row = {"day": day, "kind": rule.kind, "name": rule.name, "cutoff": cutoff, "rows": gone, "at": as_of}
    if not warehouse.execute(_ADD, row):
        warehouse.execute(_FIRST, row)


_OLD_EVENTS = """
create or replace temp table expired as
select event_id from events
where ts < $cutoff and case when $every then not list_contains($named, event) else event = $name end
order by event_id limit $limit
"""
_OLD_MESSAGES = """
create or replace temp table expired as
select delivery_id from deliveries
where created_at < $cutoff and state not in ('queued', 'held')
  and case when $every then not list_contains($named, purpose) else purpose = $name end
order by delivery_id limit $limit
"""
_CHANGED = """
insert into changes by name
select distinct coalesce(moved.profile_id, events.subject_id) as profile_id, $batch as batch
from expired join events using (event_id) left join moved on moved.subject_id = events.subject_id
where events.subject_id is not null
"""
_CHILDREN = """
select table_name from duckdb_tables()
where database_name = current_database() and schema_name = current_schema() and not temporary
  and (table_name like '%\\_lines' escape '\\' or table_name = 'event_places')
order by table_name
"""
_QUARANTINE = """
delete from quarantine where (batch, item) in (
    select (batch, item) from quarantine where received_at < $cutoff order by batch, item limit $limit)
"""
_ADD = """
update retention_runs set "rows" = retention_runs."rows" + $rows, cutoff = $cutoff, "at" = $at
where day = $day and kind = $kind and name = $name
"""
_FIRST = """
insert into retention_runs (day, kind, name, cutoff, "rows", "at") values ($day, $kind, $name, $cutoff, $rows, $at)
"""
_LATEST = 'select day, kind, name, cutoff, "rows", "at" from retention_runs order by day desc, kind, name limit $limit'
