"""Everybody can use every page: by axe, by keyboard, zoomed, narrow, in both languages and themes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from tests.console.browsing import chromium, local_page, needs_chromium, serving, sync_api, violations
from tests.console.test_contract import PAGES, filled
from tests.console.world import World

pytestmark = [pytest.mark.browser, needs_chromium]
PATHS = [path for path, _ in PAGES]
WIDE = 1440
WITH_QUERY = ["/audiences/new?condition=orders_90d+%3E+1+and+not+in_audience('lapsed')", "/people?q=nobody"]


@pytest.fixture(scope="module")
def place(world: World) -> Iterator[str]:
    with serving(world.core, world.app) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with chromium() as started:
        yield started


@dataclass
class Walk:
    """What was found wrong on a walk over every page: by axe, by its width, and by what scripts said."""

    faults: dict[str, list[str]] = field(default_factory=dict)
    faint: dict[str, list[str]] = field(default_factory=dict)
    sideways: list[tuple[str, int]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    seen: int = 0

    def look(self, path: str, page: sync_api.Page, width: int, theme: str) -> None:
        """One page as it is; wide also in the other theme; then at 200 % of 1440 pixels, which is 720 of page."""
        without = "nav.rail" if self.seen else ""  # it is the same on every page
        self.seen += 1
        if found := violations(page, without=without):
            self.faults[path] = found
        self._measure(path, page, width)
        if width == WIDE:  # colours are the same on a phone, where the darker theme is looked at as a whole
            page.evaluate(PAINT, "light" if theme == "dark" else "dark")
            if found := violations(page, rule="color-contrast", without=without):
                self.faint[path] = found
        page.set_viewport_size({"width": 720, "height": 900})
        self._measure(path, page, 720)
        page.set_viewport_size({"width": width, "height": 900})

    def _measure(self, path: str, page: sync_api.Page, width: int) -> None:
        if page.evaluate(SETTLED_WIDTH) > width:
            self.sideways.append((path, width))


@pytest.fixture(scope="module", params=[(WIDE, "zh-CN", "light"), (390, "en", "dark")], ids=str)
def walk(request, browser, place, world) -> Walk:
    """Every page is loaded once wide and light in Chinese, and once narrow and dark in English."""
    width, language, theme = request.param
    page, found = local_page(browser, place, width=width, language=language, theme=theme), Walk()
    page.on("pageerror", lambda error: found.said.append(str(error)))
    for path in [*[filled(each, world) for each in PATHS], *WITH_QUERY]:
        page.goto(place + path)
        found.look(path, page, width, theme)
    page.context.close()
    return found


def test_pages_are_open_to_everybody(walk):
    """axe finds nothing on any page, in both languages and themes, wide and narrow; no script fails."""
    assert walk.faults == {}
    assert walk.said == []


def test_the_contrast_holds_in_the_other_theme(walk):
    """What is light at 1440 pixels is also readable when it is dark."""
    assert walk.faint == {}


def test_nothing_scrolls_sideways(walk):
    """Pages fit a wide and a narrow window, and are zoomed to twice their size without losing anything."""
    assert walk.sideways == []


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


SETTLED_WIDTH = """
async () => {  // what hears of a new size, as charts do, draws itself anew before the next frame but one
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return document.documentElement.scrollWidth;
}
"""
PAINT = "theme => document.documentElement.dataset.bsTheme = theme"
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
