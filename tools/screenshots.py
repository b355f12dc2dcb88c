"""Take a picture of every page, in both languages, wide and on a phone, into `docs/images/pages/`.

    make screenshots            # over a finished demo, which it builds if there is none

The pages are those of the application's own routes; what stands in their addresses (a tag, a person) is
asked of the API; consumers' pages are those of one person's links. The demo is copied first, so that pictures
leave it as it was; what it has nothing of is made in the copy. PNG, 64 colours, at most 2,400 pixels high; the
pictures of the README are those of the cockpit and of the builder.
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
from spira.engage import links
from spira.server import local
from spira.storage.keys import load_keys

ROOT = Path(__file__).parents[1]
SPIRA = [sys.executable, "-m", "spira.cli.main"]
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

LAKE = """\
destination: lake
label: {zh-CN: 数据湖, en: Data lake}
kind: files
address: lake
audience: lapsed
purpose: analysis
fields: {id: id, since: since, orders: tag.orders_90d, lifecycle: tag.lifecycle}
"""
BROKEN = {"type": "track", "event": "Order Completed", "userId": "900", "properties": {"revenue": "much"}}

SERVICE = """\
hook: service
source: shop
sign: {scheme: standard, secret: "env:SERVICE_SECRET"}
events:
  - when: {$.type: [ticket.opened, ticket.closed]}
    event: Ticket Written
    user_id: {path: $.customer, as: text, required: true}
"""
TILL = """\
mapping: till_orders
columns: {order_id: text, user_id: text, paid_at: time, revenue: money, currency: text}
key: order_id
calls:
  - call: track
    event: Order Completed
    user_id: user_id
    at: paid_at
    properties: {order_id: order_id, revenue: revenue, currency: currency}
"""
ORDERS = """\
order_id,user_id,paid_at,revenue,currency
9001,900,2017-12-28 10:00,12.50,USD
9002,901,2017-12-29 11:30,ten,USD
"""
STAFF_TAGS = """\
tag: vip
label: {zh-CN: 贵宾, en: VIP}
manual: flag
---
tag: arm
label: {zh-CN: 分组, en: Arm}
manual: choice
values: {letter: {zh-CN: 写信, en: Letter}, quiet: {zh-CN: 不写, en: Quiet}}
"""
MADE = {
    "tags/by_hand.yaml": STAFF_TAGS,
    "destinations/lake.yaml": LAKE,
    "hooks/service.yaml": SERVICE,
    "mappings/till_orders.yaml": TILL,
    "drops/till-orders.csv": ORDERS,
}

# Pages of one thing, by the beginning of their address: the list that has one, and what its address says of it.
LISTED = {
    "/deliveries/{": ("/api/deliveries?state=delivered&limit=1", "deliveries", "delivery_id"),
    "/staff/{": ("/api/staff", "staff", "staff_id"),
    "/hooks/{": ("/api/hooks", "hooks", "hook"),
    "/imports/{": ("/api/imports", "imports", "import_id"),
    "/quarantine/{": ("/api/quarantine", "calls", "id"),
    "/destinations/{name}/runs/{": ("/api/destinations/lake", "runs", "run_id"),
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
    with _serving(chosen.dir) as (server, copy), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        link = _ask(server, "POST", "/api/staff/sign-in-link", json=STAFF)["url"]
        _furnish(server, copy)
        pages = [(name, path) for name, path in [*_pages(server), *_public(server, copy)] if chosen.only in path]
        for number, (language, width, theme) in enumerate(SHOTS):
            page = _signed_in(browser, server.url, link if number == 0 else "", language, width, theme)
            for name, path in pages if chosen.into in f"{language}.{width}" else ():
                asked = f"{path}?lang={language}" if name.startswith("public-") else path  # they keep no cookie
                _take(page, server.url + asked, chosen.to / f"{name}.{language}.{width}.png")
            page.context.close()
        browser.close()
    for language in ("en", "zh-CN") if chosen.to == IMAGES / "pages" else ():
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


def _furnish(server: local.LocalServer, copy: Path) -> None:
    """Make what the pages show and no demo has: a household, an import, a refused call, a destination that was told."""
    couple = {"with": "user_id:901", "roles": ["buyer", "payer"]}
    _ask(server, "POST", f"/api/profiles/{_person(server)}/household", json=couple)
    key = _ask(server, "POST", "/api/sources", json={"name": "till"})["write_key"]
    httpx.post(f"{server.url}/v1/batch", json={"batch": [BROKEN]}, auth=(key, ""), trust_env=False).raise_for_status()
    orders = [*SPIRA, "import", "drops/till-orders.csv", "--mapping", "till_orders", "--source", "till", "--dir", "."]
    subprocess.run(orders, cwd=copy, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    _ask(server, "POST", "/api/refresh", json={})
    told = {"reason": "Weekly figures for the board", "most": 5_000}
    _ask(server, "POST", "/api/destinations/lake/start", json=told)
    until = time.monotonic() + 60
    while time.monotonic() < until and not _ask(server, "GET", "/api/destinations/lake")["runs"]:
        time.sleep(0.2)


def _public(server: local.LocalServer, copy: Path) -> Iterator[tuple[str, str]]:
    """(name, path) of what consumers see: the pages behind the links of a message that one of them was sent."""
    sent = _ask(server, "GET", "/api/deliveries?state=delivered&limit=1")["deliveries"][0]
    ways = links.Links(key=load_keys(copy).derive(links.PURPOSE), base_url="")
    unsubscribe = ways.unsubscribe(int(sent["delivery_id"]))
    leads = re.search(r'href="[^"]*(/p/[^"/?]+)', httpx.get(server.url + unsubscribe, trust_env=False).text)
    if leads is None:
        raise SystemExit("the page to unsubscribe leads to no preferences")
    yield "public-unsubscribe", unsubscribe
    yield "public-preferences", leads[1]
    yield "public-why", f"{leads[1]}/why"
    yield "public-code", "/preferences"


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
        "/destinations/": "lake",
        "/sources/": "shop",
        "/definitions/{kind}": "",
        "/definitions/history/": "1",
    }
    if "{" not in path:
        return f"{path}?one=lapsed&two=reachable_by_email" if path == "/audiences/compare" else path
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
            path = path.replace("{name}/", "lake/")
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
def _serving(demo: Path) -> Iterator[tuple[local.LocalServer, Path]]:
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "demo"
        shutil.copytree(demo, copy, ignore=shutil.ignore_patterns("run"))
        for name, text in MADE.items():
            (copy / name).parent.mkdir(exist_ok=True)
            (copy / name).write_text(text, encoding="utf-8")
        subprocess.run([*SPIRA, "apply", "--dir", str(copy), "--yes"], check=True, stdout=subprocess.DEVNULL)
        family = subprocess.Popen([*SPIRA, "serve", "--dir", str(copy), "--port", "0"], stderr=sys.stderr)
        try:
            yield _found(copy, family), copy
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
