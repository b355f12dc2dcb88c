"""`/api/erase`, `/api/audit`: what must reach every store, and who did what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import get, post
from litestar.params import JSONBody

from spira.server.core import Asking, Core
from spira.server.roles import ERASE, whole
from spira.server.wire import plain
from spira.storage import audit as audits
from spira.unify.erase import erase


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """Whom to erase: `KIND:VALUE`."""

    identifier: str


@post("/api/erase", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def erase_person(core: Core, viewer: Asking, data: JSONBody[Erasing]) -> dict[str, Any]:
    """Erase a person from every store; the receipt names nobody."""
    with core.exclusive():
        return plain(erase(core.stores(), data.identifier, actor=viewer.staff_id))  # type: ignore[no-any-return]


@get("/api/audit", opt=whole(ERASE), sync_to_thread=True)
def show_audit(core: Core) -> dict[str, Any]:
    """The last hundred acts, and whether the chain of all of them is whole."""
    return {"first_bad_row": audits.verify(core.state), "rows": plain(audits.latest(core.state))}


ROUTES = [erase_person, show_audit]
