"""`/api/retention`: how long what is kept, and what was deleted when its time was over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from litestar import get

from spira.server.core import AnyCore, Core, as_of
from spira.server.roles import ERASE, whole
from spira.server.wire import plain
from spira.storage import progress
from spira.unify import retention
from spira.unify.retention import Rule, Run

LIST = 200
STAGE = "storage.retention"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionView:
    """The rules, and what they did."""

    as_of: datetime = field(metadata={"help": "when this was looked up"})
    rules: tuple[Rule, ...] = field(metadata={"help": "how long what is kept, by the settings"})
    done_at: datetime | None = field(metadata={"help": "when a day's work was last done; none before the first"})
    runs: tuple[Run, ...] = field(metadata={"help": "what was deleted, the latest day first"})


def view(core: AnyCore) -> RetentionView:
    """The report."""
    lane = core.lane()
    return RetentionView(
        as_of=as_of(core),
        rules=retention.rules(core.settings.retention),
        done_at=progress.stood_at(lane, STAGE),
        runs=tuple(retention.latest(lane, limit=LIST)),
    )


@get("/api/retention", opt=whole(ERASE), sync_to_thread=True)
def show_retention(core: Core) -> dict[str, Any]:
    """How long what is kept, and what was deleted when its time was over, the latest day first."""
    return plain(view(core))  # type: ignore[no-any-return]


ROUTES = [show_retention]
