from __future__ import annotations

from datetime import timedelta

import pytest

from spira.console.pages.sign_in import safe_path
from spira.kernel.errors import NotFound
from spira.server import sessions
from spira.server.sessions import Place
from spira.server.whereabouts import agent_of, coarse
from spira.testing.cores import NOON, PASSWORD, staff

EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0 Safari/537.36 Edg/130"
)
WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 MicroMessenger/8.0.47 Safari"


@pytest.fixture
def ann(core):
    return staff(core, "ann", "operator").staff_id


@pytest.mark.parametrize(
    ("told", "said"), [(EDGE, "Edge · Windows"), (WECHAT, "WeChat · iPhone"), ("curl/8.1", "curl"), ("<b>", None)]
)
def test_a_browser_is_told_in_plain_words(told, said):
    """The name people know, and the system; nothing of what is not known."""
    assert agent_of(told) == said


@pytest.mark.parametrize(
    ("origin", "said"), [("203.0.113.77", "203.0.113.…"), ("2001:db8:1:2::7", "2001:0db8:0001:…"), ("testclient", None)]
)
def test_the_last_part_of_an_address_is_hidden(origin, said):
    """It says which network, not which machine."""
    assert coarse(origin) == said


def test_a_session_says_where_it_is_and_which_one_asks(core, ann):
    """The latest first; a name that opens nothing."""
    first = sessions.open_session(core.state, ann, at=NOON, hours=12, place=Place(agent="Edge · Windows"))
    second = sessions.open_session(core.state, ann, at=NOON + timedelta(hours=1), hours=12)
    found = sessions.sessions_of(core.state, ann, at=NOON, this=first)
    assert [(each.agent, each.this) for each in found] == [(None, False), ("Edge · Windows", True)]
    assert sessions.staff_of_session(core.state, found[0].id, at=NOON) is None
    sessions.close_named(core.state, ann, found[0].id)
    assert sessions.staff_of_session(core.state, second, at=NOON) is None
    with pytest.raises(NotFound):
        sessions.close_named(core.state, ann, found[0].id)
    with pytest.raises(NotFound):
        sessions.close_named(core.state, "stf_other", found[1].id)


def test_last_use_is_written_at_most_once_a_minute(core, ann):
    """Reading a page writes nothing when the last one was just before."""
    secret = sessions.open_session(core.state, ann, at=NOON, hours=12)
    written = core.state.written
    sessions.staff_of_session(core.state, secret, at=NOON + timedelta(seconds=59))
    assert core.state.written == written
    sessions.staff_of_session(core.state, secret, at=NOON + timedelta(seconds=60))
    assert core.state.written != written
    assert sessions.sessions_of(core.state, ann, at=NOON)[0].last_seen_at == NOON + timedelta(seconds=60)


def test_a_session_that_lies_unused_ends(core, ann):
    """After the minutes of the setting; without the setting only its hours end it."""
    secret = sessions.open_session(core.state, ann, at=NOON, hours=12)
    later = NOON + timedelta(minutes=31)
    assert sessions.staff_of_session(core.state, secret, at=later, idle_minutes=30) is None
    assert sessions.staff_of_session(core.state, secret, at=later) is None
    other = sessions.open_session(core.state, ann, at=NOON, hours=12)
    assert sessions.staff_of_session(core.state, other, at=later)


def test_a_token_ends_on_its_day_and_says_when_it_was_used(core, ann):
    """One without an end does not."""
    token = sessions.make_token(core.state, ann, name="till", at=NOON, days=30)
    assert sessions.staff_of_token(core.state, token, at=NOON + timedelta(days=29))
    assert sessions.tokens_of(core.state, ann)[0].last_used_at == NOON + timedelta(days=29)
    assert sessions.staff_of_token(core.state, token, at=NOON + timedelta(days=31)) is None


def test_each_sign_in_has_a_new_secret(signed_in, client, form_token):
    """What was known of a browser before it signed in opens nothing afterwards."""
    signed_in("ann", "operator")
    before = client.cookies["spira_session"]
    client.post("/sign-out", data={"csrf": form_token("/cockpit")})
    form = {"email": "ann@example.com", "password": PASSWORD, "csrf": form_token("/sign-in")}
    answer = client.post("/sign-in", data=form, follow_redirects=False)
    assert client.cookies["spira_session"] != before
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_over_https_the_cookie_is_this_hosts_alone(client, core, form_token):
    """Its name begins with __Host-, it is Secure, and browsers are told to come by HTTPS."""
    staff(core, "ann", "operator")
    csrf = form_token("/sign-in")
    server = core.settings.server.model_copy(update={"public_url": "https://spira.example.com"})
    core.settings = core.settings.model_copy(update={"server": server})
    form = {"email": "ann@example.com", "password": PASSWORD, "csrf": csrf}
    cookie = client.post("/sign-in", data=form, follow_redirects=False).headers["set-cookie"]
    assert cookie.startswith("__Host-spira_session=")
    assert "secure" in cookie.lower()


@pytest.mark.parametrize(
    "path", ["/%2fevil.example", "/%5cevil.example", "/\t/evil.example", "/%09/evil", "/%252fevil.example", "/\\evil"]
)
def test_an_address_that_hides_another_place_becomes_the_first_page(path):
    """Encoded slashes, tabs and backslashes lead nowhere else."""
    assert safe_path(path) == "/"
