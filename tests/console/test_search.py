from __future__ import annotations

import re

import pytest

from spira.console.places import PLACES
from spira.kernel.ids import show_profile
from spira.server.api.search import folded, rank
from spira.server.roles import ALL
from spira.testing.cores import staff

HOSTILE = ["<script>alert(1)</script>", "' or 1=1 --", '"><img src=x>', "%_%", "\x00", "{{ 7 * 7 }}", "(" * 300]


@pytest.fixture
def found(world):
    """What the API finds, kind by kind, as names."""

    def ask(text):
        groups = world.get("/api/search", params={"q": text}).json()["groups"]
        return {group["kind"]: [hit["name"] for hit in group["hits"]] for group in groups}

    return ask


def test_things_are_found_by_name_and_by_label_of_either_language(found):
    """A tag, a journey and an audience are found by what they are called, whatever the language."""
    assert "orders_90d" in found("orders_90d")["tag"]
    assert found("沉睡唤醒")["journey"] == ["win_back"]
    assert found("Win back")["journey"] == ["win_back"]
    assert "lapsed" in found("lapsed")["audience"]
    assert "Order Completed" in found("order completed")["event"]


def test_case_and_width_make_no_difference(found):
    """Capital and full-width letters find the same."""
    assert found("ＷＩＮ＿back") == found("win_BACK") != {}


def test_the_best_fit_comes_first():
    """Exactly, by the beginning, by the beginning of a word, by a part."""
    assert [rank("win", [text]) for text in ("Win", "winter", "to win", "to_win", "twin", "lose")] == [
        0,
        1,
        2,
        2,
        3,
        None,
    ]
    assert folded("  Ａ  b ") == "a b"


def test_no_more_than_six_of_a_kind_are_shown(found):
    """A letter that everything has gives six of a kind at most."""
    assert all(len(hits) <= 6 for hits in found("e").values())


def test_people_are_found_for_those_who_may_see_them(world, found):
    """A user id leads to its person."""
    assert found("u7")["person"] == [world.person("u7")]


def test_a_reader_finds_no_people(signed_in):
    """Who sees aggregates only finds tags and the like, and nobody."""
    client = signed_in("rae", "reader")
    groups = client.get("/api/search", params={"q": "person7@example.com"}).json()["groups"]
    assert groups == []
    assert show_profile(7) not in client.get("/search?q=person7@example.com").text


def test_a_guide_finds_the_people_of_their_unit_only(signed_in, core):
    """A person of the guide's store is found, one of another is not."""
    client = signed_in("gus", "guide", unit_id=core.units["B"])
    assert show_profile(3) in client.get("/search?q=person3@example.com").text
    assert show_profile(4) not in client.get("/search?q=person4@example.com").text
    assert client.get("/api/search?q=person4@example.com").json()["groups"] == []


def test_the_list_below_the_box_is_a_part_of_the_page(world):
    """What htmx takes is what the whole page contains."""
    whole = world.get("/search?q=orders").text
    part = world.get("/search?q=orders", headers={"hx-request": "true"}).text
    assert "<html" not in part
    assert part.strip() in whole


def test_an_empty_search_says_where_one_can_go(world):
    """Without a text the pages and their keys are shown."""
    part = world.get("/search?q=", headers={"hx-request": "true"}).text
    assert {"/people", "/tags", "/cockpit"} <= set(re.findall(r'href="([^"]+)"', part))
    assert "<kbd>" in part


def test_a_page_is_found_by_its_name_in_either_language(world):
    """Searching 消费者 or People leads to the page."""
    for text in ("消费者", "people"):
        assert 'href="/people"' in world.get("/search", params={"q": text}, headers={"hx-request": "true"}).text


@pytest.mark.parametrize(
    ("text", "page"),
    [("隔离", "/quarantine"), ("quarantine", "/quarantine"), ("units", "/staff/units"), ("起步", "/start"),
     ("First steps", "/start"), ("my account", "/account"), ("plan", "/definitions/plan")],
)  # fmt: skip
def test_the_api_finds_pages_in_either_language(world, text, page):
    """Pages are a kind of their own, on the API and in the list below the box alike."""
    groups = {each["kind"]: each["hits"] for each in world.get("/api/search", params={"q": text}).json()["groups"]}
    assert page in [hit["href"] for hit in groups["page"]]
    part = world.get("/search", params={"q": text}, headers={"hx-request": "true"}).text
    assert f'href="{page}"' in part


def test_a_page_is_called_as_the_reader_calls_it(world):
    """Found by an English word, it is named in Chinese for who reads Chinese."""
    answer = world.get("/api/search?q=quarantine", headers={"cookie": "spira_language=zh-CN"}).json()
    assert [hit["label"] for group in answer["groups"] for hit in group["hits"] if group["kind"] == "page"] == [
        "隔离区"
    ]


def test_a_page_that_is_closed_to_somebody_is_not_found_by_them(signed_in, core):
    """A reader and a guide find neither quarantine nor staff; an administrator without a unit finds both."""
    for name, role, unit in (
        ("rae", "reader", None),
        ("gus", "guide", core.units["B"]),
        ("ada", "administrator", None),
    ):
        client = signed_in(name, role, unit_id=unit)
        for text, href in (("隔离", "/quarantine"), ("staff", "/staff")):
            found = client.get("/api/search", params={"q": text}).json()["groups"]
            assert (href in [hit["href"] for each in found for hit in each["hits"]]) == (role == "administrator")


def test_each_page_that_is_found_is_open_to_whom_it_is_offered(client):
    """What a search says of a page's roles is what its route says."""
    routes = {route.path: route for route in client.app.routes}
    for _, item in PLACES:
        (handler,) = (each for each in routes[item.href].route_handlers if "GET" in each.http_methods)
        assert set(item.roles or ALL) == set(handler.opt.get("roles") or ALL), item.href
        assert item.whole == bool(handler.opt.get("whole")), item.href


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_only_a_text(world, text):
    """Whatever is typed comes back escaped, and breaks nothing."""
    for headers in ({}, {"hx-request": "true"}):
        answer = world.get("/search", params={"q": text}, headers=headers)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
    assert world.get("/api/search", params={"q": text}).status_code == 200


def test_who_is_not_signed_in_finds_nothing(client, core):
    """The search is behind the door."""
    staff(core, "zoe", "analyst")
    assert client.get("/api/search?q=orders").status_code == 401
