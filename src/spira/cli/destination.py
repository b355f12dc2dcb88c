"""`spira destination`: places outside that are told who is in an audience."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from spira.cli.client import connect
from spira.cli.options import json_option, shown, table, workspace_option

HEAD = ["destination", "state", "audience", "people", "fault"]
RUN = ["begun_at", "status", "added", "changed", "removed", "taken", "fault"]


@click.group("destination")
def destination() -> None:
    """Places outside that are told who is in an audience."""


@destination.command("list")
@workspace_option
@json_option
def list_destinations(*, directory: Path, as_json: bool) -> None:
    """Show how every destination stands."""
    with connect(directory) as api:
        answer = api.get("/api/destinations")
    if as_json:
        click.echo(answer.text)
        return
    rows = answer.value()["destinations"]
    table(HEAD, [[each[name] for name in HEAD] for each in rows])


@destination.command("show")
@click.argument("name")
@workspace_option
@json_option
def show(*, name: str, directory: Path, as_json: bool) -> None:
    """Show a destination: what leaves, what the next run would tell, and its latest runs."""
    with connect(directory) as api:
        answer = api.get(_path(name))
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    runs, row = found.pop("runs"), found.pop("row")
    for key, value in {**row, **found}.items():
        if key != "latest":
            click.echo(f"{key:<14} {shown(value)}")
    if runs:
        table(RUN, [[each[name] for name in RUN] for each in runs])


@destination.command("start")
@click.argument("name")
@click.option("--reason", required=True, help="Why these people leave; it is written down with every run.")
@click.option("--most", type=click.IntRange(min=1), help="The most people whose addresses leave at once.")
@workspace_option
@json_option
def start(*, name: str, reason: str, most: int | None, directory: Path, as_json: bool) -> None:
    """Let a destination give people away as its definition says now.

    One that gives addresses away, hashed or not, is started by a privacy officer in the console.
    """
    _do(directory, name, "start", {"reason": reason, "most": most}, as_json=as_json)


@destination.command("pause")
@click.argument("name")
@workspace_option
@json_option
def pause(*, name: str, directory: Path, as_json: bool) -> None:
    """Have a destination wait, the run in hand after its batch."""
    _do(directory, name, "pause", {}, as_json=as_json)


@destination.command("resume")
@click.argument("name")
@workspace_option
@json_option
def resume(*, name: str, directory: Path, as_json: bool) -> None:
    """Have a destination go on where it stood."""
    _do(directory, name, "resume", {}, as_json=as_json)


@destination.command("run")
@click.argument("name")
@click.option("--everyone", is_flag=True, help="Tell all people anew, not only what has changed.")
@workspace_option
@json_option
def run(*, name: str, everyone: bool, directory: Path, as_json: bool) -> None:
    """Have a destination told by the running server as soon as may be."""
    _do(directory, name, "run", {"everyone": everyone}, as_json=as_json)


@destination.command("test")
@click.argument("name")
@workspace_option
@json_option
def test(*, name: str, directory: Path, as_json: bool) -> None:
    """Reach a destination without giving it anybody; ends with 1 where it was not reached."""
    with connect(directory) as api:
        answer = api.post(f"{_path(name)}/test")
    found = answer.value()
    click.echo(answer.text if as_json else "reached" if found["reached"] else f"not reached: {found['fault']}")
    if not found["reached"]:
        raise SystemExit(1)


def _do(directory: Path, name: str, what: str, body: dict[str, Any], *, as_json: bool) -> None:
    with connect(directory) as api:
        answer = api.post(f"{_path(name)}/{what}", body)
    click.echo(answer.text if as_json else f"{what}: {name}")


def _path(name: str) -> str:
    return f"/api/destinations/{quote(name, safe='')}"
