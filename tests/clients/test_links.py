"""Short links in a real Chromium: visitors become known by where they land, and a friend stays somebody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.clients.shop import pages
from tests.console.browsing import chromium, needs_chromium, sync_api

from spira.collect import links
from spira.collect.links import NewLink

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.50"
)
TOUCHES = """
select distinct trait.name, trait.value from traits trait join profile_events seen using (profile_id)
where seen.event = 'Identified' and trait.name like 'first_touch_%' and trait.name <> 'first_touch_at'
"""
pytestmark = [pytest.mark.slow, pytest.mark.browser, needs_chromium]


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    """One Chromium for all."""
    with chromium() as started:
        yield started


def landing(shop) -> dict[str, str]:
    """A page of another origin with the one line in it."""
    line = f'<script src="{shop.place}/spira.js" data-key="{shop.key}"></script>'
    return {"/": f'<!doctype html><meta charset="utf-8"><title>Spring</title>{line}'}


def test_whoever_lands_is_known_by_the_link_without_a_cookie(browser, shop):
    """The redirect sets nothing; the page's own events tie the visit to the browser, and then to the person."""
    with pages(landing(shop)) as site:
        new = NewLink(target=f"{site}/", campaign="spring", touchpoint="store")
        link = links.add(shop.core.state, shop.core.clock, new, by="ann")
        context = browser.new_context(user_agent=PHONE)
        page = context.new_page()
        page.goto(f"{shop.place}/r/{link.code}")
        shop.wait_for("Link Opened", "Page Viewed")
        page.evaluate("() => analytics.identify('ann').then(() => undefined)")
        shop.wait_for("Identified", "Link Opened", "Page Viewed")

        assert f"spira_link={link.code}" in page.url
        assert [each for each in context.cookies(shop.place) if each["name"].startswith("spira")] == []
        context.close()
    shop.core.refresh()
    assert dict(shop.rows(TOUCHES)) == {
        "first_touch_campaign": "spring",
        "first_touch_link": link.code,
        "first_touch_touchpoint": "store",
    }
    assert shop.rows("select count(*) from profiles") == [(1,)]


def test_a_friend_to_whom_the_address_was_sent_is_somebody_else(browser, shop):
    """Two browsers with one visit in the address stay two people, and each still knows which link it was."""
    with pages(landing(shop)) as site:
        link = links.add(shop.core.state, shop.core.clock, NewLink(target=f"{site}/", campaign="spring"), by="ann")
        first, second = (browser.new_context(user_agent=PHONE) for _ in range(2))
        page = first.new_page()
        page.goto(f"{shop.place}/r/{link.code}")
        shop.wait_for("Link Opened", "Page Viewed")
        second.new_page().goto(page.url)
        shop.wait_for("Link Opened", "Page Viewed", "Page Viewed")
        first.close()
        second.close()
    shop.core.refresh()

    assert shop.rows("select count(*) from profiles") == [(2,)]
    assert shop.rows("select value from traits where name = 'first_touch_link'") == [(link.code,)] * 2
