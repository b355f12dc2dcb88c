"""`spira apply`: put the definitions in force as the next generation, as planned."""

from __future__ import annotations

from pathlib import Path

import click

from spira.cli.client import connect
from spira.cli.options import json_option, working, workspace_option
from spira.cli.plan import print_plan


@click.command("apply")
@workspace_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def apply(*, directory: Path, yes: bool, as_json: bool) -> None:
    """Put the definitions in force. Without --yes the plan is shown and asked about first."""
    with connect(directory) as api:
        if not (yes or as_json):
            with working("planning"):
                found = api.post("/api/definitions/plan").value()
            print_plan(found)
            if not found["changes"]:
                return
            click.confirm("Apply this?", abort=True)
        with working("applying"):
            answer = api.post("/api/definitions/apply")
    if as_json:
        click.echo(answer.text)
    else:
        click.echo(f"generation {answer.value()['generation']} is in force")
