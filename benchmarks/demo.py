"""How long a real shop's year takes: `spira demo --no-serve --json` as a whole process, on a fresh directory.

Full: one whole run, from starting the command to its exit: staging the records, sending 155,848
baskets through the collection API, loading, and sixty lived days of refreshes and ticks, with real
SMTP to the sandbox. Small: the same command on a copy of a finished demo (`--dir`), which only
opens, serves, sums up and stops: what a rerun costs. The stages' seconds are the server's own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import Measured, copy_of, run, timed

LIMIT_SECONDS = 150


def measure(chosen: argparse.Namespace) -> Measured:
    """One run."""
    if chosen.size == "small":
        with copy_of(chosen.dir) as directory:
            return _lived(directory, limits={})
    with tempfile.TemporaryDirectory() as folder:
        return _lived(Path(folder) / "demo", limits={"whole_s": LIMIT_SECONDS})


def _lived(directory: Path, *, limits: dict[str, float]) -> Measured:
    said: dict[str, Any] = {}

    def live() -> None:
        command = [sys.executable, "-m", "spira.cli.main", "demo", "--dir", str(directory), "--no-serve", "--json"]
        said.update(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))

    whole = timed(live) / 1000
    stages = {f"{name}_s": seconds for name, seconds in said["seconds"].items() if name != "total"}
    figures = {"whole_s": round(whole, 1), "events": said["events"], "profiles": said["profiles"], **stages}
    in_stages = sum(stages.values())
    return Measured(figures=figures, ratios={"share of time in stages": round(in_stages / whole, 2)}, limits=limits)


if __name__ == "__main__":
    run("demo", __doc__, measure)
