"""Visits of short links: what becomes of an opening, end to end, and where its visitor is sent."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from litestar.testing import TestClient

from spira.collect import links, visits
from spira.collect.arrivals import arrival
from spira.collect.links import Link, NewLink
from spira.console.app import create_app
from spira.kernel.errors import LogUnavailable, NotFound
from spira.kernel.ids import show_profile
from spira.storage.log import BEGINNING
from spira.testing.houses import NOON
from spira.testing.workspaces import send, workspace
from spira.unify import erase, units

PLAN = """\
tracking: retail
events:
  Order Completed: {properties: {order_id: text, revenue: money, store_id: text}}
"""
BROWSER = {"user-agent": "Mozilla/5.0 (iPhone) AppleWebKit MicroMessenger/8.0"}


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    with workspace(tmp_path_factory.mktemp("visits"), {"tracking/retail.yaml": PLAN}, at=NOON) as made:
        yield made


@pytest.fixture(scope="module")
def client(core):
    return TestClient(create_app(core, local_token="local"), raise_server_exceptions=False)


def made(core, **what) -> Link:
    return links.add(core.state, core.clock, NewLink(target="https://shop.example/p?x=1#top", **what), by="ann")


def opened(client, link: Link, **more):
    return client.get(f"/r/{link.code}", headers=BROWSER | more, follow_redirects=False)


def events(core, link: Link, name: str = "Link Opened"):
    core.refresh()
    return core.lane().rows(
        "select * from events where event = $name and link = $link", {"name": name, "link": link.code}
    )


def test_an_opening_leads_on_and_becomes_an_event(client, core):
    """302 that nobody keeps, no cookie; the event has link, campaign, touchpoint, staff, referrer and the store."""
    unit = units.add_unit(core.state, code="S1", name="Store 1")
    link = made(
        core,
        campaign="spring",
        medium="poster",
        touchpoint="store",
        staff_id="ann",
        referred_by="p_x",
        unit_id=unit.unit_id,
    )
    answer = opened(client, link)
    target = urlsplit(answer.headers["location"])
    told = {name: value for name, (value,) in parse_qs(target.query).items()}

    assert answer.status_code == 302
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert (target.netloc, target.path, target.fragment) == ("shop.example", "/p", "top")
    assert told["x"] == "1"
    assert (told["utm_campaign"], told["utm_source"], told["utm_medium"]) == ("spring", "store", "poster")
    assert told["spira_link"] == link.code
    [event] = events(core, link)
    assert event["message_id"] == told["spira_visit"]
    assert (event["campaign"], event["campaign_source"], event["campaign_medium"]) == ("spring", "store", "poster")
    assert (event["touchpoint"], event["staff_id"], event["referred_by"]) == ("store", "ann", "p_x")
    assert event["store_id"] == "S1"


def test_what_the_target_says_itself_stays(core):
    """A campaign that the target names already is not overwritten."""
    link = links.add(
        core.state, core.clock, NewLink(target="https://shop.example/?utm_campaign=own", campaign="x"), by="ann"
    )

    assert parse_qs(urlsplit(visits.onward(link, None)).query)["utm_campaign"] == ["own"]


def test_whoever_lands_is_the_visitor(client, core):
    """The next page's own call joins the visit to the browser, without a cookie; its touch is the link's."""
    link = made(core, campaign="spring", touchpoint="store")
    at = urlsplit(opened(client, link).headers["location"])
    page = {"url": f"https://shop.example/p?{at.query}", "search": f"?{at.query}"}
    send(core, [{"type": "page", "anonymousId": "browser-1", "messageId": "landed-1", "context": {"page": page}}])
    send(core, [{"type": "identify", "userId": "ann", "anonymousId": "browser-1", "messageId": "landed-2"}])
    core.refresh()

    asked = """
    select trait.name, trait.value from traits trait join profile_events seen using (profile_id)
    where seen.message_id = 'landed-2' and trait.name like 'first_touch_%'
    """
    told = dict(core.lane().query(asked))
    assert told["first_touch_link"] == link.code
    assert told["first_touch_touchpoint"] == "store"
    assert told["first_touch_campaign"] == "spring"


def test_a_visit_that_led_nowhere_known_is_no_person(client, core):
    """A thousand scans of a poster whose page says nothing make no people."""
    link = made(core)
    before = core.lane().value("select count(*) from profiles")
    for _ in range(3):
        opened(client, link)

    assert len(events(core, link)) == 3
    assert core.lane().value("select count(*) from profiles") == before
    assert core.lane().value("select count(*) from tags") == before


def test_a_machine_is_led_on_and_not_counted(client, core):
    """A preview is an event of another name, and its address carries no visit."""
    link = made(core)
    head = client.head(f"/r/{link.code}", headers=BROWSER, follow_redirects=False)
    bot = opened(client, link, **{"user-agent": "Slackbot-LinkExpanding 1.0"})

    assert head.status_code == bot.status_code == 302
    assert "spira_visit" not in bot.headers["location"]
    assert events(core, link) == []
    assert {each["reason"] for each in events(core, link, "Link Previewed")} == {"head", "crawler"}


def test_a_link_that_is_over_leads_nowhere(client, core):
    """An ended link is gone, an unknown one not there; both say so in the brand's page, and nothing is written."""
    link = made(core)
    links.end(core.state, core.clock, link.code)
    end = core.log.end()

    gone, unknown = opened(client, link), client.get("/r/nobody", headers=BROWSER, follow_redirects=False)

    assert (gone.status_code, unknown.status_code) == (410, 404)
    assert "This link is no longer in use" in gone.text
    assert "There is no such link" in unknown.text
    assert "https://shop.example" not in gone.text
    assert core.log.end() == end


@pytest.mark.parametrize(
    "more", ["?url=https://evil.example", "?target=https://evil.example&to=//evil.example", "//evil.example"]
)
def test_no_visit_says_where_it_leads(client, core, more):
    """Whatever is put behind a code, the target is the one that was stored."""
    link = made(core)
    answer = client.get(f"/r/{link.code}{more}", headers=BROWSER, follow_redirects=False)

    assert "evil" not in answer.headers.get("location", "")


def test_who_opens_too_often_is_led_on_and_not_written_down(client, core, monkeypatch):
    """Above the limit of an address nothing is counted, and no visitor of a crowded shop is turned away."""
    from spira.console.public import visits as pages

    monkeypatch.setattr(pages, "VISITS_A_MINUTE", 30)
    link = made(core)
    answers = [opened(client, link, **{"x-forwarded-for": "9.9.9.9"}) for _ in range(40)]

    assert {each.status_code for each in answers} == {302}
    assert len(events(core, link)) <= 31


def test_a_full_disk_turns_no_visitor_away():
    """Where the visit can't be kept, its visitor goes on all the same, without a visit that nobody would know."""

    class Full:
        def append(self, _records):
            raise LogUnavailable("no space")

    from spira.kernel.clock import FrozenClock

    link = Link(code="abc", name="a", target="https://shop.example/", created_at=NOON, created_by="ann")
    target = visits.take(Full(), FrozenClock(NOON), link, method="GET", headers=BROWSER)

    assert target == "https://shop.example/?utm_source=link&utm_medium=link&spira_link=abc"


@pytest.mark.parametrize(
    ("context", "found"),
    [
        (
            b'{"page":{"search":"?spira_link=door&spira_visit=visit_0123456789abcdef"}}',
            ("door", "visit_0123456789abcdef"),
        ),
        (b'{"page":{"url":"https://a.example/?a=b&spira_link=door#x"}}', ("door", None)),
        (b'{"page":{"search":"?spira_link=door&spira_visit=visit_short"}}', ("door", None)),
        (b'{"page":{"search":"?not_spira_link=door"}}', (None, None)),
        (b'{"page":{"search":"?spira_link=' + b"x" * 60 + b'"}}', (None, None)),
        (b'{"page":{"search":"?spira_link=<script>"}}', (None, None)),
        (b'{"page":["spira_link="]}', (None, None)),
        (b'{"page":{"search":7,"url":null},"a":"spira_link="}', (None, None)),
        (b'{"page":{"search":"?a=1"}}', (None, None)),
        (b"", (None, None)),
    ],
)
def test_an_address_tells_its_link_and_visit(context, found):
    """Only what has the shape of a code and of a visit of ours is one."""
    import msgspec

    assert arrival(msgspec.Raw(context)) == found


def test_erasing_a_person_takes_their_visits_and_the_links_they_recommend_by(client, core):
    """Neither the log nor the warehouse keep the visit, and the link that named them leads nowhere any more."""
    link = made(core, code="zoes")
    at = urlsplit(opened(client, link).headers["location"])
    visit = parse_qs(at.query)["spira_visit"][0]
    page = {"url": f"https://shop.example/p?{at.query}", "search": f"?{at.query}"}
    send(core, [{"type": "identify", "userId": "zoe", "messageId": "zoe-1", "context": {"page": page}}])
    core.refresh()
    [zoe] = core.lane().query("select profile_id from profile_events where message_id = 'zoe-1'")
    told = {"target": "https://shop.example/", "code": "by-zoe", "referrer": show_profile(zoe[0])}
    answer = client.post("/api/links", json=told, headers={"authorization": "Bearer local"})
    assert answer.status_code == 201, answer.text
    assert links.get(core.state, "by-zoe").referred_by == show_profile(zoe[0])

    with core.exclusive():
        erase.erase(core.stores(), "user_id:zoe", actor="ann")

    assert core.lane().value("select count(*) from events where message_id = $visit", {"visit": visit}) == 0
    assert visit.encode() not in b"".join(core.log.read(BEGINNING).records)
    with pytest.raises(NotFound):
        links.get(core.state, "by-zoe")


def test_a_referrer_is_a_person_that_the_maker_may_see(client):
    """What is no person's id, and a person who is not there, are refused."""
    for referrer, status in (("ann", 422), ("p_0000000000000", 404)):
        told = {"target": "https://shop.example/", "referrer": referrer}
        answer = client.post("/api/links", json=told, headers={"authorization": "Bearer local"})
        assert answer.status_code == status
