from __future__ import annotations

import pytest

from spira.console.pages.manual_tags import first_column
from spira.kernel.viewer import SYSTEM
from spira.server.errors import Unacceptable
from spira.storage import audit

MANUAL = """
tag: vip
label: {zh-CN: 贵宾, en: Guest of honour}
manual: flag
---
tag: care
label: {zh-CN: 关怀, en: Care}
manual: choice
values: {gold: {zh-CN: 金, en: Gold}, silver: {zh-CN: 银, en: Silver}}
"""


def tags_of(world, user):
    found = world.get(f"/api/profiles/{world.person(user)}").json()["tags"]
    return {each["name"]: each["value"] for each in found}


def test_staff_set_and_take_away_a_tag(fresh_world):
    """From the page, the API and a file: an event in the timeline, the tag after a refresh, and a row of the audit."""
    world, core = fresh_world, fresh_world.core
    (core.directory / "tags" / "manual.yaml").write_text(MANUAL, encoding="utf-8")
    core.apply(SYSTEM)
    ann = world.person("u7")
    seen = world.get(f"/api/profiles/{ann}").json()["person"]["last_seen"]
    answer = world.post(f"/people/{ann}/tags/vip", data={"value": "yes"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/people/{ann}?done=tag_set")
    listed = {"people": ["user_id:u8", "u9@example.com", "nobody"], "value": "gold"}
    assert world.post("/api/tags/care/people", json=listed).json() == {"changed": 2, "unknown": [3]}
    sent = {"file": ("people.csv", b"user_id,name\nu7,x\nu8,y\n", "text/csv")}
    page = world.post("/tags/care/people", data={"people": "", "value": "silver"}, files=sent)
    assert "Set for 2 people." in page.text
    core.refresh()
    assert [tags_of(world, user)[name] for user, name in (("u7", "vip"), ("u8", "vip"), ("u7", "care"))] == [
        True,
        False,
        "silver",
    ]
    assert [tags_of(world, user)["care"] for user in ("u8", "u9")] == ["silver", "gold"]
    person = world.get(f"/api/profiles/{ann}").json()
    assert person["timeline"]["days"][0]["moments"][0]["event"] == "Tag Changed"
    assert person["person"]["last_seen"] == seen
    assert "Guest of honour" in world.get(f"/people/{ann}").text
    assert world.get("/tags/vip/people").status_code == 200
    world.post(f"/api/profiles/{ann}/tags/vip", json={"value": None})
    households_are_decided(world)
    assert tags_of(world, "u7")["vip"] is False
    assert {"tag.set", "tag.set_many", "household.join", "household.decide"} <= {
        row.action for row in audit.latest(core.state, limit=20)
    }


def households_are_decided(world):
    """Two at one address; staff put a third to one of them, with roles, and let things be again."""
    ann, eve = world.person("u7"), world.person("u9")
    home = world.get(f"/api/profiles/{ann}/household").json()
    assert (home["size"], home["holds"], home["members"][0]["basis"]) == (2, True, "address")
    form = {"what": "join", "with": "user_id:u7", "roles": ["payer", "buyer"]}
    answer = world.post(f"/people/{eve}/household", data=form, follow_redirects=False)
    assert answer.headers["location"] == f"/people/{eve}/household?done=household_kept"
    assert world.post(f"/people/{eve}/household", data={"what": "join", "with": "nobody"}).status_code == 404
    world.core.refresh()
    home = world.get(f"/api/profiles/{eve}/household").json()
    assert [(each["basis"], each["roles"]) for each in home["members"]] == [
        ("staff", ["buyer", "payer"]),
        ("staff", []),
    ]
    traits = {each["name"]: each["shown"] for each in world.get(f"/api/profiles/{eve}").json()["traits"]}
    assert (traits["household_people"], traits["household_roles"]) == ("2", "buyer,payer")
    who = {"condition": "household_people = 2 and contains(household_roles, 'payer')"}
    assert world.post("/api/audiences/preview", json=who).json()["count"] == 1
    for person in (ann, eve):
        world.post(f"/api/profiles/{person}/household", json={"what": "as_known"})
    world.core.refresh()
    assert world.get(f"/api/profiles/{ann}/household").json()["members"][0]["basis"] == "address"
    assert world.get(f"/api/profiles/{eve}/household").json()["household"] is None


def test_what_cannot_be_set_says_why(world):
    """A tag that is worked out, an unknown one, no list and too long a list are refused, and nobody is changed."""
    person = world.person("u7")
    assert world.post(f"/api/profiles/{person}/tags/orders_90d", json={"value": True}).status_code == 409
    assert world.post(f"/api/profiles/{person}/tags/nothing", json={"value": True}).status_code == 404
    for listed in ({}, {"people": []}, {"people": ["u7"] * 10_001}):
        assert world.post("/api/tags/orders_90d/people", json={**listed, "value": True}).status_code == 422
    for told in ({}, {"with": "  "}, {"what": "elsewhere"}, {"with": "user_id:u8", "roles": "payer"}):
        assert world.post(f"/api/profiles/{person}/household", json=told).status_code == 422
    for told, status in (({"with": "user_id:u7"}, 409), ({"with": "user_id:u8", "roles": ["king"]}, 409)):
        assert world.post(f"/api/profiles/{person}/household", json=told).status_code == status
    assert world.get("/api/households/h_none").status_code == 404


def test_who_sees_figures_only_sets_nothing(signed_in):
    """A reader and an analyst are refused."""
    for role in ("reader", "analyst"):
        assert signed_in(f"{role}1", role).post("/api/tags/vip/people", json={"people": ["x"]}).status_code == 403


def test_a_file_gives_its_first_column():
    """Heads are left out, blank lines too; what is no text is refused."""
    assert first_column("\ufeffuser_id,b\nu1,2\n\nu2,3\n".encode()) == ["u1", "u2"]
    assert first_column(b"u1\nu2") == ["u1", "u2"]
    assert first_column(b"") == []
    with pytest.raises(Unacceptable):
        first_column(b"\xff\xfe\x00")
