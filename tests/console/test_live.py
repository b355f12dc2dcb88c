"""Live events: the page that stands still, and the stream that goes on."""

from __future__ import annotations

import asyncio
import re

import anyio.to_thread
import pytest
from tests.console.world import World

from spira.console.streams import BEAT, Streams, follow
from spira.testing.workspaces import send

CALL = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u7",
    "messageId": "live-1",
    "properties": {"order_id": "live-1", "revenue": 12.5, "note": "ring 13800138000 or u7@example.com"},
    "context": {"traits": {"email": "u7@example.com"}},
}


async def at_once() -> None:
    """A pause that takes no time."""


def newest(world: World) -> int:
    return int(world.get("/api/live").json()["after"])


def test_an_event_arrives_on_the_stream_and_no_contact_value_with_it(fresh_world):
    """What is sent through intake and loaded stands on the open stream, once, drawn as on the page, with masks."""
    streams = fresh_world.app.state.streams = Streams(pause=at_once)
    done = []

    def come_in() -> None:
        send(fresh_world.core, [CALL])
        fresh_world.core.load()

    async def pause() -> None:
        done.append(streams.open)
        if len(done) == 1:
            await anyio.to_thread.run_sync(come_in)

    streams.pause, streams.stopping = pause, lambda: len(done) > 2
    answer = fresh_world.get(f"/live/stream?after={newest(fresh_world)}")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.count("event: news") == 1
    assert answer.text.count("data-event=") == 1
    assert f"id: {newest(fresh_world)}" in answer.text
    assert "12.5" in answer.text
    assert fresh_world.person("u7") in answer.text
    assert "[phone]" in answer.text
    assert not any(secret in answer.text for secret in ("u7@example.com", "13800138000"))
    assert done == [1, 1, 1]
    assert streams.open == 0
    row = re.search(r"<li data-event.*?</li>", fresh_world.get("/live").text, re.DOTALL)
    assert row is not None
    assert "ring [phone] or [email]" in row.group()


def test_a_stream_ends_when_the_server_stops(world):
    """Once the server is stopping a stream looks no more, and a new one ends before it looked."""
    world.app.state.streams = Streams(pause=at_once, stopping=lambda: True)
    answer = world.get("/live/stream")
    assert answer.status_code == 200
    assert "event: news" not in answer.text


def test_a_stream_goes_on_where_its_reader_was(world):
    """A reader that comes back says what it had last, and is told only what is newer."""
    world.app.state.streams = Streams(pause=at_once, looks=1)
    last = newest(world)
    assert world.get("/live/stream?after=0", headers={"last-event-id": str(last - 2)}).text.count("data-event=") == 2
    assert world.get("/live/stream", headers={"last-event-id": "x"}).status_code == 422


def test_there_are_only_so_many_streams(world):
    """One more than may be is refused, and asked to come back later."""
    world.app.state.streams = Streams(pause=at_once, looks=1, most=0)
    answer = world.get("/live/stream")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


def test_a_stream_that_is_left_is_given_back():
    """When the reader goes, in whatever moment, its place is free again."""
    streams = Streams(pause=at_once)

    async def leave() -> None:
        reading = follow(streams, lambda after: (after + 1, "news"), after=0)
        await anext(reading)
        assert b"id: 1" in await anext(reading)
        assert streams.open == 1
        await reading.aclose()

    asyncio.run(leave())
    assert streams.open == 0


def test_a_quiet_stream_says_that_it_is_there_and_ends_after_its_time():
    """Without news there is a comment now and then, and an end, after which the reader proves anew who it is."""
    streams = Streams(pause=at_once, looks=2 * BEAT + 1)

    async def read() -> list[bytes]:
        return [part async for part in follow(streams, lambda after: (after, None), after=3)]

    said = asyncio.run(read())
    assert [part.strip() for part in said[1:]] == [b": quiet"] * 2
    assert b"retry: 2000" in said[0]


def test_the_page_is_whole_without_script(english):
    """It has the last events with their properties, a way to the newest, and filters that are a plain form."""
    page = english("/live?event=Shelf+Visited")
    assert page.count("<li data-event=") == 2
    assert "Load newest" in page
    assert re.search(r'<option value="Shelf Visited" selected>', page)
    assert '<span class="pill wait">undeclared</span>' in page
    assert "No event yet" in english("/live?source=nobody")


@pytest.mark.parametrize("path", ["/live", "/live/stream", "/api/live"])
def test_live_events_are_for_staff_of_the_whole_who_see_people(client, signed_in, core, path):
    """A reader and the staff of one store are refused, on the page, the stream and the API."""
    assert client.get(path, follow_redirects=False).status_code in (302, 303, 401)
    assert signed_in("rae", "reader").get(path).status_code == 403
    assert signed_in("gus", "guide", unit_id=core.units["A"]).get(path).status_code == 403
