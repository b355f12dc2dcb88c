"""`spira audience`: what audiences there are, and who is in one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
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
    titles = ["audience", "members", "label"] if found else ["audience"]
    for each in found:
        each["members"] = "after the next refresh" if each["members"] is None else each["members"]
    table(titles, [[each[title] for title in titles] for each in found])


@audience.command("show")
@click.argument("name")
@workspace_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, help="How many members to list.")
@click.option("--why", "identifier", metavar="IDENTIFIER", help="Show why this person is in it or is not.")
@json_option
def show(*, name: str, directory: Path, limit: int, identifier: str | None, as_json: bool) -> None:
    """Show an audience and some of its members, or why somebody is one."""
    path = f"/api/audiences/{quote(name, safe='')}"
    with connect(directory) as api:
        answer = api.get(path, limit=limit) if identifier is None else api.get(f"{path}/why", identifier=identifier)
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    if identifier is not None:
        _explain(found)
        return
    members = found.pop("members", [])
    for key, value in found.items():
        click.echo(f"{key:<12} {shown(value)}")
    if members:
        table(list(members[0]), [list(each.values()) for each in members])


@audience.command("freeze")
@click.argument("name")
@click.option("--tag", required=True, help="A tag of yes and no that is set by hand.")
@workspace_option
@json_option
def freeze(*, name: str, tag: str, directory: Path, as_json: bool) -> None:
    """Give everyone who is in an audience now a tag, which they keep."""
    _keep(directory, name, "freeze", {"tag": tag}, as_json=as_json)


@audience.command("split")
@click.argument("name")
@click.option("--tag", required=True, help="A tag with values that is set by hand; its values are the arms.")
@click.option("--seed", required=True, help="A word; the same puts the same person into the same arm.")
@click.option("--share", "shares", multiple=True, required=True, help="An arm and its percent, as in A=45.")
@workspace_option
@json_option
def split(*, name: str, tag: str, seed: str, shares: tuple[str, ...], directory: Path, as_json: bool) -> None:
    """Split everyone who is in an audience now into arms, each person for good."""
    told = {arm: share for arm, _, share in (each.rpartition("=") for each in shares)}
    if not all(arm and share.isdecimal() for arm, share in told.items()):
        raise click.BadParameter("write an arm and its whole percent, as in A=45", param_hint="--share")
    body = {"tag": tag, "seed": seed, "shares": {arm: int(share) for arm, share in told.items()}}
    _keep(directory, name, "split", body, as_json=as_json)


def _keep(directory: Path, name: str, what: str, body: dict[str, Any], *, as_json: bool) -> None:
    with connect(directory) as api:
        answer = api.post(f"/api/audiences/{quote(name, safe='')}/{what}", body)
    if as_json:
        click.echo(answer.text)
        return
    found = answer.value()
    click.echo(f"{found['changed']:,} of {found['members']:,} people have it anew; it shows after the next refresh")
    if what == "split":
        table(["arm", "people"], [[arm, people] for arm, people in found["arms"].items()])


def _explain(found: dict[str, Any]) -> None:
    """Who, whether they are in, and the condition part by part: what holds, and each value."""
    state = f"in it since {found['since']}" if found["since"] else "not in it"
    click.echo(f"{found['person']['id']}  {state}, as of {found['as_of']}")
    waiting = [(found["reason"], 0)]
    while waiting:
        part, depth = waiting.pop()
        mark = {True: "yes", False: "no"}.get(part["holds"], "")
        text = " ".join(part["text"].split())
        value = "" if isinstance(part["value"], bool) else f"  = {shown(part['value'])}"
        counted = "" if part["count"] is None else f"  ({part['count']} events)"
        click.echo(f"{mark:<4} {'  ' * depth}{text}{value}{counted}")
        waiting += [(each, depth + 1) for each in reversed(part["parts"])]
