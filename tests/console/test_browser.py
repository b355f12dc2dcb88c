from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.console.browsing import chromium, needs_chromium, serving, signed_in, sync_api, violations

from spira.console.app import create_app
from spira.kernel.ids import show_profile
from spira.testing.cores import PASSWORD, StandInCore, fill, staff

PERSON = f"/people/{show_profile(7)}"
pytestmark = [pytest.mark.browser, needs_chromium]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[str]:
    core = StandInCore(tmp_path_factory.mktemp("core"))
    fill(core)
    staff(core, "ann", "administrator", "operator")
    with serving(core, create_app(core)) as address:
        yield address
    core.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with chromium() as started:
        yield started


def test_the_door_is_open_to_everybody(browser, place):
    """The sign-in page passes too, in both themes."""
    for theme in ("light", "dark"):
        context = browser.new_context(color_scheme=theme, bypass_csp=True)
        page = context.new_page()
        page.goto(f"{place}/sign-in")
        assert violations(page) == []
        context.close()


def test_the_count_follows_what_is_typed(browser, place):
    """Typing a condition counts it without a button; a mistake is shown in its place and then goes away."""
    context = browser.new_context()
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{place}/sign-in?next=/audiences/new")
    page.fill("#email", "ann@example.com")
    page.fill("#password", PASSWORD)
    page.click("button.first")
    page.wait_for_url("**/audiences/new", wait_until="load")
    page.fill("#condition", "orders_90d >= 5")
    sync_api.expect(page.locator("#answer .count")).to_have_text("34")
    page.fill("#condition", "orders_9d >= 5")
    sync_api.expect(page.locator("pre.fault")).to_contain_text("^^^")
    page.fill("#condition", "")
    page.click(".example >> nth=0")
    sync_api.expect(page.locator("#answer .count")).to_have_text("68")
    page.goto(f"{place}/cockpit")
    sync_api.expect(page.locator("#days canvas")).to_be_visible()
    page.keyboard.press("?")
    sync_api.expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    sync_api.expect(page.locator("#search")).to_be_focused()
    assert said == []
    context.close()


def test_everything_works_without_script(browser, place):
    """With scripts off: signing in, previewing by the button, searching, the theme."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{place}/sign-in?next=/audiences/new")
    page.fill("#email", "ann@example.com")
    page.fill("#password", PASSWORD)
    page.click("button.first")
    page.fill("#condition", "orders_90d >= 5")
    page.click("button[value=update] >> nth=1")
    assert page.inner_text("#answer .count") == "34"
    page.fill("#search", "user_id:h7")
    page.press("#search", "Enter")
    assert page.url == place + PERSON
    page.click("#theme")
    assert page.get_attribute("html", "data-bs-theme") == "light"
    context.close()


def test_what_was_typed_outlives_the_switch_of_language_and_theme(browser, place):
    """A text that was changed and not sent stands in its box again, and a plan that was seen stays a plan."""
    page = signed_in(browser, place)
    page.goto(f"{place}/definitions/new?kind=tag")
    page.fill("#text", "tag: mine\nvalue: count_of('Order Completed')\n")
    page.click("#theme")
    page.wait_for_url("**/definitions/new?kind=tag")
    sync_api.expect(page.locator("#text")).to_have_value("tag: mine\nvalue: count_of('Order Completed')\n")
    page.fill("#text", "tag: mine\nvalue: nonsense(\n")
    page.click("form[data-keep] button.first")
    page.wait_for_url("**/definitions/draft")
    page.fill("#text", "tag: mine\nvalue: 1 + 1\n")
    page.click("button[name=language]")
    page.wait_for_function("document.documentElement.lang == 'zh-CN'")
    assert page.url.endswith("/definitions/draft")
    sync_api.expect(page.locator("#text")).to_have_value("tag: mine\nvalue: 1 + 1\n")
    page.context.close()


def test_a_password_is_kept_by_no_switch(browser, place):
    """Choosing a theme in the middle of signing in leaves nothing behind in the browser's storage."""
    page = browser.new_context().new_page()
    page.goto(f"{place}/sign-in")
    page.fill("#password", PASSWORD)
    page.click("#theme")
    page.wait_for_load_state()
    assert page.evaluate("sessionStorage.length") == 0
    page.context.close()
