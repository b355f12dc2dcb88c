from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "tables.md"
DRAW = """
import sys
import spira.server.tables, spira.worker.core
from spira.storage.tables_page import page
sys.stdout.reconfigure(encoding="utf-8")
sys.stdout.write(page())
"""


def test_golden_the_page_has_every_table_with_its_columns():
    """The page is what a fresh process, with everything registered, draws (`make golden` rewrites it)."""
    drawn = subprocess.run([sys.executable, "-c", DRAW], capture_output=True, encoding="utf-8", check=True).stdout
    if os.environ.get("SPIRA_GOLDEN") == "rewrite":
        PAGE.write_text(drawn, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == drawn
