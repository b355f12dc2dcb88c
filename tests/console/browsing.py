"""A real Chromium before a served world: how the browser's tests sign in, and how they look."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from spira.console.app import create_asgi
from spira.testing.cores import PASSWORD

sync_api = pytest.importorskip("playwright.sync_api", reason="install the package playwright")
CHROMIUM = Path("/usr/bin/chromium")
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
# A window's address bar keeps two pages for its suggestions, which nobody sees here and which cost as much work as
# the page that is looked at. Chromium heeds the last list of these only, so what Playwright leaves out follows.
WITHOUT = [
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
]  # fmt: skip
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", f"--disable-features={','.join(WITHOUT)}"]  # fmt: skip
needs_chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason="install the package chromium")


@contextmanager
def serving(core: Any, app: Any, *, around: Callable[[Any], Any] = lambda inner: inner) -> Iterator[str]:
    """The application on a port of its own, with `around` it whatever a test wants to see or spoil; its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(around(create_asgi(core, app)), log_level="error", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def chromium() -> Iterator[sync_api.Browser]:
    """Debian's Chromium, driven by Playwright."""
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        try:
            yield started
        finally:
            started.close()


def local_page(
    browser: sync_api.Browser, place: str, *, width: int = 1440, language: str = "en",
    theme: str = "light", **context: Any,
) -> sync_api.Page:  # fmt: skip
    """A page of the world's local administrator, who needs no sign-in."""
    headers = {"authorization": "Bearer local"}
    made = browser.new_context(
        viewport={"width": width, "height": 900}, extra_http_headers=headers, bypass_csp=True, **context
    )
    _prefer(made, place, language, theme)
    return made.new_page()


def signed_in(
    browser: sync_api.Browser, place: str, *, width: int = 1440, language: str = "en", theme: str = "light",
    name: str = "ann", **context: Any,
) -> sync_api.Page:  # fmt: skip
    """A page of somebody who has signed in by the form."""
    made = browser.new_context(viewport={"width": width, "height": 900}, **context)
    _prefer(made, place, language, theme)
    page = made.new_page()
    page.goto(f"{place}/sign-in")
    page.fill("#email", f"{name}@example.com")
    page.fill("#password", PASSWORD)
    page.click("button.first")
    page.wait_for_url(f"{place}/")
    return page


def _prefer(context: sync_api.BrowserContext, place: str, language: str, theme: str) -> None:
    context.add_cookies(
        [
            {"name": "spira_language", "value": language, "url": place},
            {"name": "spira_theme", "value": theme, "url": place},
        ]
    )


def violations(page: sync_api.Page, *, rule: str = "", without: str = "") -> list[str]:
    """What axe finds wrong, a line for each element; of one rule, or of all; not looking at `without`, a selector.

    It need not fetch sheets and media for itself: that is for a rule that is off, and for sounds; there are none.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    asked = {"resultTypes": ["violations"], "preload": False} | ({"runOnly": [rule]} if rule else {})
    found: list[str] = page.evaluate(_RUN, [without, asked])
    return found


_RUN = """
async ([without, asked]) => (await axe.run({ exclude: without ? [without] : [] }, asked)).violations.flatMap(
  (each) => each.nodes.map((node) => `${each.id}: ${node.html.slice(0, 160)}`))
"""
