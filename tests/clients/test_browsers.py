"""@segment/analytics-next from npm in a real Chromium: short paths, batches, retries, unloading, settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.clients.shop import needs_node, pages
from tests.console.browsing import chromium, needs_chromium, sync_api

PAGE = """<!doctype html><meta charset="utf-8"><title>Shop</title>
<script src="/npm/@segment/analytics-next/dist/umd/index.js"></script>"""
LOAD = """([writeKey, place, delivery]) => {
  const [protocol, host] = place.split("://");
  const to = {apiKey: writeKey, apiHost: host + "/v1", protocol, ...delivery};
  window.failed = [];
  window.client = new AnalyticsNext.AnalyticsBrowser();
  client.load({writeKey, cdnSettings: {integrations: {"Segment.io": {apiKey: writeKey}}}},
              {integrations: {"Segment.io": to}});
  client.on("error", (fault) => window.failed.push(String(fault.code)));
}"""
EVERYTHING = """() => Promise.all([
  client.identify("ann", {email: "ann@example.com", city: "Qingdao"}),
  client.track("Order Completed", {order_id: "A-1", revenue: 42.5}),
  client.page("Docs", "Home", {url: "https://shop.example/"}),
  client.screen("Home"),
  client.group("acme", {name: "Acme"}),
  client.alias("ann-2", "ann"),
]).then(() => undefined)"""
EVENTS = ["Aliased", "Group Joined", "Identified", "Order Completed", "Page Viewed", "Screen Viewed"]
BATCHING = {"deliveryStrategy": {"strategy": "batching", "config": {"size": 50, "timeout": 300}}}
ONE = "() => client.track('Order Completed', {order_id: 'A-1'}).then(() => undefined)"
pytestmark = [pytest.mark.slow, pytest.mark.browser, needs_chromium, needs_node]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    """A refusal asks for one second's patience."""
    monkeypatch.setattr("spira.collect.intake.RETRY_SECONDS", 1)


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    """One Chromium for all."""
    with chromium() as started:
        yield started


@contextmanager
def visiting(browser, shop, delivery=None):
    """A page of another origin, with the client loaded for the shop's source."""
    with pages({"/": PAGE, "/next": PAGE}) as site:
        context = browser.new_context()
        page = context.new_page()
        page.goto(site)
        page.evaluate(LOAD, [shop.key, shop.place, delivery or {}])
        yield page
        context.close()


def test_every_call_of_a_page_arrives_by_the_short_paths(browser, shop):
    """One request for each call, as text/plain, to /v1/i, /t, /p, /s, /g and /a, after a preflight."""
    with visiting(browser, shop) as page:
        page.evaluate(EVERYTHING)
        shop.wait_for(*EVENTS)

    assert sorted(each.path for each in shop.posts()) == [f"/v1/{short}" for short in "agipst"]
    assert {each.headers["content-type"].partition(";")[0] for each in shop.posts()} == {"text/plain"}
    assert {each.status for each in shop.posts()} == {200}
    assert any(each.method == "OPTIONS" for each in shop.asked)
    assert shop.rows("select reason from quarantine") == []
    shop.core.refresh()
    assert shop.rows("select value from traits where name = 'city'") == [("Qingdao",)]
    assert shop.rows("select distinct touchpoint from events") == [("web",)]


def test_batches_of_a_page_arrive(browser, shop):
    """In batching mode all of it comes in requests to /v1/b."""
    with visiting(browser, shop, BATCHING) as page:
        page.evaluate(EVERYTHING)
        shop.wait_for(*EVENTS)

    assert {each.path for each in shop.posts()} == {"/v1/b"}
    assert len(shop.posts()) < len(EVENTS)


def test_a_batch_is_sent_when_its_page_is_left(browser, shop):
    """What waits for more is sent on unload, and arrives although the page is gone."""
    delivery = {"deliveryStrategy": {"strategy": "batching", "config": {"size": 50, "timeout": 60_000}}}
    with visiting(browser, shop, delivery) as page:
        page.evaluate("() => { client.track('Order Completed', {order_id: 'A-1'}); return client.ready(); }")
        page.evaluate("() => client.then(() => new Promise((done) => setTimeout(done, 50)))")
        assert shop.posts() == []
        page.goto("about:blank")
        shop.wait_for("Order Completed")

    assert [each.path for each in shop.posts()] == ["/v1/b"]


@pytest.mark.parametrize("delivery", [{}, BATCHING], ids=["single", "batching"])
@pytest.mark.parametrize("fault", ["refuse", "lose"])
def test_a_page_sends_again_what_was_refused_for_now(browser, shop, delivery, fault):
    """After a 503 it waits as Retry-After says, since the header is exposed, and comes again past the preflight."""
    shop.log.faults.extend([fault, fault])

    with visiting(browser, shop, delivery) as page:
        page.evaluate(ONE)
        shop.wait_for("Order Completed")
        while len(shop.posts()) < 3:
            page.wait_for_timeout(50)

    assert [each.status for each in shop.posts()] == [503, 503, 200]
    assert [each.headers.get("x-retry-count") for each in shop.posts()] == [None, "1", "2"]
    assert shop.rows("select count(*) from events") == [(1,)]
    assert any(each.method == "OPTIONS" for each in shop.asked)


def test_a_page_that_is_asked_to_slow_down_comes_again(browser, shop):
    """After a 429 too."""
    shop.busy = 2
    with visiting(browser, shop) as page:
        page.evaluate(ONE)
        shop.wait_for("Order Completed")

    assert [each.status for each in shop.posts()] == [429, 429, 200]


def test_a_page_with_a_wrong_key_gives_up(browser, shop):
    """401 is final for a page too."""
    shop.key = "wk_nobody"
    with visiting(browser, shop) as page:
        page.evaluate(ONE)
        page.wait_for_function("window.failed.length === 1")

    assert [each.status for each in shop.posts()] == [401]


def test_settings_come_from_this_server_and_name_it(browser, shop):
    """With nothing but its address as `cdnURL`, the client asks for its settings and sends its calls here."""
    with pages({"/": PAGE}) as site:
        context = browser.new_context()
        page = context.new_page()
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(site)
        page.evaluate(
            "([writeKey, cdnURL]) => { window.client = AnalyticsNext.AnalyticsBrowser.load({writeKey, cdnURL}); }",
            [shop.key, shop.place],
        )
        page.evaluate(EVERYTHING)
        shop.wait_for(*EVENTS)
        context.close()

    assert [each.status for each in shop.asked if each.path == f"/v1/projects/{shop.key}/settings"] == [200]
    assert said == []
