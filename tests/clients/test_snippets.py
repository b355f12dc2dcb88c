"""The snippets of the how-to guide, run as they stand, with this server's address and key in their gaps."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.clients.shop import CLIENT_SECONDS, HERE, NODE, needs_node, pages
from tests.console.browsing import chromium, needs_chromium

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "send-events.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
pytestmark = pytest.mark.slow


def block(language: str, marker: str) -> str:
    """The one block of the guide in this language that has the marker."""
    [found] = [text for kind, text in BLOCKS if kind == language and marker in text]
    return found


def filled(text: str, shop) -> str:
    """The block with the gaps filled."""
    return text.replace("https://spira.example", shop.place).replace("wk_…", shop.key)


def ran(shop, *program: str) -> None:
    """Run it in a process of its own, and find its two calls in the warehouse."""
    done = subprocess.run(program, cwd=HERE, capture_output=True, text=True, timeout=CLIENT_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    assert shop.events() == [("identify", "Identified"), ("track", "Order Completed")]
    assert shop.rows("select order_id, revenue from events where type = 'track'") == [("1042", 58)]


@pytest.mark.parametrize("marker", ["import segment.analytics", "import rudderstack.analytics"])
def test_python_snippets_run_as_they_stand(shop, marker):
    """Copied, filled in and run, each sends its calls."""
    ran(shop, sys.executable, "-c", filled(block("python", marker), shop))


@needs_node
@pytest.mark.parametrize("marker", ["@segment/analytics-node", "@rudderstack/rudder-sdk-node"])
def test_node_snippets_run_as_they_stand(shop, marker):
    """Copied, filled in and run, each sends its calls."""
    code = filled(block("js", f'from "{marker}"'), shop)
    ran(shop, str(NODE), "--input-type=module", "-e", code)


@needs_node
@needs_chromium
@pytest.mark.browser
def test_the_bundlers_snippet_runs_in_a_page(shop):
    """What a bundler would put in its place being there, the snippet sends its call."""
    code = filled(block("js", "@segment/analytics-next"), shop)
    code = re.sub(r'import (\{.*?\}) from "@segment/analytics-next";', r"const \1 = AnalyticsNext;", code)
    page = '<!doctype html><script src="/npm/@segment/analytics-next/dist/umd/index.js"></script>'
    page += '<script type="module" src="/page.js"></script>'
    with pages({"/": page, "/page.js": code}) as site, chromium() as browser:
        browser.new_page().goto(site)
        shop.wait_for("Order Completed")


@needs_chromium
@pytest.mark.browser
def test_the_pages_snippets_run_in_a_page(shop):
    """The line, calls before and after it, and the consent call."""
    early, calls, consent = (block("js", each) for each in ("analytics.push", 'identify("ann", {', "spira.consent("))
    page = '<!doctype html><script src="/early.js"></script>' + filled(block("html", "spira.js"), shop)
    with pages({"/": page, "/early.js": early}) as site, chromium() as browser:
        opened = browser.new_page()
        opened.goto(site)
        opened.evaluate(f"() => {{ {calls} {consent} }}")
        names = ["Consent Given", "Consent Given", "Consent Withdrawn", "Identified", "Order Completed", "Page Viewed"]
        shop.wait_for(*names, "Product Viewed")
