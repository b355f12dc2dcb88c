"""What somebody with bad intent, or a little power, can't do."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from spira.kernel.ids import show_profile
from spira.server.roles import ADMINISTER
from spira.testing.cores import NOON, PASSWORD, staff
from spira.worker.report import Run

PERSON = show_profile(7)
HOSTILE = ["<img src=x onerror=alert(1)>", "‮gnp.exe‬", "👩‍👩‍👧‍👦🫠", "王" * 2_000, "\"'><script>alert(1)</script>"]


def with_proxies(core, *proxies, **server):
    settings = core.settings
    told = settings.server.model_copy(update={"trusted_proxies": list(proxies), **server})
    core.settings = settings.model_copy(update={"server": told})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/summary"),
        ("GET", "/api/staff"),
        ("GET", "/api/sources"),
        ("GET", "/api/audit"),
        ("GET", "/api/metrics/waverers"),
        ("POST", "/api/definitions/plan"),
        ("POST", "/api/definitions/apply"),
        ("POST", "/api/erase"),
        ("POST", "/api/backup"),
        ("POST", "/api/tick"),
        ("POST", "/api/staff/sign-in-link"),
        ("POST", "/api/staff/end"),
    ],
)
def test_what_is_about_the_whole_brand_is_closed_to_staff_of_a_unit(signed_in, core, form_token, method, path):
    """An administrator of one store neither sees the brand's figures nor changes what others work with."""
    client = signed_in("ann", *ADMINISTER, "privacy_officer", unit_id=core.units["A"])
    answer = client.request(method, path, json={}, headers={"x-csrf-token": form_token("/cockpit")})
    assert (answer.status_code, answer.json()["code"]) == (403, "E003")
    assert core.asked == []


def test_a_narrow_question_tells_a_reader_nothing_of_one_person(signed_in, local):
    """Counts under five, and all but under five, are refused to who sees figures only; others get them."""
    only_one = "lifecycle = 'lapsed' and orders_90d = 6 and favourite_department = 'MEAT'"
    narrow = {"condition": only_one}
    count = local.post("/api/audiences/preview", json=narrow).json()["count"]
    assert 0 < count < 5
    del local.headers["authorization"]
    client = signed_in("rae", "reader")
    for condition in (only_one, f"not ({only_one})", "orders_90d > 1000"):
        page = client.get("/audiences/preview", params={"condition": condition})
        assert 'class="fault"' in page.text, condition
    assert 'class="fault"' not in client.get("/audiences/preview", params={"condition": "orders_90d >= 3"}).text


def test_a_forwarded_address_is_the_last_that_no_trusted_proxy_has(client, core, form_token):
    """A made-up first entry of X-Forwarded-For does not give anybody ten more attempts."""
    with_proxies(core, "testclient", "10.0.0.2")
    staff(core, "ann", "operator")
    csrf = form_token("/sign-in")
    for number in range(10):
        told = {"x-forwarded-for": f"1.1.1.{number}, 9.9.9.9, 10.0.0.2"}
        client.post("/sign-in", data={"email": f"{number}@example.com", "password": "no", "csrf": csrf}, headers=told)
    form = {"email": "ann@example.com", "password": PASSWORD, "csrf": csrf}
    again = {"x-forwarded-for": "2.2.2.2, 9.9.9.9, 10.0.0.2"}
    assert client.post("/sign-in", data=form, headers=again, follow_redirects=False).status_code == 429
    other = {"x-forwarded-for": "9.9.9.8"}
    assert client.post("/sign-in", data=form, headers=other, follow_redirects=False).status_code == 303


def test_a_forwarded_address_from_a_stranger_is_not_believed(client, form_token):
    """Without a trusted proxy the header changes nothing."""
    csrf = form_token("/sign-in")
    codes = [
        client.post(
            "/sign-in",
            data={"email": f"{number}@example.com", "password": "no", "csrf": csrf},
            headers={"x-forwarded-for": f"1.1.1.{number}"},
        ).status_code
        for number in range(11)
    ]
    assert codes == [401] * 10 + [429]


def test_attempts_at_once_are_counted_one_after_the_other(client, form_token):
    """Twenty guesses sent together are no more than ten guesses."""
    csrf, codes = form_token("/sign-in"), []

    def guess() -> None:
        form = {"email": "ann@example.com", "password": "no", "csrf": csrf}
        codes.append(client.post("/sign-in", data=form).status_code)

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(codes) == [401] * 10 + [429] * 10


def test_cookies_are_for_https_where_the_public_address_is(client, core):
    """Nobody has to remember a second setting."""
    assert "secure" not in client.get("/sign-in").headers["set-cookie"].lower()
    with_proxies(core, public_url="https://spira.example.com")
    client.cookies.clear()
    assert "secure" in client.get("/sign-in").headers["set-cookie"].lower()


@pytest.mark.parametrize("path", ["data/new.spira", "data/log/0001.log", "backups/../data/x", "missing/x"])
def test_a_backup_can_not_be_written_among_the_data(local, core, path):
    """Neither into the stores, by whatever way round, nor where there is no directory."""
    (core.directory / "data" / "log").mkdir(parents=True)
    (core.directory / "backups").mkdir()
    answer = local.post("/api/backup", json={"file": f"{core.directory}/{path}"})
    assert (answer.status_code, answer.json()["code"]) == (422, "E007")


def test_a_backup_replaces_nothing(local, tmp_path):
    """A file that exists stays as it is, and a path must be a full one."""
    there = tmp_path / "there"
    there.write_text("mine")
    assert local.post("/api/backup", json={"file": str(there)}).status_code == 409
    assert there.read_text() == "mine"
    assert local.post("/api/backup", json={"file": "relative.spira"}).status_code == 422


def test_ended_access_ends_everything_of_theirs(local, client):
    """Session, token and link of one who left open nothing; nobody is let in by the same address again."""
    token = local.post("/api/staff/sign-in-link", json={"email": "bo@example.com", "roles": ["operator"]})
    link = token.json()["url"]
    assert local.post("/api/staff/end", json={"email": "bo@example.com"}).status_code == 200
    assert local.post("/api/staff/end", json={"email": "bo@example.com"}).status_code == 404
    assert local.post("/api/staff/sign-in-link", json={"email": "bo@example.com"}).status_code == 409
    del client.headers["authorization"]
    assert client.get(link).status_code == 410


def test_a_stages_fault_is_told_to_those_who_run_turns(signed_in, core, monkeypatch):
    """What failed may quote data; a reader learns that something failed, and no more."""
    run = Run(stage="segment.tags").failed(NOON, 1.0, "can't read 'ann@example.com'")
    told = core.report()
    broken = replace(told, stages=(replace(told.stages[0], run=run), *told.stages[1:]))
    monkeypatch.setattr(core, "report", lambda: broken)
    client = signed_in("rae", "reader")
    for path in ("/system", "/api/system"):
        shown = client.get(path).text
        assert "ann@example.com" not in shown
        assert "the stage failed" in shown


@pytest.mark.parametrize("number", [-1, 1 << 63, 10**30])
def test_a_number_out_of_range_is_the_askers_fault(local, number):
    """A place in a list that can't be is refused, not failed on."""
    assert local.get("/api/deliveries", params={"before": number}).status_code == 400


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_text(core, local, name):
    """Whatever people, staff and brands are called, no page has markup of theirs."""
    core.house.warehouse.execute("update identifiers set value = $name where subject_id = 7", {"name": name})
    core.house.warehouse.execute("update tags set lifecycle = $name where profile_id = 7", {"name": name})
    core.house.warehouse.execute(
        "update events set event = $name, touchpoint = $name where profile_id = 7", {"name": name}
    )
    core.house.warehouse.execute("update membership_changes set audience = $name", {"name": name})
    core.house.warehouse.execute("update deliveries set journey = $name, channel = $name", {"name": name})
    core.house.warehouse.execute("update enrolments set journey = $name", {"name": name})
    workspace = core.settings.workspace.model_copy(update={"brand": name[:100]})
    core.settings = core.settings.model_copy(update={"workspace": workspace})
    for path in ("/", "/people", f"/people/{PERSON}", "/audiences/preview", "/system"):
        page = local.get(path, params={"q": name, "condition": name, "kind": name} if path != "/" else None)
        # The timeline of a person is narrowed by kinds: of one that is none the page tells, quoting it.
        assert page.status_code == (422 if PERSON in path else 200), path
        assert "<img src=x" not in page.text
        assert "<script>" not in page.text


def test_a_failure_is_logged_without_the_address(local, core, monkeypatch, caplog):
    """Addresses hold what people search for and one-time links: the program's log has the route."""

    def fail() -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(core, "lane", fail)
    assert local.get("/api/profiles", params={"q": "phone:13800001234"}).status_code == 500
    assert local.get(f"/api/profiles/{PERSON}").status_code == 500
    assert PERSON not in caplog.messages[-1]
    assert "/api/profiles/{profile" in caplog.messages[-1]
