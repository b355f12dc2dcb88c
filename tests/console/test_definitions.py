"""Definitions in the console: nothing changes before its plan was seen, and nothing is ever lost."""

from __future__ import annotations

import html
import re

import pytest

from spira.testing.cores import staff

AUDIENCE = "audience: big_baskets\nlabel: {zh-CN: 大单, en: Big baskets}\nwho: average_basket >= 20\n"
HOSTILE = ["../../etc/x", "a/b", "<img src=x>", "data/x", "‮gnp", "x" * 300, "", ".hidden"]


def hidden(page):
    """What the plan's own form would send, as a browser does."""
    inside = page[page.index('action="/definitions/apply"') :]
    inside = inside[: inside.index("</form>")]
    sent = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inside))
    sent |= dict(re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', inside, re.DOTALL))
    return {name: html.unescape(value) for name, value in sent.items()}


def draft(world, **form):
    return world.post("/definitions/draft", data={"way": "write", **form})


def test_a_definition_is_planned_with_people_and_then_applied_as_seen(fresh_world):
    """The plan says who enters, writes nothing; its button writes the file and makes a generation."""
    world = fresh_world
    page = draft(world, text=AUDIENCE, goal="/audiences/big_baskets").text
    place = world.core.directory / "audiences" / "big_baskets.yaml"
    assert not place.exists()
    assert re.search(r"<b class=\"tabular\">\d+</b> enter", page)
    answer = world.post("/definitions/apply", data=hidden(page), follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/audiences/big_baskets?done=definitions_applied_by_hand"
    assert place.read_text(encoding="utf-8") == AUDIENCE
    assert world.core.applied.generation == 2
    assert "Big baskets" in world.get("/definitions?kind=audience").text


def test_a_plan_that_is_too_old_is_not_carried_out(fresh_world):
    """When the world has moved since, the new plan is shown and nothing was applied."""
    world = fresh_world
    sent = hidden(draft(world, text=AUDIENCE).text)
    other = draft(world, text=AUDIENCE.replace("big_baskets", "others")).text
    world.post("/definitions/apply", data=hidden(other))
    answer = world.post("/definitions/apply", data=sent, follow_redirects=False)
    assert answer.status_code == 409
    assert world.core.applied.find("audience", "big_baskets") is None
    assert world.post("/definitions/apply", data=hidden(answer.text), follow_redirects=False).status_code == 303


@pytest.mark.parametrize("text", [AUDIENCE, AUDIENCE.replace("average_basket", "average_baskt")])
def test_a_plan_stays_what_it_is_in_another_language_and_theme(world, text):
    """The switch asks for the same plan again, faults and all: no letter of what was typed is lost."""
    page = draft(world, text=text, goal="/audiences/big_baskets").text
    inside = page[page.index('action="/me/preferences"') :]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inside[: inside.index("</form>")]))
    sent = {name: html.unescape(value) for name, value in fields.items()} | {"language": "zh-CN"}
    answer = world.post("/me/preferences", data=sent, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/definitions/draft")
    again = world.post("/definitions/draft", data=sent, headers={"cookie": "spira_language=zh-CN"})
    assert '<html lang="zh-CN"' in again.text
    assert f">{html.escape(text, quote=False)}</textarea>" in again.text.replace("&#39;", "'").replace("&#34;", '"')
    assert ('action="/definitions/apply"' in again.text) == (text == AUDIENCE)
    assert world.core.applied.find("audience", "big_baskets") is None


def test_the_plan_of_the_files_is_a_page_that_is_simply_asked_for(world):
    """What lies in the files is nobody's text: the switch leads back to the page."""
    page = world.get("/definitions/plan").text
    assert 'name="next" value="/definitions/plan"' in page


def test_faults_are_drawn_at_their_place_and_the_text_is_kept(world):
    """A wrong condition is pointed at; what was typed stands in the box again, and no button applies it."""
    answer = draft(world, text=AUDIENCE.replace("average_basket", "average_baskt"))
    assert answer.status_code == 422
    assert "average_baskt &gt;= 20" in answer.text
    assert "^^^^^^^^^^^^^" in answer.text
    assert 'action="/definitions/apply"' not in answer.text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_leads_nowhere(world, name):
    """Neither a path in a name nor markup gets into a file's place or onto the page."""
    answer = draft(world, kind="audience", name=name, text=f"audience: '{name}'\nwho: average_basket > 1\n")
    assert answer.status_code in (400, 403, 404, 422)
    assert "<img src=x>" not in answer.text
    assert world.core.plan().changes == ()


def test_a_text_that_is_too_large_or_no_yaml_is_an_answer(world):
    """Two megabytes, control signs, anchors that multiply and several documents are told, not failed on."""
    bomb = "audience: x\nwho: &a [1]\n" + "\n".join(f"k{n}: *a" for n in range(50))
    for text in ("a" * 1_900_000, "\x00\x01", bomb, "audience: a\nwho: a > 1\n---\naudience: b\nwho: a > 1\n", ""):
        assert draft(world, kind="audience", name="x", text=text).status_code in (400, 404, 409, 413, 422), text[:40]
    assert world.core.plan().changes == ()


def test_taking_away_asks_for_the_name_and_shows_what_it_reaches(fresh_world):
    """What a journey enters by can not be taken away alone; what nothing uses can, with its name typed."""
    world = fresh_world
    used = draft(world, way="remove", kind="audience", name="lapsed")
    assert used.status_code == 422
    assert 'pre class="fault"' in used.text
    page = draft(world, way="remove", kind="audience", name="coupon_lovers").text
    sent = hidden(page)
    assert world.post("/definitions/apply", data=sent, follow_redirects=False).status_code == 422
    answer = world.post("/definitions/apply", data={**sent, "sure": "coupon_lovers"}, follow_redirects=False)
    assert answer.status_code == 303
    assert world.core.applied.find("audience", "coupon_lovers") is None


def test_going_back_makes_another_generation_that_says_what_the_first_did(fresh_world):
    """History only grows: after a change and going back, generation 3 is generation 1 again."""
    world = fresh_world
    first = {(each.kind, each.name): each.fingerprint for each in world.core.applied.definitions}
    world.post("/definitions/apply", data=hidden(draft(world, text=AUDIENCE).text))
    view = world.get("/api/definitions/history/2").json()
    assert [(each["action"], each["name"]) for each in view["changes"]] == [("add", "big_baskets")]
    assert {"mark": "+", "text": "audience: big_baskets"} in view["changes"][0]["lines"]
    sent = hidden(draft(world, way="roll_back", generation="1").text)
    assert world.post("/definitions/apply", data={**sent, "sure": "1"}, follow_redirects=False).status_code == 303
    assert world.core.applied.generation == 3
    assert {(each.kind, each.name): each.fingerprint for each in world.core.applied.definitions} == first
    assert not (world.core.directory / "audiences" / "big_baskets.yaml").exists()
    assert [each["generation"] for each in world.get("/api/definitions/history").json()["generations"]] == [3, 2, 1]


def test_an_audience_is_saved_from_the_builder(fresh_world):
    """What was built becomes a definition through the same plan; another condition keeps the rest of its text."""
    world = fresh_world
    form = {"name": "often", "label_en": "Often", "label_zh": "常客", "condition": "orders_90d >= 3", "editing": ""}
    page = world.post("/audiences/save", data=form).text
    world.post("/definitions/apply", data=hidden(page))
    assert world.core.applied.get("audience", "often").model.who == "orders_90d >= 3"
    again = world.post(
        "/audiences/save", data={"editing": "often", "condition": "orders_90d >= 4\nand orders_total > 5"}
    )
    world.post("/definitions/apply", data=hidden(again.text))
    model = world.core.applied.get("audience", "often").model
    assert model.who.strip() == "orders_90d >= 4\nand orders_total > 5"
    assert model.label == {"zh-CN": "常客", "en": "Often"}


def test_an_audience_without_a_name_gets_one(world):
    """From its English label, another one where that is taken or reserved, and a plain one without such a label."""
    form = {"op": "save", "condition": "orders_90d >= 5"}
    for label, name in (("Loyal & near", "loyal_near"), ("Lapsed", "lapsed_2"), ("New", "new_2"), ("", "audience")):
        answer = world.post("/audiences/save", data={**form, "label_en": label})
        assert f"audience: {name}\n" in html.unescape(answer.text)


def test_a_destination_is_begun_from_an_audience(world):
    """The page of an audience leads to a text that is about it; about none that does not exist."""
    path = "/definitions/new?kind=destination&audience="
    assert f'{path}lapsed"' in html.unescape(world.get("/audiences/lapsed").text)
    assert "audience: lapsed\n" in html.unescape(world.get(f"{path}lapsed").text)
    assert "audience: loyal\n" in html.unescape(world.get(f"{path}nobody").text)


def test_an_earlier_text_of_one_definition_is_taken_again(fresh_world):
    """Only this definition goes back: what else came since stays, and nothing is written before a plan is seen."""
    world = fresh_world
    was = world.get("/api/definitions/audience/lapsed").json()["text"]
    for way in (
        {"editing": "lapsed", "condition": "orders_total >= 9"},
        {"name": "often", "condition": "orders_total > 8"},
    ):
        world.post("/definitions/apply", data=hidden(world.post("/audiences/save", data=way).text))
    page = world.get("/definitions/audience/lapsed?earlier=1").text
    assert 'href="?earlier=1"' in page
    shown = world.get("/api/definitions/audience/lapsed?earlier=1").json()
    assert (shown["earlier"], shown["text"].split()) == (1, was.split())
    world.post("/definitions/apply", data=hidden(draft(world, kind="audience", name="lapsed", text=shown["text"]).text))
    assert world.core.applied.find("audience", "often") is not None
    assert "orders_total >= 9" not in world.core.applied.get("audience", "lapsed").node.text


def test_a_templates_files_are_changed_with_it(fresh_world):
    """The body beside a template is edited on its page, and planned as a change of words."""
    world = fresh_world
    found = world.get("/api/definitions/template/we_miss_you").json()
    (name, text), *_ = found["companions"].items()
    form = {"kind": "template", "name": "we_miss_you", "text": found["text"], f"file:{name}": text + "<!-- x -->\n"}
    page = draft(world, **form).text
    assert f"{name} is rewritten" in page
    world.post("/definitions/apply", data=hidden(page))
    assert "<!-- x -->" in (world.core.directory / "templates" / name).read_text(encoding="utf-8")


def test_what_was_changed_by_hand_waits_to_be_applied(fresh_world):
    """A file that an editor saved shows as pending, with a plan and a button; a faulty one with its fault."""
    world = fresh_world
    place = world.core.directory / "audiences" / "mine.yaml"
    place.write_text("audience: mine\nwho: orders_total >= 2\n", encoding="utf-8")
    assert "One definition differs from what is applied" in world.get("/definitions").text
    page = world.get("/definitions/plan").text
    assert world.post("/definitions/apply", data=hidden(page), follow_redirects=False).status_code == 303
    place.write_text("audience: mine\nwho: nonsense(\n", encoding="utf-8")
    page = world.get("/definitions").text
    assert "One fault in the files" in page
    assert "nonsense(" in page


def test_definitions_are_closed_to_who_may_not_define(signed_in, core):
    """A guide, and an operator of one store, get neither the pages nor the plan."""
    client = signed_in("gil", "guide")
    assert client.get("/definitions").status_code == 403
    assert client.get("/api/definitions/plan").status_code == 403
    staff(core, "una", "operator", unit_id=core.units["A"])
    assert 'href="/definitions"' not in client.get("/cockpit").text
