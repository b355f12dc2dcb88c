from __future__ import annotations

import re

import pytest

from spira.kernel.viewer import ROLES
from spira.server.powers import matrix
from spira.server.staff import by_email
from spira.storage.audit import latest
from spira.testing.cores import staff
from spira.unify import units


@pytest.fixture
def admin(signed_in):
    return signed_in("ann", "administrator")


@pytest.fixture
def send(admin, form_token):
    """Post a form as Ann."""

    def post(path, page="/staff", **form):
        return admin.post(path, data={**form, "csrf": form_token(page)}, follow_redirects=False)

    return post


def test_somebody_is_invited_and_sets_a_password(admin, core, send, client):
    """The link is on the answer, once; it opens the page to choose a password; the audit knows who let them in."""
    answer = send("/staff", name="Bo", email="Bo@Example.com", roles=["guide", "service"], unit="A")
    link = re.search(r'id="link">([^<]+)<', answer.text).group(1)
    assert "mailto:bo%40example.com" in answer.text
    bo = by_email(core.state, "bo@example.com")
    assert (bo.roles, bo.unit_id) == ({"guide", "service"}, core.units["A"])
    assert link.rpartition("/")[2] not in admin.get("/staff").text
    client.cookies.clear()
    assert "Welcome, Bo" in client.get(link[link.index("/sign-in/") :]).text
    assert latest(core.state, limit=1)[0].action == "staff.invite"


def test_what_was_typed_is_kept_when_something_is_wrong(send):
    """Without a role the form comes back with the name in it and says what is missing."""
    answer = send("/staff", name="Bo", email="bo@example.com")
    assert answer.status_code == 422
    assert 'value="Bo"' in answer.text
    assert "at least one role" in answer.text


def test_the_list_is_filtered_by_text_standing_and_role(admin, core):
    """Each filter alone; the counts are of everybody."""
    staff(core, "bo", "guide", unit_id=core.units["A"])
    assert [each["name"] for each in admin.get("/api/staff?q=bo").json()["staff"]] == ["Bo"]
    assert [each["name"] for each in admin.get("/api/staff?role=administrator").json()["staff"]] == ["Ann"]
    found = admin.get("/api/staff?standing=invited").json()
    assert (found["staff"], found["counts"]) == ([], {"active": 2, "invited": 0, "ended": 0})


def test_roles_change_and_the_last_administrator_stays(admin, core, send):
    """The last one can neither lose the role nor get a unit; with a second one it is possible."""
    ann = by_email(core.state, "ann@example.com").staff_id
    for change in ({"roles": ["operator"]}, {"roles": ["administrator"], "unit": "A"}):
        assert send(f"/staff/{ann}", name="Ann", **change).status_code == 409
    staff(core, "bea", "administrator")
    assert send(f"/staff/{ann}", name="Ann Lee", roles=["operator"]).status_code == 303
    assert by_email(core.state, "ann@example.com").name == "Ann Lee"
    assert admin.get("/staff").status_code == 403


def test_access_ends_with_the_address_typed_and_never_ones_own(core, send):
    """Another address changes nothing; afterwards the record stays and says so."""
    bo, ann = staff(core, "bo", "guide").staff_id, by_email(core.state, "ann@example.com").staff_id
    assert send(f"/staff/{bo}/end", confirm="else@example.com").status_code == 409
    assert by_email(core.state, "bo@example.com")
    assert send(f"/staff/{bo}/end", confirm="bo@example.com").status_code == 303
    assert by_email(core.state, "bo@example.com") is None
    assert send(f"/staff/{ann}/end", confirm="ann@example.com").status_code == 409
    assert send(f"/staff/{bo}/link").status_code == 409


def test_the_table_of_roles_says_what_the_door_does(app, signed_in):
    """Every route that is not public stands in it once, and a role that is not ticked is refused there."""
    table = matrix(app)
    assert table.roles == ROLES
    closed = {each for power in table.powers if "guide" not in power.roles for each in power.routes}
    client = signed_in("gus", "guide")
    pages = [each.removeprefix("GET ") for each in closed if each.startswith("GET ") and "{" not in each]
    assert len(pages) > 10
    assert {client.get(each, follow_redirects=False).status_code for each in pages} == {403}


def test_units_are_added_moved_and_removed(admin, core, send):
    """A code is one unit's, a unit is never below itself, and only an empty one goes."""
    assert send("/staff/units", code="C", name="Store C", parent="brand").status_code == 303
    assert send("/staff/units", code="C", name="Again").status_code == 409
    assert send("/staff/units/brand", name="Brand", parent="C").status_code == 409
    assert send("/staff/units/C", name="Store See").status_code == 303
    moved = next(each for each in units.all_units(core.state) if each.code == "C")
    assert (moved.name, moved.parent_id) == ("Store See", None)
    assert send("/staff/units/A/remove", confirm="A").status_code == 409
    assert send("/staff/units/C/remove", confirm="B").status_code == 409
    assert send("/staff/units/C/remove", confirm="C").status_code == 303
    tree = admin.get("/api/units/tree").json()
    assert [(each["code"], each["depth"], each["people"], each["people_below"]) for each in tree["units"]] == [
        ("brand", 0, 0, 110),
        ("A", 1, 74, 74),
        ("B", 1, 36, 36),
    ]
    assert tree["people_of_none"] == 10


def test_a_new_unit_is_filled_by_the_next_refresh_and_the_page_says_so(fresh_world):
    """The page says whose people wait and runs the refresh; then they are counted and nothing waits any more."""
    world = fresh_world
    english = {"cookie": "spira_language=en"}
    assert "still to be placed" not in world.get("/staff/units", headers=english).text
    answer = world.post("/staff/units", data={"code": "367", "name": "High Street"}, follow_redirects=False)
    assert answer.headers["location"] == "/staff/units?done=unit_added"
    page = world.get("/staff/units", headers=english).text
    assert "The people of one store are still to be placed: 367" in page
    assert "Time stands still here" in page
    assert world.get("/api/units/tree").json()["unplaced"] == ["367"]
    answer = world.post("/staff/place-people", follow_redirects=False)
    assert answer.headers["location"] == "/staff/units?done=people_placed"
    tree = world.get("/api/units/tree").json()
    bought = world.core.lane().value("select count(distinct profile_id) from profile_events where store_id = '367'")
    assert (tree["unplaced"], tree["units"][0]["people"]) == ([], bought)
    assert bought > 0
    assert "still to be placed" not in world.get("/staff/units", headers=english).text
