"""The cockpit's map: drawn when somebody's place is known, each tile a way to its people, told as a table too."""

import re
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from litestar.testing import TestClient
from tests.console.world import World

from spira.console import maps
from spira.console.app import create_app
from spira.console.maps import map_of
from spira.measure.places import places
from spira.measure.provinces import Province, Provinces
from spira.server.sessions import open_session
from spira.server.staff import NewStaff, add_staff
from spira.testing.workspaces import send, workspace

NOW = datetime(2026, 3, 1)
PLAN = "tracking: shop\ntraits: {province: text, city: text}\n"
LIVING = ["广东省"] * 30 + ["山东"] * 8 + ["Tibet"] * 2 + [None] * 3


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A workspace whose people said where they live, and a client of its administrator."""
    with workspace(tmp_path_factory.mktemp("shop"), {"tracking/shop.yaml": PLAN}, at=NOW) as core:
        at = (NOW - timedelta(days=3)).isoformat() + "Z"
        send(
            core,
            [
                {"type": "identify", "userId": f"u{n}", "messageId": f"i{n}", "timestamp": at,
                 "traits": {"province": place} if place else {}}
                for n, place in enumerate(LIVING)
            ],
        )  # fmt: skip
        core.refresh()
        client = TestClient(create_app(core, local_token="local"), raise_server_exceptions=False)
        client.headers["authorization"] = "Bearer local"
        client.cookies.set("spira_language", "en")
        yield core, client


def test_a_map_is_shown_when_a_place_is_known(shop):
    """Every province has a tile; those with people say how many, and open them; the table says the same."""
    _, client = shop
    text = client.get("/cockpit").text
    assert "Where people live" in text
    assert text.count("<title>") == 1 + len(places())
    assert "<title>Guangdong: 30 people, 69.8%; 0 ordered in the last 30 days</title>" in text
    assert "Of 3 people (7.0%) the province is not known." in text
    assert re.search(r'<td><a href="/cockpit/provinces/54">Tibet</a></td><td class="num">2</td>', text)
    assert client.get("/api/cockpit").json()["provinces"]["unknown"] == 3


def test_a_tile_leads_to_its_people(shop):
    """The link goes on to the builder with the condition, which counts the tile's people; elsewhere there is nobody."""
    _, client = shop
    answer = client.get("/cockpit/provinces/44", follow_redirects=False)
    there = urlsplit(answer.headers["location"])
    assert (answer.status_code, there.path) == (303, "/audiences/new")
    (condition,) = parse_qs(there.query)["condition"]
    assert condition == "province in ('广东省')"
    assert client.post("/api/audiences/preview", json={"condition": condition}).json()["count"] == 30
    assert client.get("/cockpit/provinces/82", follow_redirects=False).status_code == 404


def test_the_map_speaks_chinese(shop):
    """Names, figures and the sentence about the rest are in the reader's language."""
    _, client = shop
    text = client.get("/cockpit", headers={"cookie": "spira_language=zh-CN"}).text
    assert "省份分布" in text
    assert "广东：30 人，占 69.8%" in text
    assert "另有 3 人（7.0%）不知道在哪个省份。" in text


def test_a_reader_sees_no_province_of_a_few(shop):
    """Tibet's two are counted among the unknown, and the page says so."""
    core, _ = shop
    made = add_staff(core.state, NewStaff(email="rea@example.org", name="Rea", roles=("reader",)), at=NOW)
    client = TestClient(create_app(core, wall=core.clock), raise_server_exceptions=False)
    client.cookies.set("spira_session", open_session(core.state, made.staff_id, at=core.clock.now(), hours=8))
    client.cookies.set("spira_language", "en")
    text = unescape(client.get("/cockpit").text)
    assert "Guangdong: 30 people" in text
    assert "Tibet:" not in text
    assert "Of 5 people (11.6%) the province is not known. Provinces of fewer than 5 people are counted here." in text


def test_a_workspace_without_places_has_no_map(world: World):
    """Where nobody's place is known the cockpit says nothing of it."""
    assert world.get("/api/cockpit").json()["provinces"] is None
    assert "Where people live" not in world.get("/cockpit", headers={"cookie": "spira_language=en"}).text


def test_a_place_that_no_condition_may_speak_of_is_drawn():
    """A province whose trait is not declared has its tile, and the map counts its people."""
    one = Province(code="37", people=4, active=None, condition=None)
    drawn = map_of(Provinces(provinces=(one,), unknown=0, unknown_active=None), "en")
    assert [tile.name for tile in drawn.tiles if tile.here] == ["Shandong"]
    assert (drawn.people, drawn.names["37"]) == (4, "Shandong")


def test_darkness_grows_with_people():
    """The most people are darkest, nobody is none; a few have a tone of their own; the legend says the rest."""
    tops = maps.steps([1000, 40, 1])
    assert tops == (40, 160, 360, 640, 1000)
    assert [maps.step_of(each, tops) for each in (0, 1, 40, 41, 640, 1000)] == [0, 1, 1, 2, 4, 5]
    two = [Province(code=code, people=people, active=None, condition=None) for code, people in (("37", 9), ("44", 1))]
    drawn = map_of(Provinces(provinces=tuple(two), unknown=0, unknown_active=0), "zh-CN")
    assert drawn.legend == ((1, 1, 1), (5, 7, 9))
