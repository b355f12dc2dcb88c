"""Calls that are read thousands at a time become the same rows as when they are read one by one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.collect.sent import RECORDS
from tests.examples import examples

from spira.collect import decode as decoding
from spira.collect.chunk import SourceFacts
from spira.collect.decode import Decoder, DecodeTask
from spira.collect.envelope import Accepted, encode
from spira.collect.people import Sealer
from spira.collect.tracking import OWN_EVENTS, EventPlan, Plan
from spira.storage.keys import load_keys, make_keys

AT = datetime(2026, 3, 1, 12)
PLAN = Plan(
    events={
        **OWN_EVENTS,
        "Seen": EventPlan(
            properties={
                "sku": "text",
                "price": "money",
                "count": "integer",
                "score": "number",
                "gift": "boolean",
                "when": "time",
                "day": "date",
            },
            arrays={"products": {"sku": "text", "price": "money", "count": "integer"}},
        ),
        "Left": EventPlan(properties={"reason": "text", "size": "integer"}),
    },
    traits={"points": "integer"},
    contact=frozenset({"email", "phone", "name"}),
)
SOURCES = {
    "shop": SourceFacts(touchpoint="web", domain="private", priority=2),
    "till": SourceFacts(mode="quarantine"),
    "gate": SourceFacts(mode="block"),
    "bare": SourceFacts(),
}

UNSEEN = {"body", "context"}  # sealed anew each time


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """What to decode by; a call may hold no more than 1,024 bytes."""
    directory = tmp_path_factory.mktemp("plain")
    make_keys(directory)
    return DecodeTask(
        keys=str(directory),
        log="",
        segment=0,
        offset=0,
        limit_bytes=1,
        scratch=str(directory / "scratch"),
        plan=PLAN,
        sources=SOURCES,
        max_event_bytes=1024,
        future_tolerance_seconds=3600,
    )


def tables(task, records, *, plainly):
    """The rows of every table, in the order of the log, subjects by their keys."""
    decoder = Decoder(task, Sealer(load_keys(Path(task.keys)), task.plan))
    if not plainly:
        decoder._plain.read = lambda waiting: [
            item for each in waiting for item in range(each.first, each.first + len(each.calls))
        ]
    for record in records:
        decoder.take(encode(record))
    decoder.finish()
    Path(task.scratch).mkdir(exist_ok=True)
    files = decoder.columns.write(Path(task.scratch), "s", plan_lines=decoder.properties, sealer=decoder.sealer)
    found = {
        name: pa.ipc.open_file(str(path)).read_all().to_pylist()
        for name, (path, _) in files.items()
        if name != "sealed"
    }
    keys = {each["subject"]: each["subject_key"] for each in found.pop("identifiers", [])}
    return {name: sorted((readable(row, keys) for row in rows), key=repr) for name, rows in found.items() if rows}


def readable(row, keys):
    """A row without what differs from one reading to the next."""
    named = {
        name: keys[value] if name in ("subject", "other") and value is not None else value
        for name, value in row.items()
    }
    if isinstance(named.get("properties"), str):
        named["properties"] = json.loads(named["properties"])
    return {name: value for name, value in sorted(named.items()) if name not in UNSEEN and value is not None}


def accepted(told):
    """Records as the log holds them."""
    return [
        Accepted(source, AT + timedelta(seconds=number), via, json.dumps(body).encode())
        for number, (source, via, body) in enumerate(told)
    ]


@settings(max_examples=examples(100))
@given(st.lists(RECORDS, max_size=4))
@example([("shop", "batch", {"batch": [{"type": "track", "event": "Seen", "messageId": "m1", "userId": "u1"}]})])
@example(
    [
        (
            "shop",
            "track",
            {"type": "track", "event": "Seen", "messageId": "m1", "userId": "u1", "context": {"sessionId": ""}},
        )
    ]
)
def test_calls_become_the_same_rows_by_either_way(task, told):
    """Whatever is sent, reading many calls at once gives the rows that reading them one by one gives."""
    records = accepted(told)
    assert tables(task, records, plainly=True) == tables(task, records, plainly=False)


def test_calls_that_all_clients_send_are_plain(task, monkeypatch):
    """Tracks, pages and identifying calls with a context are read at once, and only a faulty one by itself."""
    calls = [
        {
            "type": "track",
            "event": "Seen",
            "messageId": f"message-of-a-client-{number}",
            "anonymousId": "b1",
            "userId": "u1",
            "timestamp": "2026-03-01T10:00:00.123Z",
            "properties": {"sku": "tea", "price": 19.99, "count": 2 if number else "two", "colour": "green"},
            "context": {"campaign": {"name": "spring"}, "page": {"url": "https://shop.example/"}, "sessionId": 17},
        }
        for number in range(5)
    ]
    calls.append({"type": "page", "name": "Home", "messageId": "a-page-of-the-shop", "anonymousId": "b1"})
    calls.append(
        {"type": "identify", "traits": {"email": "ann@shop.example"}, "messageId": "who-this-is-now", "userId": "u1"}
    )
    one_by_one = []
    inspect = decoding.inspect
    monkeypatch.setattr(
        decoding, "inspect", lambda call, **more: one_by_one.append(call.message_id) or inspect(call, **more)
    )
    found = tables(
        task, accepted([("shop", "batch", {"batch": calls, "sentAt": "2026-03-01T11:00:00Z"})]), plainly=True
    )
    assert len(found["events"]) == 6
    assert [each["reason"] for each in found["quarantine"]] == ["wrong_type"]
    assert one_by_one == ["message-of-a-client-0"]


def test_a_fault_of_ours_stops_no_call(task, monkeypatch):
    """When reading many at once fails, each is read by itself."""
    records = accepted([("shop", "track", {"event": "Seen", "messageId": "m1", "userId": "u1"})])
    expected = tables(task, records, plainly=True)
    monkeypatch.setattr("spira.collect.plain._instants", lambda *_: 1 / 0)
    assert tables(task, records, plainly=True) == expected
