"""Where each import stands: which part of what, how far it was read, what came of it, and its rows at fault.

Reads   `imports`, `import_faults`, `import_schedules`   (state)
Writes  the same; one row a part, one a row at fault, one a definition

The cursor of an import is kept after the calls of its rows are durable, never before: whoever is
killed between the two reads those rows again, and their message ids are known. A row at fault is
kept sealed for thirty days, to be mended and imported again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from spira.collect.mapping.build import RowFault
from spira.kernel.clock import Clock
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.ids import new_id
from spira.storage.keys import Keys
from spira.storage.resealing import sealed_column
from spira.storage.sealing import seal, unseal
from spira.storage.state import State, state_table, upsert

STAGE = "collect.imports"
KEPT_DAYS = 30
MOST_FAULTS = 10_000  # of one import; more say that the mapping does not fit
Status = Literal["checked", "waiting", "running", "done", "failed"]
_CONTEXT = b"import_faults"

IMPORTS = state_table(
    "imports",
    sa.Column("import_id", sa.String(32), primary_key=True),
    sa.Column("part_key", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(64)),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("mapping", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("part", sa.Text, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("calls", sa.BigInteger, nullable=False),
    sa.Column("skipped", sa.BigInteger, nullable=False),
    sa.Column("faults", sa.BigInteger, nullable=False),
    sa.Column("fault", sa.Text),
    sa.Column("actor", sa.String(64), nullable=False),
    sa.Column("started_at", sa.DateTime, nullable=False),
    sa.Column("updated_at", sa.DateTime, nullable=False),
    sa.Column("ended_at", sa.DateTime),
    stage=STAGE,
)
FAULTS = state_table(
    "import_faults",
    sa.Column("import_id", sa.String(32), primary_key=True),
    sa.Column("row", sa.BigInteger, primary_key=True),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("found_at", sa.DateTime, nullable=False),
    sa.Column("subject_key", sa.String(32), index=True),
    sa.Column("sealed", sa.LargeBinary),
    stage=STAGE,
    person="subject_key",
    holds="rows of imports that could not be read, sealed, for thirty days",
)
SCHEDULES = state_table(
    "import_schedules",
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("last_at", sa.DateTime),
    sa.Column("next_at", sa.DateTime),
    sa.Column("asked", sa.Boolean, nullable=False),
    sa.Column("fault", sa.Text),
    stage=STAGE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One part and how far it was read. `part_key` is what it is and how it is read."""

    import_id: str
    part_key: str
    name: str | None
    source: str
    mapping: str
    kind: str
    part: str
    mark: str
    status: Status
    cursor: str
    rows: int
    calls: int
    skipped: int
    faults: int
    fault: str | None
    actor: str
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What is to be imported: how it is read, by whom, and for a definition under its name."""

    source: str
    mapping: str
    fingerprint: str
    kind: str
    part: str
    identity: str
    actor: str
    name: str | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a definition ran, when it runs next, and what went wrong in its last run."""

    name: str
    last_at: datetime | None = None
    next_at: datetime | None = None
    asked: bool = False
    fault: str | None = None


def part_key(what: Beginning) -> str:
    """The same for the same content, source and mapping: imported once."""
    parts = (what.source, what.mapping, what.fingerprint, what.identity)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def begin(state: State, clock: Clock, what: Beginning, *, status: Status = "running") -> Import:
    """The import of a part: the one there is, taken up where it stands, or a new one."""
    key, now = part_key(what), clock.now()
    found = _select(state, IMPORTS.c.part_key == key)
    if found:
        if found[0].status != "done" and found[0].status != status:
            _change(state, found[0].import_id, {"status": status, "fault": None, "updated_at": now})
        return get(state, found[0].import_id)
    row = {
        "import_id": new_id("imp"),
        "part_key": key,
        "name": what.name,
        "source": what.source,
        "mapping": what.mapping,
        "kind": what.kind,
        "part": what.part,
        "mark": what.mark,
        "status": status,
        "cursor": "",
        "rows": 0,
        "calls": 0,
        "skipped": 0,
        "faults": 0,
        "actor": what.actor,
        "started_at": now,
        "updated_at": now,
    }
    try:
        with state.write() as connection:
            connection.execute(sa.insert(IMPORTS).values(row))
    except sa.exc.IntegrityError:
        raise Conflict("somebody else has just begun this import", help="look at it under Imports") from None
    return get(state, str(row["import_id"]))


def get(state: State, import_id: str) -> Import:
    """One import; NotFound when there is none."""
    found = _select(state, IMPORTS.c.import_id == import_id)
    if not found:
        raise NotFound(f"there is no import `{import_id[:40]}`", help="the list of imports has them")
    return found[0]


def latest(state: State, *, limit: int, before: datetime | None = None, name: str | None = None) -> list[Import]:
    """The imports, the last begun first."""
    conditions = [IMPORTS.c.started_at < before] if before else []
    if name is not None:
        conditions.append(IMPORTS.c.name == name)
    return _select(state, *conditions, limit=limit)


def of_name(state: State, name: str) -> dict[str, Import]:
    """Every part of a definition that was ever begun, by its name and mark."""
    return {f"{each.part}\0{each.mark}": each for each in _select(state, IMPORTS.c.name == name)}


def with_status(state: State, status: Status) -> list[Import]:
    """The imports of one status, the first begun first."""
    return sorted(_select(state, IMPORTS.c.status == status), key=lambda each: each.started_at)


def advance(
    state: State,
    clock: Clock,
    import_id: str,
    *,
    cursor: str,
    rows: int,
    calls: int,
    skipped: int = 0,
    faults: int = 0,
) -> None:
    """What was read and is durable: counted, and the cursor moved where one is given."""
    values: dict[str, Any] = {
        "rows": IMPORTS.c.rows + rows,
        "calls": IMPORTS.c.calls + calls,
        "skipped": IMPORTS.c.skipped + skipped,
        "faults": IMPORTS.c.faults + faults,
        "cursor": cursor,
        "updated_at": clock.now(),
    }
    _change(state, import_id, values)


def hold(state: State, clock: Clock, import_id: str, fault: str) -> None:
    """The import could not go on for now; it is taken up where it stands."""
    _change(state, import_id, {"status": "waiting", "fault": fault, "updated_at": clock.now()})


def finish(
    state: State, clock: Clock, import_id: str, *, fault: str | None = None, status: Status | None = None
) -> None:
    """The import ended, well or with a fault; one that failed can be taken up again."""
    now = clock.now()
    done: Status = status or ("failed" if fault else "done")
    _change(state, import_id, {"status": done, "fault": fault, "updated_at": now, "ended_at": now})


def start(state: State, clock: Clock, import_id: str) -> Import:
    """Have an import that was checked, or that failed, carried out."""
    found = get(state, import_id)
    if found.status not in ("checked", "failed"):
        raise Conflict(f"the import is {found.status}", help="wait for it to end")
    _change(state, import_id, {"status": "waiting", "fault": None, "ended_at": None, "updated_at": clock.now()})
    return get(state, import_id)


def forget(state: State, import_id: str) -> None:
    """Take an import out of the list, with its rows at fault."""
    with state.write() as connection:
        connection.execute(sa.delete(FAULTS).where(FAULTS.c.import_id == import_id))
        connection.execute(sa.delete(IMPORTS).where(IMPORTS.c.import_id == import_id))


def keep_faults(state: State, clock: Clock, keys: Keys, import_id: str, faults: Sequence[RowFault]) -> int:
    """Keep rows at fault, sealed; how many are new. Rows read again are the same rows."""
    rows = [
        {
            "import_id": import_id,
            "row": each.row,
            "place": each.column,
            "reason": each.reason,
            "found_at": clock.now(),
            "subject_key": each.subject_key or None,
            "sealed": seal(keys, msgspec.json.encode(dict(each.cells)), context=_CONTEXT) if each.cells else None,
        }
        for each in faults
    ]
    if not rows:
        return 0
    counted = sa.select(sa.func.count()).where(FAULTS.c.import_id == import_id)
    with state.write() as connection:
        before = connection.execute(counted).scalar_one()
        for first in range(0, len(rows), 500):
            upsert(connection, FAULTS, rows[first : first + 500], replace=())
        return int(connection.execute(counted).scalar_one()) - int(before)


def faults_of(state: State, import_id: str, *, limit: int, after: int = -1) -> list[RowFault]:
    """Rows at fault without what stood in them, in the order of the table."""
    asked = sa.select(FAULTS.c.row, FAULTS.c.place, FAULTS.c.reason).where(
        FAULTS.c.import_id == import_id, FAULTS.c.row > after
    )
    with state.read() as connection:
        found = connection.execute(asked.order_by(FAULTS.c.row).limit(limit)).all()
    return [RowFault(row=row, column=place, value="", reason=reason) for row, place, reason in found]


def opened_faults(state: State, keys: Keys, import_id: str) -> list[RowFault]:
    """Rows at fault with all that stood in them, for whoever mends them."""
    asked = sa.select(FAULTS.c.row, FAULTS.c.place, FAULTS.c.reason, FAULTS.c.sealed).where(
        FAULTS.c.import_id == import_id
    )
    with state.read() as connection:
        found = connection.execute(asked.order_by(FAULTS.c.row)).all()
    return [
        RowFault(row=row, column=place, value="", reason=reason, cells=_cells(keys, sealed))
        for row, place, reason, sealed in found
    ]


def let_go(state: State, clock: Clock) -> int:
    """Let rows at fault go that were kept long enough; how many."""
    before = clock.now() - timedelta(days=KEPT_DAYS)
    with state.write() as connection:
        return int(connection.execute(sa.delete(FAULTS).where(FAULTS.c.found_at < before)).rowcount)


def schedules(state: State) -> dict[str, Schedule]:
    """When each definition ran and runs next, by name."""
    with state.read() as connection:
        rows = connection.execute(sa.select(SCHEDULES)).mappings().all()
    return {row["name"]: Schedule(**row) for row in rows}


def keep_schedule(state: State, schedule: Schedule) -> None:
    """Remember a definition's times."""
    row = {
        "name": schedule.name,
        "last_at": schedule.last_at,
        "next_at": schedule.next_at,
        "asked": schedule.asked,
        "fault": schedule.fault,
    }
    with state.write() as connection:
        upsert(connection, SCHEDULES, [row])


def _cells(keys: Keys, sealed: bytes | None) -> dict[str, str]:
    if sealed is None:
        return {}
    return msgspec.json.decode(unseal(keys, sealed, context=_CONTEXT), type=dict[str, str])


def _change(state: State, import_id: str, values: dict[str, Any]) -> None:
    with state.write() as connection:
        connection.execute(sa.update(IMPORTS).where(IMPORTS.c.import_id == import_id).values(values))


def _select(state: State, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> list[Import]:
    asked = sa.select(IMPORTS).where(*conditions).order_by(IMPORTS.c.started_at.desc(), IMPORTS.c.import_id)
    with state.read() as connection:
        rows = connection.execute(asked.limit(limit)).mappings().all()
    return [Import(**row) for row in rows]


sealed_column(FAULTS, "sealed", lambda _row: _CONTEXT)
