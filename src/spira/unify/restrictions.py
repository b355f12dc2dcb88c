"""Restrictions: people whose data is kept and not used, because they asked for that by right.

Reads   `restrictions` (state), `identifiers`, `moved`
Writes  `restrictions` (state)   one row per identifier under which somebody was restricted
        `restricted`             the profiles that those identifiers are now

The gate withholds every message to a restricted person that is not transactional; tags and audiences
leave them out. A restriction hangs on an identifier, so that it goes with the person when profiles
are merged or parted; `follow`, in the stage that loads, keeps the profiles in step.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import sqlalchemy as sa

from spira.storage.state import State, in_parts, state_table, upsert
from spira.storage.tables import Table, columns, table
from spira.storage.warehouse import Warehouse
from spira.unify import changed

RESTRICTIONS = state_table(
    "restrictions",
    sa.Column("subject_key", sa.String(32), primary_key=True),
    sa.Column("since", sa.DateTime, nullable=False),
    sa.Column("set_by", sa.String(64), nullable=False),
    stage="unify.restrictions",
    person="subject_key",
    holds="who asked that their data be kept and not used",
)
RESTRICTED = table(
    Table(
        name="restricted",
        store="warehouse",
        stage="unify.restrictions",
        person="profile_id",
        holds="which profiles are kept and not used",
        columns=columns(
            """
            profile_id BIGINT required
            since TIMESTAMP required
            """
        ),
        key=("profile_id",),
    )
)


def restrict(state: State, subject_key: str, *, actor: str, at: datetime) -> None:
    """Keep the data of whoever has the identifier and use it no more, from the next turn on."""
    with state.write() as connection:
        row = {"subject_key": subject_key, "since": at, "set_by": actor}
        upsert(connection, RESTRICTIONS, [row], replace=())


def lift(state: State, subject_keys: Sequence[str]) -> int:
    """Use the data of whoever has the identifiers again; how many restrictions that lifted."""
    lifted = 0
    with state.write() as connection:
        for lot in in_parts(subject_keys):
            mine = RESTRICTIONS.c.subject_key.in_(lot)
            lifted += connection.execute(sa.delete(RESTRICTIONS).where(mine)).rowcount
    return lifted


def since(state: State, subject_keys: Sequence[str]) -> datetime | None:
    """Since when whoever has the identifiers is restricted; None when they are not."""
    found: list[datetime] = []
    with state.read() as connection:
        for lot in in_parts(subject_keys):
            mine = RESTRICTIONS.c.subject_key.in_(lot)
            found += connection.execute(sa.select(RESTRICTIONS.c.since).where(mine)).scalars().all()
    return min(found, default=None)


def follow(warehouse: Warehouse, state: State) -> int:
    """Make `restricted` agree with the restrictions; how many profiles came or went, all noted as changed."""
    with state.read() as connection:
        rows = connection.execute(sa.select(RESTRICTIONS.c.subject_key, RESTRICTIONS.c.since)).all()
    if not rows and warehouse.one(_ANY) is None:
        return 0
    asked = {"subject_key": [row.subject_key for row in rows], "since": [row.since for row in rows]}
    schema = pa.schema([("subject_key", pa.string()), ("since", pa.timestamp("us"))])
    with warehouse.registered("asked_restrictions", pa.table(asked, schema=schema)):
        warehouse.execute(_WANTED)
    moves = int(warehouse.value(_MOVES))
    if moves:
        with warehouse.transaction():
            warehouse.execute(_NOTE, {"batch": changed.new_batch(warehouse)})
            warehouse.execute("delete from restricted")
            warehouse.execute("insert into restricted by name select * from restrictions_wanted order by profile_id")
    return moves


_ANY = "select 1 from restricted limit 1"
_WANTED = """
create or replace temp table restrictions_wanted as
select coalesce(moved.profile_id, identifiers.subject_id) as profile_id, min(asked.since) as since
from asked_restrictions asked join identifiers using (subject_key)
left join moved on moved.subject_id = identifiers.subject_id
group by all
"""
_DIFFERENT = """
from restrictions_wanted wanted full join restricted now using (profile_id)
where wanted.since is distinct from now.since
"""
_MOVES = f"select count(*) {_DIFFERENT}"
_NOTE = f"insert into changes by name select profile_id, $batch as batch {_DIFFERENT}"
