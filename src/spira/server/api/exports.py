"""`/api/exports`: the lists of people that left the house, who else got them, and what those have to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from litestar import get, post
from litestar.params import FromPath

from spira.engage.audience_export import Wish
from spira.kernel.viewer import Viewer
from spira.segment import tag_uses
from spira.server import staff, unsealing
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import ERASE, whole
from spira.server.wire import plain
from spira.unify import exports, recipients
from spira.unify.exports import Export, Year
from spira.unify.recipients import Abroad, Duty, Given

LIST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """What left, by year and list by list."""

    years: tuple[Year, ...] = field(metadata={"help": "each calendar year, the latest first"})
    latest: tuple[Export, ...] = field(metadata={"help": "the last hundred lists, newest first"})
    actors: Mapping[str, str] = field(metadata={"help": "who took them, and who told: the names by id"})
    given: tuple[Given, ...] = field(metadata={"help": "how many people's data each recipient got, by year"})
    abroad: Abroad = field(metadata={"help": "how many people's data went abroad this year, and how many may"})
    waiting: tuple[Duty, ...] = field(metadata={"help": "what recipients have still to be told"})
    told: tuple[Duty, ...] = field(metadata={"help": "what they were told lately"})


def view(core: AnyCore) -> Exports:
    """The page's data."""
    found = exports.latest(core.state, limit=LIST)
    names = staff.names(core.state)
    waiting = recipients.duties(core.state, limit=LIST, waiting=True)
    told = recipients.duties(core.state, limit=LIST, waiting=False)
    acting = [each.actor for each in found] + [each.told_by or "" for each in told]
    zone, rights = core.settings.workspace.zone, core.settings.rights
    return Exports(
        years=tuple(exports.years(core.state)),
        latest=tuple(found),
        actors={each: names.get(each, each) for each in acting},
        given=tuple(recipients.given(core.state)),
        abroad=recipients.abroad(core.state, rights, at=core.clock.now(), zone=zone),
        waiting=tuple(waiting),
        told=tuple(told),
    )


def leave(core: AnyCore, viewer: Viewer, what: str, profiles: Sequence[int], wish: Wish, *, reason: str) -> str:
    """Let a list of people leave: with contact values only for a reason and up to the limit; its mark.

    Who else gets it is one of the record of processing; abroad no more go in a year than the settings let.
    """
    tag_uses.note(core.state, wish.tags, at=core.clock.now())
    in_clear, rights = wish.contacts, core.settings.rights
    to = recipients.get(rights, wish.recipient) if wish.recipient else None
    told = unsealing.written(reason, owed=in_clear, missing="say why contact values leave")
    most = core.settings.security.export_people
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
        to=to,
        sensitive=any(each.privacy == "sensitive" for each in core.applied.of("tag") if each.tag in wish.tags),
        rights=rights,
    )


def tell(core: AnyCore, viewer: Viewer, duty_id: str) -> Duty:
    """Write down that a recipient was told of an erasure, a correction or a restriction."""
    return recipients.told(core.state, core.clock, duty_id, actor=viewer.staff_id)


@get("/api/exports", opt=whole(ERASE), sync_to_thread=True)
def show_exports(core: Core) -> dict[str, Any]:
    """The lists of people that were taken, with why, and how many different people that were in each year."""
    return plain(view(core))  # type: ignore[no-any-return]


@post("/api/exports/told/{duty_id:str}", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def tell_recipient(core: Core, viewer: Asking, duty_id: FromPath[str]) -> dict[str, Any]:
    """Write down that a recipient was told that somebody was erased, corrected or restricted."""
    return plain(tell(core, viewer, duty_id))  # type: ignore[no-any-return]


ROUTES = [show_exports, tell_recipient]
