"""One cell of `collect.py`: a workload against a target, and what each process took of the CPU meanwhile.

Between two cells everything accepted is loaded, so that none pays for another's backlog; within a cell the
loader runs as it does in life, once a second, on the same cores.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
from collect_client import WAITING_SECONDS, Plan, Sent
from collect_events import Requests
from collect_servers import Target, check_owner, cpu_seconds, end

from spira.kernel.settings import environment

CONNECTIONS = 64
CORES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What came of one workload against one target."""

    events: int
    seconds: float
    sent: Sent
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Events a second that were answered 200."""
        return self.events / self.seconds

    @property
    def generator(self) -> float:
        """The share of the two cores that the load generator itself took."""
        return self.sent.cpu_seconds / (CORES * self.seconds)

    def per_cpu_second(self, role: str) -> float:
        """Events by each CPU second of a role's processes."""
        return self.events / max(self.cpu.get(role, 0.0), 0.01)


def send(target: Target, made: Requests, *, seconds: float, rate: float = 0, connections: int = CONNECTIONS) -> Cell:
    """Send a file's requests from a process of its own; any answer but a whole 200 ends the measurement."""
    cell = observe(target, made, seconds=seconds, rate=rate, connections=connections)
    if cell.sent.faults:
        raise SystemExit(f"{target.name}: not everything was accepted: {cell.sent.faults}")
    return cell


def observe(target: Target, made: Requests, *, seconds: float, rate: float, connections: int) -> Cell:
    """`send`, where refusals are counted and not the end."""
    check_owner(target)
    plan = Plan(
        path=str(made.path),
        index=str(made.index),
        host=target.host,
        port=target.port,
        connections=connections,
        seconds=seconds,
        rate=rate,
    )
    script = Path(__file__).with_name("collect_client.py")
    asked = [sys.executable, str(script), msgspec.json.encode(plan).decode()]
    client = subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
    try:
        assert client.stdout
        if client.stdout.readline() != b"ready\n":
            raise SystemExit(f"the load generator did not start against {target.name}")
        before = cpu_seconds(target.pid)
        told, _ = client.communicate(b"go\n", timeout=seconds + 2 * WAITING_SECONDS)
        after = cpu_seconds(target.pid)
    finally:
        if client.poll() is None:
            end(client)
    if client.returncode or not told:
        raise SystemExit(f"the load generator failed against {target.name}")
    sent = msgspec.convert(json.loads(told), type=Sent)
    target.acknowledged += sent.done * made.size
    cpu = {role: spent - before.get(role, 0.0) for role, spent in after.items()}
    print(f"{target.name}: {sent.done * made.size} events in {sent.seconds:.1f} s", file=sys.stderr)
    return Cell(events=sent.done * made.size, seconds=sent.seconds, sent=sent, cpu=cpu)
