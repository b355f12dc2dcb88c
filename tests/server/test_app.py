from __future__ import annotations

import asyncio

from spira.console.app import create_asgi
from spira.kernel.ids import show_profile
from spira.server.middleware import POLICY


def test_every_answer_of_the_api_to_an_error_says_what_failed_and_the_next_step(local):
    """Errors are JSON of code, message and help, whatever went wrong."""
    assert local.get("/api/nowhere").json()["code"] == "E004"
    assert local.post("/api/clock", json={"to": "soon"}).json()["help"] == "write one as 2026-11-22T10:00:00Z"
    assert local.post("/api/clock", json={}).json()["code"] == "E007"
    assert local.post("/api/clock", content=b"{").status_code == 400


def test_our_own_fault_tells_nothing_of_its_inside(local, core, monkeypatch):
    """A failure nobody foresaw is answered without a trace of the program."""

    def fail() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(core, "tick", fail)
    answer = local.post("/api/tick")
    assert answer.status_code == 500
    assert answer.json()["code"] == "E000"
    assert "secret" not in answer.text


def test_the_clock_is_stepped_and_told(local):
    """Stepping answers with the new instant, and is written into the audit."""
    told = local.post("/api/clock", json={"to": "2026-03-02T00:00:00Z"}).json()
    assert told == {"mode": "manual", "now": "2026-03-02T00:00:00.000Z"}
    assert local.get("/api/audit").json()["rows"][0]["action"] == "clock.step"


def test_turns_answer_stage_by_stage(local, core):
    """Refresh and tick name each stage with its rows and seconds; `full` is passed on."""
    stages = local.post("/api/refresh", json={"full": True}).json()["stages"]
    assert stages[0]["stage"] == "collect.load"
    assert {"rows", "seconds"} <= set(stages[0])
    assert core.asked == ["refresh full"]


def test_a_preview_counts_and_samples(local):
    """The answer has the shape the command line and clients rely on."""
    found = local.post("/api/audiences/preview", json={"condition": "orders_90d >= 5"}).json()
    assert set(found) == {"count", "total", "sample", "as_of", "ms"}
    assert (found["count"], found["total"]) == (34, 120)
    assert found["sample"][0]["profile_id"].startswith("p_")


def test_a_wrong_condition_is_shown_with_its_place(local):
    """The fault is drawn under the very characters."""
    said = local.post("/api/audiences/preview", json={"condition": "orders_90 >= 5"}).json()
    assert said["code"] == "E202"
    assert "^^^^^^^^^" in said["message"]


def test_people_are_found_and_shown_masked(local):
    """A search by address finds the person, whose page has no address in clear."""
    found = local.get("/api/profiles", params={"q": "email:person7@example.com"}).json()["profiles"]
    assert [each["profile_id"] for each in found] == [show_profile(7)]
    shown = local.get(f"/api/profiles/{show_profile(7)}", params={"explain": True})
    assert "person7@" not in shown.text
    assert shown.json()["explanation"]["id"] == show_profile(7)


def test_contact_values_in_clear_need_a_role_and_are_audited(signed_in, core):
    """A guide of the store sees the address when asking for it, and the asking is on record."""
    client = signed_in("ann", "guide", unit_id=core.units["A"])
    assert "person7@example.com" not in client.get(f"/api/profiles/{show_profile(7)}").text
    asked = {"clear": True, "reason": "rang about order 7, from 13912345678"}
    assert client.get(f"/api/profiles/{show_profile(7)}", params={"clear": True}).status_code == 422
    assert "person7@example.com" in client.get(f"/api/profiles/{show_profile(7)}", params=asked).text
    with core.state.read() as connection:
        acts = [row.action for row in connection.exec_driver_sql("select action from audit")]
    assert acts.count("person.shown_in_clear") == 1


def test_an_operator_can_not_have_values_in_clear(signed_in):
    """Asking does not help a role that may not see them."""
    client = signed_in("olga", "operator")
    assert "person7@" not in client.get(f"/api/profiles/{show_profile(7)}", params={"clear": True}).text


def test_deliveries_come_in_pages(local):
    """Newest first, each page beginning after the last one, all of them once."""
    first = local.get("/api/deliveries", params={"limit": 100}).json()
    rest = local.get("/api/deliveries", params={"limit": 100, "before": first["next"]}).json()
    listed = first["deliveries"] + rest["deliveries"]
    assert sorted(each["delivery_id"] for each in listed) == list(range(1, 121))
    asked = [each["created_at"] for each in listed]
    assert asked == sorted(asked, reverse=True)
    assert rest["next"] is None


def test_units_staff_and_links_are_made_by_the_administrator(local, client, form_token):
    """A new unit, somebody of it, their one-time link, their password: and they are in."""
    assert local.post("/api/units", json={"code": "C", "name": "Store C", "parent": "brand"}).status_code == 201
    invitation = {"email": "Cy@example.com", "roles": ["guide"], "unit": "C"}
    link = local.post("/api/staff/sign-in-link", json=invitation).json()["url"]
    del client.headers["authorization"]
    password = {"password": "twelve letters", "csrf": form_token(link)}
    assert client.post(link, data={**password, "password": "short"}).status_code == 422
    assert client.post(link, data=password, follow_redirects=False).status_code == 303
    assert client.get("/people").status_code == 200
    assert client.post(link, data={**password, "csrf": form_token("/people")}).status_code == 410


def test_a_source_shows_its_key_once(local):
    """Adding answers with the write key; listing does not have it."""
    made = local.post("/api/sources", json={"name": "shop"}).json()
    assert made["write_key"].startswith("wk_")
    assert made["write_key"] not in local.get("/api/sources").text


def test_every_answer_keeps_scripts_and_frames_out(core, app):
    """Policy and headers are on pages, errors and files alike; collection is answered by its own callable."""

    async def get(path: str) -> tuple[int, dict[bytes, bytes]]:
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [(b"host", b"x")],
            "client": ("127.0.0.1", 1), "server": ("x", 80), "state": {},
        }  # fmt: skip
        await create_asgi(core, app)(scope, receive, send)
        return sent[0]["status"], dict(sent[0]["headers"])

    for path, status in (("/sign-in", 200), ("/api/nowhere", 404), ("/static/app.css", 200)):
        found, headers = asyncio.run(get(path))
        assert found == status
        assert headers[b"content-security-policy"].decode() == POLICY
        assert headers[b"x-content-type-options"] == b"nosniff"
    assert asyncio.run(get("/v1/track"))[0] == 200
    assert "unsafe" not in POLICY


def test_a_backup_and_a_summary_are_for_those_who_run_the_house(local, signed_in, tmp_path):
    """Who connects things may back up; the summary counts everyone and so is for those who run turns."""
    file = str(tmp_path / "away.spira")
    told = local.post("/api/backup", json={"file": file}).json()
    assert (told["file"], told["created_at"]) == (file, "2026-03-01T12:00:00.000Z")
    assert local.get("/api/summary").status_code == 200
    del local.headers["authorization"]
    assert signed_in("ann", "guide").get("/api/summary").status_code == 403


def test_every_noun_answers_in_its_shape(local):
    """Audiences, tags, journeys, metrics, definitions and the system answer, also while nothing is applied."""
    for path, key in (
        ("audiences", "audiences"),
        ("tags", "tags"),
        ("journeys", "journeys"),
        ("metrics", "metrics"),
        ("definitions", "definitions"),
        ("system", "stages"),
        ("staff", "staff"),
        ("units", "units"),
        ("cockpit", "figures"),
    ):
        assert key in local.get(f"/api/{path}").json(), path
    assert local.get("/api/audiences/unknown").json()["code"] == "E004"
