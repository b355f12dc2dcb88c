from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from spira.console.app import create_app, create_asgi
from spira.kernel.ids import show_profile
from spira.testing.cores import PASSWORD, StandInCore, fill, staff

sync_api = pytest.importorskip("playwright.sync_api", reason="install the package playwright")
CHROMIUM = Path("/usr/bin/chromium")
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
PERSON = f"/people/{show_profile(7)}"
PAGES = ["/cockpit", "/people?q=nobody", PERSON, "/audiences/new?condition=orders_90d+%3E+4", "/system"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="install the package chromium"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[str]:
    core = StandInCore(tmp_path_factory.mktemp("core"))
    fill(core)
    staff(core, "ann", "administrator", "operator")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_asgi(core, create_app(core)), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()
    core.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


def signed_in(browser, place: str, *, width: int = 1440, language: str = "en", theme: str = "light"):
    context = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    context.add_cookies(
        [
            {"name": "spira_language", "value": language, "url": place},
            {"name": "spira_theme", "value": theme, "url": place},
        ]
    )
    page = context.new_page()
    page.goto(f"{place}/sign-in")
    page.fill("#email", "ann@example.com")
    page.fill("#password", PASSWORD)
    page.click("button.first")
    page.wait_for_url(f"{place}/")
    return page


def violations(page) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]]


@pytest.mark.parametrize(("width", "language", "theme"), [(1440, "zh-CN", "light"), (390, "en", "dark")])
def test_pages_are_open_to_everybody(browser, place, width, language, theme):
    """axe finds nothing on any page, in both languages and themes, wide and narrow; nothing scrolls sideways."""
    page = signed_in(browser, place, width=width, language=language, theme=theme)
    found = {}
    for path in PAGES:
        page.goto(place + path)
        found[path] = violations(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.context.close()
    assert found == {path: [] for path in PAGES}


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
    page.goto(f"{place}/sign-in?next=/audiences/preview")
    page.fill("#email", "ann@example.com")
    page.fill("#password", PASSWORD)
    page.click("button.first")
    page.wait_for_url("**/audiences/preview", wait_until="load")
    page.fill("#condition", "orders_90d >= 5")
    sync_api.expect(page.locator("#answer .count")).to_have_text("34")
    page.fill("#condition", "orders_9d >= 5")
    sync_api.expect(page.locator("pre.fault")).to_contain_text("^^^")
    page.click(".example >> nth=0")
    sync_api.expect(page.locator("#answer .count")).to_have_text("68")
    page.goto(f"{place}/cockpit")
    sync_api.expect(page.locator("#chart-days canvas")).to_be_visible()
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
    page.goto(f"{place}/sign-in?next=/audiences/preview")
    page.fill("#email", "ann@example.com")
    page.fill("#password", PASSWORD)
    page.click("button.first")
    page.fill("#condition", "orders_90d >= 5")
    page.click(".asking button.first")
    assert page.inner_text("#answer .count") == "34"
    page.fill("#search", "user_id:h7")
    page.press("#search", "Enter")
    assert page.url == place + PERSON
    page.click("#theme")
    assert page.get_attribute("html", "data-bs-theme") == "light"
    context.close()
