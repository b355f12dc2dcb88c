"""One line in a web page, in a real Chromium: the example shop, and what is kept and sent before and after consent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.clients.shop import pages
from tests.console.browsing import chromium, needs_chromium, sync_api, violations

EXAMPLE = Path(__file__).parents[2] / "examples" / "web"
POLICY = "default-src 'none'; style-src 'self'; script-src 'self' {place}; connect-src {place}"
KEPT = """async () => ({
  cookies: document.cookie,
  local: Object.keys(localStorage),
  session: Object.keys(sessionStorage),
  databases: (await indexedDB.databases()).length,
})"""
NOTHING = {"cookies": "", "local": [], "session": [], "databases": 0}
pytestmark = [pytest.mark.slow, pytest.mark.browser, needs_chromium]


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    """One Chromium for all."""
    with chromium() as started:
        yield started


@contextmanager
def visiting(browser, shop, files=None):
    """A page that has the line, on an origin of its own with a strict policy; its console must stay empty."""
    with pages(files or example(shop), policy=POLICY.format(place=shop.place)) as site:
        context = browser.new_context()
        page = context.new_page()
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(site)
        yield page
        context.close()
        assert said == []


def example(shop):
    """The files of the example, for this shop."""
    files = {f"/{path.name}": path.read_text(encoding="utf-8") for path in EXAMPLE.iterdir() if path.suffix != ".md"}
    page = files.pop("/index.html").replace("http://127.0.0.1:8700", shop.place).replace("YOUR_WRITE_KEY", shop.key)
    return files | {"/": page}


def bare(shop, *, attributes="", before="", after=""):
    """The line alone, with a script of the page before it."""
    page = f"""<!doctype html><meta charset="utf-8"><title>Shop</title>
<script src="before.js"></script><script src="{shop.place}/spira.js" data-key="{shop.key}" {attributes}></script>
<script src="after.js"></script>"""
    return {"/": page, "/before.js": before, "/after.js": after}


def sent_from(shop):
    """The paths that were asked for, but for the favicon that browsers ask of sites."""
    return [each.path for each in shop.asked if each.method != "OPTIONS"]


def test_one_line_sends_page_views_and_calls_made_before_it_arrived(browser, shop):
    """The page's view and what the page said early arrive, with nothing but the line and no inline script."""
    with visiting(browser, shop) as page:
        page.click("#buy")
        shop.wait_for("Order Completed", "Page Viewed", "Product Viewed")

        assert page.evaluate("typeof window.analytics.track") == "function"
        assert page.evaluate("window.analytics.user().anonymousId().length") > 10
    assert shop.rows("select revenue from events where event = 'Order Completed'") == [(58,)]
    assert shop.rows("select count(distinct subject_id), min(touchpoint) from events") == [(1, "web")]
    assert {each.status for each in shop.posts()} == {200}


def test_nothing_is_kept_or_sent_before_consent(browser, shop):
    """No cookie, no storage and no request before the choice, though the page made calls; then all of it arrives."""
    shop.consent_first(True)
    with visiting(browser, shop) as page:
        page.wait_for_function("!document.getElementById('banner').hidden")
        page.click("#add")
        page.wait_for_timeout(300)

        assert page.evaluate(KEPT) == NOTHING
        assert page.context.cookies() == []
        assert sent_from(shop) == ["/spira.js"]

        page.click("#yes")
        shop.wait_for("Consent Given", "Page Viewed", "Product Added", "Product Viewed")
        assert page.evaluate("document.cookie").startswith("ajs_")
    assert shop.rows("select purpose, channel from events where event = 'Consent Given'") == [("analytics", "web")]
    shop.core.refresh()
    assert shop.rows("select purpose, channel, granted from permissions") == [("analytics", "web", True)]


def test_a_refusal_sends_nothing_ever(browser, shop):
    """Who says no is not measured, on this page or the next; only the choice itself is remembered."""
    shop.consent_first(True)
    with visiting(browser, shop) as page:
        page.click("#no")
        page.click("#add")
        page.reload()
        page.click("#add")
        page.wait_for_timeout(300)

        assert page.evaluate(KEPT) == NOTHING | {"local": [f"spira:consent:{shop.key}"]}
        assert page.evaluate("document.getElementById('banner').hidden")
    assert set(sent_from(shop)) == {"/spira.js"}


def test_consent_is_remembered_and_told_once(browser, shop):
    """The next page begins at once and asks nobody; a choice that was told is not told again."""
    shop.consent_first(True)
    with visiting(browser, shop) as page:
        page.click("#yes")
        shop.wait_for("Consent Given", "Page Viewed", "Product Viewed")
        page.reload()
        page.evaluate("spira.consent({analytics: true})")
        shop.wait_for("Consent Given", "Page Viewed", "Page Viewed", "Product Viewed", "Product Viewed")

        assert page.evaluate("spira.choices()") == {"analytics": True}


def test_consent_can_be_taken_back(browser, shop):
    """The withdrawal is told, then the ids go and nothing more is sent, also by what the page attached before."""
    shop.consent_first(True)
    with visiting(browser, shop) as page:
        page.click("#yes")
        shop.wait_for("Consent Given", "Page Viewed", "Product Viewed")
        page.click("#withdraw")
        shop.wait_for("Consent Given", "Consent Withdrawn", "Page Viewed", "Product Viewed")
        page.wait_for_function("document.cookie === ''")
        page.click("#add")
        page.evaluate("window.analytics.instance.track('Product Added')")
        page.wait_for_timeout(300)

        assert page.evaluate(KEPT) == NOTHING | {"local": [f"spira:consent:{shop.key}"]}
        page.evaluate("spira.consent({analytics: true})")
        shop.wait_for("Consent Given", "Consent Given", "Consent Withdrawn", "Page Viewed", "Product Viewed")
    assert len({each.path for each in shop.posts()}) == 2


def test_each_purpose_and_channel_is_told(browser, shop):
    """Consents to be written to become permissions of the person who was identified."""
    with visiting(browser, shop) as page:
        page.fill("#email", "ann@example.com")
        page.check("#news")
        page.click("#member button")
        page.evaluate("analytics.consent({marketing: {sms: false, email: true}})")
        shop.wait_for("Consent Given", "Consent Withdrawn", "Identified", "Page Viewed", "Product Viewed")

    shop.core.refresh()
    found = shop.rows("select purpose, channel, granted from permissions order by all")
    assert found == [("marketing", "email", True), ("marketing", "sms", False)]
    assert shop.rows("select count(*) from profiles") == [(1,)]


def test_a_refusal_while_the_client_is_loading_sends_nothing(browser, shop):
    """Where pages begin at once, a refusal before anything was sent leaves nothing sent and nothing kept."""
    after = "analytics.track('Seen'); spira.consent({analytics: false}); analytics.track('Seen again');"
    with visiting(browser, shop, bare(shop, after=after)) as page:
        page.wait_for_function("window.analytics.instance !== null")
        page.wait_for_timeout(300)

        assert page.evaluate(KEPT) == NOTHING | {"local": [f"spira:consent:{shop.key}"]}
    assert shop.posts() == []


def test_a_page_may_wait_though_its_source_does_not(browser, shop):
    """`data-consent="first"` in the line makes one page strict."""
    with visiting(browser, shop, bare(shop, attributes='data-consent="first"')) as page:
        page.wait_for_timeout(300)
        assert page.evaluate(KEPT) == NOTHING
        page.evaluate("spira.consent({analytics: true})")
        shop.wait_for("Consent Given", "Page Viewed")


def test_a_page_says_itself_when_it_was_viewed(browser, shop):
    """`data-page="no"` leaves page views to the page; `data-batch="yes"` sends several calls at once."""
    files = bare(shop, attributes='data-page="no" data-batch="yes"', before="window.analytics = [['track', 'Seen']];")
    with visiting(browser, shop, files) as page:
        page.evaluate("Promise.all([analytics.page('Home'), analytics.track('Read')]).then(() => undefined)")
        shop.wait_for("Page Viewed", "Read", "Seen")

    assert {each.path for each in shop.posts()} == {"/v1/b"}


def test_calls_are_sent_although_the_page_is_left(browser, shop):
    """A call made by the click that leaves the page arrives."""
    with visiting(browser, shop, bare(shop)) as page:
        shop.wait_for("Page Viewed")
        page.evaluate("() => { analytics.track('Left'); location.href = 'about:blank'; }")
        shop.wait_for("Left", "Page Viewed")


def test_a_module_loader_of_the_page_does_not_catch_the_client(browser, shop):
    """A page with `define` of its own gets the same."""
    before = "window.define = function () {}; window.define.amd = {};"
    with visiting(browser, shop, bare(shop, before=before)):
        shop.wait_for("Page Viewed")


def test_the_clients_parts_for_links_and_addresses_are_there(browser, shop):
    """What analytics-next loads only when it is used comes from this server too."""
    files = bare(shop)
    with visiting(browser, shop, files) as page:
        shop.wait_for("Page Viewed")
        page.goto(page.url + "?ajs_uid=ann&ajs_event=Arrived")
        shop.wait_for("Arrived", "Identified", "Page Viewed", "Page Viewed")
        page.evaluate(
            "() => { const a = document.createElement('a'); a.href = '#x'; a.id = 'x'; a.textContent = 'x';"
            " document.body.append(a); analytics.trackLink(a, 'Link Clicked'); }"
        )
        page.wait_for_timeout(300)
        page.click("#x")
        shop.wait_for("Arrived", "Identified", "Link Clicked", "Page Viewed", "Page Viewed")


def test_the_example_is_accessible(browser, shop):
    """axe finds nothing to complain of in the example, with its banner open."""
    shop.consent_first(True)
    with pages(example(shop)) as site:
        context = browser.new_context(bypass_csp=True)
        page = context.new_page()
        page.goto(site)
        page.wait_for_function("!document.getElementById('banner').hidden")
        assert violations(page) == []
        context.close()
