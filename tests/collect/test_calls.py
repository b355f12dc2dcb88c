"""What clients may send, and that one odd call never spoils its batch: examples, and mutations of valid bodies."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collect.desk import track
from tests.examples import examples

from spira.collect import sources
from spira.collect.calls import Call, Fault, read_request
from spira.collect.door import Door
from spira.collect.intake import PATHS, write_key_of

ODD = {
    "bytes that are no UTF-8": b'{"type":"track","event":"Seen","userId":"ann","properties":{"note":"\xff\xfe"}}',
    "half a character": b'{"type":"track","event":"Seen","userId":"ann","properties":{"note":"\\ud83d"}}',
    "an id of bytes that are no UTF-8": b'{"type":"track","event":"Seen","userId":"\xff"}',
    "a number beyond all numbers as id": b'{"type":"track","event":"Seen","userId":1e999}',
    "NaN": b'{"type":"track","event":"Seen","userId":"ann","properties":{"n":NaN}}',
    "a trailing comma": b'{"type":"track","event":"Seen","userId":"ann",}',
    "depth without end": b'{"type":"track","event":"Seen","userId":"ann","x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "properties nested too deeply": b'{"type":"track","event":"Seen","userId":"ann","properties":{"x":'
    + b"[" * 80 + b"]" * 80 + b"}}",
    "a number of five thousand digits as id": b'{"type":"track","event":"Seen","userId":[' + b"9" * 5_000 + b"]}",
    "two calls without a comma": b'{"type":"track","userId":"ann"} {"type":"track"}',
}  # fmt: skip
GOOD = b'{"type":"track","event":"Seen","userId":"ann","messageId":"good%d"}'


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_call_is_refused_alone(desk, odd):
    """The calls before and after it are loaded; it lies in quarantine as it came, and the answer names it."""
    body = b'{"batch": [' + b",".join((GOOD % 1, odd, GOOD % 2)) + b'], "sentAt": null}'

    answer = desk.post("/v1/batch", body)

    assert answer.status_code == 200
    assert [(each["index"], each["code"]) for each in answer.json()["rejected"]] == [(1, "malformed")]
    done = desk.load()
    assert (done.events, done.quarantined) == (2, 1)


@pytest.mark.parametrize("odd", list(ODD.values())[:-1], ids=list(ODD)[:-1])
def test_an_odd_call_by_itself_is_a_400_and_kept(desk, odd):
    """The client is told what is wrong, and people find the call in quarantine."""
    answer = desk.post("/v1/track", odd)

    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed"
    assert answer.json()["message"]
    assert (desk.load().quarantined, desk.load().quarantined) == (1, 0)


@pytest.mark.parametrize("where", ["properties", "context", "traits"])
def test_numbers_beyond_all_numbers_inside_a_call_cost_that_call(desk, where):
    """1e999 is valid JSON and no number anybody could keep: the call that holds it is refused, no other."""
    kind = b"identify" if where == "traits" else b"track"
    odd = b'{"type":"%s","event":"Seen","userId":"ann","%s":{"campaign":{"name":1e999},"n":[1e999]}}' % (
        kind, where.encode()
    )  # fmt: skip

    answer = desk.post("/v1/batch", b'{"batch": [' + b",".join((GOOD % 1, odd, GOOD % 2)) + b"]}")

    assert answer.status_code == 200
    done = desk.load()
    assert (done.events, done.quarantined) == (2, 1)


def test_line_breaks_and_a_byte_order_mark_change_nothing(desk):
    """Pretty JSON of a Windows program is JSON."""
    call = json.dumps({"batch": [track(id="a", note="one\ntwo")]}, indent=2).replace("\n", "\r\n")

    assert desk.post("/v1/batch", b"\xef\xbb\xbf" + call.encode()).json() == {"success": True}
    assert desk.load().events == 1


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "image/png"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_labels_of_a_body_mean_nothing(desk, content_type, packed):
    """Whatever the content type and the content encoding say, the body's own first bytes are believed."""
    body = json.dumps({"batch": [track()]}).encode()
    headers = {"content-type": content_type, "content-encoding": "identity" if packed else "gzip"}

    answer = desk.post("/v1/batch", gzip.compress(body) if packed else body, headers=headers)

    assert answer.json() == {"success": True}


def test_what_is_missing_or_null_is_made_up_for(desk):
    """A null id, an instant under its other name, traits in the context alone: all as real clients send them."""
    desk.post("/v1/identify", {"userId": 7, "anonymousId": None, "context": {"traits": {"city": "Qingdao"}}})
    desk.post(
        "/v1/batch",
        {
            "batch": [
                {"type": "track", "event": "Seen", "userId": None, "anonymousId": 12345678901234567890123,
                 "originalTimestamp": "2026-03-01T10:00:00Z", "messageId": None, "properties": None},
                {"type": "identify", "userId": "8", "traits": None},
            ],
            "context": {"traits": {"city": "Jinan"}},
            "sentAt": None,
        },
    )  # fmt: skip

    assert desk.load().events == 3
    assert desk.rows("select value from trait_facts where name = 'city' order by all") == [("Jinan",), ("Qingdao",)]
    assert desk.rows("select value from identifiers where kind = 'anonymous_id'") == [("12345678901234567890123",)]
    assert desk.rows("select cast(ts as varchar) from events where event = 'Seen'") == [("2026-03-01 10:00:00",)]


@pytest.mark.parametrize("place", ["event", "top", "event of a batch"])
def test_the_key_may_stand_in_the_call(desk, place):
    """A body that nothing precedes names its source by itself, also when a foreign token comes as Bearer."""
    key = desk.source.write_key
    body = {
        "event": track() | {"writeKey": key},
        "top": {"batch": [track()], "writeKey": key},
        "event of a batch": {"batch": [track(id="a") | {"writeKey": key}, track(id="b")]},
    }[place]
    path = "/v1/track" if place == "event" else "/v1/batch"

    for headers in ({}, {"authorization": "Bearer an-oauth-token"}, {"authorization": "Basic Og=="}):
        assert desk.post(path, body, headers=headers, anonymous=True).status_code == 200


def test_calls_of_two_sources_in_one_batch_are_refused(desk):
    """Which source it is must be clear: two keys in the calls of one batch are none."""
    calls = [track(id="a") | {"writeKey": desk.source.write_key}, track(id="b") | {"writeKey": "wk_other"}]

    answer = desk.post("/v1/batch", {"batch": calls}, anonymous=True)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_write_key")


@pytest.mark.parametrize("written", ["wk_a:", "wk_a", "wk_a:secret", "wk_ab:"])
def test_basic_keys_are_read_however_they_are_padded(written):
    """With a colon or without, with a password, and with the padding left off."""
    packed = base64.b64encode(written.encode())

    for each in (packed, packed.rstrip(b"=")):
        assert write_key_of(b"Basic " + each) == written.partition(":")[0]


def test_an_odd_batch_keeps_the_digits_of_its_good_calls(desk):
    """Where a batch must be parted by hand, the good calls are read from their own text, to the last digit."""
    good = b'{"type":"track","event":"Order Completed","userId":"ann","properties":{"revenue":12345678901234.5678}}'

    desk.post("/v1/batch", b'{"batch":[%s,{"n":NaN}]}' % good)

    assert desk.load().events == 1
    assert [str(value) for (value,) in desk.rows("select revenue from events")] == ["12345678901234.5678"]


def test_bytes_in_memory_are_counted_from_the_first_to_the_answer(desk):
    """What is unpacked counts as well, and everything is counted out again."""
    held = []
    inner = desk.intake._log

    class Watching:
        async def append_soon(self, record):
            held.append(desk.intake._held)
            return await inner.append_soon(record)

    desk.intake._log = Watching()
    body = json.dumps({"batch": [track(note="x" * 10_000)]}).encode()

    desk.post("/v1/batch", gzip.compress(body))
    desk.post("/v1/batch", b"not JSON")

    assert held == [len(body)]
    assert desk.intake._held == 0


# Any mutation of a valid body

JUNK = [b"\x00", b"\xff", b'"', b"\\", b"\\ud83d", b"{", b"}", b"[", b"]", b",", b":", b"1e999", b"-", b"null",
        b"NaN", b"\n", "é".encode(), b"[" * 3_000, b"true",
        b"9" * 5_000, b'"batch"', b"\xef\xbb\xbf", b"\x1f\x8b"]  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["type", "event", "messageId", "userId", "anonymousId", "previousId", "groupId", "name", "category", "channel",
          "timestamp", "originalTimestamp", "sentAt", "writeKey", "properties", "traits", "context"]  # fmt: skip


@st.composite
def bodies(draw):
    """A valid batch with some fields exchanged for anything, then some bytes cut out or put in."""
    calls = []
    for number in range(draw(st.integers(1, 4))):
        call = track(id=f"m{number}") | {"type": draw(st.sampled_from(["track", "identify", "page", "alias", "group"]))}
        call |= draw(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=3))
        calls.append(call)
    body = bytearray(json.dumps({"batch": calls, "sentAt": draw(st.none() | st.text(max_size=5))}).encode())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 3))] = draw(st.sampled_from([*JUNK, b""]))
    return bytes(body)


DOCUMENTED = {
    400: {"malformed", "too_large", "missing_identifier", "missing_event", "from_the_future", "wrong_type"},
    401: {"invalid_write_key"},
    413: {"too_large"},
}
MODES = st.sampled_from([None, "observe", "quarantine", "block"])


def told(desk, mode):
    """Let the source be in this mode, by the desk's plan."""
    with desk.state.write() as connection:
        connection.execute(sa.update(sources.SOURCES).values(mode=mode))
    desk.intake._door = Door(desk.state, desk.clock, lambda: desk.plan)


def no_fault_of_ours(desk, done):
    """Whether nothing of this load stopped the decoder."""
    return "stopped the decoder" not in str(desk.rows("select detail from quarantine where batch = ?", [done.batch]))


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies(), zipped=st.booleans(), mode=MODES)
def test_whatever_is_sent_gets_a_documented_answer_and_what_was_taken_is_kept(desk, body, zipped, mode):
    """No body makes a 500; after a 200 each call is an event, a duplicate, in quarantine or blocked, else none is."""
    told(desk, mode)

    answer = desk.post("/v1/batch", gzip.compress(body) if zipped else body)

    done = desk.load()
    arrived = done.events + done.quarantined + done.duplicates
    said = answer.json()
    assert no_fault_of_ours(desk, done)
    if answer.status_code == 200:
        refused, calls = said.get("rejected", []), len(read_request(body, "batch").calls)
        assert calls - len(refused) <= arrived <= calls
        assert arrived == calls or mode == "block"
        assert done.quarantined >= len(refused) or mode == "block"
    else:
        assert said["code"] in DOCUMENTED[answer.status_code]
        assert said["message"]
        assert arrived == 0


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    call=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4),
    path=st.sampled_from(sorted(PATHS)),
    junk=st.sampled_from([*JUNK, b""]),
    at=st.integers(0, 60),
    mode=MODES,
)
def test_whatever_is_sent_as_one_call_gets_a_documented_answer(desk, call, path, junk, at, mode):
    """By every path: a 200 has its one row, a 400 has at most one and it lies in quarantine."""
    told(desk, mode)
    body = json.dumps(track() | call).encode()

    answer = desk.post(path, body[:at] + junk + body[at:])

    done = desk.load()
    said = answer.json()
    assert no_fault_of_ours(desk, done)
    if answer.status_code == 200:
        assert done.events + done.quarantined + done.duplicates == 1
    else:
        assert said["code"] in DOCUMENTED[answer.status_code] | {"unknown_event"}
        assert said["message"]
        assert done.events == 0
        assert done.quarantined <= 1


@pytest.mark.parametrize(
    "odd", [ODD["NaN"], ODD["half a character"], ODD["depth without end"]], ids=["NaN", "½", "deep"]
)
def test_a_source_that_blocks_takes_the_good_calls_of_an_odd_batch(desk, odd):
    """A blocked call beside one that no strict reader takes costs neither of the good ones."""
    told(desk, "block")
    calls = [json.dumps(track(id=name, revenue=value)).encode() for name, value in (("a", 1), ("b", "2"), ("c", 3))]

    answer = desk.post("/v1/batch", b'{"batch": [' + b",".join((*calls, odd)) + b"]}")

    assert [(each["index"], each["code"]) for each in answer.json()["rejected"]] == [
        (1, "wrong_type"),
        (3, "malformed"),
    ]
    done = desk.load()
    assert (done.events, done.quarantined) == (2, 1)


@given(
    calls=st.lists(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4), max_size=4), odd=st.integers(0, 4)
)
def test_parting_by_hand_finds_the_calls_that_a_strict_reader_finds(calls, odd):
    """A call that no strict reader takes leaves its neighbours what they were, each at its place."""
    texts = [json.dumps(call, allow_nan=True).encode() for call in calls]
    place = min(odd, len(texts))
    texts.insert(place, b'{"n":NaN}')

    found = read_request(b'{"sentAt":"x","batch":[' + b",".join(texts) + b"]}", "batch")

    assert found.sent_at == "x"
    assert len(found.calls) == len(texts)
    assert isinstance(found.calls[place], Fault)
    for text, call in zip(texts, found.calls, strict=True):
        alone = read_request(b'{"batch":[' + text + b"]}", "batch").calls[0]
        assert type(alone) is type(call)
        if isinstance(alone, Call):
            assert alone.user_id == call.user_id
