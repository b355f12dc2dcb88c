from __future__ import annotations

import re

import pytest

from spira.kernel.ids import show_profile
from spira.server.sessions import make_token
from spira.storage import audit
from spira.storage.warehouse import Warehouse
from spira.testing.cores import NOON, staff

PERSON = show_profile(7)


@pytest.fixture
def ann(signed_in):
    """An analyst of the whole brand."""
    return signed_in("ann", "analyst")


def test_the_page_is_not_empty_without_a_search(ann):
    """Those seen last are listed, with the lifecycle, page by page, each once."""
    first = ann.get("/api/profiles").json()
    second = ann.get("/api/profiles", params={"before": first["next"]}).json()
    ids = [each["profile_id"] for each in (*first["profiles"], *second["profiles"])]
    assert len(first["profiles"]) == 30
    assert len(set(ids)) == len(ids) == 60
    assert first["profiles"][0]["lifecycle"]
    assert ids[0] in ann.get("/people").text


def test_a_guide_lists_their_own_people_only(signed_in, core):
    """Of the people seen last, only those of the guide's unit are told."""
    client = signed_in("gus", "guide", unit_id=core.units["B"])
    ids = {each["profile_id"] for each in client.get("/api/profiles").json()["profiles"]}
    assert ids == {show_profile(number) for number in range(3, 111, 3)} & ids
    assert ids


def test_a_hit_says_what_it_was_found_by(ann):
    """The kind of identifier that fitted stands beside the person."""
    found = ann.get("/api/profiles", params={"q": "person7@example.com"}).json()["profiles"]
    assert [(each["profile_id"], each["matched"]) for each in found] == [(PERSON, "email")]


def test_somebody_is_found_by_how_their_name_begins(world):
    """The beginning of a name finds those who bear it, by the trait that it is."""
    found = world.get("/api/profiles", params={"q": "person 1"}).json()["profiles"]
    assert world.person("u1") in {each["profile_id"] for each in found}
    assert {each["matched"] for each in found} == {"name"}
    assert all("Person" not in each["name"] for each in found)


def test_an_unknown_place_in_the_list_is_no_page(ann):
    """A forged `before` answers that there is no such page."""
    assert ann.get("/api/profiles", params={"before": "x"}).status_code == 404


def test_a_persons_page_asks_the_warehouse_little(world, monkeypatch):
    """The page and its JSON take at most thirteen statements each, and read no table of many people twice."""
    asked: list[str] = []
    run = Warehouse._run
    monkeypatch.setattr(Warehouse, "_run", lambda lane, sql, params: asked.append(sql) or run(lane, sql, params))
    for path in (f"/people/{world.person()}", f"/api/profiles/{world.person()}"):
        world.get(path)  # what columns there are is asked once
        asked.clear()
        assert world.get(path).status_code == 200
        read = [" ".join(sql.split()) for sql in asked if re.search(r"\bfrom\b", sql)]
        assert len(read) <= 13, "\n".join(read)
        for table in ("identifiers", "deliveries", "traits", "trait_facts", "tags", "permissions", "suppressions"):
            assert sum(len(re.findall(rf"from {table}\b", sql)) for sql in read) == 1, table


def test_a_persons_page_shows_every_part(world, english):
    """Reach, consent, traits with their tellings, tags, audiences, messages, standings and notes stand on one page."""
    page = english(f"/people/{world.person()}")
    for id in ("reach", "consent", "traits", "identity", "timeline", "tags", "deliveries", "standings", "notes"):
        assert f'id="{id}"' in page
    assert "u7@example.com" not in page


def test_why_a_tag_has_its_value_is_the_tags_own_value(world):
    """For every tag of a person, the root of the tree has the value that the tag has."""
    person = world.person()
    tags = {each["name"]: each["value"] for each in world.get(f"/api/profiles/{person}").json()["tags"]}
    for name, value in tags.items():
        found = world.get(f"/api/profiles/{person}/why", params={"tag": name})
        assert found.status_code == 200, (name, found.text)
        assert found.json()["reason"]["value"] == pytest.approx(value), name


def test_why_an_audience_has_a_person_holds_exactly_for_its_members(world):
    """For every audience, the root holds if and only if the person is in it."""
    for user in ("u5", "u7", "u8"):
        person = world.person(user)
        mine = {each["audience"] for each in world.get(f"/api/profiles/{person}").json()["audiences"]}
        for audience in world.core.applied.of("audience"):
            found = world.get(f"/api/profiles/{person}/why", params={"audience": audience.audience}).json()
            assert found["reason"]["holds"] is (audience.audience in mine), (user, audience.audience)


def test_the_tree_that_htmx_takes_is_a_part_of_the_page(world):
    """The fragment is what the whole page contains; yes and no are words and never only colours."""
    path = f"/people/{world.person()}/why?audience=lapsed"
    whole, part = world.get(path).text, world.get(path, headers={"hx-request": "true"}).text
    assert "<html" not in part
    assert part.strip() in whole
    assert re.search(r"(Yes|No)</span>", part)


def test_a_wrong_condition_stays_in_its_box(world):
    """A condition with a fault answers with what is wrong, and keeps what was typed, as text."""
    answer = world.get(f"/people/{world.person()}/why", params={"condition": "<b>nothing"})
    assert answer.status_code == 400
    assert "&lt;b&gt;nothing</textarea>" in answer.text
    assert "<b>nothing" not in answer.text


def test_two_questions_at_once_are_refused(world):
    """A tag and an audience in one question answer that it is one too many."""
    answer = world.get(f"/api/profiles/{world.person()}/why", params={"tag": "orders_90d", "audience": "lapsed"})
    assert answer.status_code == 422


def test_why_and_identity_are_closed_to_whom_the_person_is(signed_in, core):
    """A guide of another store gets neither reasons, identity nor notes; a reader is refused."""
    client = signed_in("gus", "guide", unit_id=core.units["B"])
    for path in ("why?condition=orders_90d>1", "identity", "notes"):
        assert client.get(f"/api/profiles/{PERSON}/{path}").status_code == 404
    reader = signed_in("rae", "reader")
    assert reader.get(f"/people/{PERSON}/why").status_code == 403


def test_identity_is_drawn_in_numbers_and_listed(world, english):
    """The drawing has a line and a row for the link, and the weakest is pointed out; the address stays masked."""
    page = english(f"/people/{world.person()}/identity")
    assert "<line" in page
    assert "<circle" in page
    assert "The weakest link" in page
    assert "u7@example.com" not in page


def test_a_message_says_why_it_went_out(world):
    """A message has the journey's version and step, when the person entered, and the consent that stood then."""
    sent = world.core.lane().value("select min(profile_id) from deliveries where sent_at is not null")
    message = world.get(f"/api/profiles/{show_profile(sent)}").json()["messages"][0]
    assert message["journey"]
    assert message["entered_at"]
    assert (message["allowed"], message["reason"]) == (True, None)


def test_the_standings_are_the_gates_answer(fresh_world):
    """Who gave consent is let through, who said nothing is not for marketing, and transactional mail always goes."""
    world = fresh_world
    for user, reason in (("u1", None), ("u4", "no_consent")):
        told = world.get(f"/api/profiles/{world.person(user)}").json()["standings"]
        found = {each["purpose"]: each["reason"] for each in told if each["channel"] == "email"}
        assert found["transactional"] is None
        assert found["marketing"] in (reason, "frequency_cap" if reason is None else reason, "quiet_hours")


def test_a_note_is_written_shown_as_text_and_taken_back(signed_in, form_token, core):
    """A note comes back escaped; only its author sees the button; both acts are audited without the text."""
    client = signed_in("ann", "analyst")
    path = f"/people/{PERSON}"
    form = {"csrf": form_token(path), "text": "<script>alert(1)</script> likes tea"}
    answer = client.post(f"{path}/notes", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=note_written")
    page = client.get(path).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; likes tea" in page
    assert "<script>alert" not in page
    number = re.search(r"/notes/(\d+)/delete", page)[1]
    assert client.post(f"{path}/notes/{number}/delete", data={"csrf": form["csrf"]}, follow_redirects=False).is_redirect
    assert "likes tea" not in client.get(path).text
    acts = [row for row in audit.latest(core.state) if row.action.startswith("note.")]
    assert [row.action for row in acts] == ["note.take_back", "note.write"]
    assert "tea" not in str(acts)


def test_a_note_that_is_too_long_stays_in_its_box(signed_in, form_token):
    """What can't be kept is shown again with what is wrong."""
    client = signed_in("ann", "analyst")
    form = {"csrf": form_token(f"/people/{PERSON}"), "text": "y" * 2001}
    answer = client.post(f"/people/{PERSON}/notes", data=form)
    assert answer.status_code == 422
    assert "y" * 2001 in answer.text


def test_anothers_note_is_not_taken_back(signed_in, form_token):
    """A colleague sees the note, without a button, and is refused."""
    client = signed_in("ann", "analyst")
    client.post(f"/people/{PERSON}/notes", data={"csrf": form_token(f"/people/{PERSON}"), "text": "mine"})
    number = client.get(f"/api/profiles/{PERSON}/notes").json()["notes"][0]["note_id"]
    other = signed_in("bob", "operator")
    assert "/delete" not in other.get(f"/people/{PERSON}").text
    form = {"csrf": form_token(f"/people/{PERSON}")}
    assert other.post(f"/people/{PERSON}/notes/{number}/delete", data=form).status_code == 403


def test_the_timeline_holds_every_kind_and_its_address_the_filter(world, english):
    """The page of a kind shows that kind alone, its JSON the same, and the way on keeps what was chosen."""
    sent = show_profile(world.core.lane().value("select min(profile_id) from deliveries where sent_at is not null"))
    told = world.get(f"/api/profiles/{sent}/timeline", params={"limit": 200}).json()
    kinds = {each["kind"] for day in told["days"] for each in day["moments"]}
    assert {"event", "consent", "message", "audience", "journey", "identity"} <= kinds
    page = english(f"/people/{sent}?kind=message")
    assert "Message:" in page
    assert "Entered journey" not in page
    whole = english(f"/people/{sent}")
    assert "Entered journey" in whole
    assert re.search(r'href="\?kind=message[^"]*#timeline"', whole)


@pytest.mark.parametrize("wrong", ["kind=cat", "since=yesterday", "until=x"])
def test_a_filter_that_is_none_is_said_at_the_timeline(world, wrong):
    """The page stays and says what is wrong; the API refuses it."""
    assert world.get(f"/api/profiles/{world.person()}/timeline?{wrong}").status_code == 422
    answer = world.get(f"/people/{world.person()}?{wrong}")
    assert answer.status_code == 422
    assert 'id="timeline"' in answer.text


def test_a_colleague_who_is_called_in_a_note_finds_it(client, core):
    """Their name after an @ puts a count on their pages and the note on theirs, until they mark it as seen."""
    gus, ann = (
        {"authorization": f"Bearer {make_token(core.state, one.staff_id, name='x', at=NOON)}"}
        for one in (staff(core, "gus", "guide", unit_id=core.units["A"]), staff(core, "ann lee", "operator"))
    )
    notes = f"/api/profiles/{PERSON}/notes"
    number = client.post(notes, json={"text": "See this, @ANN LEE!"}, headers=gus).json()["note_id"]
    assert client.post(f"{notes}/{number}/edit", json={"text": "Look, @Ann lee!"}, headers=gus).status_code == 200
    assert 'href="/notes"' in client.get("/people", headers=ann).text
    found = client.get("/api/notes", headers=ann).json()
    assert (found["waiting"], found["calls"][0]["note"]["text"]) == (1, "Look, @Ann lee!")
    assert "Look, @Ann lee!" in client.get("/notes", headers=ann).text
    assert "See this" in client.get(f"/people/{PERSON}/notes/{number}", headers=ann).text
    assert client.post("/notes/seen", headers=ann, follow_redirects=False).status_code == 303
    assert client.get("/api/notes", headers=ann).json()["waiting"] == 0
    assert client.get("/api/notes", headers=gus).json()["calls"] == []
