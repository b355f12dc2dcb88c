"""How commands on the same machine find the running server: `data/run/server.json`, readable by its owner only."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServer:
    """A running server: where it listens, the token it takes, its process, and where its collectors listen."""

    url: str
    token: str
    pid: int
    collecting: str = ""


def place(directory: Path) -> Path:
    """Where a running server of the workspace writes itself down."""
    return directory / "data" / "run" / "server.json"


def announce(directory: Path, *, url: str, token: str, collecting: str = "") -> LocalServer:
    """Write the running server down; nobody but the owner of the process can read it."""
    found = LocalServer(url=url, token=token, pid=os.getpid(), collecting=collecting)
    path = place(directory)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(found), file)
    return found


def find(directory: Path) -> LocalServer | None:
    """The server that was written down, or None; whether it still answers is for the caller to try."""
    try:
        written = json.loads(place(directory).read_text(encoding="utf-8"))
        return LocalServer(
            url=str(written["url"]),
            token=str(written["token"]),
            pid=int(written["pid"]),
            collecting=str(written.get("collecting", "")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def withdraw(directory: Path) -> None:
    """The server has ended."""
    place(directory).unlink(missing_ok=True)
