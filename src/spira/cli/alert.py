"""`spira alert`: what needs a person, and whether telling it works."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spira.cli.client import connect
from spira.cli.options import json_option, table, workspace_option

TOLD = ("kind", "subject", "began_at", "ended_at")


@click.group("alert")
def alert() -> None:
    """What needs a person, and who is told."""


@alert.command("list")
@workspace_option
@json_option
def list_alerts(*, directory: Path, as_json: bool) -> None:
    """Show the alerts that last and the latest that are over, with who was told."""
    with connect(directory) as api:
        answer = api.get("/api/alerts")
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    click.echo(f"told by {', '.join(found['ways']) or 'the System page alone'}\n")
    table([*TOLD, "told"], [[*(each[name] for name in TOLD), _who(each["told"])] for each in found["alerts"]])


def _who(told: list[dict[str, str]]) -> str:
    """Who was told: `email began, webhook began (the webhook answered 503)`."""
    faults = [f" ({each['fault']})" if each["fault"] else "" for each in told]
    return ", ".join(f"{each['way']} {each['phase']}{fault}" for each, fault in zip(told, faults, strict=True))


@alert.command("test")
@workspace_option
@json_option
def test(*, directory: Path, as_json: bool) -> None:
    """Send a test by every way that is set; exit code 1 when one is not taken."""
    with connect(directory) as api:
        answer = api.post("/api/alerts/test")
    tried = answer.value()["ways"]
    if as_json:
        click.echo(answer.text)
    else:
        for each in tried:
            click.echo(f"{each['way']:<8} {'sent' if each['sent'] else each['fault']}")
    if not all(each["sent"] for each in tried):
        sys.exit(1)
