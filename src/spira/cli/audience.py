"""`spira audience`: what audiences there are, and who is in one."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click

from spira.cli.client import connect
from spira.cli.options import json_option, shown, table, workspace_option


@click.group("audience")
def audience() -> None:
    """Who is in an audience."""


@audience.command("list")
@workspace_option
@json_option
def list_audiences(*, directory: Path, as_json: bool) -> None:
    """Show every audience with its number of members."""
    with connect(directory) as api:
        answer = api.get("/api/audiences")
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()["audiences"]
    titles = list(found[0]) if found else ["audience"]
    table(titles, [list(each.values()) for each in found])


@audience.command("show")
@click.argument("name")
@workspace_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, help="How many members to list.")
@json_option
def show(*, name: str, directory: Path, limit: int, as_json: bool) -> None:
    """Show an audience and some of its members."""
    with connect(directory) as api:
        answer = api.get(f"/api/audiences/{quote(name, safe='')}", limit=limit)
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    members = found.pop("members", [])
    for key, value in found.items():
        click.echo(f"{key:<12} {shown(value)}")
    if members:
        table(list(members[0]), [list(each.values()) for each in members])
