from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from spira.server import local
from spira.worker.lock import DirectoryLock
from spira.worker.paths import Paths

SPIRA = [sys.executable, "-c", "from spira.cli.main import main; main()"]


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_family_in_order(tmp_path, asked):
    """A service manager's signal, like Ctrl-C, closes everything: no address is left behind, and the lock is free."""
    home = tmp_path / "shop"
    subprocess.run([*SPIRA, "init", str(home)], check=True, capture_output=True)
    command = [*SPIRA, "serve", "--dir", str(home), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stderr is not None
        assert "Spira serves" in next(line for line in serving.stderr if "Spira serves" in line)
        assert local.find(home) is not None
        serving.send_signal(asked)
        try:
            _, said = serving.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            serving.kill()
            raise
    assert "leaked" not in said  # as a library says of what is not taken down at the end
    assert local.find(home) is None
    DirectoryLock(Paths(home).lock).release()
    assert not list(Paths(home).data.glob("warehouse.duckdb.wal"))
