"""Schema steps of the state: Alembic revisions, run when the state is opened.

Reads   the state's `alembic_version`
Writes  every table of the state, its shape only

All steps are one transaction: killed half-way, the next opening begins again. A state that a
newer Spira has written is refused. Tables of plug-ins, which no revision here knows, are made
where they are missing.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from spira.kernel.errors import StorageDamaged
from spira.storage.state import METADATA, State

_HERE = Path(__file__).parent / "revisions"


def prepare(state: State) -> None:
    """Bring the state's tables up to date; StorageDamaged when a newer Spira has written it."""
    with state.write() as connection:
        current = _current(connection)
        if current is not None and current not in revisions():
            raise StorageDamaged(
                f"the state has schema `{current}`, which this version of Spira does not know",
                help="run the newer Spira that wrote it, or restore a backup from before",
            )
        if current != revisions()[-1]:
            _upgrade(connection)
        METADATA.create_all(connection)


def revisions() -> list[str]:
    """The known revisions in order; a file is named after its revision: `0001_first.py`."""
    return sorted(path.name[:4] for path in (_HERE / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def _current(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sa.text("select version_num from alembic_version")).scalar()
    return found


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
