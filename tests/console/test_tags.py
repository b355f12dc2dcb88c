"""The pages of tags: the list, one tag, its cost; what each viewer may see of them."""

from __future__ import annotations

import re
from contextlib import contextmanager
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from spira.cli.client import Client
from spira.cli.tag import tag as command
from spira.console import lineage
from spira.kernel.viewer import SYSTEM
from spira.segment.lineage import Edge, Lineage, Node


def test_the_list_names_every_tag_and_keeps_what_the_api_said_before(world, english):
    """Each applied tag has its row; the API still gives name, label and value of each."""
    page = english("/tags")
    told = world.get("/api/tags").json()["tags"]
    assert {each.tag for each in world.core.applied.of("tag")} == {each["tag"] for each in told}
    for each in told:
        assert {"tag", "label", "value"} <= set(each)
        assert f'href="/tags/{each["tag"]}"' in page


def test_the_list_is_narrowed_by_word_type_and_use(english):
    """A search, a type and "not used" each leave only what fits, and say when nothing does."""

    def rows(path):
        return re.findall(r'<td><a href="/tags/(\w+)"', english(path))

    assert rows("/tags?q=fifths") == ["frequency_quintile", "recency_quintile", "monetary_quintile"]
    assert set(rows("/tags?type=money")) == {f"revenue_{each}" for each in ("total", "30d", "90d", "365d")} | {
        "biggest_basket"
    }
    assert "orders_total" not in rows("/tags?unused=1")
    assert rows("/tags?sort=used")[0] == "orders_total" or rows("/tags?sort=used")
    assert "No tag fits" in english("/tags?q=zzz")


def test_the_rows_of_the_distribution_lead_to_the_people(world, english):
    """Each value of the life cycle leads to the builder with the condition that chooses exactly its people."""
    page = english("/tags/lifecycle")
    told = world.get("/api/tags/lifecycle").json()
    parts = told["distribution"]["parts"]
    assert sum(each["profiles"] for each in parts) == told["card"]["coverage"]["with_value"]
    links = [unescape(each) for each in re.findall(r'href="(/audiences/new\?condition=[^"]+)"', page)]
    asked = {parse_qs(urlsplit(each).query)["condition"][0] for each in links}
    for part in parts:
        assert part["condition"] in asked
        answer = world.post("/api/audiences/preview", json={"condition": part["condition"]}).json()
        assert answer["count"] == part["profiles"]
    assert "lifecycle = 'repeat'" in {each["condition"] for each in parts}


def test_lineage_is_drawn_with_links_and_listed_as_well(world, english):
    """Every box leads somewhere, and what is read and what uses it stand beside the drawing as lists."""
    page = english("/tags/lifecycle")
    drawing = page.split('<svg class="lineage"')[1].split("</svg>")[0]
    assert drawing.count("<rect") == drawing.count("<a href=") > 3
    listed = page.split('<div class="sides">')[1]
    assert 'href="/tags/orders_total"' in listed
    used = world.get("/api/tags/orders_total").json()["lineage"]
    assert {"source": ["tag", "orders_total"], "target": ["tag", "lifecycle"]} in used["edges"]


def test_coverage_by_day_leaves_gaps(world):
    """The world ran on five days, and the history has exactly those."""
    history = world.get("/api/tags/orders_total").json()["history"]
    assert [each["day"] for each in history] == [f"2026-06-0{day}" for day in range(1, 6)]


def test_the_cost_is_measured_on_request_in_both_ways(world):
    """A plain form gets the whole page, htmx the part of it; the API says the same figures."""
    told = world.post("/api/tags/revenue_total/cost").json()
    assert told["profiles"] == world.core.lane().value("select count(*) from profiles")
    assert told["events"] > 0
    english = {"cookie": "spira_language=en"}
    whole = world.post("/tags/revenue_total/cost", headers=english)
    part = world.post("/tags/revenue_total/cost", headers={**english, "hx-request": "true"})
    assert (whole.status_code, part.status_code) == (200, 200)
    assert part.text.lstrip().startswith('<div id="cost"')
    for each in (whole.text, part.text):
        assert f"for {told['profiles']} people, reading {told['events']} events" in each


@pytest.mark.parametrize("path", ["/tags/nothing", "/api/tags/nothing"])
def test_a_tag_that_is_not_applied_is_not_found(world, path):
    """Its page and its data both say so."""
    assert world.get(path).status_code == 404


def test_a_reader_sees_figures_of_many_and_no_person(world):
    """No part of fewer than five people, no extreme, no sample, no cut points; measuring is closed."""
    from spira.kernel.viewer import Viewer
    from spira.server.api.tags import view
    from spira.server.wire import plain

    reader = Viewer(staff_id="r", name="R", roles=frozenset({"reader"}), units=None, language="en")
    for tag in ("lifecycle", "revenue_total", "recency_quintile", "favourite_department", "last_order_at"):
        told = plain(view(world.core, reader, tag))
        parts = told["distribution"]["parts"]
        assert [each for each in parts if each["profiles"] < 5] == []
        assert not 0 < told["distribution"]["rest"] < 5
        assert (told["distribution"]["least"], told["distribution"]["most"]) == (None, None)
        assert (told["people"], told["cuts"]) == ([], [])


def test_staff_of_a_unit_see_their_people_and_no_history_of_the_brand(world):
    """Figures are of the unit's people; coverage by day is the whole brand's."""
    from spira.kernel.viewer import Viewer
    from spira.server.api.tags import view

    part = Viewer(staff_id="g", name="G", roles=frozenset({"guide"}), units=frozenset({999}), language="en")
    told = view(world.core, part, "lifecycle")
    assert told.card.coverage.profiles == 0
    assert told.history == ()
    assert told.people == ()


def test_a_drawing_keeps_its_columns_apart_and_counts_what_it_leaves_out():
    """What is read stands left of what reads it; long columns say how much is missing."""
    nodes = tuple(Node(kind="event", name=f"e{each}", steps=-1) for each in range(12))
    found = Lineage(
        nodes=(*nodes, Node(kind="tag", name="t", steps=0), Node(kind="audience", name="a", steps=1)),
        edges=(
            *(Edge(source=("event", f"e{each}"), target=("tag", "t")) for each in range(12)),
            Edge(source=("tag", "t"), target=("audience", "a")),
        ),
        properties=(),
    )
    drawn = lineage.draw(found, {("tag", "t"): "一个名字非常非常长的标签名"}, {})
    assert drawn.more == 12 - lineage.ROWS
    assert len(drawn.curves) == lineage.ROWS + 1
    xs = {each.kind: each.x for each in drawn.boxes}
    assert xs["event"] < xs["tag"] < xs["audience"]
    assert next(each.text for each in drawn.boxes if each.here).endswith("…")
    assert all(0 <= each.y <= drawn.height - lineage.HIGH for each in drawn.boxes)


def test_values_are_shown_by_their_labels_and_sent_as_they_are(world, english):
    """The page says "Fruit and vegetables", the JSON and the condition behind the row keep PRODUCE."""
    page = english("/tags/favourite_department")
    assert "Fruit and vegetables" in page or "Groceries" in page
    told = world.get("/api/tags/favourite_department").json()
    assert told["card"]["values"]["PRODUCE"]["en"] == "Fruit and vegetables"
    assert all(each["condition"].endswith(f"'{each['value']}'") for each in told["distribution"]["parts"])
    chinese = world.get("/tags/favourite_department", headers={"cookie": "spira_language=zh-CN"}).text
    assert "杂货" in chinese or "果蔬" in chinese


def test_the_builder_offers_values_with_their_labels(world, english):
    """Each value comes with what it is called, and a sentence says it beside the value."""
    found = world.get("/api/audiences/values", params={"of": "tag:favourite_department"}).json()["values"]
    assert {each["value"]: each["label"] for each in found}["PRODUCE"] == {
        "zh-CN": "果蔬",
        "en": "Fruit and vegetables",
    }
    assert "Fruit and vegetables" in english("/audiences/new?condition=favourite_department%20%3D%20'PRODUCE'")


def test_numbers_have_labels_too(english):
    """Weekday 1 is Monday."""
    assert "Monday" in english("/tags/preferred_weekday")


def test_staff_of_a_unit_are_told_why_there_is_no_line(fresh_world):
    """In the place of the brand's line stands that it is counted for the whole brand."""
    from spira.testing.cores import PASSWORD, staff
    from spira.unify import units

    world = fresh_world
    unit = units.add_unit(world.core.state, code="north", name="North")
    staff(world.core, "gil", "guide", unit_id=unit.unit_id)
    token = world.client.get("/sign-in").text.split('name="csrf" value="')[1].split('"')[0]
    form = {"email": "gil@example.com", "password": PASSWORD, "csrf": token}
    world.client.post("/sign-in", data=form, follow_redirects=False)
    page = world.client.get("/tags/orders_90d", headers={"cookie": "spira_language=en"})
    assert page.status_code == 200
    assert "counted for the whole brand" in page.text or "按整个品牌计算" in page.text


def test_the_page_of_the_past_shows_who_moved_and_says_what_is_of_today(world, english):
    """The form on a tag's page leads to what it was; the figures are those of the API, and the CSV has everyone."""
    assert 'action="/tags/orders_90d/then"' in english("/tags/orders_90d")
    page = english("/tags/orders_90d/then?as_of=2026-05-01")
    told = world.get("/api/tags/orders_90d/then?as_of=2026-05-01").json()
    assert told.get("tag"), told
    figures = told["figures"]
    assert figures["moved"] > 0
    assert f">{figures['profiles']}<" in page
    assert told["limits"] == ["identity", "definition"]  # the world applied its definitions later
    assert "Which identifiers are one person" in page
    person = world.person("u7")
    alone = world.get(f"/api/tags/orders_90d/then?as_of=2026-05-01&person={person}").json()
    sheet = world.post("/api/tags/orders_90d/then/export", json={"as_of": "2026-05-01"})
    rows = dict(each.split(",") for each in sheet.text.split())
    assert rows.pop("id") == "orders_90d"
    assert len(rows) == figures["profiles"] == int(sheet.headers["x-spira-rows"])
    assert rows[person] == str(alone["people"][0]["then"])
    assert alone["figures"] is None
    assert f"/people/{person}" in english("/tags/orders_90d/then?as_of=2026-05-01&person=user_id:u7")


def test_the_past_is_not_asked_of_the_future_or_of_nobody(world):
    """An instant ahead, no instant, and a person who is nobody are said on the page."""
    assert "lies ahead" in world.get("/tags/orders_90d/then?as_of=2999-01-01").text
    assert world.get("/api/tags/orders_90d/then?as_of=soon").status_code == 422
    assert "names nobody" in world.get("/tags/orders_90d/then?as_of=2026-05-01&person=user_id:nobody").text
    assert world.get("/api/tags/nothing/then").status_code == 404


def test_a_draft_has_a_page_where_it_is_tried_and_a_retired_tag_keeps_its_own(fresh_world):
    """Neither is worked out: the list marks and filters them, a draft is tried, a retired one looked back at."""
    world = fresh_world
    text = "tag: idea\nstatus: draft\nvalue: orders_90d + 1\n---\ntag: gone\nstatus: retired\nvalue: orders_90d - 1\n"
    (world.core.directory / "tags" / "life.yaml").write_text(text)
    world.core.apply(SYSTEM)
    cards = {each["tag"]: each for each in world.get("/api/tags").json()["tags"]}
    assert {name: cards[name]["status"] for name in ("idea", "gone", "orders_90d")} == {
        "idea": "draft", "gone": "retired", "orders_90d": "applied",
    }  # fmt: skip
    assert re.findall(r'<td><a href="/tags/(\w+)"', world.get("/tags?life=draft").text) == ["idea"]
    assert "Try it out" in world.get("/tags/idea").text
    tried = world.get("/api/tags/idea/then").json()
    assert (tried["figures"]["with_value"], tried["type"]) == (60, "integer")
    assert "its values at any earlier instant" in world.get("/tags/gone").text
    assert world.get("/tags/gone/then?as_of=2026-05-01").status_code == 200


def test_tags_that_nobody_uses_can_be_found(world):
    """The refreshes have written down what definitions read, and a condition that is tried counts as a use."""
    known = {each["tag"]: each for each in world.get("/api/tags").json()["tags"]}
    assert known["orders_90d"]["used_at"] is not None
    assert not any(each["quiet"] for each in known.values())
    spare = next(name for name, each in known.items() if not each["used_by"])
    world.post("/api/audiences/preview", json={"condition": f"{spare} is not null"})
    asked = {each["tag"]: each for each in world.get("/api/tags").json()["tags"]}[spare]
    assert (asked["used_at"] is not None, asked["quiet"]) == (True, False)


def test_the_versions_of_a_tag_say_what_changed_and_for_how_many(fresh_world):
    """Each apply that changed the tag stands there with its difference; whose value it changed is worked out."""
    world = fresh_world
    path = world.core.directory / "tags" / "version.yaml"
    for days in (60, 30):
        path.write_text(f"tag: orders_some\nvalue: count_of('Order Completed', within => '{days} days')\n")
        world.core.apply(SYSTEM)
    told = world.get("/api/tags/orders_some/versions").json()
    changed, added = told["versions"]
    assert (changed["change"]["action"], added["change"]["action"]) == ("change", "add")
    lines = {line["mark"]: line["text"] for line in changed["change"]["lines"]}
    assert ("30 days" in lines["+"], "60 days" in lines["-"]) == (True, True)
    effect = world.get(f"/api/tags/orders_some/versions/{changed['generation']}").json()
    assert 0 < effect["people"] <= effect["seen"] == 60
    page = world.get(f"/tags/orders_some/versions?effect_of={changed['generation']}").text
    assert f"{effect['people']} of 60 people got another value" in page
    assert world.get(f"/api/tags/orders_some/versions/{added['generation']}").status_code == 404


def test_a_tag_with_a_rhythm_says_so(fresh_world):
    """Its page names the rhythm, and the list and the API have when it was last worked out."""
    world = fresh_world
    text = "tag: slow\nrefresh: every 6 hours\nvalue: count_of('Order Completed')\n"
    (world.core.directory / "tags" / "slow.yaml").write_text(text)
    world.core.apply(SYSTEM)
    world.core.refresh()
    card = world.get("/api/tags/slow").json()["card"]
    assert (card["refresh"], card["refreshed"] is not None) == ("every 6 hours", True)
    assert "every 6 hours" in world.get("/tags/slow").text


def test_the_command_line_lists_tags_and_looks_back(world, monkeypatch, tmp_path):
    """`spira tag list`, `value` and `versions` say what the API says; a file gets everyone who had been seen."""

    @contextmanager
    def connect(_):
        headers = {"authorization": "Bearer local"}
        yield Client(lambda method, path, **more: world.client.request(method, path, headers=headers, **more))

    monkeypatch.setattr("spira.cli.tag.connect", connect)

    def said(*arguments):
        ran = CliRunner().invoke(command, [*arguments], catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
        return ran.output

    assert re.search(r"orders_90d +applied +integer +60", said("list"))
    assert "orders_90d" not in said("list", "--quiet")
    looked = said("value", "orders_90d", "--as-of", "2026-05-01")
    assert "profiles     60" in looked
    assert "as of today: which identifiers are one person" in looked
    assert world.person("u7") in said("value", "orders_90d", "--as-of", "2026-05-01", "--profile", "user_id:u7")
    file = tmp_path / "then.csv"
    assert said("value", "orders_90d", "--as-of", "2026-05-01", "--out", str(file)).startswith("60 people")
    assert len(file.read_text().split()) == 61
    assert "generation 1  add" in said("versions", "orders_90d")
