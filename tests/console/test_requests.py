"""Requests: looking somebody up, giving out what is known, and erasing with a receipt."""

from __future__ import annotations

import json

import pytest
from litestar.testing import TestClient

from spira.kernel.ids import show_profile
from spira.server.sessions import open_session
from spira.server.staff import NewStaff, add_staff
from spira.storage import audit
from spira.storage.audit_chain import examine

ADDRESS = "u7@example.com"
EMAIL = {"kind": "email", "identifier": ADDRESS}


@pytest.fixture
def officer(fresh_world, lent):
    """A privacy officer at a world of their own."""
    core = fresh_world.core
    made = add_staff(
        core.state,
        NewStaff(email="pia@example.org", name="Pia", roles=("privacy_officer",)),
        at=core.clock.now(),
    )
    app = lent(core, wall=core.clock)
    client = TestClient(app, raise_server_exceptions=False)
    client.cookies.set("spira_session", open_session(core.state, made.staff_id, at=core.clock.now(), hours=8))
    client.cookies.set("spira_language", "en")
    page = client.get("/requests").text
    client.headers["x-csrf-token"] = page.split('name="csrf" value="')[1].split('"')[0]
    client.world = fresh_world
    return client


def acts(client, action):
    return [row for row in audit.latest(client.world.core.state, limit=50) if row.action == action]


def test_looking_up_shows_a_masked_card_and_leaves_no_trace_in_an_address(officer):
    """The card says how much there is; the address stands only in the form that it came in."""
    page = officer.post("/requests/look-up", data=EMAIL).text
    profile = officer.world.person("u7")
    assert profile in page
    assert "Person 7" not in page
    assert f'data-confirm="{profile}"' in page
    assert ">Erase for good" in page
    assert ADDRESS not in page.replace(f'value="email:{ADDRESS}"', "").replace(f'value="{ADDRESS}"', "")
    assert officer.post("/requests/look-up", data={"kind": "email", "identifier": "no@example.com"}).status_code == 404
    assert officer.post("/requests/look-up", data={"kind": "email", "identifier": "nothing"}).status_code == 404


def test_a_persons_page_leads_to_what_they_may_ask_for(officer, signed_in):
    """Its form looks them up by an id that is no address; whoever may not answer requests sees none."""
    profile = officer.world.person("u7")
    page = officer.get(f"/people/{profile}").text
    form = page.split('action="/requests/look-up#card"')[1].split("</form>")[0]
    assert "@" not in form
    told = {name: form.split(f'name="{name}" value="')[1].split('"')[0] for name in ("kind", "identifier")}
    card = officer.post("/requests/look-up", data=told).text
    assert f'data-confirm="{profile}"' in card
    assert f'name="identifier" value="{told["identifier"]}" required' in card.split('id="file"')[1]
    analyst = signed_in("ann", "analyst")
    assert "/requests/look-up" not in analyst.get(f"/people/{show_profile(7)}").text


def test_everything_about_a_person_is_given_out_and_written_down(officer):
    """A JSON file and a page to print, both in clear; each is an act that names the profile and no value."""
    form = {"identifier": f"email:{ADDRESS}", "form": "json"}
    answer = officer.post("/requests/export", data=form)
    profile = officer.world.person("u7")
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{profile}')
    told = answer.json()
    assert {each["shown"] for each in told["identifiers"]} == {"u7", ADDRESS}
    assert "Person 7" in {each["shown"] for each in told["traits"]}
    assert sum(each["event"] == "Order Completed" for each in told["events"]) == 7
    assert all(each["lines"] for each in told["events"] if each["event"] == "Order Completed")
    page = officer.post("/requests/export", data={**form, "form": "page"}).text
    assert all(word in page for word in (ADDRESS, "Person 7"))
    assert told == officer.post("/api/requests/export", json={"identifier": form["identifier"]}).json()
    written = acts(officer, "person.export")
    assert [row.subject for row in written] == [profile] * 3
    assert ADDRESS not in json.dumps([str(row) for row in written])


def test_erasing_needs_the_id_that_the_card_shows(officer):
    """A wrong word erases nobody, says so, and keeps the card."""
    answer = officer.post("/requests/erase", data={"identifier": f"email:{ADDRESS}", "confirm": "yes"})
    assert answer.status_code == 422
    assert "Erase for good" in answer.text
    assert officer.get(f"/people/{officer.world.person('u7')}").status_code == 200
    assert acts(officer, "erase") == []


def test_a_person_is_erased_with_a_receipt_that_names_nobody(officer):
    """The receipt can be read again by its number; the person is gone from everywhere, and it is in the register."""
    profile = officer.world.person("u7")
    form = {"identifier": f"email:{ADDRESS}", "confirm": profile}
    answer = officer.post("/requests/erase", data=form, follow_redirects=False)
    assert answer.status_code == 303
    page = officer.get(answer.headers["location"]).text
    assert "The person was erased from every store" in page
    assert not any(word in page for word in (ADDRESS, "Person 7", profile))
    (row,) = acts(officer, "erase.receipt")
    shown = officer.get(f"/api/requests?receipt={row.number}").json()
    tables = {each["table"]: each["rows"] for each in shown["receipt"]["rows"]}
    assert tables["vault"] >= 2
    assert tables["events"] >= 8
    assert shown["erasures"][0] == {
        "erased_at": shown["receipt"]["erased_at"],
        "finished": True,
        "identifiers": 2,
        "receipt": row.number,
    }
    filed = [each["request"] for each in shown["rows"] if each["request"]["receipt"] == row.number]
    assert [(each["right"], each["status"], each["origin"]) for each in filed] == [("erasure", "done", "staff")]
    assert officer.post("/requests/look-up", data=EMAIL).status_code == 404
    assert officer.get(f"/people/{profile}").status_code == 404
    assert examine(officer.world.core.state).whole
    assert officer.get("/requests?receipt=1").status_code == 404


def test_an_erasure_over_the_api_has_a_receipt_as_well(officer):
    """The answer is as before, and its number leads to the receipt."""
    made = officer.post("/api/erase", json={"identifier": f"email:{ADDRESS}"}).json()
    assert made["identifiers"] == 2
    assert officer.get(f"/api/requests?receipt={made['receipt']}").json()["receipt"]["identifiers"] == 2


def test_an_administrator_may_erase_and_not_have_the_data(world):
    """Giving out is for a privacy officer alone, on the page and over the API."""
    page = world.post("/requests/look-up", data=EMAIL, headers={"cookie": "spira_language=en"}).text
    assert "Only a privacy officer can do this" in page
    assert world.post("/requests/export", data={"identifier": f"email:{ADDRESS}"}).status_code == 403
    assert world.post("/api/requests/export", json={"identifier": f"email:{ADDRESS}"}).status_code == 403


def test_requests_are_for_privacy_officers_of_the_whole(signed_in, core):
    """Neither an analyst nor the privacy officer of one store gets in."""
    assert signed_in("ann", "analyst").get("/requests").status_code == 403
    assert signed_in("pia", "privacy_officer", unit_id=core.units["A"]).get("/requests").status_code == 403
