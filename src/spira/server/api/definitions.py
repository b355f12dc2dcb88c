"""`/api/definitions`: what the workspace's files say.

The server reads the definitions from its own directory; they are never sent to it.
"""

from __future__ import annotations

from typing import Any

from litestar import get, post

from spira.server.core import Asking, Core
from spira.server.roles import DEFINE, whole
from spira.server.wire import plain


@get("/api/definitions", sync_to_thread=True)
def list_definitions(core: Core) -> dict[str, Any]:
    """What is applied: the generation, and each definition's kind, name and fingerprint."""
    applied = core.applied
    listed = [{"kind": each.kind, "name": each.name, "fingerprint": each.fingerprint} for each in applied.definitions]
    return {"generation": applied.generation, "definitions": listed}


@post("/api/definitions/plan", opt=whole(DEFINE), status_code=200, sync_to_thread=True)
def plan(core: Core) -> dict[str, Any]:
    """What applying the files would change, and for how many people; writes nothing."""
    return plain(core.plan())  # type: ignore[no-any-return]


@post("/api/definitions/apply", opt=whole(DEFINE), status_code=200, sync_to_thread=True)
def apply(core: Core, viewer: Asking) -> dict[str, Any]:
    """Apply the files as the next generation; the plan that was carried out."""
    carried_out = plain(core.apply(viewer))
    return {"generation": core.applied.generation, **carried_out}


ROUTES = [list_definitions, plan, apply]
