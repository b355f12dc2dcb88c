"""The preference centre on a phone: by axe, in both languages, without scripts, and with a thumb."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from tests.console.browsing import chromium, needs_chromium, serving, sync_api, violations
from tests.scenarios.shop import FILES, shop
from tests.scenarios.test_preferences import link
from tests.scenarios.test_wishes import LETTER, NEWS, NOTICE

from spira.console.app import create_app

pytestmark = [pytest.mark.browser, needs_chromium]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[tuple[str, str]]:
    """A shop whose application is served, and the path of Ann's link."""
    files = {**FILES, "journeys/win_back.yaml": NEWS, "notices/offers.yaml": NOTICE}
    files |= {"templates/we_miss_you.html": LETTER, "templates/a_gift.html": LETTER}
    with shop(tmp_path_factory.mktemp("phone"), at=datetime(2026, 3, 2, 10), files=files) as corner:
        corner.tick(minutes=1)
        corner.registers("ann", consents=True)
        corner.orders("ann")
        corner.tick(hours=1)
        with serving(corner.core, create_app(corner.core)) as address:
            yield address, path_of(link(corner))


@pytest.fixture(scope="module")
def browser(place: tuple[str, str]) -> Iterator[sync_api.Browser]:  # noqa: ARG001  (its loop begins after the shop's)
    with chromium() as started:
        yield started


def path_of(address: str) -> str:
    return "/p/" + address.rpartition("/p/")[2]


@pytest.mark.parametrize(("language", "theme"), [("zh-CN", "light"), ("en", "dark")])
def test_a_phone_shows_all_of_it_and_needs_no_script(browser, place, language, theme):
    """axe finds nothing, nothing scrolls sideways, every tap is 44 pixels high, and a choice is kept."""
    address, path = place
    look = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=theme, bypass_csp=True)
    page = look.new_page()
    for each in (path, f"{path}/why", "/preferences"):
        page.goto(f"{address}{each}?lang={language}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert low(page) == []
    plain = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False).new_page()
    plain.goto(f"{address}{path}?lang={language}")
    plain.select_option("#most", "2")
    plain.locator("input[name=personal]").set_checked(language != "zh-CN")
    plain.locator("form button").first.click()
    assert plain.input_value("#most") == "2"
    assert plain.locator("input[name=personal]").is_checked() == (language != "zh-CN")


def low(page: sync_api.Page) -> list[str]:
    """What is to be tapped and lower than 44 pixels, links within a text left out."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('main :is(button, select, .switch, summary, input[type=text])')]
             .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 44)
             .map(each => each.outerHTML.slice(0, 80))"""
    )
    return found
