"""Imports under kill -9: of the command, of the server, and of the one that reads in a child; each row counts once."""

import os
import signal
import subprocess
import sys
from datetime import datetime

import pytest

from spira.collect import sources
from spira.collect.imports import tables
from spira.kernel.clock import pause
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import SYSTEM
from spira.testing.families import Family
from spira.testing.workspaces import SETTINGS, make_workspace
from spira.worker.core import Core

pytestmark = pytest.mark.slow
ROWS = 80_000
FILES = {
    "tracking/shop.yaml": """\
tracking: shop
events:
  Order Completed: {properties: {order_id: text, revenue: money}}
""",
    "mappings/orders.yaml": """\
mapping: orders
columns: {id: {required: true}, who: text, paid: money, at: time}
key: id
calls:
  - {call: track, event: Order Completed, user_id: who, at: at, properties: {order_id: id, revenue: paid}}
""",
    "imports/drops.yaml": """\
import: drops
source: till
from: {kind: folder, folder: drops}
mapping: orders
every: 1 minute
""",
}


@pytest.fixture
def table(tmp_path):
    """A table that takes a few seconds to import, one row in ten thousand of which is at fault."""
    path = tmp_path / "big.csv"
    rows = (
        f"A{number},u{number % 500},{'x' if number % 10_000 == 9_999 else number % 90}.5,2026-01-{number % 27 + 1:02}\n"
        for number in range(ROWS)
    )
    path.write_text("id,who,paid,at\n" + "".join(rows), encoding="utf-8")
    return path


@pytest.fixture
def directory(tmp_path):
    """A workspace on the machine's clock, its definitions in force and a source to import through."""
    made = make_workspace(tmp_path / "ws", FILES, settings=SETTINGS.replace('"manual"', '"real"'))
    with Core.open(made, runner=InlineRunner()) as core:
        core.apply(SYSTEM)
        sources.add(core.state, core.clock, "till")
    return made


def command(directory, table):
    mapping = directory / "mappings" / "orders.yaml"
    return subprocess.Popen(
        [sys.executable, "-m", "spira.cli.main", "import", str(table), "--source", "till", "--mapping", str(mapping),
         "--dir", str(directory), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def progress(family):
    imports = family.get("/api/imports")["imports"]
    return imports[0]["rows"] if imports else 0


def whole(directory):
    """That every good row is one event, and nothing else is there."""
    with Core.open(directory, runner=InlineRunner()) as core:
        core.load()
        lane = core.lane()
        good = ROWS - ROWS // 10_000
        assert lane.query("select count(*), count(distinct order_id) from events") == [(good, good)]
        assert lane.query("select count(*) from quarantine") == [(0,)]
        (told,) = tables.latest(core.state, limit=5)
        assert (told.status, told.rows, told.calls, told.faults) == ("done", ROWS, good, ROWS // 10_000)


def test_a_killed_command_and_a_killed_server_lose_nothing_and_double_nothing(directory, table):
    """
    The command is killed, then the server under the next one; run once more, the import is whole.
    """
    family = Family(directory)
    try:
        family.start()
        first = command(directory, table)
        while progress(family) == 0:
            pause(0.02)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        done = progress(family)
        assert 0 < done < ROWS
        second = command(directory, table)
        while progress(family) <= done and second.poll() is None:
            pause(0.02)
        family.kill()
        second.communicate()
        family.start()
        third = command(directory, table)
        out, _ = third.communicate()
        assert third.returncode == 0, out
        assert family.stop() == 0
    finally:
        family.close()
    whole(directory)


def test_a_killed_server_goes_on_with_its_schedule(directory, table):
    """
    Killed while its child reads a file of a watched folder, the server takes that file up where it was.
    """
    drops = directory / "drops"
    drops.mkdir()
    family = Family(directory)
    try:
        family.start()
        table.rename(drops / "big.csv")
        long_ago = datetime(2020, 1, 1).timestamp()
        os.utime(drops / "big.csv", (long_ago, long_ago))
        family.post("/api/imports/scheduled/drops/run")
        while not family.get("/api/imports")["imports"]:
            pause(0.02)
        family.kill()
        family.start()
        family.post("/api/imports/scheduled/drops/run")
        while family.get("/api/imports")["imports"][0]["status"] != "done":
            pause(0.1)
        assert family.stop() == 0
    finally:
        family.close()
    whole(directory)
