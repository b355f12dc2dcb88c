"""Short links and webhooks in a real browser: made by hand, scanned from the screen and printed."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
import zxingcpp
from PIL import Image
from tests.console.browsing import chromium, local_page, needs_chromium, serving, sync_api

pytestmark = [pytest.mark.browser, needs_chromium]


@pytest.fixture(scope="module")
def place(open_world) -> Iterator[str]:
    with open_world("links") as world, serving(world.core, world.app) as address:
        world.core.public_url = address
        yield address


@pytest.fixture(scope="module")
def browser(place) -> Iterator[sync_api.Browser]:  # noqa: ARG001  (the world is made before a loop runs)
    with chromium() as started:
        yield started


def seen(picture: bytes) -> list[str]:
    """What a reader of QR codes sees in a screenshot."""
    return [each.text for each in zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))]


def test_a_link_is_made_by_hand_and_scanned_from_the_screen(browser, place):
    """The form leads to a page whose code, as it stands on the screen, is the link's address; so is the poster's."""
    page = local_page(browser, place)
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{place}/links/new")
    page.fill("#target", "https://shop.example/spring")
    page.fill("#name", "Window")
    page.fill("#code", "window-1")
    page.select_option("#touchpoint", "store")
    page.click("button.first")
    page.wait_for_url("**/links/window-1?done=link_made")
    page.wait_for_function("[...document.images].every((each) => each.complete)")
    assert seen(page.locator(".code").screenshot()) == [f"{place}/r/window-1"]

    page.select_option("#error", "h")
    page.click(".drawn button")
    page.wait_for_function("location.search.includes('error=h')")
    assert seen(page.locator(".code").screenshot()) == [f"{place}/r/window-1"]
    for kind in ("poster", "card"):
        page.goto(f"{place}/links/window-1/sheet?kind={kind}")
        page.emulate_media(media="print")
        assert seen(page.screenshot(full_page=True)) == [f"{place}/r/window-1"]
        assert not page.locator(".rail").is_visible()
        page.emulate_media(media="screen")
    assert said == []


def test_a_dark_screen_shows_a_code_that_can_be_read(browser, place):
    """Readers want dark on light, whatever the theme."""
    page = local_page(browser, place, theme="dark")
    page.goto(f"{place}/links/door")
    page.wait_for_function("[...document.images].every((each) => each.complete)")
    assert seen(page.screenshot()) == [f"{place}/r/door"]


def test_a_call_is_tried_on_the_page(browser, place):
    """What is pasted is shown as the event it becomes, beside what was pasted."""
    page = local_page(browser, place)
    page.goto(f"{place}/hooks/service")
    page.fill("#body", '{"type": "ticket.closed", "customer": 7}')
    page.click("form[action$='/test'] button")
    sync_api.expect(page.locator(".becomes pre")).to_contain_text("Ticket Written")
    assert "ticket.closed" in page.input_value("#body")
