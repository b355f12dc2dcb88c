"""`/api/alerts`: what needs a person, who has been told, and a test of the telling."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from litestar import get, post

from spira.engage.alerts import kept, stage
from spira.engage.alerts.kept import Alert, Way
from spira.engage.alerts.sending import ways
from spira.engage.alerts.stage import Tried
from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.roles import CONNECT, whole
from spira.server.wire import plain

SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertList:
    """The alerts."""

    as_of: datetime = field(metadata={"help": "the instant this speaks of"})
    ways: tuple[Way, ...] = field(metadata={"help": "how alerts are told: email, webhook, both or neither"})
    lasting: int = field(metadata={"help": "how many of them last"})
    alerts: tuple[Alert, ...] = field(metadata={"help": "those that last, then those that are over, newest first"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """What came of a test."""

    __test__ = False  # for pytest: not a class of tests

    ways: tuple[Tried, ...] = field(metadata={"help": "each way that is set, and whether the test was taken"})


def view(core: AnyCore) -> AlertList:
    """The latest alerts, and how they are told."""
    alerts = kept.latest(core.state, limit=SHOWN)
    return AlertList(
        as_of=as_of(core),
        ways=ways(core.settings.alerts),
        lasting=sum(each.ended_at is None for each in alerts),
        alerts=alerts,
    )


def shown_to(core: AnyCore, viewer: Viewer) -> AlertList | None:
    """The same for those who may see it, else None."""
    return view(core) if viewer.has(*CONNECT) and viewer.units is None else None


def run_test(core: AnyCore, viewer: Viewer) -> Test:
    """Send a test by every way that is set, written down; Conflict when none is."""
    tried = stage.send_test(core, at=core.clock.now())
    audit(core, viewer, "alerts.test", "alerts", sent=[each.way for each in tried if each.sent])
    return Test(ways=tried)


@get("/api/alerts", opt=whole(CONNECT), sync_to_thread=True)
def show_alerts(core: Core) -> dict[str, Any]:
    """What needs a person now and what did of late, and who was told of it."""
    return plain(view(core))  # type: ignore[no-any-return]


@post("/api/alerts/test", opt=whole(CONNECT), status_code=200, sync_to_thread=True)
def test_alerts(core: Core, viewer: Asking) -> dict[str, Any]:
    """Send a test by every way that is set; the answer says of each whether it was taken, and why not."""
    return plain(run_test(core, viewer))  # type: ignore[no-any-return]


ROUTES = [show_alerts, test_alerts]
