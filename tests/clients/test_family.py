"""Real clients against `spira serve` itself, in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.clients.shop import CLIENT_SECONDS, NODE, PLAN, REAL_CLOCK, SCRIPTS, needs_node

from spira.collect import sources
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import SYSTEM
from spira.testing.families import Family
from spira.testing.workspaces import make_workspace
from spira.worker.core import Core

pytestmark = pytest.mark.slow


@pytest.fixture
def served(tmp_path):
    """A family over a fresh workspace, and its source's key."""
    directory = make_workspace(tmp_path / "shop", {"tracking/shop.yaml": PLAN}, settings=REAL_CLOCK)
    with Core.open(directory, runner=InlineRunner()) as core:
        core.apply(SYSTEM)
        key = sources.add(core.state, core.clock, "site").write_key
    family = Family(directory)
    family.start()
    yield family, key
    if family.running:
        family.kill()
    family.close()


def counted(family) -> list[tuple[int, int]]:
    """How many events are in the warehouse, and how many different orders, once the family has ended."""
    if family.running:
        family.stop()
    with Core.open(family.directory, runner=InlineRunner()) as core:
        core.load()
        return core.lane().query("select count(*), count(distinct order_id) from events")


@pytest.mark.parametrize(
    "client",
    [
        "segment_python.py",
        "rudder_python.py",
        *(pytest.param(f"{each}_node.mjs", marks=needs_node) for each in ("segment", "rudder")),
    ],
)
def test_a_client_empties_its_queue_into_spira_serve(served, client):
    """230 calls of a real client, sent to the real server, are 230 events."""
    family, key = served
    program = sys.executable if client.endswith(".py") else str(NODE)

    done = subprocess.run(
        [program, str(SCRIPTS / client), str(family.api.base_url).rstrip("/"), key, "many"],
        capture_output=True, text=True, timeout=CLIENT_SECONDS, check=False, env=os.environ | {"NO_PROXY": "*"},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.strip().splitlines()[-1]) == {"failed": []}
    assert counted(family) == [(230, 230)]
