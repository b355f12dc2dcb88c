"""`spira audit`: who did what, and whether anybody has changed that since."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spira.cli.options import json_option, workspace_option
from spira.kernel.errors import StorageDamaged, WorkspaceInvalid
from spira.kernel.settings import load_settings
from spira.storage.state import open_state

if TYPE_CHECKING:
    from spira.storage.audit_chain import ChainFault


@click.group("audit")
def audit() -> None:
    """Who did what."""


@audit.command("verify")
@workspace_option
@click.option("--expect", metavar="NUMBER:HASH", help="A head that was written down before: it has to be there still.")
@json_option
def verify(*, directory: Path, expect: str | None, as_json: bool) -> None:
    """Check that no row of the audit was changed, removed or moved; reads beside a running server."""
    from spira.storage import audit_chain
    from spira.worker.paths import Paths

    load_settings(directory)
    path = Paths(directory).state
    if not path.is_file():
        raise WorkspaceInvalid(f"`{directory}` holds no state yet", help="start it once with `spira serve`")
    with open_state(path) as state:
        chain = audit_chain.examine(state, expected=expect)
    if as_json:
        first = None if chain.whole else chain.faults[0].first
        click.echo(json.dumps({"whole": chain.whole, "first_bad_row": first, **asdict(chain)}))
        if not chain.whole:
            raise click.exceptions.Exit(1)
        return
    if chain.whole:
        click.echo(f"the audit is whole: {chain.rows:,} rows")
        if chain.head:
            click.echo(f"its head is {chain.head}; keep it elsewhere, and give it to --expect the next time")
        return
    for fault in chain.faults:
        click.secho(said(fault), err=True)
    raise StorageDamaged(
        f"the audit is not whole: {len(chain.faults)} faults, the first at row {chain.faults[0].first}",
        help="compare with the last backup; somebody has changed, moved or removed rows",
    )


def said(fault: ChainFault) -> str:
    """A fault of the chain, as a line."""
    match fault.why:
        case "missing":
            rows = f"row {fault.first} is" if fault.first == fault.last else f"rows {fault.first} to {fault.last} are"
            return f"{rows} missing"
        case "moved":
            return f"row {fault.first} was moved: it was written as row {fault.belongs}"
        case "cut":
            return f"the audit was cut off at its end: row {fault.last} was there before"
        case _:
            return f"row {fault.first} was changed"
