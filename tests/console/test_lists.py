from __future__ import annotations

import csv
import io
import re

import pytest
from litestar.testing import TestClient

from spira.console.columns import TEXTS, columns_of
from spira.console.labels import by_label
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.server.columns import SHEETS
from spira.storage import audit
from spira.storage.vault import seal_value
from spira.testing.houses import NOON

PERSON, OTHER = show_profile(7), show_profile(8)
LISTS = sorted(SHEETS)


def heads(page: str) -> list[str]:
    """What the columns of a page's list are called, without the boxes."""
    head = re.search(r"<thead>(.*?)</thead>", page, re.DOTALL).group(1)
    return [re.sub(r"<[^>]+>", "", each).strip() for each in re.findall(r'<th (?!class="pick").*?</th>', head)]


def rows(answer) -> list[list[str]]:
    """A CSV file as rows."""
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def of(core, action: str) -> list[audit.AuditRow]:
    return [each for each in audit.latest(core.state) if each.action == action]


@pytest.fixture
def post(form_token):
    """A form posted by whoever is signed in."""

    def send(client, path, **form):
        return client.post(path, data={"csrf": form_token("/audiences"), **form}, follow_redirects=False)

    return send


@pytest.fixture
def phone(core):
    """Person 7 has a telephone number."""
    sealed = seal_value(core.keys, "phone", "+8613800001234")
    core.vault.put([sealed])
    core.house.warehouse.execute(
        "insert into identifiers (subject_id, subject_key, kind, first_seen, batch) values (?, ?, 'phone', ?, 1)",
        [20_007, sealed.key, NOON],
    )
    core.house.warehouse.execute("update identifiers set key_head = ('0x' || subject_key[1:16])::ubigint")
    core.house.warehouse.execute("insert into moved (subject_id, profile_id, batch) values (20007, 7, 1)")
    return "+8613800001234"


@pytest.mark.parametrize("name", LISTS)
def test_every_list_has_its_menu_of_columns(world, name):
    """The page of a list shows the columns of its default, each box is named, and the first column has no box."""
    page = world.get(SHEETS[name].path, headers={"cookie": "spira_language=en"}).text
    core = world.core
    viewer = Viewer(staff_id="x", name="x", roles=frozenset({"administrator"}), units=None, language="en")
    columns = columns_of(core, viewer, name)
    assert heads(page) == [columns.first, *(each.text for each in columns.columns if each.shown)]
    boxes = re.findall(r'name="column" value="([^"]+)"', page)
    assert boxes == [each.name for each in columns.columns]
    assert "checked disabled" in page


def test_every_column_is_called_something():
    """Every column of every list has its text, and no text is there for none."""
    named = {f"{name}.{each}" for name, sheet in SHEETS.items() for each in sheet.columns}
    alike = {each.partition(".")[2] for each in named}
    assert {each for each in named if each not in TEXTS and each.partition(".")[2] not in TEXTS} == set()
    assert set(TEXTS) <= named | alike | set(SHEETS)


def test_a_choice_is_kept_and_holds_on_another_device(signed_in, post):
    """What is ticked is shown at the next visit too, by a new session; a list stays as it was narrowed."""
    ann = signed_in("ann", "analyst")
    answer = post(ann, "/lists/people/columns", column=["email", "made_up"], query="before=x&done=1")
    assert answer.headers["location"] == "/people?before=x"
    assert heads(ann.get("/people").text) == ["Name", "E-mail"]
    ann.cookies.clear()
    again = signed_in("bob", "analyst")
    assert heads(again.get("/people").text) != ["Name", "E-mail"]


def test_the_default_comes_back(signed_in, post):
    """Whoever chose is offered the default; taking it is the list as it was at first."""
    ann = signed_in("ann", "analyst")
    first = heads(ann.get("/people").text)
    assert "Back to the default" not in ann.get("/people").text
    post(ann, "/lists/people/columns", column="email")
    assert "Back to the default" in ann.get("/people").text
    post(ann, "/lists/people/columns", column="email", op="default")
    assert "Back to the default" not in ann.get("/people").text
    assert heads(ann.get("/people").text) == first


def test_the_first_column_can_not_be_hidden(signed_in, post):
    """With nothing ticked, a list still leads to its things."""
    ann = signed_in("ann", "analyst")
    post(ann, "/lists/people/columns")
    page = ann.get("/people").text
    assert heads(page) == ["Name"]
    assert f'href="/people/{show_profile(110)}"' in page or 'href="/people/p_' in page


def test_a_choice_leads_only_to_its_list(signed_in, post):
    """What a form says of where it was is only ever a query of the list's own page."""
    ann = signed_in("ann", "analyst")
    answer = post(ann, "/lists/people/columns", column="unit", query="//evil.example/?x=1\r\n")
    assert answer.headers["location"].startswith("/people?")
    assert post(ann, "/lists/nothing/columns", column="unit").status_code == 404


def test_tags_that_are_columns_are_told_alike_by_the_api(world):
    """A list with tags and the last purchase as columns says what the API answers when it is asked for them."""
    told = world.get("/api/profiles", params={"tag": ["orders_90d", "gone"], "orders": "true"}).json()["profiles"]
    assert all(set(each["tags"]) == {"orders_90d"} for each in told)
    assert any(each["last_order_at"] for each in told)
    world.client.put(
        "/api/lists/people/columns",
        json={"shown": ["last_order", "tag:orders_90d"]},
        headers={"authorization": "Bearer local"},
    )
    try:
        seen = []

        async def spying(scope, receive, send):
            seen.append(scope)
            await world.app(scope, receive, send)

        page = TestClient(spying).get("/people", headers={"authorization": "Bearer local"})
        assert next(each["view"] for each in seen if each.get("view"))["profiles"] == told
        assert len(page.content) < 80_000
    finally:
        world.client.delete("/api/lists/people/columns", headers={"authorization": "Bearer local"})


def test_a_guide_knows_whom_they_see(signed_in, core, phone):
    """A guide's list has the last four digits of the telephone and the last purchase, and nothing in clear."""
    core.house.warehouse.execute("update profiles set unit_id = ? where profile_id = 7", [core.units["B"]])
    gus = signed_in("gus", "guide", unit_id=core.units["B"])
    page = gus.get("/people").text
    assert {"Phone", "Last purchase", "Unit"} <= set(heads(page))
    assert phone not in page
    found = gus.get("/people", params={"q": "phone:13800001234"}, headers={"hx-request": "true"}).text
    assert "***1234" in found
    assert phone not in found


def test_one_value_is_shown_and_written_down(signed_in, core, phone, post):
    """One click shows one contact value; the audit knows of whom and of which kind, and not the value."""
    core.house.warehouse.execute("update profiles set unit_id = ? where profile_id = 7", [core.units["B"]])
    gus = signed_in("gus", "guide", unit_id=core.units["B"])
    answer = post(gus, f"/people/{PERSON}/contact", kind="phone", reason="rang about order 7")
    assert phone in answer.text
    (line,) = of(core, "person.value_shown")
    assert (line.subject, line.detail) == (PERSON, {"kind": "phone", "reason": "rang about order 7"})
    assert phone not in str(line)
    asked = post(gus, f"/people/{PERSON}/contact", kind="phone").text
    assert "Why do you need it?" in asked
    assert phone not in asked
    assert len(of(core, "person.value_shown")) == 1


@pytest.mark.usefixtures("phone")
def test_a_value_is_shown_to_nobody_else(signed_in, core, post):
    """Other roles, and guides of other units, get no value; nothing is written as shown."""
    ann = signed_in("ann", "analyst")
    assert post(ann, f"/people/{PERSON}/contact", kind="phone").status_code == 403
    assert 'class="reveal"' not in ann.get("/people").text
    core.house.warehouse.execute("update profiles set unit_id = ? where profile_id = 7", [core.units["A"]])
    ann.cookies.clear()
    gus = signed_in("gus", "guide", unit_id=core.units["B"])
    assert post(gus, f"/people/{PERSON}/contact", kind="phone", reason="because").status_code == 404
    assert post(gus, f"/people/{show_profile(6)}/contact", kind="name", reason="because").status_code == 404
    assert of(core, "person.value_shown") == []


def test_one_note_is_written_about_all_who_are_ticked(signed_in, core, post):
    """The note stands with each of them, and each is in the audit."""
    ann = signed_in("ann", "analyst")
    answer = post(ann, "/people/selected/note", chosen=[PERSON, OTHER, PERSON], text="Asked for the <b>catalogue")
    assert answer.headers["location"].startswith("/people?")
    for person in (PERSON, OTHER):
        assert [each["text"] for each in ann.get(f"/api/profiles/{person}/notes").json()["notes"]] == [
            "Asked for the <b>catalogue"
        ]
    assert sorted(each.subject for each in of(core, "note.write")) == sorted([PERSON, OTHER])


def test_a_note_is_kept_about_all_or_nobody(signed_in, core, post):
    """If one of those ticked is not the viewer's to see, nothing is kept; what was typed and ticked stays."""
    gus = signed_in("gus", "guide", unit_id=core.units["B"])
    page = post(gus, "/people/selected/note", chosen=[show_profile(3), show_profile(4)], text="A typed text")
    assert page.status_code == 404
    assert ">A typed text</textarea>" in page.text
    assert re.search(rf'value="{show_profile(3)}"[^>]* checked', page.text)
    assert of(core, "note.write") == []


def test_nobody_ticked_and_nothing_written_are_said(signed_in, post):
    """Without a selection, or without a text, the page says what is missing."""
    ann = signed_in("ann", "analyst")
    assert post(ann, "/people/selected/note", text="x").status_code == 422
    assert post(ann, "/people/selected/note", chosen=[PERSON], text=" ").status_code == 422
    assert post(ann, "/people/selected/note", chosen=[PERSON] * 201, text="x").status_code == 422


def test_those_who_are_ticked_are_taken_as_a_file(signed_in, core, post):
    """The file has the people in the order ticked, masked, with the tags that are columns; the audit says so."""
    ann = signed_in("ann", "analyst")
    answer = post(ann, "/people/selected/export", chosen=[OTHER, PERSON], purpose="analysis")
    told = rows(answer)
    assert [each[0] for each in told] == ["id", OTHER, PERSON]
    assert "person7" not in answer.text
    (line,) = of(core, "people.export")
    assert line.detail["people"] == [OTHER, PERSON]
    assert (line.detail["purpose"], line.detail["in_clear"]) == ("analysis", False)


def test_for_writing_to_people_only_those_leave_who_allow_it(world):
    """Of those ticked, only who may be written to is in the file; how many are not is said."""
    chosen = [world.person(f"u{number}") for number in (4, 5, 6)]  # the fourth never allowed it
    asked = {"profiles": chosen, "purpose": "marketing", "channel": "email"}
    answer = world.post("/api/profiles/selected/export", json=asked)
    assert answer.status_code == 200, answer.text
    assert [each[0] for each in rows(answer)[1:]] == chosen[1:]
    assert answer.headers["x-spira-left-out"] == "1"


def test_a_file_needs_its_purpose_and_the_right_role(signed_in, core, post):
    """Without a purpose the page says so, addresses are not for every role, and a guide takes no file at all."""
    ann = signed_in("ann", "analyst")
    assert post(ann, "/people/selected/export", chosen=[PERSON]).status_code == 409
    refused = post(ann, "/people/selected/export", chosen=[PERSON], purpose="marketing", channel="email",
                   contacts="yes")  # fmt: skip
    assert refused.status_code == 403
    ann.cookies.clear()
    gus = signed_in("gus", "guide", unit_id=core.units["B"])
    assert post(gus, "/people/selected/export", chosen=[show_profile(3)], purpose="analysis").status_code == 403
    assert "Take the file" not in gus.get("/people").text
    assert of(core, "people.export") == []


def test_ticked_audiences_are_compared(world, english):
    """Those that are ticked are compared as if they had been chosen there; four are one too many."""
    names = [each.audience for each in world.core.applied.of("audience")][:4]
    two = english(f"/audiences/compare?chosen={names[0]}&chosen={names[1]}")
    assert f'value="{names[0]}" selected' in two
    assert f'value="{names[1]}" selected' in two
    four = world.get("/audiences/compare", params={"chosen": names})
    assert four.status_code == 409


def test_figures_of_audiences_are_taken_away(world):
    """The file has the ticked audiences, or all; nobody is named in it."""
    names = [each.audience for each in world.core.applied.of("audience")]
    told = rows(world.get("/audiences/figures", params={"chosen": names[:2]}))
    assert {each[0] for each in told[1:]} == set(names[:2])
    assert len(rows(world.get("/audiences/figures"))) == len(names) + 1


def test_ticked_deliveries_are_taken_away(world):
    """The file has the deliveries ticked, people masked; numbers that are none are passed over."""
    known = [
        str(each["delivery_id"]) for each in world.get("/api/deliveries", params={"limit": 2}).json()["deliveries"]
    ]
    answer = world.post("/deliveries/selected/export", data={"chosen": [*known, "x"]})
    assert [each[0] for each in rows(answer)[1:]] == known
    assert rows(world.post("/api/deliveries/export", json={"deliveries": known})) == rows(answer)
    assert "@example.com" not in answer.text
    assert world.post("/api/deliveries/export", json={"deliveries": []}).status_code == 422


def test_an_audience_that_waits_has_no_figure(fresh_world):
    """What was applied after the last refresh waits; the next refresh gives it a figure, even of 0, which it keeps."""
    path = fresh_world.core.directory / "audiences" / "nobody.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("audience: nobody\nwho: count_of('Order Completed') > 1000\n", encoding="utf-8")
    fresh_world.core.apply(Viewer(staff_id="x", name="x", roles=frozenset({"administrator"}), language="en"))
    page = fresh_world.get("/audiences", headers={"cookie": "spira_language=en"}).text
    assert "not worked out yet" in page
    assert fresh_world.get("/api/audiences/nobody").json()["count"] is None
    assert fresh_world.get("/audiences/nobody").status_code == 200
    others = {each["audience"]: each["members"] for each in fresh_world.get("/api/audiences").json()["audiences"]}
    assert others["lapsed"] is not None
    fresh_world.core.refresh()
    assert fresh_world.get("/api/audiences/nobody").json()["count"] == 0
    assert "not worked out yet" not in fresh_world.get("/audiences", headers={"cookie": "spira_language=en"}).text
    path.with_name("nobody_else.yaml").write_text(
        "audience: nobody_else\nwho: count_of('Order Completed') > 2000\n", encoding="utf-8"
    )
    fresh_world.core.apply(Viewer(staff_id="x", name="x", roles=frozenset({"administrator"}), language="en"))
    assert fresh_world.get("/api/audiences/nobody").json()["count"] == 0
    assert fresh_world.get("/api/audiences/nobody_else").json()["count"] is None


def test_events_stand_in_the_order_of_their_labels():
    """Names are ordered by what they are called; Chinese by its reading, and Latin letters before it."""
    labels = {"B": "完成订单", "A": "查看商品", "C": "apple", "D": "Banana"}
    assert by_label(labels, labels, "en")[:2] == ["C", "D"]
    assert by_label(labels, labels, "zh-CN") == ["C", "D", "A", "B"]


def test_the_builder_offers_events_by_their_labels(world):
    """In either language, the events of a sentence are in the order of what they are called in it."""
    for language in ("en", "zh-CN"):
        page = world.get(
            "/audiences/new",
            params={"condition": "did('Order Completed', within => '30 days')"},
            headers={"cookie": f"spira_language={language}"},
        ).text
        options = re.search(r'<select class="word main" name="f:[^"]*:event".*?</select>', page, re.DOTALL).group(0)
        told = dict(re.findall(r'<option value="([^"]+)"[^>]*>([^<]+)<', options))
        assert list(told) == by_label(told, told, language)


def test_the_list_that_htmx_takes_is_a_part_of_the_page(world):
    """The part is what the whole page contains, with what was searched for."""
    path = "/people?q=person"
    whole, part = world.get(path).text, world.get(path, headers={"hx-request": "true"}).text
    assert "<html" not in part
    assert part.strip() in whole
    assert 'name="chosen"' in part
