"""The decoded events of a batch get their numbers in the order of the log, whatever order they lie in."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.collect import placed
from spira.storage.warehouse import open_warehouse

AT = datetime(2026, 3, 1, 12)


def incoming(items):
    """Decoded events of these items, in this order."""
    return pa.table(
        {
            "item": pa.array(items, pa.int64()),
            "message_id": [f"m{item}" for item in items],
            "ts": pa.array([AT] * len(items), pa.timestamp("us")),
            "subject": pa.array([0] * len(items), pa.int64()),
            "given_subject_id": pa.array([None] * len(items), pa.int64()),
        }
    )


@settings(max_examples=examples(25), deadline=None)
@given(st.data())
def test_each_new_event_gets_the_numbers_of_its_item(data):
    """Rows in any order, some of them known already: the others are added, in order, beside their own numbers."""
    items = data.draw(st.lists(st.integers(1, 500), min_size=1, unique=True))
    new = sorted(data.draw(st.sets(st.sampled_from(items))))
    numbers = {item: 1000 + place for place, item in enumerate(new)}
    with open_warehouse(threads=1) as warehouse:
        warehouse.execute(
            "create table events (event_id bigint, message_id varchar, ts timestamp, subject_id bigint, "
            "profile_id bigint, batch bigint)"
        )
        table = pa.table(
            {
                "item": pa.array(new, pa.int64()),
                "event_id": pa.array([numbers[item] for item in new], pa.int64()),
                "subject_id": pa.array([item * 2 for item in new], pa.int64()),
                "profile_id": pa.array([item * 3 for item in new], pa.int64()),
            }
        )
        with warehouse.registered("made", table):
            warehouse.execute("create temp table batch_events as select * from made")
        assert placed.add(warehouse, incoming(items), 7) == len(new)
        rows = warehouse.query("select event_id, message_id, subject_id, profile_id, batch from events order by rowid")
    assert rows == [(numbers[item], f"m{item}", item * 2, item * 3, 7) for item in new]
