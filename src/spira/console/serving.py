"""Serving: the whole family started and stopped as one.

The lock and the stores come first, then the socket; then the server is written down for
commands on the same machine, and the worker starts. A signal ends it in the opposite order:
no new requests, the turn in hand finished, the children gone, the lock free.
"""

from __future__ import annotations

import gc
import logging
import signal
import socket
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import uvicorn

from spira.console.app import create_app, create_asgi
from spira.kernel.clock import pause
from spira.kernel.errors import PortTaken
from spira.server import local
from spira.worker.core import Core
from spira.worker.giving import Giving
from spira.worker.importing import Importing
from spira.worker.matching import Matching
from spira.worker.schedule import Schedule

STOPPING_SECONDS = 10
FREE_SECONDS = 10.0


def serve(
    directory: Path,
    *,
    port: int | None = None,
    host: str | None = None,
    collectors: int = 0,
    collect_port: int | None = None,
) -> None:
    """Serve the workspace until a signal comes; DirectoryBusy or PortTaken before anything is changed.

    `collectors` processes take calls in on a port of their own, the next one if it is not said.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    _end_on_termination()
    for chatty in ("alembic", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    with Core.open(directory.resolve()) as core:
        where = core.settings.server
        with ExitStack() as listening:
            listener = listening.enter_context(_listen(host or where.host, where.port if port is None else port))
            collecting = ""
            if collectors:
                following = 0 if port == 0 else listener.getsockname()[1] + 1
                asked = (host or where.host, following if collect_port is None else collect_port)
                shared = listening.enter_context(_listen_when_free(*asked))
                core.collectors.start(collectors, shared)
                collecting = _url(shared)
            _serve(core, listener, collecting)


def _url(listener: socket.socket) -> str:
    address, port = listener.getsockname()[:2]
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _serve(core: Core, listener: socket.socket, collecting: str) -> None:
    url = _url(listener)
    core.public_url = core.settings.server.public_url or url
    app = create_app(core)
    schedule, importing, matching, giving = Schedule(core), Importing(core), Matching(core), Giving(core)
    config = uvicorn.Config(
        create_asgi(core, app),
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=STOPPING_SECONDS,
        server_header=False,
        proxy_headers=False,  # the door believes forwarded addresses only of the proxies in the settings
    )
    server = uvicorn.Server(config)
    _leave_to_itself()
    app.state.streams.stopping = lambda: server.should_exit
    try:  # from here on a signal may come at any line, and must leave no thread behind
        local.announce(core.directory, url=url, token=app.state.local_token, collecting=collecting)
        schedule.start()
        importing.start()
        matching.start()
        giving.start()
        print(f"Spira serves {core.settings.workspace.brand} at {url} — Ctrl-C stops it.", file=sys.stderr)
        if collecting:
            print(f"Collectors take calls in at {collecting}/v1/", file=sys.stderr)
        server.run(sockets=[listener])
    finally:
        local.withdraw(core.directory)
        giving.stop()
        matching.stop()
        importing.stop()
        schedule.stop()
        app.state.hook_calls.close()
        gc.unfreeze()


def _leave_to_itself() -> None:
    """Have the garbage collector pass over all there is by now, which stays as long as the program does.

    Hundreds of thousands of objects of code: looking through them anew, as it would while somebody waits for a page,
    takes a tenth of a second each time. When serving is over it is looked through again, as libraries expect.
    """
    gc.collect()
    gc.freeze()


def _end_on_termination() -> None:
    """Make SIGTERM unwind the program as Ctrl-C does.

    When uvicorn has stopped it raises the signal again for whoever asked before it: the default
    would end the process there, before the worker, the children and the stores are closed.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)


def _listen_when_free(host: str, port: int) -> socket.socket:
    """`_listen`, once the collectors of a core that was killed have ended, which takes them moments."""
    until = time.monotonic() + FREE_SECONDS
    while True:
        try:
            return _listen(host, port)
        except PortTaken:
            if time.monotonic() > until:
                raise
            pause(0.05)


def _listen(host: str, port: int) -> socket.socket:
    """A socket of our own; the port is not shared with anybody."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only a socket that says it is TCP gets TCP_NODELAY from asyncio; without it answers wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as fault:
        listener.close()
        raise PortTaken(
            f"{host}:{port} can't be listened on: {fault.strerror}", help="stop what listens there, or choose --port"
        ) from None
    listener.listen(1024)
    return listener
