"""A request that is found fine as a whole has no call that something is wrong with."""

from __future__ import annotations

import json
from datetime import datetime

from hypothesis import given
from tests.collect.sent import RECORDS

from spira.collect.calls import Fault, inspect, read_request
from spira.collect.chunk import read_plainly
from spira.collect.fine import is_fine
from spira.kernel.settings import CollectSettings

AT = datetime(2026, 3, 1, 12)
LIMITS = CollectSettings(max_event_bytes=1024, future_tolerance_seconds=3600)


def fine(body, via):
    """Whether a body is found fine."""
    batch = read_plainly(body, via)
    return batch is not None and is_fine(batch, size=len(body), received_at=AT, limits=LIMITS)


@given(RECORDS)
def test_what_is_fine_has_no_fault(told):
    """Whatever is sent, where the whole is found fine each call is."""
    _, via, sent = told
    body = json.dumps(sent).encode()
    if fine(body, via):
        request = read_request(body, via)
        assert not any(isinstance(each, Fault) for each in request.calls)
        found = [inspect(each, received_at=AT, sent_at=request.sent_at, limits=LIMITS) for each in request.calls]
        assert not any(isinstance(each, Fault) for each in found)


def test_what_all_clients_send_is_fine():
    """Batches small and large, and single calls, need no second look."""
    call = {
        "type": "track",
        "event": "Seen",
        "messageId": "m1",
        "anonymousId": "b1",
        "timestamp": "2026-03-01T10:00:00.123Z",
        "properties": {"sku": "tea"},
        "context": {"page": {"url": "https://shop.example/"}},
    }
    who = {"type": "identify", "messageId": "m2", "userId": "u1", "traits": {"plan": "family"}}
    for count in (1, 5, 40):
        batch = {"batch": [call, who] * count, "sentAt": "2026-03-01T11:00:00Z"}
        assert fine(json.dumps(batch).encode(), "batch")
    assert fine(json.dumps(call).encode(), "track")
    assert not fine(json.dumps({"batch": [call, call | {"event": ""}]}).encode(), "batch")
