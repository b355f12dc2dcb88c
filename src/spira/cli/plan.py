"""`spira plan`: what applying the definitions would change, and for how many people; writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from spira.cli.client import connect
from spira.cli.options import json_option, shown, working, workspace_option

MARKS = {"add": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red")}


@click.command("plan")
@workspace_option
@json_option
def plan(*, directory: Path, as_json: bool) -> None:
    """Show what applying the definitions would change, and for how many people."""
    with working("planning"), connect(directory) as api:
        answer = api.post("/api/definitions/plan")
    if as_json:
        click.echo(answer.text)
    else:
        print_plan(answer.value())


def print_plan(found: dict[str, Any]) -> None:
    """A plan as people read it: a line a change, and what it means below."""
    changes = found["changes"]
    for change in changes:
        mark, colour = MARKS[change["action"]]
        note = {"text": "  (text only)", "in_flight": "  (people are inside)"}.get(change["severity"], "")
        click.secho(f"{mark} {change['kind']} {change['name']}{note}", fg=colour)
        for line in change["difference"]:
            click.echo(f"    {line}")
        if change["people"]:
            click.echo(f"    people  {_people(change['people'])}")
        if change["reaches"]:
            click.echo(f"    reaches {', '.join(' '.join(each) for each in change['reaches'])}")
    click.echo(_summary(changes))


def _people(counts: dict[str, int]) -> str:
    """Who is concerned, those who are mid-journey in brackets: `enter: 0, leave: 314 (12 mid-journey)`."""
    inside = "_mid_journey"
    said = {
        what: f"{count:,} ({counts[what + inside]:,} mid-journey)" if what + inside in counts else count
        for what, count in counts.items()
        if not what.endswith(inside)
    }
    return shown(said)


def _summary(changes: list[dict[str, Any]]) -> str:
    if not changes:
        return "nothing to change"
    counts = {action: sum(each["action"] == action for each in changes) for action in MARKS}
    return f"{counts['add']} to add, {counts['change']} to change, {counts['remove']} to remove"
