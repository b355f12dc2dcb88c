"""Templates: as a real person would get them, in a frame that can run nothing, and as a test to oneself."""

from __future__ import annotations

import dataclasses

import pytest
from litestar.testing import TestClient

from spira.server.sessions import open_session
from spira.server.staff import NewStaff, add_staff
from spira.storage import audit
from spira.unify import units


@pytest.fixture
def somebody(fresh_world, lent):
    """Somebody signed in at a world of their own: `client = somebody("olga", "operator")`."""
    core = fresh_world.core

    def sign_in(name, *roles, unit_id=None):
        new = NewStaff(email=f"{name}@example.org", name=name.title(), roles=roles, unit_id=unit_id)
        made = add_staff(core.state, new, at=core.clock.now())
        client = TestClient(lent(core, wall=core.clock), raise_server_exceptions=False)
        client.cookies.set("spira_session", open_session(core.state, made.staff_id, at=core.clock.now(), hours=8))
        client.cookies.set("spira_language", "en")
        page = client.get("/templates").text
        client.headers["x-csrf-token"] = page.split('name="csrf" value="')[1].split('"')[0]
        client.world = fresh_world
        return client

    return sign_in


def test_the_list_says_which_journeys_send_it(english):
    """Each template is there with its languages and the journeys that send it."""
    page = english("/templates")
    assert 'href="/templates/we_miss_you"' in page
    assert 'href="/journeys/win_back"' in page


def test_a_proof_is_of_a_real_person_and_masked(world, english):
    """What a person has stands in the subject under its mask; their address and name do not."""
    page = english(f"/templates/we_miss_you?as={world.person('u7')}&language=en")
    assert "p***, it has been a while" in page
    assert "Person 7" not in page
    frame = world.get(f"/templates/we_miss_you/rendered?as={world.person('u7')}&language=en")
    assert "Dear p***" in frame.text
    assert "Person 7" not in frame.text


def test_clear_values_are_for_the_roles_that_may_and_are_written_down(somebody):
    """A privacy officer who asks sees the name; an operator who asks does not."""
    officer = somebody("pia", "privacy_officer")
    person = officer.world.person("u7")
    assert "Person 7, it has been" in officer.get(f"/templates/we_miss_you?as={person}&language=en&clear=true").text
    assert any(row.action == "person.shown_in_clear" for row in audit.latest(officer.world.core.state, limit=5))
    operator = somebody("olga", "operator")
    assert "Person 7" not in operator.get(f"/templates/we_miss_you?as={person}&language=en&clear=true").text


def test_what_a_hostile_body_says_can_not_run(fresh_world):
    """The frame's own policy allows no script, whatever the template says, and only our pages may frame it."""
    core = fresh_world.core
    body = "<script>alert(1)</script><img src=x onerror=alert(2)><form action='https://evil.example'></form>"
    core.applied  # noqa: B018  (opened)
    places = fresh_world.core.directory / "templates"
    (places / "evil.html").write_text(body)
    (places / "evil.yaml").write_text("template: evil\nchannel: email\nsubject: <b>Hi</b>\nbody: evil.html\n")
    from spira.kernel.viewer import SYSTEM

    core.apply(SYSTEM)
    frame = fresh_world.get("/templates/evil/rendered")
    policy = frame.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    assert "allow-scripts" not in policy
    assert "frame-ancestors 'self'" in policy
    assert frame.headers["x-frame-options"] == "SAMEORIGIN"
    page = fresh_world.get("/templates/evil?language=en")
    assert "<script>alert" not in page.text
    assert "&lt;b&gt;Hi" in page.text
    assert "sandbox" in page.text
    assert "no_unsubscribe" in fresh_world.get("/api/templates/evil").json()["proof"]["warnings"]


def test_a_test_arrives_at_ones_own_address_and_counts_as_no_delivery(somebody):
    """It is marked, goes through the real channel to whoever asked, masks what is a person's, and is written down."""
    client = somebody("olga", "operator")
    world = client.world
    before = world.core.lane().value("select count(*) from deliveries")
    form = {"as": world.person("u7"), "language": "en"}
    answer = client.post("/templates/we_miss_you/test", data=form, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    mail = world.inbox.messages[-1]
    assert "olga@example.org" in str(mail)
    assert "[Test] p***, it has been a while" in str(mail)
    assert "Person 7" not in str(mail)
    assert world.core.lane().value("select count(*) from deliveries") == before
    assert audit.latest(world.core.state, limit=1)[0].action == "template.tested"
    assert "on its way to your own address" in client.get(answer.headers["location"]).text


def test_tests_are_five_an_hour(somebody):
    """The sixth is refused, and the page says so and keeps what was chosen."""
    client = somebody("olga", "operator")
    answers = [client.post("/templates/a_gift/test", follow_redirects=False).status_code for _ in range(6)]
    assert answers == [303] * 5 + [429]


def test_what_the_channel_says_is_told(somebody):
    """When the mail server is gone the page says that it did not answer."""
    client = somebody("olga", "operator")
    core = client.world.core
    channel = core.directory / "channels" / "email.yaml"
    channel.write_text(channel.read_text().replace(f"port: {client.world.inbox.port}", "port: 1"))
    from spira.kernel.viewer import SYSTEM

    core.apply(SYSTEM)
    answer = client.post("/templates/a_gift/test", follow_redirects=False)
    assert answer.status_code == 503
    assert "127.0.0.1:1" in answer.text


def test_a_machine_has_no_address_to_test_with(world):
    """Whoever uses the machine's own token is told to sign in."""
    assert world.post("/api/templates/we_miss_you/test").status_code == 409


def test_staff_of_a_unit_preview_their_own_people_only(somebody):
    """Somebody else's person is as if they were not; the example is nobody when there is none of theirs."""
    client = somebody("root", "administrator")
    unit = units.add_unit(client.world.core.state, code="none", name="Nowhere")
    guide = somebody("gus", "guide", unit_id=unit.unit_id)
    person = client.world.person("u7")
    assert guide.get(f"/templates/we_miss_you?as={person}").status_code == 404
    assert guide.get(f"/templates/we_miss_you/rendered?as={person}").status_code == 404
    assert guide.get("/api/templates/we_miss_you").json()["proof"]["person"] is None


def test_a_reader_previews_nobody(signed_in, core):
    """Who sees figures only may look at templates, and never as a person."""
    from spira.testing.walks import SHOP, applied

    core.applied = dataclasses.replace(applied(SHOP))
    client = signed_in("rae", "reader")
    assert client.get("/templates/hello").status_code == 200
    assert client.get("/api/templates/hello").json()["proof"]["person"] is None
