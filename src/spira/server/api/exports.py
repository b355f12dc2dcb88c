"""`/api/exports`: the lists of people that left the house, and how many people that were in each year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from litestar import get

from spira.collect.personal import scrubbed
from spira.kernel.viewer import Viewer
from spira.server import staff
from spira.server.core import AnyCore, Core
from spira.server.errors import Unacceptable
from spira.server.roles import ERASE, whole
from spira.server.wire import plain
from spira.unify import exports
from spira.unify.exports import Export, Year

LIST = 100
SHORTEST, LONGEST = 4, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """What left, by year and list by list."""

    years: tuple[Year, ...] = field(metadata={"help": "each calendar year, the latest first"})
    latest: tuple[Export, ...] = field(metadata={"help": "the last hundred lists, newest first"})
    actors: Mapping[str, str] = field(metadata={"help": "who took them: the names by id"})


def view(core: AnyCore) -> Exports:
    """The page's data."""
    found = exports.latest(core.state, limit=LIST)
    names = staff.names(core.state)
    actors = {each.actor: names.get(each.actor, each.actor) for each in found}
    return Exports(years=tuple(exports.years(core.state)), latest=tuple(found), actors=actors)


def leave(core: AnyCore, viewer: Viewer, what: str, profiles: Sequence[int], *, in_clear: bool, reason: str) -> str:
    """Let a list of people leave: with contact values only for a reason and up to the limit; its mark."""
    told = scrubbed(" ".join(reason.split()), str)[:LONGEST]
    most = core.settings.security.export_people
    if in_clear and len(told) < SHORTEST:
        raise Unacceptable("say why contact values leave", help="give a reason in a few words; it is written down")
    if in_clear and len(profiles) > most:
        raise Unacceptable(
            f"{len(profiles):,} people are more than the {most:,} that may leave with contact values at once",
            help="narrow the list, leave the addresses out, or ask an administrator for `security.export_people`",
        )
    return exports.record(
        core.state,
        core.lane(),
        core.clock,
        zone=core.settings.workspace.zone,
        actor=viewer.staff_id,
        what=what,
        profiles=profiles,
        in_clear=in_clear,
        reason=told,
    )


@get("/api/exports", opt=whole(ERASE), sync_to_thread=True)
def show_exports(core: Core) -> dict[str, Any]:
    """The lists of people that were taken, with why, and how many different people that were in each year."""
    return plain(view(core))  # type: ignore[no-any-return]


ROUTES = [show_exports]
