"""`spira definitions`: what each apply changed, going back to an earlier generation, and what one compiles to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, get_args

import click

from spira.cli.client import connect
from spira.cli.options import json_option, working, workspace_option
from spira.cli.plan import MARKS, print_plan

Dialect = Literal["duckdb", "clickhouse", "spark"]  # of `segment.conditions.dialects`, which takes long to import
COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@click.group("definitions")
def definitions() -> None:
    """What was applied, and when."""


@definitions.command("history")
@workspace_option
@click.option("--before", type=click.IntRange(1), default=None, help="Only generations before this one.")
@json_option
def history(*, directory: Path, before: int | None, as_json: bool) -> None:
    """List the generations, the newest first, with what each changed."""
    with connect(directory) as api:
        answer = api.get("/api/definitions/history", **({} if before is None else {"before": before}))
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    for each in found["generations"]:
        actor = found["actors"].get(each["actor"], each["actor"])
        click.secho(f"generation {each['generation']}  {each['at']}  {actor}", bold=True)
        for action, kind, name in each["changes"]:
            click.secho(f"    {MARKS[action][0]} {kind} {name}", fg=MARKS[action][1])
    if found["next"] is not None:
        click.echo(f"more with --before {found['next']}")


@definitions.command("show")
@click.argument("generation", type=click.IntRange(1))
@workspace_option
@json_option
def show(*, generation: int, directory: Path, as_json: bool) -> None:
    """Show what a generation changed, line by line."""
    with connect(directory) as api:
        answer = api.get(f"/api/definitions/history/{generation}")
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    click.echo(f"generation {found['generation']} by {found['actor']} at {found['at']}")
    for change in found["changes"]:
        _print_change(change)


@definitions.command("roll-back")
@click.argument("generation", type=click.IntRange(1))
@workspace_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def roll_back(*, generation: int, directory: Path, yes: bool, as_json: bool) -> None:
    """Write what a generation said into the files, and apply it as the next one. Shows the plan and asks first."""
    wanted = {"way": "roll_back", "generation": generation}
    with connect(directory) as api:
        with working("planning"):
            found = api.post("/api/definitions/draft", wanted).value()
        for fault in found["faults"]:
            click.echo(fault["drawn"], err=True)
        if found["plan"] is None:
            raise click.exceptions.Exit(1)
        if not (yes or as_json):
            print_plan(found["plan"])
            click.confirm(f"Go back to generation {generation}?", abort=True)
        with working("applying"):
            answer = api.post("/api/definitions/apply", {**wanted, "fingerprint": found["plan"]["fingerprint"]})
    if as_json:
        click.echo(answer.text)
    else:
        click.echo(f"generation {answer.value()['generation']} is in force, and says what generation {generation} said")


@definitions.command("sql")
@click.argument("kind", type=click.Choice(["tag", "audience"]))
@click.argument("name")
@workspace_option
@click.option(
    "--dialect",
    type=click.Choice(get_args(Dialect)),
    default="duckdb",
    show_default=True,
    help="The engine that is to run it.",
)
@json_option
def sql(*, kind: str, name: str, directory: Path, dialect: Dialect, as_json: bool) -> None:  # fmt: skip
    """Show the SQL that a tag or an audience of the files compiles to, for one of three engines. Needs no stores."""
    import spira.worker.builtin  # noqa: F401  (registers every kind)
    from spira.definitions.workspace import read_workspace
    from spira.segment.compiled import compiled

    text = compiled(read_workspace(directory).world(), kind, name, dialect)
    click.echo(json.dumps({"kind": kind, "name": name, "dialect": dialect, "sql": text}) if as_json else text)


def _print_change(change: dict[str, Any]) -> None:
    mark, colour = MARKS[change["action"]]
    click.secho(f"\n{mark} {change['kind']} {change['name']}", fg=colour, bold=True)
    for line in change["lines"]:
        click.secho(f"    {line['mark']} {line['text']}", fg=COLOURS.get(line["mark"]))
