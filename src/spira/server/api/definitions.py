"""`/api/definitions`, `/api/sources`: what the workspace's files say, and the pipes events come through.

The server reads the definitions from its own directory; they are never sent to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import get, post
from litestar.params import JSONBody

from spira.collect import sources
from spira.server.core import Asking, Core, audit
from spira.server.roles import CONNECT, DEFINE, whole
from spira.server.wire import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource:
    """A source to add."""

    name: str
    touchpoint: str | None = None
    domain: str | None = None


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


@get("/api/sources", opt=whole(CONNECT), sync_to_thread=True)
def list_sources(core: Core) -> dict[str, Any]:
    """Every source, without its write key."""
    return {
        "sources": [
            {"source": each.source, "touchpoint": each.touchpoint, "domain": each.domain}
            for each in sources.every(core.state)
        ]
    }


@post("/api/sources", opt=whole(CONNECT), status_code=201, sync_to_thread=True)
def add_source(core: Core, viewer: Asking, data: JSONBody[NewSource]) -> dict[str, str]:
    """Make a source; its write key is shown this once."""
    made = sources.add(core.state, core.clock, data.name, touchpoint=data.touchpoint, domain=data.domain)
    audit(core, viewer, "source.add", made.source)
    return {"source": made.source, "write_key": made.write_key}


ROUTES = [list_definitions, plan, apply, list_sources, add_source]
