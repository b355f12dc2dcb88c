"""The tracking plan: parts add up, columns follow, and names keep one meaning."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path, PurePath

import msgspec
import pytest

from spira.collect.backfill import BACKFILLS
from spira.collect.carried import CARRIED
from spira.collect.tables import EVENTS, ORDER_LINES
from spira.collect.tracking import Plan, TrackingDefinition, line_table, plan_of, reconcile
from spira.definitions.check import check
from spira.definitions.workspace import read_definitions
from spira.kernel.diagnostics import render
from spira.kernel.settings import Settings
from spira.storage import ddl
from spira.storage.warehouse import open_warehouse


def part(**fields):
    return TrackingDefinition.model_validate({"tracking": "retail", **fields})


@pytest.fixture
def warehouse():
    with open_warehouse() as opened:
        opened.execute(ddl.create(EVENTS))
        opened.execute(ddl.create(ORDER_LINES))
        opened.execute(ddl.create(BACKFILLS))
        opened.execute(ddl.create(CARRIED))
        yield opened


def test_parts_add_up_and_spiras_own_events_are_always_there():
    """Two files may each declare part of one event, and no file need declare consents."""
    plan = plan_of(
        [
            part(events={"Order Completed": {"properties": {"order_id": "text"}}}),
            part(events={"Order Completed": {"properties": {"revenue": "money"}}, "Email Opened": {}}),
        ]
    )

    assert plan.events["Order Completed"].properties == {"order_id": "text", "revenue": "money"}
    assert plan.properties()["purpose"] == "text"
    assert plan.events["Email Opened"].properties["delivery_id"] == "integer"
    assert plan.mode == "observe"


def test_a_trait_is_sealed_when_it_is_marked_or_names_a_person():
    """`privacy: contact` seals a trait; an e-mail address is sealed though it is not marked."""
    plan = plan_of([part(traits={"age": "integer", "badge": {"type": "text", "privacy": "contact"}, "email": "text"})])

    assert plan.traits.items() >= {"age": "integer", "badge": "text", "email": "text"}.items()
    assert {"badge", "email"} <= plan.contact
    assert "age" not in plan.contact


def test_a_plan_survives_the_way_to_a_child():
    """What a child decodes is the very plan that its parent encoded."""
    plan = plan_of([part(mode="strict", events={"Order Completed": {"arrays": {"products": {"price": "money"}}}})])

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(plan), type=Plan) == plan


def test_declared_details_become_typed_columns_once(warehouse):
    """Reconciling adds a column for each property and field, and a second time changes nothing."""
    plan = plan_of(
        [
            part(
                events={
                    "Order Completed": {
                        "properties": {"revenue": "money", "gift": "boolean", "due": "date"},
                        "arrays": {"products": {"price": "money", "quantity": "integer"}, "coupons": {"code": "text"}},
                    }
                }
            )
        ]
    )

    assert set(reconcile(warehouse, plan)) == {"events", "order_lines", "coupons_lines"}
    assert reconcile(warehouse, plan) == ()
    assert warehouse.columns("events")["revenue"] == "DECIMAL(18,4)"
    assert warehouse.columns("order_lines")["quantity"] == "BIGINT"
    assert warehouse.columns(line_table("coupons"))["code"] == "VARCHAR"


def test_what_each_order_has_of_its_own_is_written_without_a_dictionary(warehouse):
    """An order's id is found for one row without unpacking those of all others; a shop's name stays packed."""
    properties = {"order_id": "text", "store_id": "text", "cart_id": "integer"}
    reconcile(warehouse, plan_of([part(events={"Order Completed": {"properties": properties}})]))
    said = warehouse.value("select sql from duckdb_tables() where table_name = 'events'")
    plain = re.findall(r"(\w+) VARCHAR USING COMPRESSION Uncompressed", said)
    assert plain == ["order_id"]


def test_a_property_declared_late_takes_what_was_kept_as_json(warehouse):
    """Events loaded before a property was declared show its value in the new column."""
    warehouse.execute(_ONE_EVENT)

    reconcile(
        warehouse, plan_of([part(events={"Order Completed": {"properties": {"weight": "money", "shelf": "integer"}}})])
    )

    assert warehouse.one("select weight, shelf from events") == (Decimal("1.25"), None)


def test_a_changed_type_keeps_what_can_be_read_as_the_new_one(warehouse):
    """Text that is a number stays when its property becomes an integer; other text does not."""
    reconcile(warehouse, plan_of([part(events={"Seen": {"properties": {"shelf": "text"}}})]))
    warehouse.execute(_ONE_EVENT)
    warehouse.execute("insert into events by name select * replace (2 as event_id, '7' as shelf) from events")
    warehouse.execute("update events set shelf = 'top' where event_id = 1")

    reconcile(warehouse, plan_of([part(events={"Seen": {"properties": {"shelf": "integer"}}})]))

    assert warehouse.query("select shelf from events order by event_id") == [(None,), (7,)]


_ONE_EVENT = """
insert into events by name
select 1 as event_id, 'm' as message_id, 'track' as type, 'Order Completed' as event,
       timestamp '2026-03-01' as ts, timestamp '2026-03-01' as received_at, 'shop' as source,
       1 as subject_id, 1 as profile_id, 1 as batch, '{"weight": 1.25, "shelf": "top"}' as properties
"""


PAGES = Path(__file__).parents[2] / "docs" / "reference" / "errors"


@pytest.mark.parametrize("code", ["D201", "D202"])
def test_a_fault_is_shown_as_its_page_says(code):
    """The wrong example of each page gives the very text below it, and the right one gives nothing."""
    wrong, shown, right = re.findall(r"```\w+\n(.*?)```", (PAGES / f"{code}.md").read_text(encoding="utf-8"), re.DOTALL)

    assert [render(each, wrong) for each in _faults(wrong)] == [shown.rstrip("\n")]
    assert _faults(right) == []


def _faults(text):
    return list(check(read_definitions([(PurePath("tracking/shop.yaml"), text)], Settings())))
