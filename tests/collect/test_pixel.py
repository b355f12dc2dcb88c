"""The pixel: an image with every answer, an event behind every 200, and no cookie."""

from __future__ import annotations

import asyncio
import base64
import json
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.collect.front import front
from spira.collect.pixel import GIF, PREFIX, BadPixel, Pixel, call_of
from spira.kernel.errors import LogUnavailable


def got(desk, path="/v1/pixel.gif", method="GET", **query):
    """The answer to a pixel, asked for through the front of collection."""
    app = front(desk.intake, {PREFIX: Pixel(desk.intake)})

    async def send():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
            return await client.request(method, f"{path}?{urlencode(query)}")

    return asyncio.run(send())


def loaded(desk):
    desk.load()
    return desk.warehouse.rows("select * from events order by event_id")


def test_a_pixel_is_an_event_and_an_image(desk):
    """43 bytes that nobody keeps, no cookie; the event has what the address says."""
    answer = got(
        desk, key=desk.source.write_key, event="Order Completed", userId="42",
        properties=json.dumps({"order_id": "A-1", "revenue": 42.5}), utm_campaign="spring", messageId="m1",
    )  # fmt: skip

    assert (answer.status_code, answer.content, len(GIF)) == (200, GIF, 43)
    assert answer.headers["content-type"] == "image/gif"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in answer.headers
    [event] = loaded(desk)
    assert (event["event"], event["order_id"], float(event["revenue"])) == ("Order Completed", "A-1", 42.5)
    assert (event["message_id"], event["campaign"], event["source"]) == ("m1", "spring", "shop")


def test_a_pixel_twice_is_one_event(desk):
    """With a message id, asking again says nothing new."""
    for _ in range(2):
        got(desk, key=desk.source.write_key, event="Seen", anonymousId="a", messageId="m1")

    assert len(loaded(desk)) == 1


def test_segments_own_pixel_is_understood(desk):
    """A whole call as base64 of JSON, with the write key in it."""
    call = {"writeKey": desk.source.write_key, "userId": "42", "event": "Seen", "properties": {"名称": "净水器"}}
    for path, more in (("/v1/pixel/track", {"messageId": "1"}), ("/v1/pixel/page", {"messageId": "2"})):
        data = base64.urlsafe_b64encode(json.dumps(call | more).encode()).decode().rstrip("=")
        assert got(desk, path, data=data).status_code == 200

    assert [each["event"] for each in loaded(desk)] == ["Seen", "Page Viewed"]


def test_single_details_are_texts(desk):
    """`properties.x` and `properties[x]` are what forms and mail programs can build."""
    got(
        desk,
        key=desk.source.write_key,
        event="Order Completed",
        userId="1",
        **{"properties.order_id": "A", "properties[store_id]": "B"},
    )

    [event] = loaded(desk)
    assert (event["order_id"], event["store_id"]) == ("A", "B")


def test_a_pixel_that_names_nobody_is_a_visit(desk):
    """It is counted under an id that is good once, and of a kind that makes no person."""
    got(desk, key=desk.source.write_key, event="Seen")
    got(desk, key=desk.source.write_key, event="Seen")

    assert len({each["subject_id"] for each in loaded(desk)}) == 2
    assert desk.warehouse.query("select distinct kind from identifiers") == [("visit",)]


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/v1/pixel.gif", {"event": "Seen"}, 401, "invalid_write_key"),
        ("/v1/pixel.gif", {"key": "wrong", "event": "Seen"}, 401, "invalid_write_key"),
        ("/v1/pixel.gif", {"data": "!!"}, 400, "malformed"),
        ("/v1/pixel.gif", {"properties": "{"}, 400, "malformed"),
        ("/v1/pixel.gif", {"type": "batch"}, 400, "malformed"),
        ("/v1/pixel/nothing", {}, 400, "malformed"),
        ("/v1/pixel.gif", {"key": "KEY", "event": "Seen", "timestamp": "yesterday"}, 400, "malformed"),
        ("/v1/pixel.gif", {"key": "KEY", "event": "Seen", "traits": "[]"}, 400, "malformed"),
    ],
)
def test_what_is_wrong_is_said_beside_the_image(desk, path, query, status, code):
    """The image comes whatever happened; the status and a header are honest."""
    answer = got(desk, path, **{name: desk.source.write_key if text == "KEY" else text for name, text in query.items()})

    assert (answer.status_code, answer.headers["x-spira-code"], answer.content) == (status, code, GIF)


def test_no_image_says_200_before_the_event_is_durable(desk):
    """Where the log can keep nothing the image says so, and when to try again."""

    async def full(_record):
        raise LogUnavailable("no space")

    desk.log.append_soon = full
    answer = got(desk, key=desk.source.write_key, event="Seen", userId="1")

    assert (answer.status_code, answer.headers["x-spira-code"], answer.content) == (503, "log_unavailable", GIF)
    assert answer.headers["retry-after"].isdigit()


def test_a_head_is_no_event_and_a_post_no_pixel(desk):
    """Whoever only looks for the image's size has seen nothing; other methods are told which are good."""
    head = got(desk, method="HEAD", key=desk.source.write_key, event="Seen", userId="1")
    post = got(desk, method="POST", key=desk.source.write_key, event="Seen", userId="1")

    assert (head.status_code, post.status_code, post.headers["allow"]) == (200, 405, "GET, HEAD")
    assert loaded(desk) == []


def test_all_other_paths_are_intakes(desk):
    """The front changes nothing for the calls of clients."""
    assert got(desk, "/v1/track", method="POST").status_code == 400
    assert got(desk, "/v1/unknown", method="POST").status_code == 404


@given(st.binary(max_size=300))
def test_no_query_stops_a_pixel(query):
    """Whatever stands in an address, it is a call or it is refused."""
    try:
        via, call = call_of("/v1/pixel.gif", query)
    except BadPixel:
        return
    assert via in ("track", "page", "identify", "screen", "group", "alias")
    assert isinstance(call, dict)
