"""`spira restore`: the stores of a backup in the place of those there are, with every erasure since done again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spira.cli.options import json_option, working, workspace_option
from spira.kernel.settings import load_settings

if TYPE_CHECKING:
    from spira.storage.backup import Restored
    from spira.unify.erase import Erasure
    from spira.worker.lock import DirectoryLock


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@workspace_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def restore(*, file: Path, directory: Path, yes: bool, as_json: bool) -> None:
    """Bring the backup FILE back. The server must be stopped, and the workspace's spira.keys must be in place.

    What the log took in after the backup is kept and loaded again, so nothing that was already
    sent is sent twice; people who were erased since the backup are erased again.
    """
    load_settings(directory)
    if not yes:
        click.confirm(f"Replace the data of {directory.resolve()} by {file}?", abort=True)
    with working("restoring"):
        done, erased = bring_back(file, directory.resolve())
    found = {
        "file": str(file),
        "created_at": done.manifest.created_at.isoformat() + "Z",
        "later_segments": done.later_segments,
        "erased_again": erased,
    }
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(f"restored the state of {found['created_at']}")
        click.echo(f"{done.later_segments} later segments of the log are kept; the next turn loads them")
        click.echo(f"{erased} identifiers that were erased since were erased again")


def bring_back(file: Path, directory: Path) -> tuple[Restored, int]:
    """Restore under the directory's lock; what was restored, and how many identifiers were erased again."""
    from spira.storage.backup import restore
    from spira.storage.keys import load_keys
    from spira.worker.lock import DirectoryLock
    from spira.worker.paths import Paths

    paths = Paths(directory)
    erased: list[int] = []
    lock = DirectoryLock(paths.lock)
    try:
        keys = load_keys(directory)
        done = restore(
            file,
            paths.places(),
            keys=keys,
            reapply=lambda replaced: erased.append(_erase_again(directory, replaced, lock)),
        )
    finally:
        lock.release()
    return done, sum(erased)


def _erase_again(directory: Path, replaced: Path | None, lock: DirectoryLock) -> int:
    """Erase whoever the replaced state lists as erased and the restored one does not."""
    from spira.kernel.jobs import InlineRunner
    from spira.unify import erase
    from spira.worker.core import Core

    erasures = _listed_in(replaced) if replaced is not None else []
    if not erasures:
        return 0
    with Core.open(directory, runner=InlineRunner(), lock=lock) as core:
        return erase.reapply(core.stores(), erasures)


def _listed_in(replaced: Path) -> list[Erasure]:
    """The erasures in the state that was replaced; none, with a warning, when that can't be read."""
    import sqlalchemy as sa

    from spira.kernel.errors import StorageDamaged
    from spira.storage.backup import STATE
    from spira.storage.state import open_state
    from spira.unify import erase

    if not (replaced / STATE).exists():
        return []
    try:
        with open_state(replaced / STATE) as state:
            known = sa.inspect(state.engine).has_table(erase.ERASURES.name)
            return erase.listed(state) if known else []
    except (StorageDamaged, sa.exc.DBAPIError) as fault:
        click.secho(
            f"warning: the replaced state can't be read ({fault}), so erasures in it are not repeated", err=True
        )
        return []
