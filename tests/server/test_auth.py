from __future__ import annotations

import re
from datetime import timedelta

import pytest
from litestar import Litestar

from spira.kernel.ids import show_profile
from spira.server.sessions import make_token
from spira.testing.cores import NOON, PASSWORD, staff

PUBLIC = {
    "/api/health",
    "/sign-in",
    "/sign-in/code",
    "/sign-in/{token:str}",
    "/me/preferences",
    "/static/{name:path}",
    "/brand.css",
    "/o/{token:str}",
    "/c/{token:str}",
    "/u/{token:str}",
    "/u/{token:str}/again",
    "/u/{token:str}/reason",
    "/p/{token:str}",
    "/p/{token:str}/why",
    "/p/{token:str}/ask",
    "/p/{token:str}/sharing",
    "/preferences",
    "/preferences/code",
    "/r/{code:str}",
    "/brand/logo",
    "/receipts/{channel:str}",
}
STORE_B = [show_profile(person) for person in range(3, 111, 3)]
STORE_A = [show_profile(person) for person in range(1, 111) if person % 3]


def routes(app: Litestar) -> list[tuple[str, str]]:
    return [(route.path, method) for route in app.routes for method in sorted(route.methods - {"OPTIONS", "HEAD"})]


def address(path: str, profile: str) -> str:
    return re.sub(r"\{\w+:int\}", "1", path.replace("{profile:str}", profile).replace("{name:str}", "waverers"))


def test_every_route_that_is_not_named_public_is_closed(client, app):
    """A new route is behind the door unless somebody writes it on the list of public ones."""
    closed = [(path, method) for path, method in routes(app) if path not in PUBLIC]
    assert len(closed) > 30
    for path, method in closed:
        answer = client.request(
            method, address(path, STORE_A[0]), json={} if method == "POST" else None, follow_redirects=False
        )
        assert answer.status_code in (302, 303, 307, 401, 403), (path, method, answer.status_code)
        if path.startswith("/api/"):
            assert answer.json()["code"] in ("E002", "E006")
        elif method == "GET":
            assert answer.headers["location"].startswith("/sign-in?next=")


def test_a_guide_sees_nobody_of_another_store_on_any_route(signed_in, core, app):
    """Every page and answer is read as a guide of store A: nobody of store B, or of no store, is in any of it."""
    client = signed_in("ann", "guide", unit_id=core.units["A"])
    strangers = [*STORE_B, *(show_profile(person) for person in range(111, 121))]
    seen = set()
    for path, method in routes(app):
        if method != "GET" or path in PUBLIC or path.startswith("/api/schema"):
            continue
        for profile in (STORE_A[0], STORE_B[0], show_profile(120)):
            answer = client.get(address(path, profile), params={"condition": "orders_90d >= 0", "limit": 500})
            found = {each for each in strangers if each in answer.text}
            allowed = {profile} if answer.status_code == 404 else set()
            assert found <= allowed, (path, found)
            seen |= {each for each in STORE_A if each in answer.text}
            if "{profile:str}" in path and profile != STORE_A[0]:
                assert answer.status_code == 404, path
    assert len(seen) > 10


def test_a_guide_counts_only_the_people_of_the_own_store(signed_in, core):
    """A preview is of the viewer's people: its total is the store's, not the brand's."""
    client = signed_in("ann", "guide", unit_id=core.units["A"])
    found = client.get("/audiences/preview", params={"condition": "orders_90d >= 0"}).text
    assert "100.0% of 74 people" in found


def test_staff_of_the_brand_see_the_stores_below_and_not_those_without_a_store(signed_in, core):
    """A unit includes all units under it; people of no store are for root staff only."""
    client = signed_in("bea", "operator", unit_id=core.units["brand"])
    assert client.get(f"/api/profiles/{STORE_B[0]}").status_code == 200
    assert client.get(f"/api/profiles/{show_profile(120)}").status_code == 404


def test_a_reader_sees_figures_and_no_person(signed_in):
    """The role `reader` opens the cockpit and gets counts without a sample, and no page of people."""
    client = signed_in("rae", "reader")
    assert client.get("/cockpit").status_code == 200
    assert client.get("/people").status_code == 403
    assert client.get(f"/api/profiles/{STORE_A[0]}").status_code == 403
    assert "/people/p_" not in client.get("/audiences/preview", params={"condition": "orders_90d >= 0"}).text


@pytest.mark.parametrize("path", ["/api/refresh", "/api/erase", "/api/sources", "/api/staff/sign-in-link"])
def test_what_needs_another_role_is_refused(signed_in, form_token, path):
    """A guide can start nothing, erase nobody and let nobody in."""
    client = signed_in("ann", "guide")
    answer = client.post(path, json={}, headers={"x-csrf-token": form_token("/cockpit")})
    assert (answer.status_code, answer.json()["code"]) == (403, "E003")


def test_a_session_can_change_nothing_without_its_form_token(signed_in, core, form_token):
    """A page elsewhere that makes a browser post here achieves nothing; the same call with the token works."""
    client = signed_in("ann", "administrator")
    assert client.post("/api/tick").json()["code"] == "E006"
    assert client.post("/api/tick", headers={"x-csrf-token": "wrong"}).json()["code"] == "E006"
    assert core.asked == []
    assert client.post("/api/tick", headers={"x-csrf-token": form_token("/cockpit")}).status_code == 200
    assert core.asked == ["tick"]


def test_a_bearer_token_is_its_makers_and_a_wrong_one_nobodys(client, core):
    """A token needs no form token, may do what its owner may, and a made-up one is refused."""
    ann = staff(core, "ann", "guide", unit_id=core.units["A"])
    token = make_token(core.state, ann.staff_id, name="till", at=NOON)
    mine = {"authorization": f"Bearer {token}"}
    assert client.get(f"/api/profiles/{STORE_A[0]}", headers=mine).status_code == 200
    assert client.get(f"/api/profiles/{STORE_B[0]}", headers=mine).status_code == 404
    assert client.get("/api/cockpit", headers={"authorization": "Bearer spt_x"}).status_code == 401


def test_a_session_ends_after_its_hours(signed_in, wall):
    """Twelve hours after signing in the cookie opens nothing."""
    client = signed_in("ann", "operator")
    wall.step(timedelta(hours=11))
    assert client.get("/api/cockpit").status_code == 200
    wall.step(timedelta(hours=2))
    assert client.get("/api/cockpit").status_code == 401


def test_stepping_the_workspaces_clock_signs_nobody_out(signed_in, core):
    """Sessions live by the machine's clock: a demo may jump sixty days."""
    client = signed_in("ann", "operator")
    core.step_clock(NOON + timedelta(days=60))
    assert client.get("/api/cockpit").status_code == 200


def test_the_eleventh_attempt_waits(client, core, form_token, wall):
    """After ten failures even the right password is refused, and works again a quarter of an hour later."""
    staff(core, "ann", "operator")
    form = {"email": "ann@example.com", "csrf": form_token("/sign-in")}
    for _ in range(10):
        assert client.post("/sign-in", data={**form, "password": "no"}).status_code == 401
    right = {**form, "password": PASSWORD}
    assert client.post("/sign-in", data=right, follow_redirects=False).status_code == 429
    wall.step(timedelta(minutes=16))
    assert client.post("/sign-in", data=right, follow_redirects=False).status_code == 303
