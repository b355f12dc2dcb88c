from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from spira.unify import data_map

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "data-map.md"
DRAW = """
import spira.server.tables, spira.unify.erase, spira.worker.builtin
from spira.unify.data_map import drawn
print(drawn())
"""


def test_the_page_is_what_the_registry_says():
    """The data map's table is the one that a fresh process, with everything registered, draws: row for row."""
    drawn = subprocess.run([sys.executable, "-c", DRAW], capture_output=True, text=True, check=True)
    _, mark, table = PAGE.read_text(encoding="utf-8").partition(data_map.MARK)
    assert mark
    assert table.strip() == drawn.stdout.strip(), "draw it again with spira.unify.data_map.drawn()"
