"""The servers that `collect.py` measures, what they cost, and that nobody else answers in their stead.

Each is started for a run of its own and ended with everything it started, however the run ends. Before a
port is used it must be free, and afterwards only processes that we started may listen there: a server left
behind by an earlier run would otherwise answer (and be measured) with no sign of it.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import httpx
from collect_events import TRACKING
from common import EXAMPLE, serving

from spira.collect import sources
from spira.kernel.jobs import InlineRunner
from spira.kernel.settings import environment
from spira.kernel.viewer import SYSTEM
from spira.server.local import LocalServer
from spira.storage.keys import make_keys
from spira.worker.core import Core

SOURCE = "shop_site"
LOADED_SECONDS = 900
_TICK = os.sysconf("SC_CLK_TCK")
_LISTENING = "0A"
_ROLES = {"spira.worker.collector": "collector", "spira.worker.child": "decoder"}


@dataclass(slots=True, kw_only=True)
class Target:
    """Something that takes calls in: where, by which process family, and whose API tells how loading is."""

    name: str
    host: str
    port: int
    pid: int
    directory: Path
    server: LocalServer | None = None
    acknowledged: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    def settle(self) -> float:
        """Wait until everything accepted is loaded; seconds. What has no loader is settled at once."""
        if self.server is None:
            return 0.0
        started = time.monotonic()
        with api(self.server) as client:
            while (said := client.get("/api/system").raise_for_status().json())["backlog_bytes"]:
                load = next(each["run"] for each in said["stages"] if each["name"] == "collect.load")
                if load["fault"]:
                    raise SystemExit(f"{self.name}: loading failed: {load['fault']}")
                if time.monotonic() - started > LOADED_SECONDS:
                    raise SystemExit(f"{self.name}: loading did not catch up within {LOADED_SECONDS} s")
                time.sleep(0.1)
        return time.monotonic() - started


def make_workspace(folder: Path, *, settings: str = "") -> tuple[Path, str]:
    """The example's definitions and the events' own, applied, with one source; the directory and its write key."""
    made = Path(shutil.copytree(EXAMPLE, folder))
    text = (made / "spira.toml").read_text(encoding="utf-8")
    (made / "spira.toml").write_text(f"{text}\n[security]\nrequests_per_minute = 1000000\n{settings}", encoding="utf-8")
    (made / "tracking" / "clickstream.yaml").write_text(TRACKING, encoding="utf-8")
    make_keys(made)
    with Core.open(made, runner=InlineRunner()) as core:
        core.apply(SYSTEM)
        key = sources.add(core.state, core.clock, SOURCE).write_key
    return made, key


@contextmanager
def spira(name: str, directory: Path, *, collectors: int) -> Iterator[Target]:
    """`spira serve`; with collectors, calls go to them, and without to the core itself."""
    command = ("-m", "spira.cli.main", "serve", "--collectors", str(collectors))
    with serving(directory, command) as server:
        where = urlsplit(server.collecting if collectors else server.url)
        assert where.hostname
        assert where.port
        target = Target(
            name=name, host=where.hostname, port=where.port, pid=server.pid, directory=directory, server=server
        )
        check_owner(target)
        yield target
        target.settle()


@contextmanager
def fastapi_peer(directory: Path, write_key: str) -> Iterator[Target]:
    """The peer on a socket of ours, which uvicorn inherits."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        host, port = listener.getsockname()
        script = Path(__file__).with_name("peer_fastapi.py")
        asked = [sys.executable, str(script), str(directory / "peer.db"), str(listener.fileno()), write_key]
        process = subprocess.Popen(
            asked, pass_fds=(listener.fileno(),), env=environment(), stdout=sys.stderr, start_new_session=True
        )
        listener.close()
        try:
            target = Target(name="peer", host=host, port=port, pid=process.pid, directory=directory)
            _answers(target, process)
            check_owner(target)
            yield target
        finally:
            end(process)


def _answers(target: Target, process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers at all; a path that it does not know is good enough."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"http://{target.host}:{target.port}/", timeout=5)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise SystemExit(f"{target.name} did not start; is the `bench` extra installed?")


def end(process: subprocess.Popen[bytes], *, seconds: float = 30) -> None:
    """End a process in order, or at least."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def api(server: LocalServer) -> httpx.Client:
    """A client of the server's own API, as an administrator."""
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=120)


def check_owner(target: Target) -> None:
    """SystemExit unless those who listen on the target's port are its own processes, every one."""
    strangers = _listeners(target.port) - set(family(target.pid))
    if strangers or not _listeners(target.port):
        raise SystemExit(f"{target.name}: port {target.port} is served by {sorted(strangers) or 'nobody'}")


def _listeners(port: int) -> set[int]:
    """The processes that hold a listening socket of a port."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            parts = line.split()
            if parts[3] == _LISTENING and int(parts[1].rsplit(":", 1)[1], 16) == port:
                sockets.add(f"socket:[{parts[9]}]")
    return {pid for pid in _processes() if sockets & _open_sockets(pid)}


def _open_sockets(pid: int) -> set[str]:
    found = set()
    try:
        for each in Path(f"/proc/{pid}/fd").iterdir():
            found.add(str(each.readlink()))
    except OSError:  # another's process, or one that ended
        return found
    return found


def family(pid: int) -> dict[int, str]:
    """A process and all below it, each with its role: `core`, `collector` or `decoder`."""
    parents = {each: _parent(each) for each in _processes()}
    found, fresh = {pid: "core"}, {pid}
    while fresh:
        fresh = {each for each, parent in parents.items() if parent in fresh and each not in found}
        found |= {each: _role(each) for each in fresh}
    return found


def cpu_seconds(pid: int) -> dict[str, float]:
    """The CPU time that each role of a family has used so far, in seconds."""
    spent: dict[str, float] = {}
    for each, role in family(pid).items():
        try:
            parts = Path(f"/proc/{each}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue
        spent[role] = spent.get(role, 0.0) + (int(parts[11]) + int(parts[12])) / _TICK
    return spent


def loaded(target: Target) -> int:
    """How many of the source's calls lie in the stopped target's tables, each once."""
    if target.server is None:
        import sqlite3

        with sqlite3.connect(target.directory / "peer.db") as base:
            return int(base.execute("select count(*) from events").fetchone()[0])
    with duckdb.connect(str(target.directory / "data" / "warehouse.duckdb"), read_only=True) as base:
        row = base.execute(
            "select count(*), count(distinct message_id) from events where source = $source", {"source": SOURCE}
        ).fetchone()
    assert row
    if row[0] != row[1]:
        raise SystemExit(f"{target.name}: {row[0]} events have {row[1]} message ids")
    return int(row[0])


def _processes() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def _role(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return "core"
    return next((role for module, role in _ROLES.items() if module in words), "core")
