"""`/api/tracking`: what comes in that no tracking plan declares, proposed as parts of one."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import get
from litestar.params import QueryParameter

from spira.collect import proposals
from spira.collect.proposals import DAYS, Proposals
from spira.collect.tracking import plan_of
from spira.server.core import AnyCore, Core, as_of
from spira.server.roles import CONNECT, whole
from spira.server.wire import plain

Days = Annotated[int, QueryParameter(ge=1, le=90)]


def proposed(core: AnyCore, days: int = DAYS) -> Proposals:
    """What is proposed to be declared."""
    plan = plan_of(core.applied.of("tracking"))
    return core.kept(("proposals", days), lambda: proposals.propose(core.lane(), plan, as_of=as_of(core), days=days))


@get("/api/tracking/proposals", opt=whole(CONNECT), sync_to_thread=True)
def propose(core: Core, days: Days = DAYS) -> dict[str, Any]:
    """Undeclared events and properties of the last `days` with their types and samples, and YAML that declares them."""
    return plain(proposed(core, days))  # type: ignore[no-any-return]


ROUTES = [propose]
