"""`/api/summary`, `/api/backup`: the workspace in one screen of counts, and in one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar import get, post
from litestar.params import JSONBody

from spira.kernel.errors import Conflict
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.errors import Unacceptable
from spira.server.roles import ADMINISTER, RUN, whole
from spira.server.wire import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Where to write: a full path on the server's machine that does not exist yet, outside the workspace's data."""

    file: str


def place_for(core: AnyCore, text: str) -> Path:
    """Where a backup may lie: nowhere that something is, nor among the stores it is a copy of."""
    file = Path(text)
    if "\0" in text or not file.is_absolute():
        raise Unacceptable("a backup is written to a full path", help="write it as /backups/2026-03-01.spira")
    file = file.resolve()
    if file.is_relative_to((core.directory / "data").resolve()):
        raise Unacceptable("a backup can't lie among the data it is a copy of", help="name a file outside data/")
    if file.exists() or file.with_name(file.name + ".partial").exists():
        raise Conflict(f"{file} exists, or is being written", help="name a file that does not exist yet")
    if not file.parent.is_dir():
        raise Unacceptable(f"there is no directory {file.parent}", help="make it first")
    return file


@get("/api/summary", opt=whole(RUN), sync_to_thread=True)
def show_summary(core: Core) -> dict[str, Any]:
    """Events, profiles, tags, audiences, walks and messages, by count."""
    return plain(core.summary())  # type: ignore[no-any-return]


@post("/api/backup", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def make_backup(core: Core, viewer: Asking, data: JSONBody[Backup]) -> dict[str, Any]:
    """Write everything but the keys into one file."""
    file = place_for(core, data.file)
    manifest = core.backup(file)
    audit(core, viewer, "backup", str(file))
    return {"file": str(file), "created_at": plain(manifest.created_at), "bytes": file.stat().st_size}


ROUTES = [show_summary, make_backup]
