"""`spira refresh`: load what came in and bring tags, scores and audiences up to date (stages 2 to 6)."""

from __future__ import annotations

from pathlib import Path

import click

from spira.cli.client import connect
from spira.cli.options import json_option, table, working, workspace_option


@click.command("refresh")
@workspace_option
@click.option("--full", is_flag=True, help="For every profile, and not only for those that changed.")
@json_option
def refresh(*, directory: Path, full: bool, as_json: bool) -> None:
    """Load what came in and bring tags, scores and audiences up to date."""
    with working("refreshing"), connect(directory) as api:
        answer = api.post("/api/refresh", {"full": full})
    if as_json:
        click.echo(answer.text)
        return
    stages = answer.value()["stages"]
    table(("stage", "rows", "seconds"), [(each["stage"], each["rows"], float(each["seconds"])) for each in stages])
