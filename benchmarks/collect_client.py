"""A load generator in a process of its own: `collect_client.py PLAN`, a JSON object with what `Plan` holds.

It maps a file of requests that were made before, says `ready`, waits for a line, sends, and prints a JSON
object with what it saw. One thread and epoll: no more than a send and a receive a request, since every
microsecond that it takes is taken from the server's cores. How much it took it says as well.

Without a rate it sends as fast as answers come, one request a connection at a time, until the seconds are
over or all are sent. With a rate each request is due at its own instant, whatever became of those before,
and its time counts from there, so that a server that stands still is seen to.
"""

from __future__ import annotations

import gc
import json
import mmap
import select
import socket
import sys
import time
from array import array
from collections import Counter, deque
from contextlib import suppress
from pathlib import Path

import msgspec
from common import percentile

WAITING_SECONDS = 60  # for answers that are due when all is sent
_DONE = b'{"success":true}'


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to send where; `rate` is requests a second, 0 for as many as are answered."""

    path: str
    index: str
    host: str
    port: int
    connections: int
    seconds: float
    rate: float = 0


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen: answers by what they were, times in milliseconds, and what sending cost."""

    answered: int
    done: int
    faults: dict[str, int]
    seconds: float
    p50_ms: float
    p99_ms: float
    longest_ms: float
    cpu_seconds: float


class _Talk:
    """One connection and the request it waits for."""

    def __init__(self, plan: Plan) -> None:
        self.socket = socket.create_connection((plan.host, plan.port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.socket.setblocking(False)
        self.since = 0.0
        self.rest = memoryview(b"")
        self.heard = b""
        self.pushing = False


class Sender:
    """Sends one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        with Path(plan.path).open("rb") as file:
            self._bytes = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ, flags=mmap.MAP_SHARED))
        self._ends = array("Q", Path(plan.index).read_bytes())
        for start in range(0, len(self._bytes), 4096):  # so that no page is fetched while the clock runs
            self._bytes[start]
        self._next = 0
        self._poll = select.epoll()
        self._talks: dict[int, _Talk] = {}
        for _ in range(plan.connections):
            talk = _Talk(plan)
            self._talks[talk.socket.fileno()] = talk
            self._poll.register(talk.socket.fileno(), select.EPOLLIN)
        self._free = deque(self._talks.values())
        self._times = array("d")
        self._seen: Counter[str] = Counter()

    def send(self) -> Sent:
        """Send as planned, and wait for the answers."""
        gc.disable()
        started, cpu = time.perf_counter(), time.process_time()
        until, last = started + self._plan.seconds, started
        while True:
            now = time.perf_counter()
            going = now < until and self._next < len(self._ends)
            pause = self._offer(started, now) if going else 1.0
            if not going and len(self._free) == len(self._talks):
                break
            if now > until + WAITING_SECONDS:
                self._seen["no answer"] += len(self._talks) - len(self._free)
                break
            for handle, what in self._poll.poll(pause):
                talk = self._talks[handle]
                if what & select.EPOLLOUT:
                    self._push(talk)
                if what & ~select.EPOLLOUT and self._hear(talk):
                    last = time.perf_counter()
                    self._times.append((last - talk.since) * 1000)
                    self._free.append(talk)
        return self._told(last - started, time.process_time() - cpu)

    def _offer(self, started: float, now: float) -> float:
        """Send what is due on the connections that are free; how long there is nothing to send."""
        rate = self._plan.rate
        while self._free and self._next < len(self._ends):
            due = started + self._next / rate if rate else now
            if due > now:
                return due - now
            talk = self._free.popleft()
            talk.since = due if rate else time.perf_counter()
            talk.rest = self._bytes[self._ends[self._next - 1] if self._next else 0 : self._ends[self._next]]
            self._next += 1
            self._push(talk)
        return 1.0

    def _push(self, talk: _Talk) -> None:
        with suppress(BlockingIOError):
            talk.rest = talk.rest[talk.socket.send(talk.rest) :]
        if bool(talk.rest) != talk.pushing:
            talk.pushing = bool(talk.rest)
            self._poll.modify(talk.socket.fileno(), select.EPOLLIN | (select.EPOLLOUT if talk.pushing else 0))

    def _hear(self, talk: _Talk) -> bool:
        """Read on; whether the answer is whole."""
        part = talk.socket.recv(65536)
        if not part:
            raise ConnectionError("the server closed a connection in the middle of an answer")
        talk.heard += part
        head, found, content = talk.heard.partition(b"\r\n\r\n")
        if not found or len(content) < int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]):
            return False
        talk.heard = b""
        status = head[9:12].decode()
        if status == "200" and content == _DONE:
            self._seen["done"] += 1
        else:
            self._seen[f"{status} {content[:200].decode('utf-8', 'replace')}"] += 1
        return True

    def _told(self, seconds: float, cpu: float) -> Sent:
        times = self._times or array("d", [0.0])
        faults = {what: count for what, count in self._seen.items() if what != "done"}
        return Sent(
            answered=len(self._times),
            done=self._seen["done"],
            faults=dict(list(faults.items())[:5]),
            seconds=seconds,
            p50_ms=percentile(times, 0.5),
            p99_ms=percentile(times, 0.99),
            longest_ms=round(max(times), 1),
            cpu_seconds=cpu,
        )


def main() -> None:
    """Do what the argument says."""
    sender = Sender(msgspec.json.decode(sys.argv[1], type=Plan))
    print("ready", flush=True)
    if sys.stdin.readline():
        print(json.dumps(msgspec.to_builtins(sender.send())), flush=True)


if __name__ == "__main__":
    main()
