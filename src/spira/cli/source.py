"""`spira source`: the pipes that events come through, each with its write key."""

from __future__ import annotations

from pathlib import Path

import click

from spira.cli.client import connect
from spira.cli.options import json_option, table, workspace_option

TOLD = ("source", "touchpoint", "domain", "day", "month", "refused", "last_seen", "ended_at")


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
