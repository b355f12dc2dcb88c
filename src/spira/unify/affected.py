"""Affected: how much there is of one person, table by table, before anything is erased.

Reads   every table that is bound to people

It counts by the column that ties each table to people, so a table that is declared tomorrow is
counted as well. The vault and the log are not counted: what goes there follows from these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from spira.kernel.viewer import Viewer
from spira.storage import ddl
from spira.storage.keys import Keys
from spira.storage.state import METADATA, State
from spira.storage.tables import TABLES
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import people
from spira.unify.portrait import PersonRow

_SUBJECT = ("profile_id", "subject_id")
_KEYED = ("subject_key", "address_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCount:
    """How many rows of a table are about a person."""

    store: str = field(metadata={"help": "warehouse or state"})
    table: str = field(metadata={"help": "the table"})
    rows: int = field(metadata={"help": "how many rows"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """Who is meant by an identifier, masked, and how much there is of them."""

    person: PersonRow | None = field(
        metadata={"help": "the person; none when the identifier is known without a profile"}
    )
    identifiers: int = field(metadata={"help": "how many identifiers are this person"})
    tables: tuple[TableCount, ...] = field(metadata={"help": "rows by table, where there are any"})

    def rows(self, table: str) -> int:
        """The rows of one table."""
        return sum(each.rows for each in self.tables if each.table == table)


def affected(
    warehouse: Warehouse, state: State, vault: Vault, viewer: Viewer, identifier: tuple[str, str], *, keys: Keys
) -> Affected | None:
    """Who is meant by an identifier (kind and value); None when nobody has it."""
    return affected_by_key(warehouse, state, vault, viewer, keys.subject_key(*identifier))


def affected_by_key(warehouse: Warehouse, state: State, vault: Vault, viewer: Viewer, key: str) -> Affected | None:
    """Who is meant by the HMAC of an identifier; None when nobody has it."""
    found = warehouse.query(_WHO, {"key": key})
    if not found:
        return None
    profile = int(found[0][0])
    subjects, their_keys = [int(each) for _, each, _ in found], [key for _, _, key in found]
    rows = people.rows(warehouse, vault, viewer, [profile])
    tables = [*_warehouse(warehouse, subjects, their_keys), *_state(state, subjects, their_keys)]
    return Affected(
        person=rows[0] if rows else None,
        identifiers=len(subjects),
        tables=tuple(each for each in tables if each.rows),
    )


def _warehouse(warehouse: Warehouse, subjects: Sequence[int], keys: Sequence[str]) -> list[TableCount]:
    found = []
    for declared in map(TABLES.get, TABLES):
        if declared.store == "warehouse" and declared.person in (*_SUBJECT, *_KEYED):
            values = {"values": list(subjects) if declared.person in _SUBJECT else list(keys)}
            rows = int(warehouse.value(ddl.count_where(declared.name, declared.person), values))
            found.append(TableCount(store="warehouse", table=declared.name, rows=rows))
    return found


def _state(state: State, subjects: Sequence[int], keys: Sequence[str]) -> list[TableCount]:
    found = []
    with state.read() as connection:
        for declared in map(TABLES.get, TABLES):
            if declared.store == "state" and declared.person in (*_SUBJECT, *_KEYED):
                column = METADATA.tables[declared.name].c[declared.person]
                values = subjects if declared.person in _SUBJECT else keys
                rows = int(connection.execute(sa.select(sa.func.count()).where(column.in_(values))).scalar_one())
                found.append(TableCount(store="state", table=declared.name, rows=rows))
    return found


_WHO = """
with me as (
    select coalesce(moved.profile_id, one.subject_id) as profile_id
    from identifiers one left join moved on moved.subject_id = one.subject_id
    where one.subject_key = $key
)
select me.profile_id, mate.subject_id, mate.subject_key
from me, identifiers mate left join moved on moved.subject_id = mate.subject_id
where coalesce(moved.profile_id, mate.subject_id) = me.profile_id
"""
