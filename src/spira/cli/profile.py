"""`spira profile`: one person, found by an identifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from spira.cli.client import connect
from spira.cli.options import json_option, shown, table, workspace_option
from spira.kernel.errors import NotFound


@click.group("profile")
def profile() -> None:
    """One person: traits, tags, permissions, and why they are one."""


@profile.command("show")
@click.argument("identifier", metavar="KIND:VALUE")
@workspace_option
@click.option("--explain", is_flag=True, help="Also show which events joined the identifiers.")
@json_option
def show(*, identifier: str, directory: Path, explain: bool, as_json: bool) -> None:
    """Show the person with an identifier such as user_id:1042 (or a profile's own p_… id)."""
    with connect(directory) as api:
        profile_id = (
            identifier if identifier.startswith("p_") else _find(api.get("/api/profiles", q=identifier).value())
        )
        if profile_id is None:
            raise NotFound(
                f"nobody has the identifier `{identifier}`", help="write it as KIND:VALUE, as in user_id:1042"
            )
        answer = api.get(f"/api/profiles/{profile_id}", **({"explain": "true"} if explain else {}))
    if as_json:
        click.echo(answer.text)
    else:
        _print(answer.value())


def _find(found: dict[str, Any]) -> str | None:
    people = found["profiles"]
    return str(people[0]["profile_id"]) if people else None


def _print(person: dict[str, Any]) -> None:
    """Plain facts first, each list as a table after them."""
    for key, value in person.items():
        if not _is_rows(value) and value not in ([], {}):
            click.echo(f"{key:<14} {shown(value)}")
    for key, value in person.items():
        if _is_rows(value):
            click.secho(f"\n{key}", bold=True)
            table(list(value[0]), [list(each.values()) for each in value])


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)
