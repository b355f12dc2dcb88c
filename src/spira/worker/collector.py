"""A collector: one more process that takes calls in, with a log of its own, and nothing else.

Reads   write keys, modes and the tracking plan (state), looked at anew twice a second, and for a key it does not know
Writes  its log     `data/log-N`, or the topic in Kafka that the settings name: what it accepted
        `refusals`  (state), what it turns away

It runs the same intake as the core, behind Granian. It has the socket from the core, so a connection
waits while a collector is replaced. The core tells it how far its log was loaded, so that it can
refuse when loading is behind, and may ask it to close its segment. When its input closes, in
whatever way the core ended, it answers what it has in hand and ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.server.embed import Server

from spira.collect.door import Door
from spira.collect.intake import Intake
from spira.collect.rsgi import RsgiIntake
from spira.collect.tracking import Plan, plan_of
from spira.definitions import apply as applying
from spira.kernel.clock import Clock
from spira.kernel.errors import SpiraError
from spira.kernel.settings import load_settings
from spira.storage.keys import load_keys
from spira.storage.log import Log, Position
from spira.storage.log_kafka import KafkaLog
from spira.storage.state import State, open_engine
from spira.worker.child import read_frame, write_frame
from spira.worker.clock import ManualClock, open_clock
from spira.worker.collectors import ENDING_SECONDS, Loaded, Roll, Rolled, Start
from spira.worker.lock import waited_for
from spira.worker.paths import Paths
from spira.worker.topic import topic_log

LOOK_SECONDS = 0.5
KEY_SECONDS = 0.05  # between two looks for keys that are not known, so that wrong ones cost little
CONNECTIONS = 1024


Told = msgspec.msgpack.Decoder(Loaded | Roll)


class Collector:
    """The process's own world: a log, an intake, and what it follows of the state."""

    def __init__(self, start: Start) -> None:
        directory = Path(start.directory)
        self._paths = Paths(directory)
        self._settings = load_settings(directory)
        self._state = State(open_engine(self._paths.state))  # the core has brought it up to date
        keys = load_keys(directory)
        self.log: Log | KafkaLog = topic_log(self._settings, keys) or Log.open(self._paths.data / start.log, keys)
        self.https = self._settings.server.public_url.startswith("https://")
        self.behind = 0
        self.loaded = Position(*start.loaded)
        self._clock: Clock = open_clock(self._settings.workspace.clock, self._state)
        self._generation, self._plan, self._looked = -1, plan_of(()), 0.0
        self._door = Door(self._state, self._clock, self._plan_in_force)
        self.intake = Intake(
            log=self.log,
            state=self._state,
            clock=self._clock,
            settings=self._settings,
            backlog=self._backlog,
            door=self._door,
            look=self._look_for_keys,
        )
        self.look()

    def look(self) -> None:
        """See what other processes have written: keys, the plan, a clock that was stepped."""
        self._state.changed_elsewhere()
        if isinstance(self._clock, ManualClock):
            self._clock.look()
        newest = applying.newest_generation(self._state)
        if newest != self._generation:
            self._plan = plan_of(applying.applied(self._state, kind="tracking").of("tracking"))
            self._generation = newest

    def close(self) -> None:
        """Close the log first: what it has taken is kept whatever comes then."""
        self.log.close()
        self._door.refusals.close()
        self._state.close()

    def _look_for_keys(self) -> bool:
        """See keys that were made or changed since; False where that was looked at just now."""
        now = time.monotonic()
        if now - self._looked < KEY_SECONDS:
            return False
        self._looked = now
        self._state.changed_elsewhere()
        return True

    def _backlog(self) -> int:
        return self.log.size_after(self.loaded) if isinstance(self.log, Log) else self.behind

    def _plan_in_force(self) -> Plan:
        return self._plan


class Given(Server):
    """Granian in this process and on a socket that listens already."""

    def __init__(self, intake: Intake, listener: int, *, https: bool) -> None:
        super().__init__(
            RsgiIntake(intake, https=https),
            interface=Interfaces.RSGI,
            log_enabled=False,
            websockets=False,
            backlog=CONNECTIONS,
        )
        self._listener = listener

    def _init_shared_socket(self) -> None:
        self._sfd = self._listener  # type: ignore[assignment]
        self._shd = SocketHolder(self._sfd, False, CONNECTIONS)  # type: ignore[call-arg,assignment]


async def serve(collector: Collector, listener: int) -> None:
    """Answer calls on an inherited socket until the input closes."""
    server, loop = Given(collector.intake, listener, https=collector.https), asyncio.get_running_loop()

    def end() -> None:
        threading.Timer(ENDING_SECONDS, os._exit, (0,)).start()  # whoever is still in hand then is cut off
        loop.call_soon_threadsafe(server.stop)

    threading.Thread(target=_listen_to_core, args=(collector, end), daemon=True).start()
    following = loop.create_task(_follow(collector))
    try:
        await server.serve()
    finally:
        following.cancel()


async def _follow(collector: Collector) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await asyncio.to_thread(collector.look)
        except Exception as fault:  # the state is busy or away; what was known goes on to hold
            print(f"collector: the state can't be read: {fault}", file=sys.stderr)


def _listen_to_core(collector: Collector, end: Callable[[], None]) -> None:
    """Do what the core says until its end of the pipe closes."""
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        told = Told.decode(frame)
        if isinstance(told, Loaded):
            collector.loaded, collector.behind = Position(told.segment, told.offset), told.behind
            continue
        if not isinstance(collector.log, Log):
            continue  # nobody asks; a topic has no segments
        try:
            answer = Rolled(told.number, collector.log.roll().segment)
        except SpiraError as fault:
            answer = Rolled(told.number, fault=str(fault))
        write_frame(sys.stdout.buffer, answer)
    end()


def main() -> None:
    """Serve with what the first frame says, until the core goes away."""
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, signal.SIG_IGN)  # the core ends in order, and then closes our input
    frame = read_frame(sys.stdin.buffer)
    if frame is None:
        return
    start = msgspec.msgpack.decode(frame, type=Start)
    lock = waited_for(Paths(Path(start.directory)).data / "run" / f"{start.log}.lock")
    try:
        collector = Collector(start)
        try:
            asyncio.run(serve(collector, start.socket))
        finally:
            collector.close()
    finally:
        lock.release()
    os._exit(0)  # Granian's own threads may linger


if __name__ == "__main__":
    main()
