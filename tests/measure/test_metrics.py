"""Metric points: equal to what the events say, period by period."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

import spira.worker.builtin  # noqa: F401  (declares every table)
from spira.collect.tracking import plan_of, reconcile
from spira.measure.metrics.compiler import Aggregate, Refused, parse_aggregate, parse_row_condition
from spira.measure.metrics.compute import Metric, compute
from spira.measure.metrics.definition import MetricDefinition
from spira.storage.migrations.warehouse import prepare
from spira.storage.warehouse import open_warehouse
from spira.unify.identity import views

NOON = datetime(2026, 3, 1, 12)
ORDERS = Metric(
    definition=MetricDefinition.model_validate(
        {
            "metric": "customers",
            "label": "Customers",
            "value": "count(distinct profile_id)",
            "from": "Order Completed",
            "grain": ["day", "week", "month"],
            "by": ["touchpoint"],
        }
    ),
    version="1",
)


@pytest.fixture
def warehouse():
    """A warehouse with its tables, its typed columns and its views."""
    with open_warehouse() as opened:
        prepare(opened)
        reconcile(opened, plan_of([]))
        views(opened)
        yield opened


def happened(warehouse, *events):
    """Load (profile, touchpoint, ts) as orders, each call one batch."""
    batch = (warehouse.value("select max(batch) from events") or 0) + 1
    first = (warehouse.value("select max(event_id) from events") or 0) + 1
    for place, (profile, touchpoint, ts) in enumerate(events):
        warehouse.execute(
            """
            insert into events (event_id, message_id, type, event, ts, received_at, source, touchpoint,
                                subject_id, profile_id, batch)
            values ($id, $id::varchar, 'track', 'Order Completed', $ts, $ts, 'shop', $touchpoint, $who, $who, $batch)
            """,
            {"id": first + place, "ts": ts, "touchpoint": touchpoint, "who": profile, "batch": batch},
        )


def points(warehouse):
    """All points but when they were computed."""
    return set(warehouse.query("select metric, version, grain, period, slice, value from metric_points"))


def test_a_metric_counts_by_period_and_slice(warehouse):
    """
    Two people on one day, one of them twice and in two places, make a total of two and slices of their own.
    """
    happened(warehouse, (1, "web", NOON), (1, "store", NOON), (2, "store", NOON))
    compute(warehouse, [ORDERS], as_of=NOON + timedelta(hours=1), zone="UTC")
    day = {(slice_, value) for _, _, grain, _, slice_, value in points(warehouse) if grain == "day"}
    assert day == {("", 2.0), ("touchpoint=web", 1.0), ("touchpoint=store", 2.0)}


def test_a_period_begins_at_local_midnight(warehouse):
    """
    Half past five in the afternoon in London is already the next day in Shanghai.
    """
    happened(warehouse, (1, "web", datetime(2026, 3, 1, 17, 30)))
    compute(warehouse, [ORDERS], as_of=datetime(2026, 3, 2), zone="Asia/Shanghai")
    assert ("customers", "1", "day", datetime(2026, 3, 2), "", 1.0) in points(warehouse)


def test_a_new_version_replaces_the_old_one(warehouse):
    """
    When the definition changes, the old version's points go and the new one's are computed over all history.
    """
    happened(warehouse, (1, "web", NOON))
    compute(warehouse, [ORDERS], as_of=NOON + timedelta(hours=1), zone="UTC")
    compute(warehouse, [Metric(definition=ORDERS.definition, version="2")], as_of=NOON + timedelta(hours=1), zone="UTC")
    assert {version for _, version, *_ in points(warehouse)} == {"2"}


@settings(max_examples=examples(10))
@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["web", "store"]), st.integers(0, 70)), max_size=5),
        max_size=4,
    )
)
def test_step_by_step_equals_all_at_once(batches):
    """
    Computing after every batch leaves the same points as computing once at the end.
    """
    as_of = NOON + timedelta(days=80)
    found = []
    for stepwise in (True, False):
        with open_warehouse() as warehouse:
            prepare(warehouse)
            reconcile(warehouse, plan_of([]))
            views(warehouse)
            for batch in batches:
                happened(warehouse, *((who, where, NOON + timedelta(days=day)) for who, where, day in batch))
                if stepwise:
                    compute(warehouse, [ORDERS], as_of=as_of, zone="Asia/Shanghai")
            compute(warehouse, [ORDERS], as_of=as_of, zone="Asia/Shanghai")
            found.append(points(warehouse))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("count(distinct profle_id)", "not a column"),
        ("read_csv('x')", "not allowed"),
        ("(select count(*) from events)", "not allowed"),
        ("revenue", "no aggregate"),
        ("sum(", "can't be read"),
        ("quantile_cont(revenue, 0.5)", "not allowed"),
    ],
)
def test_a_value_outside_the_list_is_refused(text, word):
    """
    Only the five aggregates over the event's own columns are let through; the refusal says why.
    """
    found = parse_aggregate(text, {"profile_id", "revenue"})
    assert isinstance(found, Refused)
    assert word in found.message


def test_a_where_speaks_of_single_rows():
    """
    A metric's `where` may compare columns and may not aggregate.
    """
    assert isinstance(parse_row_condition("revenue > 10 and touchpoint = 'web'", {"revenue", "touchpoint"}), Aggregate)
    assert isinstance(parse_row_condition("sum(revenue) > 10", {"revenue"}), Refused)
