"""Erase: take one person out of every store, and remember, by HMAC only, that they are to stay out.

Reads   every table, the vault, the log
Writes  every table that has a row about the person, the vault, the log's segments,
        `erasures` (state), and a row of the audit

It is maintenance, the one exception to one writer a table. It goes in this order: what came in
is loaded, the erasure is written down, then log, vault, state and last the warehouse, so that a
kill anywhere leaves an unfinished row which `resume` takes up again. A value that another person
told too stays theirs. What the person does afterwards is a new person's.
docs/reference/data-map.md says what is where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

import spira.unify.notes  # noqa: F401  (its table is registered, so that erasing reaches it)
from spira.collect.identifier_rules import IdentifierRule, rules_of
from spira.collect.load import LOG
from spira.collect.people import QUARANTINE
from spira.definitions.apply import applied
from spira.kernel.clock import Clock
from spira.kernel.errors import NotFound
from spira.kernel.ids import show_profile
from spira.storage import audit, ddl, log, sealing
from spira.storage.keys import Keys
from spira.storage.log import Position
from spira.storage.log_apart import LogApart
from spira.storage.state import METADATA, State, in_parts, state_table, upsert
from spira.storage.tables import TABLES
from spira.storage.vault import VAULT, Vault
from spira.storage.warehouse import Warehouse
from spira.unify import changed, identity
from spira.unify.kinds import split_identifier
from spira.unify.matching import forms
from spira.unify.redact import Erased, mentions, redact
from spira.unify.subjects import profile_of_key
from spira.unify.ties import Ties

ERASURES = state_table(
    "erasures",
    sa.Column("erased_key", sa.String(32), primary_key=True),
    sa.Column("erased_at", sa.DateTime, primary_key=True),
    sa.Column("finished", sa.Boolean, nullable=False),
    stage="unify.erase",
    holds="identifiers of erased people, by HMAC, so that a restore erases them again",
)

# Which temporary table says what goes, for each column that ties a row to a person.
CHOSEN = {
    "profile_id": "erased_subjects",
    "subject_id": "erased_subjects",
    "other_id": "erased_subjects",
    "event_id": "erased_events",
    "delivery_id": "erased_deliveries",
    "subject_key": "erased_keys",
    "address_key": "erased_keys",
    "vault_key": "erased_values",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """What erasing needs. `load` takes in all that the logs hold up to now.

    `apart` closes the segments of the logs beside the core's own, and says where each ends; `forget` takes
    people out of the copy of the facts, before all else. `ties` is what is remembered of the links.
    """

    warehouse: Warehouse
    state: State
    vault: Vault
    keys: Keys
    log: log.Log
    log_directory: Path
    apart: Callable[[], Sequence[tuple[LogApart, Position]]] = tuple
    forget: Callable[[Sequence[str], Iterable[int]], int] = lambda _keys, _subjects: 0
    ties: Ties = field(default_factory=Ties)
    clock: Clock
    load: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One identifier on the list: its HMAC, and when it was erased."""

    erased_key: str
    erased_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PastErasure:
    """The erasures of one instant, which are as a rule one person's."""

    erased_at: datetime
    finished: bool
    identifiers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRow:
    """How much was erased where."""

    store: str
    table: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an erasure did, without a word that names the person."""

    erased_at: datetime
    profile: str | None
    identifiers: int
    rows: tuple[ReceiptRow, ...]

    @property
    def total(self) -> int:
        """All rows and records together."""
        return sum(each.rows for each in self.rows)


def erase(stores: Stores, identifier: str, *, actor: str) -> Receipt:
    """Erase the whole person to whom `KIND:VALUE` belongs; again, or for nobody, it finds nothing and says so."""
    parts = split_identifier(identifier, _rules(stores))
    if parts is None:
        raise NotFound(f"`{identifier}` is no identifier", help="write KIND:VALUE, such as email:ann@example.com")
    return erase_key(stores, stores.keys.subject_key(*parts), actor=actor)


def erase_key(
    stores: Stores, key: str, *, actor: str, before: Callable[[Sequence[str]], object] | None = None
) -> Receipt:  # fmt: skip
    """Erase the whole person to whom the identifier with this HMAC belongs; `before` is told all their HMACs first."""
    lines = _lines(stores)
    stores.load()
    keys = keys_of(stores.warehouse, key)
    if before is not None:
        before(keys)
    profile = profile_of_key(stores.warehouse, key)
    at = stores.clock.now()
    with stores.state.write() as connection:
        listed = [{"erased_key": each, "erased_at": at, "finished": False} for each in keys]
        upsert(connection, ERASURES, listed)
        audit.record_in(connection, stores.clock, actor=actor, action="erase", subject=key, detail={"keys": len(keys)})
    rows = _erase_keys(stores, keys, at, lines)
    named = None if profile is None else show_profile(profile)
    return Receipt(erased_at=at, profile=named, identifiers=len(keys), rows=rows)


def keys_of(warehouse: Warehouse, key: str) -> list[str]:
    """The HMACs of all identifiers of the person who has one of them, itself included."""
    return sorted({key, *(each for (each,) in warehouse.query(_PERSON, {"key": key}))})


def resume(stores: Stores) -> int:
    """Finish the erasures that a kill interrupted; how many identifiers they were."""
    return reapply(stores, _listed(stores.state, unfinished=True))


def listed(state: State) -> list[Erasure]:
    """The list of erasures: read it before a restore replaces the state, and hand it to `reapply` after."""
    return _listed(state, unfinished=False)


def past(state: State, *, limit: int) -> list[PastErasure]:
    """The last erasures, newest first; whom they were about is not known any more."""
    finished = sa.func.min(sa.case((ERASURES.c.finished.is_(True), 1), else_=0))
    asked = sa.select(ERASURES.c.erased_at, finished.label("finished"), sa.func.count().label("identifiers"))
    asked = asked.group_by(ERASURES.c.erased_at).order_by(ERASURES.c.erased_at.desc()).limit(limit)
    with state.read() as connection:
        return [
            PastErasure(erased_at=row.erased_at, finished=bool(row.finished), identifiers=row.identifiers)
            for row in connection.execute(asked)
        ]


def reapply(stores: Stores, erasures: Iterable[Erasure]) -> int:
    """Erase again what a restored backup brought back; how many identifiers were erased.

    Erasures that the restored state itself lists as finished are left alone: the backup was made
    after them, so whatever it holds under these identifiers came later.
    """
    done = {(each.erased_key, each.erased_at) for each in _finished(stores.state)}
    due: dict[datetime, list[str]] = {}
    for each in erasures:
        if (each.erased_key, each.erased_at) not in done:
            due.setdefault(each.erased_at, []).append(each.erased_key)
    for at, keys in sorted(due.items()):
        lines = _lines(stores)
        stores.load()
        with stores.state.write() as connection:
            upsert(connection, ERASURES, [{"erased_key": key, "erased_at": at, "finished": False} for key in keys])
        _erase_keys(stores, keys, at, lines)
    return sum(map(len, due.values()))


@dataclass(frozen=True, slots=True)
class _Line:
    """A log, and the place that all of it lies before which is rewritten."""

    name: str
    directory: Path
    end: Position


def _lines(stores: Stores) -> list[_Line]:
    own = _Line(LOG, stores.log_directory, stores.log.roll())
    return [own, *(_Line(each.name, each.directory, end) for each, end in stores.apart())]


def _erase_keys(stores: Stores, keys: Sequence[str], at: datetime, lines: Sequence[_Line]) -> tuple[ReceiptRow, ...]:
    warehouse = stores.warehouse
    rows: list[ReceiptRow] = []
    with warehouse.registered("asked_keys", pa.table({"key": pa.array(keys, pa.string())})):
        for statement in _CHOOSE:
            warehouse.execute(statement)
    erased = Erased(
        keys=frozenset(keys),
        subjects=_numbers(warehouse, "select * from erased_subjects"),
        deliveries=_numbers(warehouse, "select * from erased_deliveries"),
        until=at,
        rules=_rules(stores),
    )
    rows.append(ReceiptRow(store="facts", table="facts.sqlite", rows=stores.forget(keys, erased.subjects)))
    rows.append(ReceiptRow(store="matching", table=forms.FILE.name, rows=_forget_forms(stores)))
    refused = _refused(stores, erased)
    touched = 0
    for line in lines:
        done = log.rewrite(line.directory, stores.keys, lambda raw: redact(raw, erased, stores.keys), before=line.end)
        touched += done.removed + done.changed
    rows.append(ReceiptRow(store="log", table="records", rows=touched))
    values = [value for (value,) in warehouse.query("select value from erased_values")]
    rows.append(ReceiptRow(store="state", table=VAULT.name, rows=stores.vault.forget(values)))
    rows += _erase_state(stores.state, {"subject_key": keys, "address_key": keys, "vault_key": values})
    with warehouse.transaction():
        rows += _erase_warehouse(warehouse, refused, lines)
    with stores.state.write() as connection:
        mine = sa.and_(ERASURES.c.erased_key.in_(keys), ERASURES.c.erased_at == at)
        connection.execute(sa.update(ERASURES).where(mine).values(finished=True))
    return tuple(each for each in rows if each.rows)


def _forget_forms(stores: Stores) -> int:
    """Remove the sealed forms of matching as a whole, since any may be of the person; how many files."""
    file = stores.log_directory.parent / forms.FILE
    there = file.is_file()
    file.unlink(missing_ok=True)
    return int(there)


def _rules(stores: Stores) -> dict[str, IdentifierRule]:
    """The kinds of identifiers as they are declared now."""
    return rules_of(applied(stores.state).of("identifier"))


def _erase_state(state: State, chosen: dict[str, Sequence[str]]) -> list[ReceiptRow]:
    """Every registered table of the state that has rows about people, the vault apart."""
    rows = []
    with state.write() as connection:
        for declared in map(TABLES.get, TABLES):
            if declared.store != "state" or declared.person not in chosen or declared.name == VAULT.name:
                continue
            table = METADATA.tables[declared.name]
            gone = sum(
                connection.execute(sa.delete(table).where(table.c[declared.person].in_(lot))).rowcount
                for lot in in_parts(chosen[declared.person])
            )
            rows.append(ReceiptRow(store="state", table=declared.name, rows=gone))
    state.settle()
    return rows


def _erase_warehouse(warehouse: Warehouse, refused: pa.Table, lines: Sequence[_Line]) -> list[ReceiptRow]:
    """Every table there is, by whichever of its columns ties rows to people; then the bereaved are placed anew."""
    batch = changed.new_batch(warehouse)
    for line in lines:
        warehouse.execute(_MOVE_PLACE, {"log": line.name, "segment": line.end.segment})
    warehouse.execute(_MENTIONED, {"batch": batch})
    with warehouse.registered("refused_calls", refused):
        gone = {"quarantine": warehouse.execute(_REFUSED)}
    for (name,) in warehouse.query(_TABLES):
        for column in warehouse.columns(name):
            if column in CHOSEN:
                rows = warehouse.execute(ddl.delete_where(name, column, CHOSEN[column]))
                gone[name] = gone.get(name, 0) + rows
    identity.resolve_around(warehouse, batch, "bereaved")
    return [ReceiptRow(store="warehouse", table=name, rows=rows) for name, rows in gone.items()]


def _refused(stores: Stores, erased: Erased) -> pa.Table:
    """The refused calls of nobody that mention an erased person all the same."""
    found = [
        {"batch": batch, "item": item}
        for batch, item, body, context in stores.warehouse.query(_NAMELESS)
        if any(
            mentions(sealing.unseal(stores.keys, part, context=QUARANTINE), erased, stores.keys)
            for part in (body, context)
            if part
        )
    ]
    return pa.Table.from_pylist(found, schema=pa.schema([("batch", pa.int64()), ("item", pa.int32())]))


def _numbers(warehouse: Warehouse, sql: str) -> frozenset[int]:
    return frozenset(int(each) for (each,) in warehouse.query(sql))


def _listed(state: State, *, unfinished: bool) -> list[Erasure]:
    asked = sa.select(ERASURES.c.erased_key, ERASURES.c.erased_at).order_by(ERASURES.c.erased_at, ERASURES.c.erased_key)
    with state.read() as connection:
        rows = connection.execute(asked.where(ERASURES.c.finished.is_(False)) if unfinished else asked)
        return [Erasure(erased_key=row.erased_key, erased_at=row.erased_at) for row in rows]


def _finished(state: State) -> list[Erasure]:
    unfinished = _listed(state, unfinished=True)
    return [each for each in _listed(state, unfinished=False) if each not in unfinished]


_PERSON = """
select mate.subject_key
from identifiers mate left join moved on moved.subject_id = mate.subject_id
where coalesce(moved.profile_id, mate.subject_id) in (
    select coalesce(moved.profile_id, one.subject_id)
    from identifiers one left join moved on moved.subject_id = one.subject_id
    where one.subject_key = $key
)
"""
_CHOOSE = (
    "create or replace temp table erased_keys as select distinct key from asked_keys",
    """
create or replace temp table erased_subjects as
select subject_id from identifiers where subject_key in (select key from erased_keys)
""",
    """
create or replace temp table erased_events as
select event_id from events where subject_id in (select subject_id from erased_subjects)
""",
    """
create or replace temp table erased_deliveries as
select delivery_id from deliveries
where profile_id in (select subject_id from erased_subjects) or address_key in (select key from erased_keys)
""",
    """
create or replace temp table erased_values as
select key as value from erased_keys
union
select vault_key from trait_facts
where vault_key is not null and subject_id in (select subject_id from erased_subjects)
  and vault_key not in (
      select vault_key from trait_facts
      where vault_key is not null and subject_id not in (select subject_id from erased_subjects)
      union
      select subject_key from identifiers where subject_id not in (select subject_id from erased_subjects)
  )
""",
    """
create or replace temp table bereaved as
select other_id as subject_id from links where subject_id in (select subject_id from erased_subjects)
union select subject_id from links where other_id in (select subject_id from erased_subjects)
except select subject_id from erased_subjects
""",
)
_NAMELESS = "select batch, item, body, context from quarantine where subject_key is null"
_REFUSED = """
delete from quarantine using refused_calls
where quarantine.batch = refused_calls.batch and quarantine.item = refused_calls.item
"""
# The place in each log moves past the segments that were rewritten, all of which were loaded.
_MOVE_PLACE = """
update loaded set
    position = case when segment < $segment then 0 else position end,
    segment = greatest(segment, $segment)
where log = $log
"""
_MENTIONED = """
insert into changes by name
select distinct coalesce(moved.profile_id, fact.subject_id) as profile_id, $batch as batch
from trait_facts fact left join moved on moved.subject_id = fact.subject_id
where fact.vault_key in (select value from erased_values)
  and fact.subject_id not in (select subject_id from erased_subjects)
"""
_TABLES = """
select table_name from duckdb_tables()
where database_name = current_database() and schema_name = current_schema() and not temporary
order by table_name
"""
