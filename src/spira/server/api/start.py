"""`/api/start`: the first run of a workspace, and sample data for one that is still empty."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
import httpx
from litestar import get, post

from spira.collect import sources
from spira.definitions.workspace import definition_files
from spira.kernel.errors import Conflict, SpiraError
from spira.kernel.viewer import Viewer
from spira.measure.first_run import FirstRun, first_run
from spira.sandbox import sample
from spira.server import preferences
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.roles import RUN, whole
from spira.server.wire import plain

PANEL = "start.panel"  # the preference under which a dismissal is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSent:
    """What was put into the workspace."""

    source: str = field(metadata={"help": "the source that the sample came through"})
    definitions: int = field(metadata={"help": "how many definitions are applied now"})
    calls: int = field(metadata={"help": "how many calls were accepted"})


def view(core: AnyCore) -> FirstRun:
    """How far the workspace has come."""
    return first_run(core.lane(), core.state, core.applied, as_of=as_of(core), sample=(sample.SOURCE, sample.size()))


def takes_part(viewer: Viewer) -> bool:
    """Whether the first run is `viewer`'s to take: who runs the whole brand."""
    return viewer.has(*RUN) and viewer.units is None


def is_dismissed(core: AnyCore, viewer: Viewer) -> bool:
    """Whether `viewer` wants to see the first run nowhere but on its own page."""
    return preferences.names_in(core.state, viewer.staff_id, PANEL) is not None


def dismiss(core: AnyCore, viewer: Viewer, *, away: bool) -> None:
    """Show the first run to `viewer` on its own page only, wherever they sign in; or everywhere again."""
    if away:
        preferences.keep_names(core.state, viewer.staff_id, PANEL, ["dismissed"], at=core.clock.now())
    else:
        preferences.forget(core.state, viewer.staff_id, PANEL)


async def place_sample(core: AnyCore, viewer: Viewer) -> SampleSent:
    """Put the example's definitions and a small made-up shop into an empty workspace.

    One that was broken off half-way is taken up again: a call that was sent twice counts once.
    """
    key = await anyio.to_thread.run_sync(lambda: _prepare(core, viewer))
    workspace = core.settings.workspace
    count = 0
    transport = httpx.ASGITransport(app=core.intake)
    async with httpx.AsyncClient(transport=transport, base_url="http://spira.local", timeout=60) as client:
        for calls in sample.batches(core.clock.now(), currency=workspace.currency, language=workspace.language):
            answer = await client.post("/v1/batch", json={"batch": calls}, auth=(key, ""))
            if not answer.is_success:
                raise SpiraError(f"the sample was not accepted: {answer.text[:200]}", help="look at /system, try again")
            count += len(calls)
    await anyio.to_thread.run_sync(lambda: core.refresh(full=True))
    audit(core, viewer, "sample.place", sample.SOURCE, calls=count)
    return SampleSent(source=sample.SOURCE, definitions=len(core.applied.definitions), calls=count)


def _prepare(core: AnyCore, viewer: Viewer) -> str:
    """Definitions and source, unless an earlier try left them; the source's write key."""
    with core.exclusive():
        if not view(core).empty:
            raise Conflict(
                "this workspace is not empty, and sample data would mix with yours",
                help="look at it in a workspace of its own: spira init DIR",
            )
        found = next((each for each in sources.every(core.state) if each.source == sample.SOURCE), None)
        if not core.applied.definitions:
            if found is None and definition_files(core.directory):
                raise Conflict(
                    "there are files of definitions that are not applied yet",
                    help="apply them at /definitions, or look at sample data in a workspace of its own",
                )
            core.apply(viewer, edits=sample.definitions())
        made = found or sources.add(core.state, core.clock, sample.SOURCE, touchpoint="store", domain="private")
        return made.write_key


@get("/api/start", opt=whole(RUN), sync_to_thread=True)
def show_start(core: Core) -> dict[str, Any]:
    """The five steps of a first run, each as the stores tell it."""
    return plain(view(core))  # type: ignore[no-any-return]


@post("/api/start/sample", opt=whole(RUN), status_code=200)
async def put_sample(core: Core, viewer: Asking) -> dict[str, Any]:
    """Put sample data into an empty workspace: definitions, two hundred made-up people, 120 days of orders."""
    return plain(await place_sample(core, viewer))  # type: ignore[no-any-return]


ROUTES = [show_start, put_sample]
