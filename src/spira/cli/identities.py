"""`spira identity conflicts`, `join`, `part`, `cut`, `split`…: who contradicts whom, and what staff say of it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click

from spira.cli.client import Answer, connect
from spira.cli.options import json_option, table, workspace_option


@click.command("conflicts")
@click.option("--reason", default="", help="shared, torn, several, against, likely, crowd or blocked; else all.")
@workspace_option
@json_option
def conflicts(*, reason: str, directory: Path, as_json: bool) -> None:
    """Where evidence contradicts itself, those with the most behind them first."""
    with connect(directory) as api:
        answer = api.get("/api/identity/conflicts", reason=reason)
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    click.echo(", ".join(f"{count} {name}" for name, count in found["counts"].items()) or "no conflict")
    if found["rows"]:
        rows = [
            [each["reason"], each["kind"], *(_end(each[side]) for side in ("one", "two", "via")), each["links"]]
            for each in found["rows"]
        ]
        table(("reason", "kind", "one", "other", "over", "links"), rows)


@click.command("join")
@click.argument("one", metavar="KIND:VALUE")
@click.argument("two", metavar="KIND:VALUE")
@workspace_option
@json_option
def join(*, one: str, two: str, directory: Path, as_json: bool) -> None:
    """Say that two identifiers are the same person, whatever else is told."""
    _decide(directory, "join", {"one": one, "two": two}, as_json=as_json)


@click.command("part")
@click.argument("one", metavar="KIND:VALUE")
@click.argument("two", metavar="KIND:VALUE")
@workspace_option
@json_option
def part(*, one: str, two: str, directory: Path, as_json: bool) -> None:
    """Say that two identifiers are different people: no evidence joins them."""
    _decide(directory, "part", {"one": one, "two": two}, as_json=as_json)


@click.command("cut")
@click.argument("one", metavar="KIND:VALUE")
@click.argument("two", metavar="KIND:VALUE")
@workspace_option
@json_option
def cut(*, one: str, two: str, directory: Path, as_json: bool) -> None:
    """Let the link between two identifiers count for nothing; other links may still join them."""
    _decide(directory, "cut", {"one": one, "two": two}, as_json=as_json)


@click.command("split")
@click.argument("profile", metavar="P_ID")
@click.argument("away", metavar="KIND:VALUE", nargs=-1, required=True)
@workspace_option
@json_option
def split(*, profile: str, away: tuple[str, ...], directory: Path, as_json: bool) -> None:
    """Take identifiers out of a profile; the same evidence does not bring them back."""
    _decide(directory, "split", {"profile": profile, "away": list(away)}, as_json=as_json)


@click.command("decisions")
@click.option("--ended", is_flag=True, help="Also those that do not hold any more.")
@workspace_option
@json_option
def decisions(*, ended: bool, directory: Path, as_json: bool) -> None:
    """What staff decided, newest first."""
    with connect(directory) as api:
        answer = api.get("/api/identity/decisions", **({"ended": "true"} if ended else {}))
    if as_json:
        click.echo(answer.text)
        return
    heads = ("decision_id", "verdict", "made_by", "made_at", "ended_at")
    table(heads, [[each[head] for head in heads] for each in answer.value()["decisions"]])


@click.command("take-back")
@click.argument("decision")
@workspace_option
def take_back(*, decision: str, directory: Path) -> None:
    """Take a decision back, so that the evidence alone counts again."""
    with connect(directory) as api:
        api.post(f"/api/identity/decisions/{quote(decision, safe='')}/take-back")
    click.echo("taken back")


def _decide(directory: Path, what: str, body: dict[str, object], *, as_json: bool) -> None:
    with connect(directory) as api:
        answer: Answer = api.post(f"/api/identity/{what}", body)
    if as_json:
        click.echo(answer.text)
        return
    made = answer.value()
    click.echo(f"{made['moved']} identifiers moved; the profiles are {', '.join(made['profiles'])}")
    click.echo(f"to undo: spira identity take-back {' '.join(made['decisions'])}")


def _end(told: dict[str, str] | None) -> str:
    return "" if told is None else f"{told['kind']} {told['shown']}"


COMMANDS = (conflicts, join, part, cut, split, decisions, take_back)
