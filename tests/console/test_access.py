"""Everybody can use every page: by axe, by keyboard, zoomed, narrow, in both languages and themes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.console.browsing import chromium, local_page, needs_chromium, serving, sync_api, violations
from tests.console.test_contract import PAGES, filled
from tests.console.world import World

pytestmark = [pytest.mark.browser, needs_chromium]
PATHS = [path for path, _ in PAGES]
WITH_QUERY = ["/audiences/new?condition=orders_90d+%3E+1+and+not+in_audience('lapsed')", "/people?q=nobody"]


@pytest.fixture(scope="module")
def place(world: World) -> Iterator[str]:
    with serving(world.core, world.app) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with chromium() as started:
        yield started


@pytest.mark.parametrize(("width", "language", "theme"), [(1440, "zh-CN", "light"), (390, "en", "dark")])
def test_pages_are_open_to_everybody(browser, place, world, width, language, theme):
    """axe finds nothing on any page, in both languages and themes, wide and narrow; nothing scrolls sideways."""
    page = local_page(browser, place, width=width, language=language, theme=theme)
    said, found, sideways = [], {}, []
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in [*[filled(each, world) for each in PATHS], *WITH_QUERY]:
        page.goto(place + path)
        found[path] = violations(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            sideways.append(path)
    page.context.close()
    assert {path: each for path, each in found.items() if each} == {}
    assert sideways == []
    assert said == []


def test_the_contrast_holds_in_the_other_theme(browser, place, world):
    """What is light at 1440 pixels and dark at 390 is also readable the other way about."""
    page = local_page(browser, place, width=1440, language="en", theme="dark")
    found = {}
    for path in [filled(each, world) for each in PATHS]:
        page.goto(place + path)
        found[path] = [each for each in violations(page) if each.startswith("color-contrast")]
    page.context.close()
    assert {path: each for path, each in found.items() if each} == {}


def test_pages_can_be_zoomed_to_twice_their_size(browser, place, world):
    """At 200 % of 1440 pixels, which is 720 pixels of page, nothing scrolls sideways."""
    page = local_page(browser, place, width=720)
    wide = []
    for path in [filled(each, world) for each in PATHS]:
        page.goto(place + path)
        if page.evaluate("document.documentElement.scrollWidth") > 720:
            wide.append(path)
    page.context.close()
    assert wide == []


def test_nothing_moves_for_whoever_asked_for_rest(browser, place):
    """With reduced motion no element has a transition or an animation."""
    page = local_page(browser, place, reduced_motion="reduce")
    for path in ("/cockpit", WITH_QUERY[0]):
        page.goto(place + path)
        assert page.evaluate(MOVING) == []
    page.context.close()


@pytest.mark.parametrize("path", ["/cockpit", WITH_QUERY[0], "/people/{profile}"])
def test_the_keyboard_reaches_everything_in_order(browser, place, world, path):
    """Tab walks every control of a page once, each with a visible focus, and comes out at the end."""
    page = local_page(browser, place)
    page.goto(place + filled(path, world))
    expected = page.evaluate(REACHABLE)
    walked = []
    for _ in range(expected + 20):
        page.keyboard.press("Tab")
        told = page.evaluate(FOCUSED)
        if told is None:
            break
        walked.append(told)
    page.context.close()
    assert len(walked) >= expected * 0.95
    assert [each["what"] for each in walked if not each["visible"]] == []
    assert walked[0]["what"].startswith("a.skip")


MOVING = """
[...document.querySelectorAll('*')].filter((each) => {
  const style = getComputedStyle(each);
  return parseFloat(style.transitionDuration) > 0 || parseFloat(style.animationDuration) > 0;
}).map((each) => each.outerHTML.slice(0, 80))
"""
REACHABLE = """
[...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter((each) =>
  !each.disabled && each.type !== 'hidden' && each.tabIndex >= 0 && each.checkVisibility({ visibilityProperty: true })
).length
"""
FOCUSED = """
(() => {
  const each = document.activeElement;
  if (!each || each === document.body) return null;
  const style = getComputedStyle(each);
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  return { what: each.tagName.toLowerCase() + '.' + each.className + ' ' + each.textContent.trim().slice(0, 30),
           visible: ring || style.boxShadow !== 'none' };
})()
"""
