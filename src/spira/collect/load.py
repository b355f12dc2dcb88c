"""Load: the log becomes rows, each accepted event exactly once.

Reads   the log        from where `loaded` says, through children that decode it
Writes  `events`, `order_lines` and other line tables, `trait_facts`, `quarantine`, `attempts`,
        `undeclared`, `identifiers` (new ones), `changes` (profiles of the batch's events), `loaded`

The place in the log moves in the same transaction as the rows, so a kill anywhere leaves the
old place and no rows, or the new place and all of them. A message id is taken once. Ids are
given in the order of the log. Sealed values are in the vault before the transaction begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa

from spira.collect import carried, damage, placed, sources, stretches
from spira.collect.chunk import SourceFacts
from spira.collect.damage import Lost
from spira.collect.decode import Decoded, DecodeTask
from spira.collect.identifiers import KEY_HEAD
from spira.collect.known import KnownIds
from spira.collect.outcomes import mark_replayed
from spira.collect.tallies import COUNTED, count_seen, tally
from spira.collect.tracking import Plan, line_table
from spira.kernel.clock import Clock
from spira.kernel.jobs import JobRunner
from spira.kernel.settings import Settings
from spira.storage import ddl
from spira.storage.log import BEGINNING, Log, Position
from spira.storage.log_apart import Apart
from spira.storage.state import State
from spira.storage.vault import SealedValue, Vault
from spira.storage.warehouse import Warehouse

LOG = "core"
# Of the log, unpacked, in one batch: some 120,000 orders of ten lines, or 150,000 plain events. Those fill a row group
# of the engine (122,880 rows), which then goes into the file at once, and not first into the write-ahead log.
LIMIT_BYTES = 112 * 1024 * 1024
Join = Callable[[Warehouse, int], object]

_SEALED = msgspec.msgpack.Decoder(list[SealedValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load did: the last batch there is, how much came in, and where the log was read to."""

    batch: int
    events: int = 0
    quarantined: int = 0
    duplicates: int = 0
    end: Position = BEGINNING
    batches: int = 0
    damage: tuple[Lost, ...] = ()


def position(warehouse: Warehouse, log: str = LOG) -> Position:
    """Where a log was read to."""
    row = warehouse.one(_POSITION, {"log": log})
    return Position(row[0], row[1]) if row else BEGINNING


def positions(warehouse: Warehouse) -> dict[str, Position]:
    """Where each log was read to, by its name."""
    return {name: Position(segment, offset) for name, segment, offset in warehouse.query(_POSITIONS)}


def load(
    warehouse: Warehouse,
    *,
    state: State,
    vault: Vault,
    log: Log,
    runner: JobRunner,
    plan: Plan,
    settings: Settings,
    clock: Clock,
    directory: Path,
    scratch: Path,
    join: Join,
    apart: Sequence[Apart] = (),
    known: KnownIds | None = None,
    limit_bytes: int = LIMIT_BYTES,
) -> Loaded:
    """Load up to the ends that the logs have now; without news it costs next to nothing.

    `directory` is the workspace's, and `apart` are the logs there beside the core's own: a stretch of
    each in turn. `join` is called in each batch's transaction, once its links are known. The plan's
    columns must be there (`tracking.reconcile`). `known` is what was learnt of the message ids in
    earlier loads; without it they are learnt anew.
    """
    there = positions(warehouse)
    done = Loaded(batch=int(warehouse.value(_LAST_BATCH) or 0), end=there.get(LOG, BEGINNING))
    due = stretches.due(
        there, (LOG, directory / "data" / "log", log.end()), *((one.name, one.directory, one.end()) for one in apart)
    )
    if not due:
        return done
    task = DecodeTask(
        keys=str(directory),
        log="",
        segment=0,
        offset=0,
        limit_bytes=limit_bytes,
        scratch="",
        plan=plan,
        sources=source_facts(state),
        max_event_bytes=settings.collect.max_event_bytes,
        future_tolerance_seconds=settings.collect.future_tolerance_seconds,
    )
    known = known or KnownIds(scratch)
    with closing(stretches.decoded(runner, task, due, scratch)) as batches:
        for name, decoded in batches:
            if sealed := decoded.files.get("sealed"):
                vault.put(_SEALED.decode(Path(sealed).read_bytes()))
            done = _take(warehouse, decoded, done, log=name, at=clock.now(), join=join, known=known)
    return done


def source_facts(state: State) -> dict[str, SourceFacts]:
    """What decoding needs to know of each source."""
    return {
        each.source: SourceFacts(touchpoint=each.touchpoint, domain=each.domain, priority=each.priority, mode=each.mode)
        for each in sources.every(state)
    }


def _take(
    warehouse: Warehouse, decoded: Decoded, before: Loaded, *, log: str, at: datetime, join: Join, known: KnownIds
) -> Loaded:
    """One batch: everything decoded in one transaction, after which its files go."""
    batch, end = before.batch + 1, Position(decoded.segment, decoded.offset)
    events = 0
    with _files(warehouse, decoded) as tables, warehouse.transaction():
        if "events" in tables:
            events = _events(warehouse, batch, tables, join, known)
            tally(warehouse, at=at)
        if "quarantine" in tables:
            warehouse.execute(_QUARANTINE, {"batch": batch})
        if "replayed" in tables:
            mark_replayed(warehouse, with_events="events" in tables)
        if "attempts" in tables:
            warehouse.execute(_ATTEMPTS, {"batch": batch})
        damage.note(warehouse, decoded.damage, log=log, at=at, batch=batch)
        _mark(warehouse, batch, log, end, at=at)
    stretches.forget(decoded)
    return Loaded(
        batch=batch,
        events=before.events + events,
        quarantined=before.quarantined + decoded.rows.get("quarantine", 0),
        duplicates=before.duplicates + decoded.rows.get("events", 0) - events,
        end=end if log == LOG else before.end,
        batches=before.batches + 1,
        damage=(*before.damage, *decoded.damage),
    )


def _events(warehouse: Warehouse, batch: int, tables: Mapping[str, pa.Table], join: Join, known: KnownIds) -> int:
    """The events that are new, and everything that hangs on them; how many there were."""
    now = {"batch": batch}
    last_event, last_subject = warehouse.one(_LAST_IDS) or (0, 0)
    warehouse.execute(_FIRST)
    known.mark(warehouse, last_event)
    warehouse.execute(_KEPT, {"last": last_event})
    warehouse.execute(_USED_WITH_LINKS if "links" in tables else _USED)
    warehouse.execute(_SUBJECTS if "identifiers" in tables else _NO_SUBJECTS, {"last": last_subject})
    if "identifiers" in tables:
        warehouse.execute(_IDENTIFIERS, now)
    warehouse.execute(_PLACED)
    warehouse.execute(_LINKS if "links" in tables else _NO_LINKS)
    join(warehouse, batch)
    warehouse.execute(_BATCH_EVENTS)
    count = placed.add(warehouse, tables["events"], batch)
    for name in tables:
        if name.startswith("lines:"):
            table = line_table(name.removeprefix("lines:"))
            warehouse.execute(_LINES.format(table=ddl.quote(table), incoming=ddl.quote(_registered(name))))
    if "traits" in tables:
        warehouse.execute(_TRAITS, now)
    if "carried" in tables:
        carried.note(warehouse)
    for name in COUNTED & tables.keys():
        count_seen(warehouse, name, batch=batch)
    warehouse.execute(_CHANGES, now)
    return count


def _mark(warehouse: Warehouse, batch: int, log: str, end: Position, *, at: datetime) -> None:
    """Move the place in the log, and the ids given so far, to behind this batch."""
    last_event, last_subject = warehouse.one(_LAST_IDS) or (0, 0)
    row = {
        "log": log,
        "segment": end.segment,
        "position": end.offset,
        "batch": batch,
        "at": at,
        "last_event": max(last_event, warehouse.value(_NEW_EVENT, {"batch": batch}) or 0),
        "last_subject": max(last_subject, warehouse.value(_NEW_SUBJECT, {"batch": batch}) or 0),
    }
    warehouse.execute(_FORGET_PLACE, {"log": log})
    warehouse.execute(_KEEP_PLACE, row)


@contextmanager
def _files(warehouse: Warehouse, decoded: Decoded) -> Iterator[dict[str, pa.Table]]:
    """The decoded files as tables, by what they hold; statements read them as `incoming_…`."""
    with ExitStack() as stack:
        tables = {}
        for name, path in decoded.files.items():
            if name == "sealed":
                continue
            source = stack.enter_context(pa.memory_map(path))
            tables[name] = pa.ipc.open_file(source).read_all()
            stack.enter_context(warehouse.registered(_registered(name), tables[name]))
        yield tables


def _registered(name: str) -> str:
    """Under which name statements read a decoded table."""
    return f"incoming_{name.replace(':', '_')}"


_POSITION = "select segment, position from loaded where log = $log"
_POSITIONS = "select log, segment, position from loaded"
_LAST_BATCH = "select max(batch) from loaded"
_LAST_IDS = "select coalesce(max(last_event), 0), coalesce(max(last_subject), 0) from loaded"
_NEW_EVENT = "select max(event_id) from events where batch = $batch"
_NEW_SUBJECT = "select max(subject_id) from identifiers where batch = $batch"

# The first of each message id, and of these what is not there yet, numbered in the order of the log.
# An event of Spira's own about someone who was erased meanwhile is left out.
_FIRST = """
create or replace temp table batch_first as
with given as (select distinct given_subject_id as subject_id from incoming_events where given_subject_id is not null)
select min(item) as item, arg_min(subject, item) as subject, arg_min(given_subject_id, item) as given_subject_id,
       message_id
from incoming_events
where given_subject_id is null
   or given_subject_id in (select subject_id from identifiers semi join given using (subject_id))
group by message_id
"""
_KEPT = """
create or replace temp table batch_kept as
select item, subject, given_subject_id, $last + row_number() over (order by item) as event_id
from batch_first
where item not in (select item from batch_known)
"""
_USED = """
create or replace temp table batch_used as
select subject, min(item) as item from batch_kept where subject is not null group by all
"""
_USED_WITH_LINKS = """
create or replace temp table batch_used as
select subject, min(item) as item
from (select subject, item from batch_kept where subject is not null
      union all select other, item from incoming_links where item in (select item from batch_kept))
group by all
"""
_SUBJECTS = f"""
create or replace temp table batch_subjects as
with said as materialized (
    select used.subject, used.item, kind, subject_key, value, {KEY_HEAD} as key_head
    from batch_used used join incoming_identifiers using (subject)
), near as materialized (
    select subject_id, subject_key from identifiers where key_head in (select key_head from said)
)
select subject, coalesce(known_id, $last + row_number() over (partition by known_id is null order by item, subject))
         as subject_id, known_id is null as is_new, kind, subject_key, key_head, value, item
from (select said.*, near.subject_id as known_id from said left join near using (subject_key))
"""
_NO_SUBJECTS = """
create or replace temp table batch_subjects as
select $last + row_number() over (order by subject) as subject_id, subject from batch_used
"""
_IDENTIFIERS = """
insert into identifiers by name
select subject_id, kind, subject_key, key_head, value, said.ts as first_seen, $batch as batch
from batch_subjects join incoming_events said using (item)
where is_new
order by subject_id
"""
_PLACED = """
create or replace temp table batch_placed as
select kept.item, kept.event_id, coalesce(kept.given_subject_id, named.subject_id) as subject_id
from batch_kept kept left join batch_subjects named using (subject)
"""
_LINKS = """
create or replace temp table batch_links as
select mine.subject_id, theirs.subject_id as other_id, said.rule, kept.event_id, seen.ts, seen.source
from incoming_links said
join batch_kept kept using (item)
join incoming_events seen using (item)
join batch_subjects mine on mine.subject = said.subject
join batch_subjects theirs on theirs.subject = said.other
where mine.subject_id <> theirs.subject_id
"""
_NO_LINKS = """
create or replace temp table batch_links (
  subject_id BIGINT, other_id BIGINT, rule VARCHAR, event_id BIGINT, ts TIMESTAMP, source VARCHAR
)
"""
_BATCH_EVENTS = """
create or replace temp table batch_events as
select placed.item, placed.event_id, placed.subject_id,
       coalesce(now.profile_id, placed.subject_id) as profile_id, said.event, said.ts, said.source
from batch_placed placed
join incoming_events said using (item)
left join moved now on now.subject_id = placed.subject_id
"""
_LINES = """
insert into {table} by name
select said.* exclude (item), kept.event_id, kept.event, kept.ts, kept.subject_id, kept.profile_id
from {incoming} said join batch_events kept using (item)
order by kept.event_id, said.line
"""
_TRAITS = """
insert into trait_facts by name
select kept.event_id, kept.subject_id, said.name, said.value, said.vault_key, kept.ts, kept.source, said.priority,
       $batch as batch
from incoming_traits said join batch_events kept using (item)
order by kept.event_id, said.name
"""
_QUARANTINE = "insert into quarantine by name select *, $batch as batch from incoming_quarantine order by item"
_ATTEMPTS = "insert into attempts by name select *, $batch as batch from incoming_attempts"
_CHANGES = """
insert into changes by name
select distinct profile_id, $batch as batch from batch_events
where profile_id not in (select profile_id from changes where batch = $batch)
order by profile_id
"""
_FORGET_PLACE = "delete from loaded where log = $log"
_KEEP_PLACE = """
insert into loaded by name
select $log as log, $segment as segment, $position as position, $batch as batch, $at as at,
       $last_event as last_event, $last_subject as last_subject
"""
