"""Global Privacy Control: the browser's word is kept as a consent event, once for an identifier, by whatever door."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from tests.collect.desk import track

from spira.collect.front import front
from spira.collect.pixel import PREFIX, Pixel
from spira.collect.signal import PURPOSES, Signals, is_on

GPC = {"Sec-GPC": "1"}


def words(desk):
    """What was withdrawn: of whom by their kind of identifier, and for what."""
    desk.load()
    return desk.rows(
        "select kind, purpose, channel, consent_method from events join identifiers using (subject_id)"
        " where event = 'Consent Withdrawn' order by kind, purpose"
    )


def test_a_call_with_the_signal_opts_its_person_out_of_sale_and_personal_ads(desk):
    """The event itself is kept too; the word stands under the same identifier, for each purpose."""
    answer = desk.post("/v1/track", track(), headers=GPC)

    assert answer.json() == {"success": True}
    assert words(desk) == [("user_id", purpose, "all", "gpc") for purpose in sorted(PURPOSES)]
    assert desk.rows("select count(distinct subject_id), count(*) from events") == [(1, 3)]


@pytest.mark.parametrize("value", [None, "0", "true", ""])
def test_without_the_signal_nothing_is_said(desk, value):
    """Only `1` is the signal."""
    desk.post("/v1/track", track(), headers={} if value is None else {"Sec-GPC": value})

    assert words(desk) == []


def test_the_word_is_said_once_however_often_it_comes(desk):
    """Another page, another process after a restart, a batch of many calls: one word for an identifier and purpose."""
    desk.post("/v1/track", track(id="m1"), headers=GPC)
    desk.intake._signals = Signals()
    desk.post(
        "/v1/batch", {"batch": [track(id="m2"), track(id="m3"), {"type": "page", "anonymousId": "b"}]}, headers=GPC
    )
    desk.post("/v1/track", track(id="m4"), headers=GPC)

    assert [(kind, purpose) for kind, purpose, *_ in words(desk)] == [
        (kind, purpose) for kind in ("anonymous_id", "user_id") for purpose in sorted(PURPOSES)
    ]


def test_a_batch_with_a_bad_call_says_the_word_of_the_good_one(desk):
    """What lies in quarantine keeps no other person's word back."""
    answer = desk.post("/v1/batch", {"batch": [{"type": "track"}, track()]}, headers=GPC)

    assert len(answer.json()["rejected"]) == 1
    assert len(words(desk)) == 2


def test_a_pixel_passes_the_signal_on(desk):
    """An image of a page is asked for with the signal as well."""
    app = front(desk.intake, {PREFIX: Pixel(desk.intake)})

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
            address = f"/v1/pixel.gif?key={desk.source.write_key}&event=Seen&anonymousId=b"
            return await client.get(address, headers=GPC)

    assert asyncio.run(ask()).status_code == 200
    assert [purpose for _, purpose, *_ in words(desk)] == sorted(PURPOSES)


def test_a_lone_byte_decides():
    """The header is read as its specification writes it."""
    assert is_on({b"sec-gpc": b" 1 "})
    assert not is_on({b"sec-gpc": b"11"})
