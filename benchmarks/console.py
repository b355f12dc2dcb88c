"""How fast every page of the console answers, quiet and while the loader works.

Over a finished demo (`--dir`), or with `--people 2000000 --events 20000000` over a crowd of that size
(`crowd.py` says what is in it), which is made in `--dir` unless it lies there already. The pages are the
console's own routes; those about one thing are asked for with the first such thing that another page links
to, people three times, and a condition. `spira serve` on the workspace, a demo copied before; one signed-in
administrator with one keep-alive connection asks for each page in turn, 50 rounds (5 when small):
milliseconds from sending the request to having read the whole answer, over real HTTP on loopback, the
client's own one or two included. Then the same while another process sends 1,000 orders a second in batches of 100
to the same server, which loads them meanwhile: a thousand people's, all done on the demo's last day; in a crowd
everybody's, done within the last hour, with a whole turn each 30 seconds as `spira serve` takes it under a real
clock. Over the demo once more with 5,000 a second, and over both at full speed, which leaves two cores to four busy
processes; these have no limit and are only told. p50 and p95 over all pages, and each page's own p95. No
page gets under the same server's `/api/health`, which does nothing. HTML bytes are counted before
compression, script bytes gzipped; the budget for scripts is for pages without a chart.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import crowd
import httpx
from common import Measured, copy_of, percentile, run, serving, timed

from spira.console.app import ROUTES
from spira.kernel.clock import iso
from spira.server.local import LocalServer

_NUMBERS = itertools.count()
QUIET_MS, LOADING_MS = 100, {"demo": 100, "crowd": 200}
RATE = 1_000  # calls a second while the loader runs: forty a day of each of two million people
MUCH = 5_000  # what some two hundred million calls a day come to at noon
TURNS = 30.0  # seconds from turn to turn; a manual clock takes none by itself
HTML_BYTES, SCRIPT_BYTES = 80_000, 120_000
HEALTH = "/api/health"
BUILDER = "/audiences/new"
STREAMS = ("/stream", ".csv", "/export")
HOUSEHOLDS = ("1", "1000", "2000")
CONDITION = "did('Order Completed') and not did('Order Completed', within => '30 days')"
PASSWORD = "a long enough password"
STAFF = {"email": "bench@example.com", "name": "Bench"}


def measure(chosen: argparse.Namespace) -> Measured:
    """Quiet first, then with the loader at work, then the weights."""
    rounds = 5 if chosen.size == "small" else 50
    found = Measured()
    with _workspace(chosen) as directory, serving(directory) as server, signed_in(server) as client:
        pages = [*_pages(client), HEALTH]
        found.figures["pages"] = len(pages) - 1
        _ask(client, pages, 2)
        _note(found, "quiet", _ask(client, pages, rounds), QUIET_MS)
        with _sending(server, *_orders(chosen, RATE)), _turning(server, chosen):
            _note(found, "loading", _ask(client, pages, rounds), LOADING_MS["crowd" if chosen.people else "demo"])
        for when, rate in (("5,000 a second", MUCH), ("at full speed", None)):
            if rate is None or not chosen.people:
                with _sending(server, *_orders(chosen, rate)), _turning(server, chosen):
                    together = [each for values in _ask(client, pages, min(rounds, 10)).values() for each in values]
                found.figures[f"{when}: p50_ms"] = percentile(together, 0.5)
                found.figures[f"{when}: p95_ms"] = percentile(together, 0.95)
        _weigh(found, client, [path for path in pages if path != HEALTH])
    return found


def options(parser: argparse.ArgumentParser) -> None:
    """What this script alone is asked."""
    parser.add_argument("--people", type=int, default=0, help="make a crowd of so many people, or use the one there is")
    parser.add_argument("--events", type=int, default=0, help="how many events the crowd has; ten a person by default")


@contextmanager
def _workspace(chosen: argparse.Namespace) -> Iterator[Path]:
    """A copy of the demo; or the crowd itself, which takes too long to copy and is only added to."""
    if not chosen.people:
        with copy_of(chosen.dir) as directory:
            settings = directory / "spira.toml"  # one asker stands for many, who have a limit each
            if "[security]" not in settings.read_text():
                settings.write_text(settings.read_text() + "\n[security]\nrequests_per_minute = 1000000\n")
            yield directory
        return
    yield crowd.make(chosen.dir, people=chosen.people, events=chosen.events or 10 * chosen.people)


@contextmanager
def signed_in(server: LocalServer) -> Iterator[httpx.Client]:
    """A client that has set a password by a one-time link, as a new administrator does."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        token = {"Authorization": f"Bearer {server.token}"}
        link = client.post("/api/staff/sign-in-link", json=STAFF, headers=token).raise_for_status().json()["url"]
        form = re.search(r'name="csrf"[^>]*value="([^"]+)"', client.get(link).text)
        if form is None:
            raise SystemExit("the sign-in page has no form")
        answer = client.post(link, data={"password": PASSWORD, "csrf": form.group(1)})
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise SystemExit(f"signing in was answered {answer.status_code}")
        yield client


def page_routes() -> list[str]:
    """The addresses of all pages of the console, holes and all."""
    return sorted(
        {
            re.sub(r":\w+}", "}", path)
            for route in ROUTES
            if "GET" in getattr(route, "http_methods", ()) and "data" in route.opt
            for path in route.paths
            if not path.endswith(STREAMS)
        }
    )


def _pages(client: httpx.Client) -> list[str]:
    """Every page there is: those without parameters, then those about one thing that the others link to."""
    routes = page_routes()
    plain = [path for path in routes if "{" not in path]
    asked = f"{BUILDER}?{httpx.QueryParams(condition=CONDITION)}"
    pages = [*plain, asked, "/people?q=nobody", *(_person(client, each) for each in HOUSEHOLDS)]
    open_routes, links = [path for path in routes if "{" in path], _links(client, pages)
    for _ in range(3):  # what is about one thing may link to what is about another
        found = {path: first for path in open_routes if (first := _first(path, links)) is not None}
        pages += [each for each in found.values() if each not in pages]
        open_routes = [path for path in open_routes if path not in found]
        links += _links(client, list(found.values()))
    for path in open_routes:
        print(f"nothing links to {path}: it is not measured", file=sys.stderr)
    return [path for path in pages if is_page(client, path)]


def _links(client: httpx.Client, pages: list[str]) -> list[str]:
    """The addresses that pages link to, in order, without their queries."""
    texts = [client.get(path, follow_redirects=True).text for path in pages]
    return [link for text in texts for link in re.findall(r'href="(/[^"#?]*)', text)]


def _first(path: str, links: list[str]) -> str | None:
    """The first address of a route; a word that is another route's own is no name."""
    shape = re.compile(re.sub(r"{\w+}", "([^/]+)", path))
    own = {"new", "roles", "units", "compare", "preview", "second-factor"}
    return next((each for each in links if (hit := shape.fullmatch(each)) and not own & set(hit.groups())), None)


def is_page(client: httpx.Client, path: str) -> bool:
    """Whether an address answers 200 with a page of its own; anything else ends the run, but for redirects."""
    answer = client.get(path)
    if answer.is_error:
        raise SystemExit(f"{path} is answered {answer.status_code}: {answer.text[:500]}")
    return answer.status_code == httpx.codes.OK and answer.headers["content-type"].startswith("text/html")


def _person(client: httpx.Client, household: str) -> str:
    """The page that a search with one hit leads to."""
    answer = client.get("/people", params={"q": household})
    if "location" not in answer.headers:
        raise SystemExit(f"household {household} was not found: is this a finished demo?")
    return str(answer.headers["location"])


def _ask(client: httpx.Client, pages: list[str], rounds: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {path: [] for path in pages}
    for _ in range(rounds):
        for path in pages:
            taken[path].append(timed(lambda asked=path: client.get(asked).raise_for_status()))
    return taken


def _note(found: Measured, when: str, taken: dict[str, list[float]], limit: float) -> None:
    health = percentile(taken.pop(HEALTH), 0.5)
    together = [each for values in taken.values() for each in values]
    found.figures[f"{when}: p50_ms"] = percentile(together, 0.5)
    found.figures[f"{when}: p95_ms"] = percentile(together, 0.95)
    found.figures[f"{when}: /api/health p50_ms"] = health
    found.limits[f"{when}: p95_ms"] = limit
    for path, values in taken.items():
        found.figures[f"{when}: {_short(path)} p95_ms"] = percentile(values, 0.95)
        found.limits[f"{when}: {_short(path)} p95_ms"] = limit
    found.ratios[f"{when}: page of health, p50"] = round(percentile(together, 0.5) / max(health, 0.1), 1)


@contextmanager
def _sending(server: LocalServer, *options: str) -> Iterator[None]:
    """Another process sends batches for as long as this lasts, at full speed or as the options say."""
    token = {"Authorization": f"Bearer {server.token}"}
    made = (
        httpx.post(f"{server.url}/api/sources", json={"name": f"bench_{os.getpid()}_{next(_NUMBERS)}"}, headers=token)
        .raise_for_status()
        .json()
    )
    client = Path(__file__).with_name("client.py")
    sender = subprocess.Popen([sys.executable, str(client), server.url, made["write_key"], *options])
    try:
        yield
        if sender.poll() is not None:
            raise SystemExit("the sender ended by itself: these figures are not under load")
    finally:
        sender.terminate()
        sender.wait()


def _orders(chosen: argparse.Namespace, rate: int | None = None) -> list[str]:
    """How fast orders are sent, whose they are, and when they were done."""
    if not chosen.people:
        return ["--rate", str(rate)] if rate else []
    everybody = ["--people", str(chosen.people), "--done", iso(crowd.NOON - timedelta(minutes=30))]
    return [*everybody, *(["--rate", str(rate)] if rate else [])]


@contextmanager
def _turning(server: LocalServer, chosen: argparse.Namespace) -> Iterator[None]:
    """Over a crowd, take a whole turn now and then, as the worker does by itself under a real clock."""
    over = threading.Event()

    def turn() -> None:
        token = {"Authorization": f"Bearer {server.token}"}
        while not over.wait(TURNS):
            httpx.post(f"{server.url}/api/tick", headers=token, timeout=600).raise_for_status()

    turning = threading.Thread(target=turn)
    if chosen.people:
        turning.start()
    try:
        yield
    finally:
        over.set()
        if chosen.people:
            turning.join()


def _weigh(found: Measured, client: httpx.Client, pages: list[str]) -> None:
    """The bytes of each page and of the scripts it asks for."""
    for path in pages:
        text = client.get(path, headers={"Accept-Encoding": "identity"}).text
        scripts = [client.get(each).content for each in re.findall(r'<script[^>]*\ssrc="([^"]+)"', text)]
        found.figures[f"{_short(path)} html_bytes"] = len(text.encode())
        found.limits[f"{_short(path)} html_bytes"] = HTML_BYTES
        found.figures[f"{_short(path)} script_bytes"] = sum(len(gzip.compress(each)) for each in scripts)
        if "echarts" not in text:
            found.limits[f"{_short(path)} script_bytes"] = SCRIPT_BYTES


def _short(path: str) -> str:
    """A path as it stands in the report."""
    return path.replace(str(httpx.QueryParams(condition=CONDITION)), "condition=…")


if __name__ == "__main__":
    run("console", __doc__, measure, options)
