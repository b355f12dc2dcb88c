"""How long the shortest commands take: what a person waits for, and what an editor waits for.

`spira --help` and `spira check` on the example workspace, each as a whole process from start to
exit, median of 21 (5 when small), taken in turns so that the machine's moods hit all alike. The
limit no Python program gets under is the interpreter itself: `python -c pass`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from common import EXAMPLE, Measured, median, run, timed

COMMANDS = {
    "help_ms": ("-m", "spira.cli.main", "--help"),
    "check_ms": ("-m", "spira.cli.main", "check", "--dir", str(EXAMPLE)),
    "python_ms": ("-c", "pass"),
}


def measure(chosen: argparse.Namespace) -> Measured:
    """Every command in turn, round after round."""
    rounds = 5 if chosen.size == "small" else 21
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            taken[name].append(timed(lambda asked=command: _finished(*asked)))
    figures = {name: median(values) for name, values in taken.items()}
    return Measured(
        figures=figures,
        ratios={name: round(figures[name] / figures["python_ms"], 1) for name in ("help_ms", "check_ms")},
        limits={"help_ms": 300},
    )


def _finished(*command: str) -> None:
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    run("startup", __doc__, measure)
