"""`spira demo`: a real shop's year in a fresh workspace, its last sixty days lived day by day."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from spira.kernel.clock import pause
from spira.kernel.errors import Conflict, SpiraError
from spira.kernel.settings import environment
from spira.sandbox.inbox import Inbox
from spira.sandbox.retail import Life
from spira.sandbox.retail import Progress as DemoProgress
from spira.sandbox.sample import example_folder
from spira.sandbox.shop import Shop
from spira.server import local
from spira.storage.keys import load_keys, make_keys

EXAMPLE = "retail"
MARK = "demo.json"
STARTING_SECONDS = 60
ADMINISTRATOR = {"email": "demo@example.com", "name": "Demo"}


@click.command("demo")
@click.option(
    "--dir", "directory", type=click.Path(path_type=Path), required=True, help="Where to build the workspace."
)
@click.option("--no-serve", is_flag=True, help="Stop when the sixty days are over, instead of serving the console.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def demo(directory: Path, *, no_serve: bool, as_json: bool) -> None:
    """Build a workspace from a real shop's records and live its last sixty days."""
    console = Console(stderr=as_json, highlight=False)
    started = time.perf_counter()
    progress = prepare(directory)
    with _sandbox(directory, progress) as (inbox, server, shop):
        if not progress.finished:
            _live(server, inbox, shop, progress, console)
        summary = _summary(server, time.perf_counter() - started)
        if as_json:
            click.echo(json.dumps(summary, ensure_ascii=False))
        else:
            _show(console, summary, server, serving=not no_serve)
        if not no_serve:
            _wait()


def prepare(directory: Path) -> DemoProgress:
    """Make the workspace, or find the one an earlier run began; Conflict for any other directory with files in it."""
    mark = directory / MARK
    if mark.is_file():
        return DemoProgress.read(mark)
    if directory.exists() and any(directory.iterdir()):
        raise Conflict(f"`{directory}` is not empty and is no demo", help="name an empty or new directory with --dir")
    shutil.copytree(example_folder(EXAMPLE), directory, dirs_exist_ok=True)
    settings = directory / "spira.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[workspace]", '[workspace]\nclock = "manual"', 1), encoding="utf-8")
    make_keys(directory)
    progress = DemoProgress.read(mark)
    progress.save()
    return progress


class Server:
    """The real family, in processes of its own, and a client with the local token."""

    def __init__(self, directory: Path, *, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "spira.cli.main", "serve", "--dir", str(directory), "--port", str(port)],
            stdout=sys.stderr,
            env=environment(),
            start_new_session=True,  # Ctrl-C reaches this process, which then stops the family in order
        )
        found = self._await(directory)
        self.url = found.url
        self.api = httpx.Client(
            base_url=found.url, headers={"Authorization": f"Bearer {found.token}"}, timeout=httpx.Timeout(600)
        )

    def _await(self, directory: Path) -> local.LocalServer:
        """Wait until the server has written itself down and answers."""
        deadline = time.monotonic() + STARTING_SECONDS
        while time.monotonic() < deadline:
            found = local.find(directory)
            if found and found.pid == self._process.pid:
                return found
            if self._process.poll() is not None:
                raise SpiraError("the server did not start", help="the lines above say why")
            pause(0.05)
        self.stop()
        raise SpiraError(
            f"the server did not answer within {STARTING_SECONDS} seconds", help="look at its output above"
        )

    def stop(self) -> None:
        """Ask the family to end, and wait for it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait()

    def close(self) -> None:
        """Close the client and stop the family."""
        self.api.close()
        self.stop()


@contextmanager
def _sandbox(directory: Path, progress: DemoProgress) -> Iterator[tuple[Inbox, Server, Shop]]:
    """The inbox, the server and the shop, closed in order whatever happens."""
    inbox = Inbox(keys=load_keys(directory))
    inbox.start()
    try:
        _point_channel(directory, inbox.port)
        server = Server(directory, port=0)
        try:
            inbox.base_url = server.url
            _checked(server.api.post("/api/definitions/apply", json={}))
            shop = Shop()
            try:
                yield inbox, server, shop
            finally:
                shop.close()
        finally:
            server.close()
    finally:
        inbox.stop()
        progress.save()


def _point_channel(directory: Path, port: int) -> None:
    """Write the inbox's port into the e-mail channel's definition."""
    path = directory / "channels" / "email.yaml"
    lines = [
        f"port: {port}" if line.startswith("port:") else line for line in path.read_text(encoding="utf-8").splitlines()
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _live(server: Server, inbox: Inbox, shop: Shop, progress: DemoProgress, console: Console) -> None:
    console.print(
        "A real grocer's records of one year: 2,469 households, 155,848 baskets. The records hold no addresses and\n"
        "no consents; each household gets a made-up e-mail address, and a consent drawn by seed (some refuse).\n"
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks = {
            "history": bars.add_task("sending history", total=None),
            "days": bars.add_task("living days", total=None),
        }
        life = Life(shop, server.api, inbox, progress)
        life.live(lambda what, done, total: bars.update(tasks[what], completed=done, total=total))


def _summary(server: Server, seconds: float) -> dict[str, Any]:
    """The workspace's counts with the stages' seconds, as one object."""
    counts: dict[str, Any] = _checked(server.api.get("/api/summary"))
    stages = _checked(server.api.get("/api/system"))["stages"]
    counts["seconds"] = {each["name"]: round(each["run"]["total_seconds"], 2) for each in stages if each["in_turn"]}
    counts["seconds"]["total"] = round(seconds, 1)
    return counts


def _show(console: Console, summary: Mapping[str, Any], server: Server, *, serving: bool) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("events", f"{summary['events']:,}", "profiles", f"{summary['profiles']:,}")
    table.add_row("revenue", f"{summary['revenue']:,.2f}", "tags", str(summary["tags"]))
    table.add_row("opened", f"{summary['opened']:,}", "clicked", f"{summary['clicked']:,}")
    console.print(table)
    for title in ("audiences", "deliveries", "reasons"):
        console.print(f"[bold]{title}[/]  " + "  ".join(f"{name} {count:,}" for name, count in summary[title].items()))
    for journey, states in summary["enrolments"].items():
        console.print(f"[bold]{journey}[/]  " + "  ".join(f"{state} {count:,}" for state, count in states.items()))
    console.print(
        "\nWith some hundred lapsed households a holdout of 10 % is a few dozen people: too few to show what the"
        "\nmessages were worth. The cockpit says so beside the number, and gives its interval."
        f"\nThe whole took {summary['seconds']['total']:.0f} s."
    )
    if serving:
        link = _checked(server.api.post("/api/staff/sign-in-link", json=ADMINISTRATOR))["url"]
        console.print(
            f"\nSign in (once): {link}\nThen: the cockpit, any person, an audience by expression, the system."
        )
        console.print("Ctrl-C stops everything; the same command goes on from here.")


def _wait() -> None:
    """Until Ctrl-C."""
    try:
        signal.pause()
    except KeyboardInterrupt:
        return


def _checked(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise SpiraError(f"{answer.request.url.path} answered {answer.status_code}: {answer.text}")
    return answer.json()
