"""Write the first revision again from what the packages declare: `python -m spira.storage.migrations.first`.

Then format it: `ruff format src/spira/storage/migrations`.
Only for use before the first release; afterwards a changed table is a new revision.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext

import spira
from spira.storage.state import METADATA, open_engine

FIRST = Path(__file__).parent / "revisions" / "versions" / "0001_first.py"


def declare_everything() -> None:
    """Import every package's modules that declare tables of the state."""
    for found in pkgutil.walk_packages(spira.__path__, "spira."):
        source = importlib.util.find_spec(found.name)
        if source and source.origin and "state_table(" in Path(source.origin).read_text(encoding="utf-8"):
            importlib.import_module(found.name)


def first_revision(connection: sa.Connection) -> str:
    """The text of a revision that takes an empty database to what is declared."""
    context = MigrationContext.configure(connection, opts={"target_metadata": METADATA})
    operations = produce_migrations(context, METADATA)
    assert operations.upgrade_ops is not None
    body = render_python_code(operations.upgrade_ops, render_as_batch=False)
    made: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in body.splitlines():
        if starts := _CREATES.match(line):
            lines = made.setdefault(starts.group(1), [])
        if line.strip() and not line.strip().startswith("#"):
            lines.append(line)
    functions = "".join(f"\n\ndef _{name}() -> None:\n" + "\n".join(lines) + "\n" for name, lines in made.items())
    return _PAGE.replace("    CALLS", "\n".join(f"    _{name}()" for name in made)) + functions


def main() -> None:
    """Write the file."""
    declare_everything()
    with TemporaryDirectory() as scratch:
        engine = open_engine(Path(scratch) / "empty.sqlite")
        with engine.connect() as connection:
            FIRST.write_text(first_revision(connection), encoding="utf-8")
        engine.dispose()


_CREATES = re.compile(r"\s*op\.create_table\('(\w+)'")
_PAGE = '''"""The tables of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From an empty database."""
    CALLS
'''

if __name__ == "__main__":
    main()
