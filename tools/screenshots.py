"""Take a picture of every page, in both languages, wide and on a phone, into `docs/images/pages/`.

    make screenshots            # over a finished demo, which it builds if there is none

The pages are those of the application's own routes; what stands in their addresses (a tag, a person) is
asked of the API. The demo is copied first, so that pictures leave it as it was. PNG, 64 colours, at most
2,400 pixels high; the two pictures of the README are those of the cockpit.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from spira.console.app import ROUTES
from spira.server import local

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
SHOTS = (("en", 1440, "light"), ("zh-CN", 1440, "light"), ("zh-CN", 390, "dark"))
TALLEST, COLOURS = 2_400, 64
PASSWORD = "a quiet sea in spring"
STAFF = {"email": "ann@example.com", "name": "Ann Lee", "roles": ["administrator", "operator", "privacy_officer"]}
WHO = """lifecycle = 'repeat'
and (count_of('Order Completed', within => '90 days') >= 10 or sum_of(revenue, 'Order Completed') >= 500)
and not did('Order Completed', within => '7 days')"""


# Pages of one thing, by the beginning of their address: the list that has one, and what its address says of it.
LISTED = {
    "/deliveries/{": ("/api/deliveries?state=delivered&limit=1", "deliveries", "delivery_id"),
    "/staff/{": ("/api/staff", "staff", "staff_id"),
    "/hooks/{": ("/api/hooks", "hooks", "hook"),
    "/imports/{": ("/api/imports", "imports", "import_id"),
    "/quarantine/{": ("/api/quarantine", "calls", "id"),
}


def main() -> None:
    """Serve a copy of the demo, sign in, and take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, default=ROOT / "demo-workspace", help="a finished demo")
    parser.add_argument("--only", default="", help="a part of the page's address")
    parser.add_argument("--in", dest="into", default="", help="only these, as a picture is named: en.1440")
    parser.add_argument("--to", type=Path, default=IMAGES / "pages")
    chosen = parser.parse_args()
    chosen.to.mkdir(parents=True, exist_ok=True)
    with _serving(chosen.dir) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        link = _ask(server, "POST", "/api/staff/sign-in-link", json=STAFF)["url"]
        pages = [(name, path) for name, path in _pages(server) if chosen.only in path]
        for number, (language, width, theme) in enumerate(SHOTS):
            page = _signed_in(browser, server.url, link if number == 0 else "", language, width, theme)
            for name, path in pages if chosen.into in f"{language}.{width}" else ():
                _take(page, server.url + path, chosen.to / f"{name}.{language}.{width}.png")
            page.context.close()
        browser.close()
    for language in ("en", "zh-CN"):
        for page, shown in (("cockpit", "cockpit"), ("audiences-new", "builder")):
            taken = chosen.to / f"{page}.{language}.1440.png"
            if taken.is_file():
                shutil.copy(taken, IMAGES / f"{shown}.{language}.png")


def _pages(server: local.LocalServer) -> Iterator[tuple[str, str]]:
    """(name, path) of every page of the console, with its parameters filled from what the demo has."""
    yield "audiences-new", f"/audiences/new?{httpx.QueryParams(condition=WHO)}"
    for route in ROUTES:
        for path in sorted(route.paths) if "GET" in route.http_methods and "data" in route.opt else ():
            plain = re.sub(r":\w+}", "}", path)
            if plain in ("/", "/audiences/new"):
                continue
            filled = _filled(server, plain)
            if filled is None:
                print(f"left out: {path} has nothing in the demo to stand for it", file=sys.stderr)
            else:
                yield re.sub(r"[{}]|/$", "", plain.strip("/")).replace("/", "-"), filled


def _filled(server: local.LocalServer, path: str) -> str | None:
    """The path with what stands in it; what a demo has nothing of yet is made, since the demo is a copy."""
    if "{profile}" in path:
        path = path.replace("{profile}", _person(server))
        return re.sub(r"{(\w+)}", lambda hole: _of_person(server, path, hole.group(1)), path)
    if "{request_id}" in path:
        asked = {"identifier": "user_id:900", "right": "access"}
        return path.replace("{request_id}", _ask(server, "POST", "/api/requests", json=asked)["request_id"])
    if "{incident_id}" in path:
        told = {
            "law": "pipl",
            "kind": "leak",
            "data": ["contact"],
            "happened": "A list of e-mail addresses was sent to the wrong printing house",
            "people": 12,
        }
        return path.replace("{incident_id}", _ask(server, "POST", "/api/incidents", json=told)["incident_id"])
    holes = {
        "/tags/": "lifecycle",
        "/audiences/": "lapsed",
        "/journeys/": "win_back",
        "/templates/": "we_miss_you",
        "/metrics/": "revenue",
        "/sources/": "shop",
        "/definitions/{kind}": "",
        "/definitions/history/": "1",
    }
    if "{" not in path:
        return path
    if path.startswith("/definitions/{kind}/{name}"):
        return path.replace("{kind}", "audience").replace("{name}", "lapsed")
    if path.startswith("/households/{"):
        home = _ask(server, "GET", f"/api/profiles/{_person(server)}/household")["household"]
        return path.replace("{home}", home) if home else None
    if path.startswith("/links/{"):
        return path.replace("{code}", _link(server))
    for start, (asked, many, id) in LISTED.items():
        if path.startswith(start):
            found = _ask(server, "GET", asked)[many]
            return re.sub(r"{\w+}", str(found[0][id]), path) if found else None
    known = next((value for start, value in holes.items() if path.startswith(start)), "")
    return re.sub(r"{\w+}", known, path) if known else None


def _link(server: local.LocalServer) -> str:
    """The code of a short link; a demo without one gets a poster's."""
    known = _ask(server, "GET", "/api/links")["links"]
    poster = {
        "target": "https://shop.example/spring",
        "name": "Spring poster",
        "campaign": "spring",
        "medium": "poster",
    }
    return str((known[0] if known else _ask(server, "POST", "/api/links", json=poster))["link"]["code"])


def _person(server: local.LocalServer) -> str:
    return _ask(server, "GET", "/api/profiles?q=900")["profiles"][0]["profile_id"]


def _of_person(server: local.LocalServer, path: str, hole: str) -> str:
    """What stands in a hole of a page about one person: a note, a trait, a model."""
    if hole == "note":
        place = path.partition("/notes/")[0].replace("/people/", "/api/profiles/") + "/notes"
        return str(_ask(server, "POST", place, json={"text": "Asked for a call after six"})["note_id"])
    return {"name": "age", "model": "next_order_date"}.get(hole, "")


def _take(page: Page, address: str, to: Path) -> None:
    answer = page.goto(address, wait_until="load")
    if answer is None or answer.status != httpx.codes.OK:
        print(f"left out: {address} answered {answer.status if answer else 'nothing'}", file=sys.stderr)
        return
    page.wait_for_timeout(250)
    width = page.viewport_size["width"] if page.viewport_size else 1440
    height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
    page.set_viewport_size({"width": width, "height": max(height, 844 if width < 800 else 900)})
    page.wait_for_timeout(150)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.set_viewport_size({"width": width, "height": 844 if width < 800 else 900})
    picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(to, optimize=True)
    print(to.relative_to(ROOT) if to.is_relative_to(ROOT) else to)


def _signed_in(browser: Browser, url: str, link: str, language: str, width: int, theme: str) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    wanted = {"spira_language": language, "spira_theme": theme}
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in wanted.items()])
    page = context.new_page()
    page.goto(link or f"{url}/sign-in")
    if not link:
        page.fill("#email", STAFF["email"])
    page.fill("#password", PASSWORD)
    page.click("button.first")
    page.wait_for_load_state("load")
    return page


def _ask(server: local.LocalServer, method: str, path: str, **more: object) -> dict:
    headers = {"Authorization": f"Bearer {server.token}"}
    answer = httpx.request(method, server.url + path, headers=headers, timeout=60, trust_env=False, **more)
    return answer.raise_for_status().json()


@contextmanager
def _serving(demo: Path) -> Iterator[local.LocalServer]:
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "demo"
        shutil.copytree(demo, copy, ignore=shutil.ignore_patterns("run"))
        family = subprocess.Popen(
            [sys.executable, "-m", "spira.cli.main", "serve", "--dir", str(copy), "--port", "0"], stderr=sys.stderr
        )
        try:
            yield _found(copy, family)
        finally:
            family.terminate()
            family.wait()


def _found(directory: Path, family: subprocess.Popen[bytes]) -> local.LocalServer:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and family.poll() is None:
        found = local.find(directory)
        if found and found.pid == family.pid:
            return found
        time.sleep(0.1)
    raise SystemExit("the demo could not be served")


if __name__ == "__main__":
    main()
