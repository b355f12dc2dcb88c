"""A small shop in memory: the tables of stages 2 to 6, filled by hand, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

import pyarrow as pa
import pytest

import spira.segment.kinds
import spira.unify.tables  # noqa: F401  (registers the tables)
from spira.collect.tracking import plan_of, reconcile
from spira.definitions.apply import Applied
from spira.definitions.workspace import read_definitions
from spira.kernel.settings import Settings
from spira.segment.catalog import catalog_of
from spira.segment.conditions.catalog import Catalog
from spira.storage import ddl
from spira.storage.tables import TABLES
from spira.storage.warehouse import Warehouse, open_warehouse
from spira.unify import identity

START = datetime(2026, 1, 1)
TRACKING = """
tracking: shop
events:
  Order Completed:
    properties: {order_id: text, revenue: money, store_id: text}
    arrays:
      products: {product_id: text, department: text, brand: text, quantity: integer, value: money}
  Coupon Applied:
    properties: {coupon_id: text}
traits: {city: text, age: integer}
"""
SETTINGS = Settings.model_validate({"workspace": {"zone": "UTC"}})


class Shop:
    """A warehouse one can add events to, and the definitions in force over it."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.batch = 0
        self._events = 0
        self.applied = Applied(generation=0)
        self.catalog = Catalog()

    def define(self, text: str) -> None:
        """Put definitions in force, beside the tracking plan."""
        read = read_definitions([(PurePath("all.yaml"), TRACKING + "---" + text)], SETTINGS)
        assert [each.message for each in read.diagnostics] == []
        self.applied = Applied(generation=self.applied.generation + 1, definitions=read.definitions)
        self.catalog = catalog_of(self.applied, SETTINGS)

    def add(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Load a batch: `person`, `event`, `ts`, properties, and `products` as a list of lines."""
        self.batch += 1
        rows, lines = [], []
        for each in events:
            self._events += 1
            given = {name: value for name, value in each.items() if name not in ("person", "products")}
            person = each["person"]
            rows.append(_event(self._events, person, self.batch) | given)
            for place, line in enumerate(each.get("products", ())):
                about = {"event_id": self._events, "line": place, "event": each["event"], "ts": each["ts"]}
                lines.append(about | {"subject_id": person, "profile_id": person} | line)
        for table, added in (("events", rows), ("order_lines", lines)):
            if added:
                self.warehouse.append(table, pa.Table.from_pylist(added))
        people = sorted({each["person"] for each in events})
        for person in people:
            seen = {"person": person, "batch": self.batch}
            self.warehouse.execute("insert into changes values ($person, $batch)", seen)
        self.profile()

    def trait(self, person: int, name: str, value: str) -> None:
        """Tell one trait, as a batch of its own."""
        self.batch += 1
        row = {"person": person, "name": name, "value": value, "at": START}
        self.warehouse.execute("delete from traits where profile_id = $person and name = $name", _some(row, 2))
        self.warehouse.execute(
            "insert into traits by name select $person as profile_id, $name as name, $value as value, "
            "$at as at, 'shop' as source, 0 as priority",
            row,
        )
        self.warehouse.execute("insert into changes values ($p, $b)", {"p": person, "b": self.batch})

    def merge(self, subject: int, into: int) -> None:
        """Let what `subject` did belong to another profile."""
        self.batch += 1
        row = {"subject": subject, "profile": into, "batch": self.batch}
        self.warehouse.execute("delete from moved where subject_id = $s", {"s": subject})
        self.warehouse.execute("insert into moved values ($subject, $profile, $batch)", row)
        for person in (subject, into):
            self.warehouse.execute("insert into changes values ($p, $b)", {"p": person, "b": self.batch})
        self.profile()

    def profile(self) -> None:
        """Make `profiles` agree with the events."""
        self.warehouse.execute("delete from profiles")
        self.warehouse.execute(
            "insert into profiles select profile_id, 1 + profile_id % 2, min(ts), max(ts) "
            "from profile_events group by profile_id"
        )

    def table(self, name: str, *, order: str = "all", leave: str = "") -> list[tuple[Any, ...]]:
        """All rows of a table, in order."""
        kept = f"* exclude ({leave})" if leave else "*"
        return self.warehouse.query(f"select {kept} from {name} order by {order}")


def _some(row: Mapping[str, Any], count: int) -> dict[str, Any]:
    return dict(list(row.items())[:count])


def _event(event_id: int, person: int, batch: int) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "message_id": f"m{event_id}",
        "type": "track",
        "received_at": START,
        "source": "shop",
        "subject_id": person,
        "profile_id": person,
        "batch": batch,
    }


def open_shop() -> Shop:
    """An empty shop; close its warehouse when done."""
    warehouse = open_warehouse(threads=1)
    for each in map(TABLES.get, TABLES):
        if each.store == "warehouse":
            warehouse.execute(ddl.create(each))
    document = read_definitions([(PurePath("tracking.yaml"), TRACKING)], SETTINGS)
    reconcile(warehouse, plan_of(each.model for each in document.definitions))
    identity.views(warehouse)
    return Shop(warehouse)


@pytest.fixture
def shop() -> Iterator[Shop]:
    """An empty shop."""
    found = open_shop()
    yield found
    found.warehouse.close()


@pytest.fixture(scope="session")
def opened() -> Any:
    """How to open a shop, for tests that open many."""
    return open_shop
