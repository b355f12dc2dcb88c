"""`spira audit`: who did what, and whether anybody has changed that since."""

from __future__ import annotations

import json
from pathlib import Path

import click

from spira.cli.options import json_option, workspace_option
from spira.kernel.errors import StorageDamaged, WorkspaceInvalid
from spira.kernel.settings import load_settings
from spira.storage.state import open_state


@click.group("audit")
def audit() -> None:
    """Who did what."""


@audit.command("verify")
@workspace_option
@json_option
def verify(*, directory: Path, as_json: bool) -> None:
    """Check that no row of the audit was changed or removed; reads beside a running server."""
    from spira.storage import audit as rows
    from spira.worker.paths import Paths

    load_settings(directory)
    path = Paths(directory).state
    if not path.is_file():
        raise WorkspaceInvalid(f"`{directory}` holds no state yet", help="start it once with `spira serve`")
    with open_state(path) as state:
        bad = rows.verify(state)
    if as_json:
        click.echo(json.dumps({"whole": bad is None, "first_bad_row": bad}))
        if bad is not None:
            raise click.exceptions.Exit(1)
    elif bad is None:
        click.echo("the audit is whole")
    else:
        raise StorageDamaged(
            f"the audit is not whole: row {bad} does not fit the one before it",
            help="compare with the last backup; somebody has changed or removed rows",
        )
