"""`spira source`: the pipes that events come through, each with its write key."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click

from spira.cli.client import connect
from spira.cli.options import json_option, shown, table, workspace_option

TOLD = ("source", "mode", "touchpoint", "domain", "day", "month", "refused", "last_seen", "silent", "ended_at")


@click.group("source")
def source() -> None:
    """The pipes that events come through."""


@source.command("add")
@click.argument("name")
@workspace_option
@json_option
def add(*, name: str, directory: Path, as_json: bool) -> None:
    """Add a source, and print the write key that its calls carry."""
    with connect(directory) as api:
        answer = api.post("/api/sources", {"name": name})
    if as_json:
        click.echo(answer.text)
    else:
        made = answer.value()
        click.echo(f"source    {made['source']}\nwrite key {made['write_key']}")


@source.command("list")
@workspace_option
@json_option
def list_sources(*, directory: Path, as_json: bool) -> None:
    """Show every source."""
    with connect(directory) as api:
        answer = api.get("/api/sources")
    if as_json:
        click.echo(answer.text)
    else:
        found = answer.value()["sources"]
        table(list(TOLD), [[each[name] for name in TOLD] for each in found])


@source.command("set")
@click.argument("name")
@workspace_option
@click.option(
    "--mode",
    type=click.Choice(["observe", "quarantine", "block", "plan"]),
    help="What is done with what nobody declared; `plan`: what the tracking plan says.",
)
@click.option("--silent-minutes", type=click.IntRange(0, 43_200), help="Alarm after this silence; 0: its own habit.")
@json_option
def set_source(*, name: str, directory: Path, mode: str | None, silent_minutes: int | None, as_json: bool) -> None:
    """Set what a source's calls must keep to, and after how long its silence alarms."""
    said = {"mode": mode, "silent_minutes": silent_minutes}
    wanted = {key: value for key, value in said.items() if value is not None}
    if not wanted:
        raise click.UsageError("say --mode or --silent-minutes")
    with connect(directory) as api:
        answer = api.post(f"/api/sources/{quote(name, safe='')}/settings", wanted)
    if as_json:
        click.echo(answer.text)
        return
    made = answer.value()
    click.echo(f"source         {made['source']}\nmode           {made['mode'] or 'as the tracking plan says'}")
    click.echo(
        f"silence alarms {made['silent_minutes'] or 'by its habit'}{' minutes' if made['silent_minutes'] else ''}"
    )


@source.command("health")
@click.argument("name")
@workspace_option
@json_option
def health(*, name: str, directory: Path, as_json: bool) -> None:
    """Show how a source is: rate, lag, duplicates, what is refused and what changed."""
    with connect(directory) as api:
        answer = api.get(f"/api/sources/{quote(name, safe='')}/health")
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    lists = {key: found.pop(key) for key in ("hours", "turned_away", "changed", "personal")}
    for key, value in found.items():
        click.echo(f"{key:<17} {shown(value)}")
    for key in ("changed", "turned_away", "personal"):
        if lists[key]:
            click.echo(f"\n{key.replace('_', ' ')}")
            table(list(lists[key][0]), [list(each.values()) for each in lists[key]])
