"""`spira backup`: everything in one file, while the server goes on."""

from __future__ import annotations

from pathlib import Path

import click

from spira.cli.client import connect
from spira.cli.options import json_option, shown, working, workspace_option


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@workspace_option
@json_option
def backup(*, file: Path, directory: Path, as_json: bool) -> None:
    """Write everything but the keys into FILE. Keep spira.keys somewhere else: without it a backup is unreadable."""
    with working("backing up"), connect(directory) as api:
        answer = api.post("/api/backup", {"file": str(file.resolve())})
    if as_json:
        click.echo(answer.text)
        return
    for key, value in answer.value().items():
        click.echo(f"{key:<12} {shown(value)}")
    click.echo("The keys are not inside: keep spira.keys somewhere safe, and not beside this file.")
