"""`spira erase`: remove a person from every store; what is printed is the receipt."""

from __future__ import annotations

from pathlib import Path

import click

from spira.cli.client import connect
from spira.cli.options import json_option, shown, table, working, workspace_option


@click.command("erase")
@click.argument("identifier", metavar="KIND:VALUE")
@workspace_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def erase(*, identifier: str, directory: Path, yes: bool, as_json: bool) -> None:
    """Erase the person with an identifier such as email:ann@example.com from every store, for good."""
    if not yes:
        click.confirm(f"Erase {identifier} and everything known of this person? It can't be undone.", abort=True)
    with working("erasing"), connect(directory) as api:
        answer = api.post("/api/erase", {"identifier": identifier})
    if as_json:
        click.echo(answer.text)
        return
    receipt = answer.value()
    for key, value in receipt.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            table(list(value[0]), [list(each.values()) for each in value])
        elif key != "signed":  # for --json, and for `spira privacy verify-receipt`
            click.echo(f"{key:<12} {shown(value)}")
