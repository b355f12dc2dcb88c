"""The first run: five steps with their facts, a panel in the cockpit, and a sample that never mixes with one's own."""

import re
from datetime import datetime

import pytest
from litestar.testing import TestClient

from spira.collect import sources
from spira.kernel.jobs import InlineRunner
from spira.sandbox.sample import PEOPLE, size
from spira.server.sessions import open_session
from spira.server.staff import NewStaff, add_staff, by_email
from spira.storage.audit import latest
from spira.testing.workspaces import make_workspace
from spira.unify.units import add_unit
from spira.worker.core import Core

BEARER = {"authorization": "Bearer local"}


@pytest.fixture
def fresh(tmp_path, lent):
    """A workspace as `spira init` leaves it, and a client of its administrator."""
    make_workspace(tmp_path, {})
    with Core.open(tmp_path, runner=InlineRunner()) as core:
        core.step_clock(datetime(2026, 6, 1, 12))
        client = TestClient(lent(core, local_token="local"), raise_server_exceptions=False)
        client.headers.update(BEARER)
        yield core, client


def test_a_new_workspace_begins_with_five_steps(fresh):
    """The page says what is next and where; the cockpit shows it slimly until it is dismissed."""
    core, client = fresh
    text = client.get("/start").text
    assert "0 of 5 first steps done" in text
    assert 'href="/sources/new"' in text
    assert "0 of 5 first steps done" in client.get("/").text
    sources.add(core.state, core.clock, "site")
    assert client.get("/api/start").json()["next"] == "events"
    assert client.post("/start/dismiss", follow_redirects=False).status_code == 303
    assert "first steps done" not in client.get("/").text
    assert "1 of 5 first steps done" in client.get("/start").text


def test_a_dismissal_is_the_staff_members_own_and_can_be_taken_back(fresh, lent):
    """It holds in every browser of who dismissed, and for nobody else; the checklist leads back."""
    core, _ = fresh
    at = core.clock.now()
    browsers = []
    for name in ("ona", "ona", "pat"):
        known = by_email(core.state, f"{name}@example.org")
        new = NewStaff(email=f"{name}@example.org", name=name, roles=("operator",))
        browser = TestClient(lent(core, wall=core.clock), raise_server_exceptions=False)
        secret = open_session(core.state, (known or add_staff(core.state, new, at=at)).staff_id, at=at, hours=8)
        browser.cookies.update({"spira_session": secret, "spira_language": "en"})
        browsers.append(browser)
    first, second, other = browsers
    first.headers["x-csrf-token"] = first.get("/").text.split('name="csrf" value="')[1].split('"')[0]
    assert first.post("/start/dismiss", follow_redirects=False).status_code == 303
    assert ["first steps done" in each.get("/").text for each in (first, second, other)] == [False, False, True]
    assert "Show on the cockpit again" in first.get("/start").text
    assert "Show on the cockpit again" not in other.get("/start").text
    assert first.post("/start/show", follow_redirects=False).headers["location"] == "/start?done=start_shown"
    assert "first steps done" in second.get("/").text


def test_the_checklist_is_found_while_it_goes_on_and_afterwards(fresh):
    """The rail has it with its progress until all is done; then the pipeline, the help and the phone's list do."""
    _, client = fresh
    begun = client.get("/tags").text
    assert re.search(r'<ul class="begin">.*href="/start".*0/5', begun, re.DOTALL)
    assert client.post("/start/sample", follow_redirects=False).status_code == 303
    text = client.get("/system").text
    assert 'class="begin"' not in text
    assert '<a class="button" href="/start">' in text
    assert re.search(r'<dialog id="shortcuts".*href="/start"', text, re.DOTALL)
    assert 'href="/start"' in client.get("/more").text
    assert "There is sample data" in client.get("/start").text


def test_one_click_fills_an_empty_workspace(fresh):
    """Definitions, people, tags and audiences are there at once, all steps but the sending are done; not twice."""
    core, client = fresh
    answer = client.post("/start/sample", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/start?done=sample_placed")
    assert core.lane().value("select count(*) from profiles") == PEOPLE
    assert core.lane().value("select count(*) from events where source = 'sample'") == size()
    assert core.lane().value("select count(*) from quarantine") == 0
    assert core.lane().value("select count(distinct audience) from members") >= 5
    assert core.lane().value("select count(*) from permissions where granted") >= 100
    (conflict,) = client.get("/api/identity/conflicts").json()["rows"]
    assert conflict["kind"] == "phone"
    assert core.lane().value("select count(distinct lifecycle) from tags") >= 4
    found = client.get("/api/start").json()
    assert (found["done"], found["next"], found["sample"], found["empty"]) == (5, None, True, False)
    assert "There is sample data" in client.get("/start").text
    assert "first steps done" not in client.get("/").text
    assert any(each.action == "sample.place" for each in latest(core.state))
    again = client.post("/start/sample")
    assert again.status_code == 409
    assert "not empty" in again.text


def test_a_sample_that_was_broken_off_is_taken_up_again(fresh, monkeypatch):
    """After a fault half-way the same click goes on; nothing is there twice."""
    core, client = fresh
    monkeypatch.setattr("spira.sandbox.sample.batches", lambda *_, **__: iter([[]]))
    assert client.post("/api/start/sample").status_code in (200, 400)
    monkeypatch.undo()
    assert client.get("/api/start").json()["empty"]
    assert client.post("/api/start/sample").json()["calls"] == size()
    assert core.lane().value("select count(*) from events") == size()
    assert core.applied.generation == 1


def test_a_sample_never_mixes_with_ones_own(fresh, tmp_path):
    """Definitions on disk that are not applied yet are enough to refuse it, and stay."""
    core, client = fresh
    (tmp_path / "tags").mkdir()
    (tmp_path / "tags" / "mine.yaml").write_text("tag: mine\nvalue: 1 + 1\n", encoding="utf-8")
    answer = client.post("/start/sample")
    assert answer.status_code == 409
    assert "not applied yet" in answer.text
    assert [path.name for path in (tmp_path / "tags").iterdir()] == ["mine.yaml"]
    assert sources.every(core.state) == []


def test_a_workspace_that_lives_offers_no_sample(world):
    """The world of the tests has its own people."""
    assert not world.get("/api/start").json()["empty"]
    assert "Sample data is only for a workspace that is still empty" in world.get("/start").text
    assert world.post("/api/start/sample").status_code == 409


def test_chinese_reads_as_chinese(world):
    """Every word of the page is in its language."""
    text = world.get("/start", headers={"cookie": "spira_language=zh-CN"}).text
    assert "五步发出第一条消息" in text
    assert "start." not in text.replace("/start.", "").replace("start.css", "")


def test_the_first_run_is_for_those_who_run_the_whole_brand(fresh, lent):
    """A reader and the operator of one unit see no panel, and neither the page nor the sample is open to them."""
    core, _ = fresh
    at = core.clock.now()
    unit = add_unit(core.state, code="a", name="Store A").unit_id
    for name, role, where in (("rea", "reader", None), ("ona", "operator", unit)):
        made = add_staff(
            core.state, NewStaff(email=f"{name}@example.org", name=name, roles=(role,), unit_id=where), at=at
        )
        client = TestClient(lent(core, wall=core.clock), raise_server_exceptions=False)
        client.cookies.set("spira_session", open_session(core.state, made.staff_id, at=at, hours=8))
        client.cookies.set("spira_language", "en")
        text = client.get("/").text
        assert "first steps done" not in text
        assert 'href="/start"' not in text
        client.headers["x-csrf-token"] = text.split('name="csrf" value="')[1].split('"')[0]
        closed = [client.get("/start"), client.get("/api/start"), client.post("/start/sample")]
        assert [answer.status_code for answer in closed] == [403, 403, 403]
    assert sources.every(core.state) == []


def test_a_sample_writes_to_nobody(fresh):
    """Putting the sample in sends nothing and leaves nothing waiting to be sent."""
    core, client = fresh
    assert client.post("/api/start/sample").status_code == 200
    assert core.lane().value("select count(*) from deliveries") == 0
    assert core.lane().value("select count(*) from outbox") == 0
