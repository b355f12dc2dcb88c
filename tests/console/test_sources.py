"""Sources: the list, a new one with its key, the key exchanged, and the end."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from litestar.testing import TestClient

from spira.collect import sources
from spira.console.app import create_asgi
from spira.storage import audit


def key_of(page: str) -> str:
    return re.search(r'<code class="secret" id="key">(wk_[\w-]+)</code>', page).group(1)


def call(world, key: str) -> int:
    body = {"userId": "u1", "event": "Order Completed"}
    return world.app_with_intake.post("/v1/track", json=body, auth=(key, "")).status_code


@pytest.fixture
def shop(fresh_world):
    """A world whose collection API can be called beside its pages."""
    fresh_world.app_with_intake = TestClient(create_asgi(fresh_world.core, fresh_world.app))
    return fresh_world


def acts(world) -> list[tuple[str, str]]:
    return [(row.action, row.subject) for row in audit.latest(world.core.state, limit=5)]


def test_a_new_source_shows_its_key_once_with_ready_calls_that_work(shop):
    """The answer has the key and three first calls with it; no page or list has it afterwards."""
    answer = shop.post("/sources", data={"name": "web shop", "touchpoint": "web", "domain": "private"})
    assert answer.status_code == 201
    key = key_of(answer.text)
    told = html.unescape(answer.text)
    assert f"-u '{key}:'" in told
    assert f'writeKey: "{key}"' in told
    assert f'analytics.write_key = "{key}"' in told
    assert call(shop, key) == 200
    for path in ("/sources", "/sources/web%20shop", "/api/sources", "/api/sources/web%20shop"):
        assert key not in shop.get(path).text
    assert acts(shop)[0] == ("source.add", "web shop")


def test_a_key_is_exchanged_after_typing_the_name(shop):
    """A wrong name changes nothing; the right one gives a new key, and the old one is good for the grace."""
    old = sources.get(shop.core.state, "shop").write_key
    wrong = shop.post("/sources/shop/rotate", data={"confirm": "shpo", "grace": "0"})
    assert wrong.status_code == 422
    assert call(shop, old) == 200

    fresh = key_of(shop.post("/sources/shop/rotate", data={"confirm": "shop", "grace": "24"}).text)
    assert [call(shop, key) for key in (old, fresh)] == [200, 200]
    again = key_of(shop.post("/sources/shop/rotate", data={"confirm": "shop", "grace": "0"}).text)
    assert [call(shop, key) for key in (old, fresh, again)] == [401, 401, 200]
    assert acts(shop)[:2] == [("source.rotate", "shop")] * 2


def test_an_ended_source_is_refused_and_can_be_taken_up_again(shop):
    """Its calls get 401 from the next one on; a new key takes it up."""
    key = sources.get(shop.core.state, "shop").write_key
    assert shop.post("/sources/shop/end", data={"confirm": ""}).status_code == 422
    answer = shop.post("/sources/shop/end", data={"confirm": "shop"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sources?done=source_ended")
    assert call(shop, key) == 401
    assert "Take it up again" in shop.get("/sources/shop").text
    fresh = key_of(shop.post("/sources/shop/rotate", data={"confirm": "shop"}).text)
    assert call(shop, fresh) == 200
    assert [each for each, _ in acts(shop)[:2]] == ["source.rotate", "source.end"]


def test_the_api_does_the_same(shop):
    """Exchanging and ending over JSON need the name as well."""
    assert shop.post("/api/sources/shop/rotate", json={"confirm": "x"}).status_code == 422
    made = shop.post("/api/sources/shop/rotate", json={"confirm": "shop", "grace_hours": 1}).json()
    assert made["write_key"].startswith("wk_")
    assert made["previous_until"]
    assert shop.post("/api/sources/shop/rotate", json={"confirm": "shop", "grace_hours": 9999}).status_code == 422
    assert shop.post("/api/sources/shop/end", json={"confirm": "shop"}).json()["ended_at"]
    assert shop.post("/api/sources/nobody/end", json={"confirm": "nobody"}).status_code == 404


def test_a_form_with_a_fault_keeps_what_was_typed(world):
    """A name that is taken or can't be one is said, and the rest of the form stays."""
    taken = world.post("/sources", data={"name": "shop", "touchpoint": "web"})
    assert taken.status_code == 409
    assert 'value="shop"' in taken.text
    assert '<option value="web" selected>' in taken.text
    for form in ({"name": "a/b"}, {"name": "x", "priority": "high"}, {"name": "x", "domain": "moon"}):
        assert world.post("/sources", data=form).status_code in (400, 422)
    assert [each["source"] for each in world.get("/api/sources").json()["sources"]] == ["shop"]


def test_the_list_and_the_page_tell_the_traffic(english, world):
    """What came, what was refused, and what no plan declares."""
    assert 'href="/quarantine?source=shop"' in english("/sources")
    shown = world.get("/api/sources/shop").json()
    assert shown["source"]["refused"] == 3
    assert shown["reasons"] == {"wrong_type": 3}
    assert {(each["event"], each["property"]) for each in shown["undeclared"]} >= {("Shelf Visited", "shelf")}
    assert "Order Completed" in {each["event"] for each in shown["events"]}
    assert world.get("/sources/nobody").status_code == 404


def test_sources_are_for_who_connects_them(signed_in, core):
    """Neither an analyst nor the data engineer of one store sees sources or makes one."""
    client = signed_in("ann", "analyst")
    assert client.get("/sources").status_code == 403
    client = signed_in("dan", "data_engineer", unit_id=core.units["A"])
    assert client.get("/api/sources").status_code == 403


def test_the_line_for_a_web_page_is_shown_with_the_key_once(shop):
    """The answer that shows the key has the whole line; the source's page has it with a gap for the key."""
    answer = html.unescape(shop.post("/sources", data={"name": "site"}).text)

    assert f'/spira.js" data-key="{key_of(answer)}" async></script>' in answer
    assert '/spira.js" data-key="YOUR_WRITE_KEY" async></script>' in html.unescape(shop.get("/sources/site").text)


def test_web_pages_wait_for_consent_when_the_source_says_so(shop):
    """The switch changes the script that pages load, is written down, and can be turned back; the API does the same."""
    key = sources.get(shop.core.state, "shop").write_key
    before = shop.app_with_intake.get("/spira.js").text

    answer = shop.post("/sources/shop/web", data={"consent_first": "yes"})

    assert answer.url.path == "/sources/shop"
    assert answer.url.params["done"] == "source_web_waits"
    assert "checked" in answer.text
    assert shop.app_with_intake.get("/spira.js").text != before
    assert shop.app_with_intake.get(f"/v1/projects/{key}/settings").json()["consentFirst"] is True
    assert acts(shop)[0] == ("source.web", "shop")
    assert shop.get("/api/sources/shop").json()["source"]["consent_first"] is True
    shop.post("/sources/shop/web", data={})
    assert shop.app_with_intake.get("/spira.js").text == before


def test_a_source_is_given_a_mode_and_an_alarm(shop):
    """Saved by the form or the API, written down, and kept to from the next call on."""
    english = {"cookie": "spira_language=en"}
    form = {"mode": "block", "silent_minutes": "30"}
    answer = shop.post("/sources/shop/settings", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sources/shop?done=source_set")
    key = sources.get(shop.core.state, "shop").write_key
    body = {"userId": "u1", "event": "Never Heard Of"}
    refused = shop.app_with_intake.post("/v1/track", json=body, auth=(key, ""))
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_event")
    assert call(shop, "wk_nobody_has_this_key") == 401
    shop.core.door.refusals.flush()
    shown = shop.get("/sources/shop", headers=english).text
    assert '<option value="block" selected>' in shown
    assert "Turned away at the door" in shown
    assert "wk_nobo…" in shop.get("/sources", headers=english).text
    assert acts(shop)[0] == ("source.set", "shop")
    left = shop.post("/api/sources/shop/settings", json={"mode": "plan"}).json()
    assert left == {"source": "shop", "mode": None, "silent_minutes": 30}
    for wrong in ({"mode": "moon"}, {"silent_minutes": 10**6}):
        assert shop.post("/api/sources/shop/settings", json=wrong).status_code == 422
    assert shop.post("/sources/shop/settings", data={"mode": "plan", "silent_minutes": "x"}).status_code == 422


def test_what_an_operator_sees_when_a_property_changes_or_a_source_is_silent(english, world):
    """The list says which property comes as another type; a silent source stands on the cockpit and the system page."""
    assert "“revenue” of Order completed came as text since" in english("/sources")
    assert "3 calls in quarantine" in english("/sources/shop")
    told = world.get("/api/sources/shop/health").json()
    assert [(each["property"], each["calls"]) for each in told["changed"]] == [("revenue", 3)]
    lane, today = world.core.worker_lane, world.core.clock.now().date()
    for day, kind, seen in ((today - timedelta(days=3), "number", 40), (today, "text", 2)):
        lane.execute(_SEEN, {"day": day, "type": kind, "seen": seen})
    try:
        told_so = "“size” of Measured, which nobody declared, came as number and since"
        assert told_so in english("/sources/shop")
        assert "too from source shop: 2 values, kept as they came." in english("/sources")
    finally:
        lane.execute("delete from undeclared where event = 'Measured'")
    sources.adjust(world.core.state, "shop", mode=None, silent_minutes=1)
    try:
        for path in ("/cockpit", "/system", "/sources"):
            assert "One source is silent:" in english(path)
    finally:
        sources.adjust(world.core.state, "shop", mode=None, silent_minutes=None)


_SEEN = """
insert into undeclared by name
select 'shop' as source, $day as day, 'Measured' as event, 'size' as property, $type as type, $seen as seen, 1 as batch
"""
