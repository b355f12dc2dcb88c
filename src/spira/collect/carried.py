"""Carried: which properties the events of each name have ever carried.

Reads   `incoming_carried` (decoded, within the loader's transaction); `events` once, where nothing is noted yet
Writes  `carried`   a row per name of event and property; an empty property once for each name

A property has one column in `events`, which most events leave empty. Whoever reads a few events opens only the
columns that these can have something in: opening one costs as much as a value does.
"""

from __future__ import annotations

from collections.abc import Collection

from spira.storage import ddl
from spira.storage.tables import Table, columns, table
from spira.storage.warehouse import Warehouse

EVERY = ""  # instead of an event's name: a property that any event may carry

CARRIED = table(
    Table(
        name="carried",
        store="warehouse",
        stage="collect.load",
        columns=columns(
            """
            event VARCHAR required
            property VARCHAR required
            """
        ),
        key=("event", "property"),
    )
)


def note(warehouse: Warehouse) -> None:
    """Add what a batch is the first to carry."""
    warehouse.execute(_NOTE)


def note_filled(warehouse: Warehouse, column: str) -> None:
    """Any event may have something in a column that is filled from what was kept as JSON."""
    warehouse.execute(_NOTE_ONE, {"event": EVERY, "property": column})


def learn(warehouse: Warehouse, properties: Collection[str]) -> None:
    """Look through the events that were loaded before any of this was noted."""
    if warehouse.one(_ANY) is None and warehouse.one(_ANY_EVENT) is not None:
        for name in ("", *(each for each in warehouse.columns("events") if each in properties)):
            there = f"where {ddl.quote(name)} is not null" if name else ""
            warehouse.execute(_LEARN.format(there=there), {"property": name})


def of(warehouse: Warehouse, events: Collection[str]) -> frozenset[str] | None:
    """What events of these names can carry; None when there is a name of which nothing was ever noted."""
    found = warehouse.query(_OF, {"events": sorted(events)})
    known = {event for event, _ in found}
    return None if not known.issuperset(events) else frozenset(name for _, name in found if name)


_NOTE = """
insert into carried by name
select event, property from incoming_carried said anti join carried known using (event, property)
"""
_NOTE_ONE = """
insert into carried by name
select $event as event, $property as property
where not exists (select 1 from carried where event = $event and property = $property)
"""
_ANY = "select 1 from carried limit 1"
_ANY_EVENT = "select 1 from events limit 1"
_LEARN = "insert into carried by name select distinct event, $property as property from events {there}"
_OF = "select event, property from carried where event = '' or event in (select unnest($events::varchar[]))"
