"""The benchmark of this package runs, and what it compares agrees."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = ("refresh", "tags", "events", "sequence", "funnel", "mixed", "difference", "changed")


def test_the_benchmark_runs_at_its_smallest(tmp_path):
    """Tags and audiences are those of the SQL by hand: it ends with a message where they are not."""
    only = [part for row in ROWS for part in ("--only", row)]
    command = [sys.executable, ROOT / "benchmarks" / "segment.py", "--size", "tiny", "--json", *only]
    done = subprocess.run(
        [*map(str, command), "--dir", str(tmp_path / "w")], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["figures"]["people"] == 2_000
    assert said["figures"]["audience of mixed: people"] > 0
    assert set(said["limits"]) <= {*said["figures"], *said["ratios"]}
