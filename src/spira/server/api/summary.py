"""`/api/summary`, `/api/backup`: the workspace in one screen of counts, and in one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar import get, post
from litestar.params import JSONBody

from spira.server.core import Asking, Core, audit
from spira.server.roles import ADMINISTER, RUN
from spira.server.wire import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Where to write: a path on the server's machine that does not exist yet."""

    file: str


@get("/api/summary", opt={"roles": RUN}, sync_to_thread=True)
def show_summary(core: Core) -> dict[str, Any]:
    """Events, profiles, tags, audiences, walks and messages, by count."""
    return plain(core.summary())  # type: ignore[no-any-return]


@post("/api/backup", opt={"roles": ADMINISTER}, status_code=200, sync_to_thread=True)
def make_backup(core: Core, viewer: Asking, data: JSONBody[Backup]) -> dict[str, Any]:
    """Write everything but the keys into one file."""
    file = Path(data.file)
    manifest = core.backup(file)
    audit(core, viewer, "backup", str(file))
    return {"file": str(file), "created_at": plain(manifest.created_at), "bytes": file.stat().st_size}


ROUTES = [show_summary, make_backup]
