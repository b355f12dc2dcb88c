"""The sandbox by itself: an inbox on this machine until Ctrl-C, which acts once a second."""

from __future__ import annotations

from pathlib import Path

from spira.kernel.clock import RealClock, pause
from spira.kernel.errors import PortTaken
from spira.kernel.settings import load_settings
from spira.sandbox.inbox import Inbox
from spira.storage.keys import load_keys


def main(directory: Path, *, port: int = 1025, seed: str = "spira", base_url: str = "") -> None:
    """Serve the workspace in `directory`: take its mail, and read it. `base_url` is where its server listens now."""
    settings = load_settings(directory)
    inbox = Inbox(keys=load_keys(directory), seed=seed, port=port)
    inbox.base_url = base_url or settings.server.public_url or f"http://{settings.server.host}:{settings.server.port}"
    try:
        inbox.start()
    except OSError as fault:
        raise PortTaken(
            f"127.0.0.1:{port} can't be listened on: {fault.strerror}", help="stop what listens there, or choose --port"
        ) from None
    try:
        _act(inbox)
    except KeyboardInterrupt:
        return
    finally:
        inbox.stop()


def _act(inbox: Inbox) -> None:
    """Do what people and providers do, once a second, and tell of it."""
    print(f"the inbox listens on 127.0.0.1:{inbox.port} and answers to {inbox.base_url}", flush=True)
    clock, arrived = RealClock(), 0
    while True:
        pause(1)
        done = inbox.act(clock.now())
        if len(inbox.messages) != arrived or done.receipts or done.opened:
            arrived = len(inbox.messages)
            print(f"{arrived} messages; {done.opened} opened, {done.clicked} clicked now", flush=True)
