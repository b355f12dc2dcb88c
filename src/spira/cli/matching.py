"""`spira identity match` and `spira identity review …`: run the matching, and answer what it is not sure of."""

from __future__ import annotations

from pathlib import Path

import click

from spira.cli.client import connect
from spira.cli.options import json_option, table, working, workspace_option


@click.command("match")
@click.option("--full", is_flag=True, help="Match everyone with everyone, and learn the model anew.")
@click.option("--keep-model", is_flag=True, help="With --full: keep the model that was learned last.")
@workspace_option
@json_option
def match(*, full: bool, keep_model: bool, directory: Path, as_json: bool) -> None:
    """Find whom no identifier joins although they are likely one person: those new or changed, or everyone."""
    with connect(directory) as api, working("matching"):
        answer = api.post("/api/identity/match", {"full": full, "keep_model": keep_model})
    if as_json:
        click.echo(answer.text)
        return
    run = answer.value()["run"]
    if run is None:
        click.echo("nobody is new or changed since the last run")
        return
    click.echo(f"{run['changed']:,} of {run['records']:,} people matched in {run['seconds']:.1f} s")
    click.echo(f"{run['pairs']:,} likely pairs, {run['joining']:,} join in all; {run['moved']:,} identifiers moved")
    click.echo("what is likely but not sure waits: spira identity review list")


@click.group("review")
def review() -> None:
    """Who is likely one person, but not surely: list them, and say what they are."""


@review.command("list")
@click.option("--start", type=click.IntRange(0), default=0, help="Where the page begins.")
@workspace_option
@json_option
def list_pairs(*, start: int, directory: Path, as_json: bool) -> None:
    """The pairs that wait, the surest first."""
    with connect(directory) as api:
        answer = api.get("/api/identity/review", start=str(start))
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    click.echo(f"{found['waiting']:,} wait" if found["on"] else "this workspace matches nobody: see docs/how-to")
    if found["rows"]:
        heads = ("pair", "probability", "one", "other", "reviewers", "you said")
        table(heads, [[row["pair"], f"{row['probability']:.3f}", _name(row["one"]), _name(row["two"]), row["needed"],
                       row["mine"] or ""] for row in found["rows"]])  # fmt: skip


@review.command("show")
@click.argument("pair")
@workspace_option
@json_option
def show(*, pair: str, directory: Path, as_json: bool) -> None:
    """One pair field by field, and what each field says for or against that they are one."""
    with connect(directory) as api:
        answer = api.get("/api/identity/review", pair=pair)
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()["pair"]
    rows: list[list[object]] = [["to begin with", "", "", f"{found['start']:+.1f}", ""]]
    for field in found["fields"]:
        levels = ", ".join(part["level"] or "missing" for part in field["parts"])
        rows.append([field["name"], field["one"] or "", field["two"] or "", f"{field['bits']:+.1f}", levels])
    rows.append(["together", "", "", f"{found['row']['weight']:+.1f}", f"{found['row']['probability']:.4f}"])
    table(("field", "one", "other", "weight", "how they compare"), rows)


def _name(person: dict[str, str] | None) -> str:
    return person["name"] if person else ""


def _answer(verdict: str, help: str) -> click.Command:
    @click.command(verdict, help=help)
    @click.argument("pair")
    @workspace_option
    @json_option
    def say(*, pair: str, directory: Path, as_json: bool) -> None:
        with connect(directory) as api:
            answer = api.post("/api/identity/review", {"pair": pair, "verdict": verdict})
        if as_json:
            click.echo(answer.text)
            return
        said = answer.value()
        click.echo(f"decided: {said['decided']}" if said["decided"] else "kept; the pair waits for somebody else")
        if said["decisions"]:
            click.echo(f"to undo: spira identity take-back {' '.join(said['decisions'])}")

    return say


review.add_command(_answer("same", "Say that a pair is one person."))
review.add_command(_answer("different", "Say that a pair are two people; they never come again."))
review.add_command(_answer("unsure", "Say that you can't tell; the pair comes to you last, and to others."))

COMMANDS = (match, review)
