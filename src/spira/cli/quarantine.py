"""`spira quarantine`: the calls that could not become events, and having them read again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from spira.cli.client import connect
from spira.cli.options import json_option, shown, table, working, workspace_option

TOLD = ("id", "received_at", "source", "event", "reason", "detail", "outcome")
FILTERS = ("source", "event", "reason", "day")


@click.group("quarantine")
def quarantine() -> None:
    """The calls that could not become events."""


def _filters(function: Any) -> Any:
    for name in reversed(FILTERS):
        function = click.option(f"--{name}", default="", help=_HELP[name])(function)
    return function


_HELP = {
    "source": "Only calls of this source.",
    "event": "Only calls of this event.",
    "reason": "Only calls refused for this reason, such as wrong_type.",
    "day": "Only calls received on this day, such as 2026-11-26.",
}


@quarantine.command("list")
@workspace_option
@_filters
@click.option("--show", type=click.Choice(["open", "done", "all"]), default="open", help="In quarantine, or replayed.")
@json_option
def list_refused(*, directory: Path, show: str, as_json: bool, **filters: str) -> None:
    """Show why calls were refused, and the newest of them."""
    with connect(directory) as api:
        answer = api.get("/api/quarantine", show=show, **filters)
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    click.echo(f"{shown(found['total'])} calls in quarantine, {shown(found['replayed'])} replayed")
    if found["reasons"]:
        table(["reason", "calls", "last seen"], [list(each.values()) for each in found["reasons"]])
    if found["calls"]:
        table(list(TOLD), [[each[name] for name in TOLD] for each in found["calls"]])


@quarantine.command("show")
@click.argument("call")
@workspace_option
@json_option
def show(*, call: str, directory: Path, as_json: bool) -> None:
    """Show one refused call: why, its text without contact values, and a plan that would take it."""
    with connect(directory) as api:
        answer = api.get(f"/api/quarantine/{quote(call, safe='')}")
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    body, proposal = found.pop("body"), found.pop("proposal")
    for key, value in {**found.pop("call"), **found}.items():
        click.echo(f"{key:<12} {shown(value)}")
    if body:
        click.echo(f"\n{body}")
    if proposal:
        click.echo(f"\nA tracking plan that would take it:\n\n{proposal}")


@quarantine.command("replay")
@workspace_option
@_filters
@click.option("--call", "calls", multiple=True, metavar="NUMBER", help="This call; may be given several times.")
@click.option("--event-to", default="", help="Give the event this name.")
@click.option("--rename", default="", metavar="OLD=NEW", help="Give properties other names; commas between several.")
@click.option("--read", default="", metavar="NAME=TYPE", help="Read values as a type, such as revenue=money.")
@click.option("--dry-run", is_flag=True, help="Only say what would become of them.")
@json_option
def replay(*, directory: Path, calls: tuple[str, ...], dry_run: bool, as_json: bool, **wish: str) -> None:
    """Read refused calls again, as they came, by the tracking plan as it is now."""
    with connect(directory) as api:
        if dry_run:
            answer = api.get("/api/quarantine/replay", **wish, **({"call": list(calls)} if calls else {}))
            click.echo(answer.text) if as_json else _foreseen(answer.value())
            return
        done, after = 0, ""
        with working("replaying"):
            while True:
                answer = api.post("/api/quarantine/replay", {**wish, "calls": list(calls), "after": after})
                said = answer.value()
                done, after = done + said["replayed"], said["next"] or ""
                if not after:
                    break
    if as_json:
        click.echo(answer.text)
    else:
        click.echo(f"{shown(done)} calls are on the log again; they load with the next turn")


def _foreseen(found: Mapping[str, Any]) -> None:
    refused = found["looked"] - found["loads"] - found["duplicates"]
    of = (
        ""
        if found["looked"] == found["total"]
        else f" of the oldest {shown(found['looked'])} of {shown(found['total'])}"
    )
    parts = [f"{shown(found['loads'])} would load", f"{shown(refused)} would still be refused"]
    if found["duplicates"]:
        parts.insert(1, f"{shown(found['duplicates'])} are there already")
    click.echo(f"{', '.join(parts)}{of}")
    if found["refused"]:
        table(
            ["still refused because", "the first of them", "calls"], [list(each.values()) for each in found["refused"]]
        )
