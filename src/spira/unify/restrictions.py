"""Restrictions: people whose data is kept and not used, because they asked for that by right, or because they died.

Reads   `restrictions` (state), `identifiers`, `moved`
Writes  `restrictions` (state)   one row per identifier under which somebody was restricted
        `restricted`             the profiles that those identifiers are now

The gate withholds every message to a restricted person that is not transactional; tags and audiences
leave them out. To somebody who died, as a close relative told us (PIPL 49), nothing is sent at all. A restriction
hangs on an identifier, so that it goes with the person when profiles are merged or parted; `follow`, in the stage that
loads, keeps the profiles in step.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, get_args

import pyarrow as pa
import sqlalchemy as sa

from spira.storage.state import State, in_parts, state_table, upsert
from spira.storage.tables import Table, columns, table
from spira.storage.warehouse import Warehouse
from spira.unify import changed

Relative = Literal["spouse", "child", "parent", "other_relative"]
RELATIVES: tuple[Relative, ...] = get_args(Relative)

RESTRICTIONS = state_table(
    "restrictions",
    sa.Column("subject_key", sa.String(32), primary_key=True),
    sa.Column("since", sa.DateTime, nullable=False),
    sa.Column("set_by", sa.String(64), nullable=False),
    sa.Column("relative", sa.String(16)),  # of whoever died: who told us
    stage="unify.restrictions",
    person="subject_key",
    holds="who asked that their data be kept and not used, and who died, told by which relative",
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
            deceased BOOLEAN
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


def mark_deceased(state: State, subject_key: str, *, relative: Relative, actor: str, at: datetime) -> None:
    """Whoever has the identifier died, as a relative told `actor`: from the next turn on nothing is sent to them."""
    with state.write() as connection:
        row = {"subject_key": subject_key, "since": at, "set_by": actor, "relative": relative}
        upsert(connection, RESTRICTIONS, [row], replace=("since", "set_by", "relative"))


def lift(state: State, subject_keys: Sequence[str]) -> int:
    """Use the data of whoever has the identifiers again, who did not die then; how many restrictions that lifted."""
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


def told_by(state: State, subject_keys: Sequence[str]) -> str | None:
    """Which relative told us that whoever has the identifiers died; None for the living."""
    found: list[str] = []
    with state.read() as connection:
        for lot in in_parts(subject_keys):
            mine = sa.and_(RESTRICTIONS.c.subject_key.in_(lot), RESTRICTIONS.c.relative.is_not(None))
            found += connection.execute(sa.select(RESTRICTIONS.c.relative).where(mine)).scalars().all()
    return min(found, default=None)


def follow(warehouse: Warehouse, state: State) -> int:
    """Make `restricted` agree with the restrictions; how many profiles came or went, all noted as changed."""
    with state.read() as connection:
        rows = connection.execute(
            sa.select(RESTRICTIONS.c.subject_key, RESTRICTIONS.c.since, RESTRICTIONS.c.relative)
        ).all()
    if not rows and warehouse.one(_ANY) is None:
        return 0
    asked = {
        "subject_key": [row.subject_key for row in rows],
        "since": [row.since for row in rows],
        "deceased": [row.relative is not None for row in rows],
    }
    fields = [("subject_key", pa.string()), ("since", pa.timestamp("us")), ("deceased", pa.bool_())]
    schema = pa.schema(fields)
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
select coalesce(moved.profile_id, identifiers.subject_id) as profile_id, min(asked.since) as since,
       bool_or(asked.deceased) as deceased
from asked_restrictions asked join identifiers using (subject_key)
left join moved on moved.subject_id = identifiers.subject_id
group by all
"""
_DIFFERENT = """
from restrictions_wanted wanted full join restricted now using (profile_id)
where wanted.since is distinct from now.since or wanted.deceased is distinct from coalesce(now.deceased, false)
"""
_MOVES = f"select count(*) {_DIFFERENT}"
_NOTE = f"insert into changes by name select profile_id, $batch as batch {_DIFFERENT}"
