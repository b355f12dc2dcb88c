"""The collection API: every answer, over real ASGI calls."""

from __future__ import annotations

import base64
import gzip
import json
import time

import pytest
from tests.collect.desk import track

from spira.collect import sources
from spira.collect.envelope import decode
from spira.collect.intake import Intake
from spira.kernel.errors import LogUnavailable
from spira.storage.log import BEGINNING
from spira.storage.state import State


def records(desk):
    return [decode(raw) for raw in desk.log.read(BEGINNING).records]


def refused(answer, status, code):
    body = answer.json()
    assert answer.status_code == status, answer.text
    assert body["success"] is False
    assert body["code"] == code
    assert body["message"]
    return body


@pytest.mark.parametrize(
    ("short", "via"),
    [("i", "identify"), ("t", "track"), ("p", "page"), ("s", "screen"), ("g", "group"), ("a", "alias")],
)
def test_the_short_paths_of_browsers_are_the_long_ones(desk, short, via):
    """A browser's `/v1/t` and a server's `/v1/track` are the same call."""
    call = {"userId": "ann", "event": "Seen", "previousId": "x", "groupId": "g"}

    assert desk.post(f"/v1/{short}", call).json() == {"success": True}
    assert desk.post(f"/v1/{via}", call).json() == {"success": True}
    assert [record.via for record in records(desk)] == [via, via]


def test_a_call_is_in_the_log_as_it_came_when_it_is_answered(desk):
    """Chinese text is kept byte for byte, with the source and the clock's instant."""
    desk.post("/v1/track", track("浏览商品", 名称="净水器"))

    [record] = records(desk)

    assert json.loads(record.body)["properties"] == {"名称": "净水器"}
    assert (record.source, record.received_at) == ("shop", desk.clock.now())


@pytest.mark.parametrize("way", ["basic", "bearer", "body", "batch body"])
def test_the_write_key_may_stand_in_a_header_or_in_the_body(desk, way):
    """Basic, Bearer and `writeKey` all name the source."""
    key, call, headers, path = desk.source.write_key, track(), {}, "/v1/track"
    if way == "basic":
        headers["authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    elif way == "bearer":
        headers["authorization"] = f"Bearer {key}"
    elif way == "body":
        call["writeKey"] = key
    else:
        path, call = "/v1/b", {"writeKey": key, "batch": [call]}

    assert desk.post(path, call, headers=headers, anonymous=True).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic !!!"}, {"authorization": "Bearer nobody"}])
def test_a_wrong_or_missing_key_is_refused(desk, headers):
    """401 with a code and a message, and nothing in the log."""
    refused(desk.post("/v1/track", track(), headers=headers, anonymous=True), 401, "invalid_write_key")
    assert records(desk) == []


def test_a_source_made_later_works_at_once(desk):
    """A key that is not known is looked up anew."""
    from spira.collect import sources

    desk.post("/v1/track", track())
    late = sources.add(desk.state, desk.clock, "late")

    assert desk.post("/v1/track", track(), key=late.write_key).status_code == 200


def test_gzip_is_known_by_its_bytes_whatever_the_headers_say(desk):
    """A zipped body with the content type of a form is read."""
    body = gzip.compress(json.dumps({"batch": [track()]}).encode())

    answer = desk.post("/v1/batch", body, headers={"content-type": "application/x-www-form-urlencoded"})

    assert answer.status_code == 200
    assert records(desk)[0].body.startswith(b'{"batch"')


def test_a_gzip_bomb_is_stopped_while_it_is_unpacked(desk):
    """200 MB out of 200 KB are refused quickly."""
    bomb = gzip.compress(b"[" * 200_000_000, compresslevel=1)[:1_000_000]
    started = time.perf_counter()

    refused(desk.post("/v1/batch", bomb), 413, "too_large")
    assert time.perf_counter() - started < 1
    assert records(desk) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b'{"batch": 5}',
        b'{"batch": null}',
        b"{}",
        b'{"batch": [{"event": "\xff"}',
        b"\x1f\x8bnot gzip",
        gzip.compress(b'{"batch": []}', mtime=0)[:-9],
        b'{"batch": [' + b"[" * 100_000 + b"]" * 99_999 + b"]}",
    ],
)
def test_a_body_without_calls_is_a_400(desk, body):
    """What is no JSON object with a batch is refused whole, with the reason."""
    refused(desk.post("/v1/batch", body), 400, "malformed")
    assert records(desk) == []


def test_a_half_valid_batch_is_accepted_and_the_bad_calls_are_named(desk):
    """The good calls are loaded, the bad ones lie in quarantine, each with its reason."""
    answer = desk.batch(
        track(id="good"),
        {"type": "track", "event": "Seen"},
        {"type": "dance", "userId": "ann"},
        {"type": "track", "userId": "ann"},
        track(id="late", at="2026-03-01T12:10:00Z"),
        {"type": "track", "event": "Seen", "userId": {"id": 1}},
        {"type": "track", "event": "Seen", "userId": "ann", "properties": [1]},
        {"type": "track", "event": "Seen", "userId": "ann", "timestamp": "yesterday"},
        5,
    )

    assert [(each["index"], each["code"]) for each in answer["rejected"]] == [
        (1, "missing_identifier"),
        (2, "malformed"),
        (3, "missing_event"),
        (4, "from_the_future"),
        (5, "malformed"),
        (6, "malformed"),
        (7, "malformed"),
        (8, "malformed"),
    ]
    assert all(each["message"] for each in answer["rejected"])
    done = desk.load()
    assert (done.events, done.quarantined) == (1, 8)
    assert [reason for reason, _ in desk.refused()] == [each["code"] for each in answer["rejected"]]


def test_a_call_with_half_a_character_does_not_spoil_its_batch(desk):
    """A lone surrogate or a NaN costs its own call and no other."""
    good = json.dumps(track(id="good"))
    odd = '{"type":"track","event":"Seen","userId":"ann","properties":{"note":"\\ud83d"}}'
    nan = '{"type":"track","event":"Seen","userId":"ann","properties":{"n":NaN}}'

    answer = desk.post("/v1/batch", f'{{"batch":[{good},{odd},{nan}]}}'.encode())

    assert [each["index"] for each in answer.json()["rejected"]] == [1, 2]
    assert desk.load().events == 1


def test_a_bad_single_call_is_a_400_and_kept_for_people_to_see(desk):
    """A client learns what is wrong, and a data engineer finds the call in quarantine."""
    refused(desk.post("/v1/track", {"userId": "ann"}), 400, "missing_event")
    refused(desk.post("/v1/track", {"userId": ["ann"], "event": "Seen"}), 400, "malformed")

    assert desk.load().quarantined == 2
    assert desk.load().quarantined == 0


def test_a_call_too_deep_or_too_large_is_named(make_desk):
    """One call above its limit, or nested without end, is rejected alone."""
    desk = make_desk(max_event_bytes=2_000)
    deep = {}
    for _ in range(80):
        deep = {"a": deep}

    answer = desk.batch(track(id="a", note="x" * 3_000), track(id="b", note=deep), track(id="c"))

    assert [(each["index"], each["code"]) for each in answer["rejected"]] == [(0, "too_large"), (1, "malformed")]
    assert desk.load().events == 1


def test_an_oversized_body_is_a_413(make_desk):
    """With or without a content length, more than allowed is refused."""
    desk = make_desk(max_batch_bytes=5_000)

    refused(desk.post("/v1/batch", {"batch": [track(note="x" * 6_000)]}), 413, "too_large")
    refused(desk.post("/v1/batch", b" " * 6_000, headers={"content-length": "12"}), 413, "too_large")
    assert records(desk) == []


def test_a_gzip_body_of_endless_empty_parts_is_refused(desk):
    """Bytes that unpack to nothing can't keep the server busy: a few parts are read, thousands are a 400."""
    halves = gzip.compress(b'{"userId":"ann",', mtime=0) + gzip.compress(b'"event":"Seen"}', mtime=0)

    assert desk.post("/v1/track", halves).status_code == 200
    refused(desk.post("/v1/track", gzip.compress(b"", mtime=0) * 1_000), 400, "malformed")


def test_a_batch_of_endless_tiny_calls_is_a_413(desk, monkeypatch):
    """How many calls come at once is bounded too, since each is looked at and answered."""
    monkeypatch.setattr("spira.collect.intake.MOST_CALLS", 3)

    assert desk.post("/v1/batch", {"batch": [track()] * 3}).status_code == 200
    refused(desk.post("/v1/batch", {"batch": [track()] * 4}), 413, "too_large")
    assert len(records(desk)) == 1


def test_numbers_are_ids(desk):
    """`userId: 7` and `userId: "7"` are one person."""
    desk.batch(track(id="a", user=7), track(id="b", user="7"), track(id="c", user=7.0))
    desk.load()

    assert desk.rows(
        "select count(distinct subject_id), min(value) from events join identifiers using (subject_id)"
    ) == [(1, "7")]


def test_browsers_may_call_from_anywhere(desk):
    """The preflight allows the headers that clients send, and retries may read Retry-After."""
    preflight = desk.post("/v1/t", b"", method="OPTIONS", anonymous=True)

    assert preflight.status_code == 204
    allowed = preflight.headers["access-control-allow-headers"]
    assert all(name in allowed for name in ("authorization", "content-type", "x-retry-count"))
    answer = desk.post("/v1/t", track(), headers={"origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-expose-headers"] == "retry-after"


def test_other_paths_and_methods_are_told_so(desk):
    """404 for a path that is none, 405 for a GET."""
    refused(desk.post("/v1/dance", track()), 404, "not_found")
    refused(desk.post("/v1/track", b"", method="GET"), 405, "method_not_allowed")


def test_a_full_backlog_answers_503_until_it_is_loaded(make_desk):
    """While loading is behind, nothing is taken; afterwards it is."""
    desk = make_desk(backlog_bytes=1_048_576)
    desk.backlog = 2_000_000

    answer = desk.post("/v1/track", track())
    refused(answer, 503, "backlog_full")
    assert answer.headers["retry-after"] == "5"

    desk.backlog = 0
    assert desk.post("/v1/track", track()).status_code == 200


def test_a_log_that_fails_answers_503(desk):
    """What could not be made durable is not acknowledged."""

    class Broken:
        async def append_soon(self, record):
            raise LogUnavailable(f"no space left on device for {len(record)} bytes")

    desk.intake._log = Broken()

    answer = desk.post("/v1/track", track())

    refused(answer, 503, "log_unavailable")
    assert answer.headers["retry-after"] == "5"


def test_a_key_that_another_process_made_a_moment_ago_is_known_at_once(desk):
    """Who does not make keys looks before calling one wrong; where it can't look yet, the caller is to come again."""
    may_look = False

    def look():
        if may_look:
            desk.state.changed_elsewhere()
        return may_look

    desk.intake = Intake(log=desk.log, state=desk.state, clock=desk.clock, settings=desk.settings, look=look)
    assert desk.post("/v1/track", track()).status_code == 200  # what keys there are is remembered from here on
    key = sources.add(State(desk.state.engine), desk.clock, "till").write_key
    answer = desk.post("/v1/track", track(), key=key)
    refused(answer, 503, "key_not_known_yet")
    assert answer.headers["retry-after"] == "1"
    may_look = True
    assert desk.post("/v1/track", track(), key=key).status_code == 200
    refused(desk.post("/v1/track", track(), key="wk_nobody"), 401, "invalid_write_key")
