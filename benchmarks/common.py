"""What the measurements share: the machine they ran on, percentiles, a served workspace, and how a report is written.

Every script prints `{"machine", "figures", "ratios", "limits"}` with `--json`: what was measured, what it
is a multiple of, and what it should stay under. Durations are `time.perf_counter` of the client's side.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from spira.kernel.settings import environment
from spira.server import local
from spira.storage.keys import make_keys

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "retail"
STARTING_SECONDS = 60
ENDING_SECONDS = 120


@dataclass(slots=True, kw_only=True)
class Measured:
    """What one script found; `limits` maps a figure's name to the most it should be, `floors` a figure's or ratio's
    to the least."""

    figures: dict[str, Any] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    floors: dict[str, float] = field(default_factory=dict)


def run(
    name: str,
    doc: str,
    measure: Callable[[argparse.Namespace], Measured],
    options: Callable[[argparse.ArgumentParser], None] = lambda _: None,
    sizes: Sequence[str] = ("small", "full"),
) -> None:
    """Parse the arguments, measure, print; `--report` also writes the report beside the scripts."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--size", choices=sizes, default="full")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--report", action="store_true", help="write results/NAME-DATE.md")
    parser.add_argument("--dir", type=Path, default=Path("demo-workspace"), help="a finished demo; it is only copied")
    options(parser)
    chosen = parser.parse_args()
    before = os.getloadavg()[0]
    signal.signal(signal.SIGTERM, _end)  # so that what was started is ended with us
    found = measure(chosen)
    shown = {
        "machine": machine(load_before=before),
        "size": chosen.size,
        "figures": found.figures,
        "ratios": found.ratios,
        "limits": found.limits,
        "floors": found.floors,
    }
    text = json.dumps(shown, ensure_ascii=False, indent=1)
    print(text if chosen.json else as_markdown(name, doc, shown))
    if chosen.report:
        path = Path(__file__).parent / "results" / f"{name}-{datetime.now(UTC):%Y-%m-%d}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(as_markdown(name, doc, shown), encoding="utf-8")


def machine(*, load_before: float) -> dict[str, Any]:
    """Where the figures were taken; a load well above zero before the start spoils them."""
    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cores": os.cpu_count(),
        "cpu": cpu,
        "memory_gb": round(memory / 1_048_576, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "load_before": round(load_before, 2),
    }


def as_markdown(name: str, doc: str, shown: dict[str, Any]) -> str:
    """The report: method, machine, figures, and whether each limit is kept."""
    lines = [f"# {name}", "", doc.strip(), "", "## Machine", "", "| | |", "|---|---|"]
    lines += [f"| {key} | {value} |" for key, value in shown["machine"].items()]
    lines += ["", f"## Figures (size {shown['size']})", "", "| figure | value | limit | |", "|---|---:|---:|---|"]
    lines += [f"| {key} | {value} | {_judged(key, value, shown)} |" for key, value in shown["figures"].items()]
    lines += ["", "## Ratios", "", "| ratio | value | limit | |", "|---|---:|---:|---|"]
    lines += [f"| {key} | {value} | {_judged(key, value, shown)} |" for key, value in shown["ratios"].items()]
    return "\n".join(lines) + "\n"


def _judged(key: str, value: Any, shown: dict[str, Any]) -> str:
    """The last two cells of a row: the limit, and whether it is kept."""
    most, least = shown["limits"].get(key), shown.get("floors", {}).get(key)
    if most is not None:
        return f"{most} | {'kept' if value <= most else '**over**'}"
    if least is not None:
        return f"at least {least} | {'kept' if value >= least else '**under**'}"
    return " | "


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that `work` took."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def median(values: Sequence[float]) -> float:
    """The middle value, to a tenth."""
    return round(statistics.median(values), 1)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed, to a tenth."""
    ordered = sorted(values)
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1)


@contextmanager
def copy_of(workspace: Path) -> Iterator[Path]:
    """A throw-away copy of a workspace that nobody serves."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copytree(workspace, Path(folder) / "workspace"))


@contextmanager
def fresh_workspace() -> Iterator[Path]:
    """The example's definitions with keys of its own, a clock that only loads, and nobody in it."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(shutil.copytree(EXAMPLE, Path(folder) / "workspace"))
        settings = made / "spira.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace("[workspace]", '[workspace]\nclock = "manual"', 1), encoding="utf-8")
        make_keys(made)
        yield made


@contextmanager
def serving(directory: Path, command: Sequence[str] = ("-m", "spira.cli.main", "serve")) -> Iterator[local.LocalServer]:
    """`spira serve`, or another command that ends in it, in processes of its own; stopped at the end."""
    asked = [sys.executable, *command, "--dir", str(directory), "--port", "0"]
    family = subprocess.Popen(asked, stdout=sys.stderr, env=environment(), start_new_session=True)
    try:
        yield _announced(directory, family)
    finally:
        family.send_signal(signal.SIGTERM)
        try:
            family.wait(timeout=ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(family.pid, signal.SIGKILL)  # it leads a session of its own: nobody else is in the group
            family.wait()


def _announced(directory: Path, family: subprocess.Popen[bytes]) -> local.LocalServer:
    deadline = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < deadline and family.poll() is None:
        found = local.find(directory)
        if found and found.pid == family.pid:
            return found
        time.sleep(0.05)
    raise SystemExit("the server did not start")


def _end(_number: int, _frame: object) -> None:
    raise SystemExit("ended by a signal")


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()
