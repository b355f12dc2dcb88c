"""`/api/quarantine/replay`: refused calls read again, after a look at what would become of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from litestar import get, post
from litestar.params import FromQuery, JSONBody

from spira.collect import replay as replaying
from spira.collect.corrections import Correction, correction_of
from spira.collect.load import source_facts
from spira.collect.replay import Assay, Chosen, Reading, Replay
from spira.collect.tracking import plan_of
from spira.kernel.viewer import Viewer
from spira.server.api.quarantine import filters_of
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.roles import CONNECT, whole
from spira.server.wire import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which refused calls to replay, and how to put them right on the way.

    `calls` are their numbers; without any it is all that the filters leave. `rename` is
    `old=new, other=better`, `read` is `revenue=money, due=date`, `event_to` the event's right name.
    `after` goes on behind a call, as an earlier answer's `next` said.
    """

    calls: list[str] = field(default_factory=list)
    source: str = ""
    event: str = ""
    reason: str = ""
    day: str = ""
    event_to: str = ""
    rename: str = ""
    read: str = ""
    after: str = ""


def chosen_of(wish: Wish) -> tuple[Chosen, Correction]:
    """What a wish chooses, and how it is put right."""
    filters = filters_of(wish.source, wish.event, wish.reason, wish.day)
    chosen = Chosen(calls=tuple(wish.calls), filters=filters, after=wish.after or None)
    return chosen, correction_of(wish.event_to, wish.rename, wish.read)


def foreseen(core: AnyCore, wish: Wish) -> Assay:
    """What would become of the calls."""
    return replaying.assay(core.lane(), _reading(core), *chosen_of(wish))


def carry_out(core: AnyCore, viewer: Viewer, wish: Wish) -> Replay:
    """Replay the calls, written down."""
    chosen, correction = chosen_of(wish)
    done = replaying.replay(
        core.lane(), _reading(core), chosen, correction, log=core.log, clock=core.clock, actor=viewer.staff_id
    )
    asked = {name: getattr(wish, name) for name in ("source", "event", "reason", "day", "event_to", "rename", "read")}
    said = {name: value[:200] for name, value in asked.items() if value}
    audit(core, viewer, "quarantine.replay", wish.source or "quarantine", calls=done.replayed, **said)
    return done


def _reading(core: AnyCore) -> Reading:
    plan = plan_of(core.applied.of("tracking"))
    hooks = {each.hook: each for each in core.applied.of("hook")}
    facts = source_facts(core.state)
    return Reading(keys=core.keys, plan=plan, sources=facts, settings=core.settings, hooks=hooks)


@get("/api/quarantine/replay", opt=whole(CONNECT), sync_to_thread=True)
def foresee_replay(
    core: Core,
    call: FromQuery[list[str] | None] = None,
    source: FromQuery[str] = "",
    event: FromQuery[str] = "",
    reason: FromQuery[str] = "",
    day: FromQuery[str] = "",
    event_to: FromQuery[str] = "",
    rename: FromQuery[str] = "",
    read: FromQuery[str] = "",
) -> dict[str, Any]:
    """What would become of refused calls if they were replayed now: how many load, and why the others would not."""
    wish = Wish(
        calls=call or [],
        source=source,
        event=event,
        reason=reason,
        day=day,
        event_to=event_to,
        rename=rename,
        read=read,
    )
    return plain(foreseen(core, wish))  # type: ignore[no-any-return]


@post("/api/quarantine/replay", opt=whole(CONNECT), status_code=200, sync_to_thread=True)
def replay_refused(core: Core, viewer: Asking, data: JSONBody[Wish]) -> dict[str, Any]:
    """Read refused calls again, 20,000 at a time: they are durable when this answers, and load with the next turn."""
    return plain(carry_out(core, viewer, data))  # type: ignore[no-any-return]


ROUTES = [foresee_replay, replay_refused]
