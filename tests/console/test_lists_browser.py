"""The big lists in a real browser: what scripts add, and that nothing is missing without them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.console.browsing import chromium, needs_chromium, serving, signed_in, sync_api, violations

from spira.console.app import create_app
from spira.testing.cores import StandInCore, fill, staff

pytestmark = [pytest.mark.browser, needs_chromium]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[str]:
    core = StandInCore(tmp_path_factory.mktemp("core"))
    fill(core)
    staff(core, "ann", "administrator", "operator", "service")
    with serving(core, create_app(core)) as address:
        yield address
    core.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with chromium() as started:
        yield started


def test_the_bar_counts_what_is_ticked(browser, place):
    """The bar comes with the first tick and says how many; one box ticks the page; clearing takes it away."""
    page = signed_in(browser, place)
    page.goto(f"{place}/people")
    bar = page.locator("#bulk")
    sync_api.expect(bar).to_be_hidden()
    page.locator("input[name=chosen]").nth(0).check()
    sync_api.expect(page.locator("[data-said]")).to_have_text("1 selected")
    page.locator("input[name=chosen]").nth(4).click(modifiers=["Shift"])
    sync_api.expect(page.locator("[data-said]")).to_have_text("5 selected")
    page.locator("[data-pick-all] input").check()
    sync_api.expect(page.locator("[data-said]")).to_have_text("30 selected")
    page.locator("[data-pick-none]").click()
    sync_api.expect(bar).to_be_hidden()
    page.context.close()


def test_a_note_about_several_goes_the_whole_way(browser, place):
    """Ticking, writing and keeping ends with the list that says the note was kept."""
    page = signed_in(browser, place)
    page.goto(f"{place}/people")
    for number in (0, 1):
        page.locator("input[name=chosen]").nth(number).check()
    page.get_by_text("Write a note").click()
    page.fill("#bulk-note", "Met at the spring fair")
    page.get_by_role("button", name="Keep the note about each").click()
    sync_api.expect(page.locator("main .note.good")).to_contain_text("about everybody selected")
    page.locator("tbody a").first.click()
    sync_api.expect(page.locator(".notes .note-text")).to_have_text("Met at the spring fair")
    page.context.close()


def test_the_menu_is_worked_by_keys_and_is_sound(browser, place):
    """The menu opens and closes by keys and gives the focus back; open, and with the bar, axe finds nothing."""
    for width in (1440, 390):
        page = signed_in(browser, place, width=width, bypass_csp=True)
        page.goto(f"{place}/people")
        page.locator("[data-menu] summary").focus()
        page.keyboard.press("Enter")
        sync_api.expect(page.locator("[data-menu] .menu")).to_be_visible()
        page.locator("input[name=chosen]").first.check(force=True)
        assert violations(page) == []
        page.locator("[data-menu] summary").focus()
        if not page.locator("[data-menu][open]").count():
            page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        sync_api.expect(page.locator("[data-menu] .menu")).to_be_hidden()
        assert page.evaluate("document.activeElement.matches('[data-menu] summary')")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.context.close()


def test_what_is_replaced_keeps_its_place_while_one_waits(browser, place):
    """The list says that it is busy and stays as high as it was until the answer is there."""
    page = signed_in(browser, place)
    held = []
    page.route("**/people?*", lambda route: held.append(route))
    page.goto(f"{place}/people")
    high = page.locator("#listing").bounding_box()["height"]
    with page.expect_request("**/people?*"):
        page.fill("#q", "person7@example.com")
    sync_api.expect(page.locator("#listing")).to_have_class("htmx-request")
    assert page.locator("#listing").bounding_box()["height"] == high
    for route in held:
        route.continue_()
    sync_api.expect(page.locator("#listing tbody tr")).to_have_count(1)
    sync_api.expect(page).to_have_url(re.compile(r"\?q=person7"))
    page.context.close()


def test_without_script_the_bar_is_simply_there(browser, place):
    """The boxes, the bar and the menu of columns work without script."""
    page = signed_in(browser, place, java_script_enabled=False)
    page.goto(f"{place}/people")
    sync_api.expect(page.locator("#bulk")).to_be_visible()
    sync_api.expect(page.locator("[data-pick-all]")).to_be_hidden()
    page.locator("input[name=chosen]").first.check()
    page.locator("[data-menu] summary").click()
    page.get_by_label("E-mail").check()
    page.get_by_role("button", name="Show these").click()
    sync_api.expect(page.locator("thead")).to_contain_text("E-mail")
    page.locator("[data-menu] summary").click()
    page.get_by_role("button", name="Back to the default").click()
    sync_api.expect(page.locator("thead")).not_to_contain_text("E-mail")
    page.context.close()
