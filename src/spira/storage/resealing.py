"""Resealing: after a change of keys, everything that an older key sealed is sealed again, slice by slice.

Reads   every column that was declared as sealed
Writes  the same columns

Old values stay readable meanwhile, so nothing stops. A slice is one transaction: killed anywhere, the
next one goes on, since each sealed value begins with the number of its key. A module that seals a
column of the state declares it here, with the context that it seals in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from spira.kernel.registry import Registry
from spira.storage import sealing
from spira.storage.keys import Keys
from spira.storage.state import State

SLICE = 5_000  # values that are sealed again at a time


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A sealed column of a table of the state, and the context of a row's value in it."""

    table: sa.Table
    column: str
    context: Callable[[Mapping[str, Any]], bytes]


SEALED: Registry[SealedColumn] = Registry("sealed column")


def sealed_column(table: sa.Table, column: str, context: Callable[[Mapping[str, Any]], bytes]) -> None:
    """Declare a column whose values are sealed; called once, beside the table."""
    SEALED.add(f"{table.name}.{column}", SealedColumn(table, column, context))


def step(state: State, keys: Keys, *, limit: int = SLICE) -> int:
    """Seal up to `limit` values again that an older key sealed; how many it were. None left when it is 0."""
    done = 0
    for each in map(SEALED.get, SEALED):
        if done < limit:
            done += _step(state, keys, each, limit - done)
    return done


def waiting(state: State, keys: Keys) -> dict[str, int]:
    """How many values of each column an older key sealed."""
    with state.read() as connection:
        found = {name: int(connection.execute(_count(SEALED.get(name), keys)).scalar_one()) for name in SEALED}
    return {name: count for name, count in found.items() if count}


def _step(state: State, keys: Keys, declared: SealedColumn, limit: int) -> int:
    table, column = declared.table, declared.table.c[declared.column]
    own = list(table.primary_key)
    with state.write() as connection:
        rows = connection.execute(sa.select(table).where(_is_old(column, keys)).limit(limit)).mappings().all()
        for row in rows:
            fresh = again(keys, row[declared.column], context=declared.context(dict(row)))
            change: dict[str, Any] = {declared.column: fresh}
            if "sealed_with" in table.c:
                change["sealed_with"] = keys.current
            mine = sa.and_(*(each == row[each.name] for each in own))
            connection.execute(sa.update(table).where(mine).values(**change))
    return len(rows)


def again(keys: Keys, sealed: bytes, *, context: bytes) -> bytes:
    """A sealed value, sealed with the current key."""
    return sealing.seal(keys, sealing.unseal(keys, sealed, context=context), context=context)


def _count(declared: SealedColumn, keys: Keys) -> sa.Select[int]:
    column = declared.table.c[declared.column]
    return sa.select(sa.func.count()).select_from(declared.table).where(_is_old(column, keys))


def _is_old(column: sa.Column[Any], keys: Keys) -> sa.ColumnElement[bool]:
    """Whether a value does not begin as those of the current key do; by an index where the table has the number."""
    table = column.table
    if "sealed_with" in table.c:
        return table.c["sealed_with"] != keys.current
    begins = sa.func.substr(column, 1, sealing.HEADER_BYTES, type_=sa.LargeBinary)
    return sa.and_(column.is_not(None), begins != sa.literal(sealing.header(keys), sa.LargeBinary))
