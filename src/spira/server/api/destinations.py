"""`/api/destinations`: places outside that are told who is in an audience: how each stands, its runs, its start."""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from litestar import get, post
from litestar.params import FromPath, JSONBody

from spira.engage.alerts.kept import open_since
from spira.engage.destinations import choosing, kept
from spira.engage.destinations.base import open_destination
from spira.engage.destinations.definition import DestinationDefinition, Purpose, placed
from spira.engage.destinations.failing import is_over
from spira.engage.destinations.kept import Run, Sent, Standing
from spira.kernel.errors import Conflict, NotAllowed, NotFound, SpiraError
from spira.kernel.viewer import Role, Viewer
from spira.server import judging, staff, unsealing
from spira.server.api.selection import EXPORT
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.errors import Unacceptable
from spira.server.roles import GIVE, whole
from spira.server.wire import plain
from spira.unify.portrait import says
from spira.worker.clock import ManualClock

GIVE_CONTACTS: tuple[Role, ...] = ("privacy_officer",)
RUNS, BATCHES = 20, 200
State = Literal["waiting", "changed", "paused", "running", "trying", "trouble", "quiet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRow:
    """How one destination stands."""

    destination: str = says("its name")
    label: Any = says("what people call it, by language")
    kind: str = says("webhook, files, or one of a plug-in")
    audience: str = says("whose members it is told of")
    purpose: Purpose = says("what the people are given for")
    channel: str = says("whose consent counts; empty for analysis")
    recipient: str = says("who else gets them; empty for ourselves")
    contacts: bool = says("whether addresses leave, in clear or hashed")
    state: State = says(
        "waiting to be started, changed since it was, paused, running, trying again, in trouble, or quiet"
    )
    people: int = says("how many people it has been given")
    latest: Run | None = says("its latest run")
    looked_at: datetime | None = says("when it was looked at last")
    next_at: datetime | None = says("when it is looked at next; null while it waits, is paused, or the clock is manual")
    fault: str | None = says("what is wrong now")
    alerted_at: datetime | None = says("since when it is an alert that it fails; null while it is none")


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationList:
    """Every applied destination."""

    as_of: datetime = says("the instant this speaks of")
    destinations: tuple[DestinationRow, ...] = says("the destinations, as they are written")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What the next run would tell."""

    added: int = says("how many people would come")
    changed: int = says("of how many people a value would change")
    removed: int = says("how many people would leave")


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationView:
    """One destination."""

    as_of: datetime = says("the instant this speaks of")
    row: DestinationRow = says("how it stands")
    description: Any = says("one line more, by language")
    owner: str = says("who answers for it")
    fields: dict[str, str] = says("what leaves, by the destination's names")
    every: str = says("how often it is looked at")
    paused_in_file: bool = says("whether its file has it wait")
    started_at: datetime | None = says("when somebody started it as it is, or as it was")
    started_by: str = says("who did, by name")
    reason: str = says("why")
    most: int = says("how many people with contact values may leave at once")
    members: int = says("how many are in the audience")
    pending: Pending = says("what the next run would tell")
    runs: tuple[Run, ...] = says("the latest runs, newest first")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run, batch by batch."""

    run: Run = says("the run")
    batches: tuple[Sent, ...] = says("the batches that were taken, the latest first; at most two hundred")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a test."""

    reached: bool = says("whether it was reached")
    fault: str | None = says("why not")


def listing(core: AnyCore) -> DestinationList:
    """Every destination."""
    known, runs, people = kept.standings(core.state), kept.latest(core.state), choosing.standing(core.lane())
    alerts, rows = open_since(core.state, "destination"), []
    for model in core.applied.of("destination"):
        name = model.destination
        stands = known.get(name, Standing(destination=name))
        rows.append(_row(core, model, stands, runs.get(name), people.get(name, 0), alerts.get(name)))
    return DestinationList(as_of=as_of(core), destinations=tuple(rows))


def view(core: AnyCore, name: str) -> DestinationView:
    """One destination; NotFound for one that is not applied."""
    model, lane = definition(core, name), core.lane()
    stands, runs = kept.standing(core.state, name), kept.runs(core.state, name, limit=RUNS)
    latest = runs[0] if runs else None
    pending = core.kept(("pending", model.print, latest), lambda: _pending(core, model))
    return DestinationView(
        as_of=as_of(core),
        row=_row(
            core,
            model,
            stands,
            latest,
            choosing.standing(lane).get(name, 0),
            open_since(core.state, "destination").get(name),
        ),
        description=model.description,
        owner=model.owner,
        fields=dict(model.fields),
        every=model.every,
        paused_in_file=model.paused,
        started_at=stands.started_at,
        started_by=staff.names(core.state).get(stands.started_by, stands.started_by),
        reason=stands.reason,
        most=stands.most or core.settings.security.export_people,
        members=int(lane.value(_MEMBERS, {"audience": model.audience})),
        pending=pending,
        runs=runs,
    )


def run_view(core: AnyCore, name: str, run_id: str) -> RunView:
    """One run; NotFound when the destination has no such run."""
    definition(core, name)
    run = kept.run_of(core.state, name, run_id)
    if run is None:
        raise NotFound(f"`{name}` has no run `{run_id[:40]}`", help="its page lists the latest")
    return RunView(run=run, batches=kept.log_of(core.state, run_id, limit=BATCHES))


def definition(core: AnyCore, name: str) -> DestinationDefinition:
    """The applied destination of a name; NotFound when there is none."""
    found: DestinationDefinition = core.applied.get("destination", name).model
    return found


def begin(core: AnyCore, viewer: Viewer, name: str, *, reason: str, most: int | None = None) -> None:
    """Let a destination give people away as its definition says now, for a reason that is written down.

    NotAllowed for a role that may not export, or does not see the addresses that would leave.
    """
    model, limit = definition(core, name), core.settings.security.export_people
    if not viewer.has(*(GIVE_CONTACTS if model.has_contacts else EXPORT)):
        who = "a privacy officer" if model.has_contacts else "who may export people"
        raise NotAllowed(f"this role does not start `{name}`", help=f"ask {who}")
    told = unsealing.written(reason, owed=True, missing="say why these people leave")
    if most is not None and not 1 <= most <= limit:
        raise Unacceptable(
            f"at most {limit:,} people with contact values may leave at once",
            help="write a smaller number, or ask an administrator for `security.export_people`",
        )
    kept.start(
        core.state,
        name,
        print=model.print,
        by=viewer.staff_id,
        reason=told,
        most=most or limit,
        at=core.clock.now(),
    )
    audit(
        core,
        viewer,
        "destination.start",
        name,
        audience=model.audience,
        purpose=model.purpose,
        recipient=model.recipient,
        fields=dict(model.fields),
        contacts=model.has_contacts,
    )


def pause(core: AnyCore, viewer: Viewer, name: str, *, paused: bool) -> None:
    """Have a destination wait, or go on."""
    definition(core, name)
    if kept.standing(core.state, name).started_at is None:
        raise Conflict(f"`{name}` was never started", help="start it first")
    kept.pause(core.state, name, paused=paused)
    audit(core, viewer, "destination.pause" if paused else "destination.resume", name)


def ask(core: AnyCore, viewer: Viewer, name: str, *, everyone: bool = False) -> None:
    """Have a destination told now; Conflict while it waits to be started, or is paused."""
    model, stands = definition(core, name), kept.standing(core.state, name)
    if stands.started_at is None or stands.print != model.print:
        raise Conflict(f"`{name}` waits to be started", help="start it first")
    if stands.paused or model.paused:
        raise Conflict(f"`{name}` is paused", help="have it go on first")
    kept.hurry(core.state, name)
    kept.ask(core.state, name, everyone=everyone)
    audit(core, viewer, "destination.run", name, everyone=everyone)


def try_out(core: AnyCore, viewer: Viewer, name: str) -> Tried:
    """Reach a destination with nobody in hand; what went wrong is told."""
    model = definition(core, name)
    fault: str | None = None
    try:
        open_destination(model.kind, placed(model.options, core.directory)).probe(name, core.clock.now())
    except SpiraError as wrong:
        fault = f"{wrong}; {wrong.help}" if wrong.help else str(wrong)
    audit(core, viewer, "destination.test", name, reached=fault is None)
    return Tried(reached=fault is None, fault=fault)


def _pending(core: AnyCore, model: DestinationDefinition) -> Pending:
    found = choosing.counts(core.lane(), model, judging.leaving(core))
    return Pending(added=found.get("added", 0), changed=found.get("changed", 0), removed=found.get("removed", 0))


def _row(
    core: AnyCore,
    model: DestinationDefinition,
    stands: Standing,
    latest: Run | None,
    people: int,
    alerted_at: datetime | None,
) -> DestinationRow:
    state = _state(model, stands, latest)
    waits = state in ("waiting", "changed", "paused") or isinstance(core.clock, ManualClock)
    again = latest.due_at if latest is not None and state == "trying" else None
    failed = latest.fault if latest is not None and state in ("trying", "trouble") else None
    return DestinationRow(
        destination=model.destination,
        label=model.label,
        kind=model.kind,
        audience=model.audience,
        purpose=model.purpose,
        channel=model.channel,
        recipient=model.recipient,
        contacts=model.has_contacts,
        state=state,
        people=people,
        latest=latest,
        looked_at=stands.looked_at,
        next_at=again or (None if waits else stands.next_at),
        fault=stands.fault or failed,
        alerted_at=alerted_at,
    )


def _state(model: DestinationDefinition, stands: Standing, latest: Run | None) -> State:
    if stands.started_at is None:
        return "waiting"
    if stands.print != model.print:
        return "changed"
    if stands.paused or model.paused:
        return "paused"
    if latest is not None and latest.status == "running":
        return "trying" if latest.tries else "running"
    failed = latest is not None and latest.status == "failed" and not is_over(stands, latest)
    return "trouble" if stands.fault or failed else "quiet"


_MEMBERS = "select count(*) from members where audience = $audience"


@get("/api/destinations", opt=whole(GIVE), sync_to_thread=True)
def list_destinations(core: Core) -> dict[str, Any]:
    """Every destination: whether it gives, how many people it has, and its latest run."""
    return plain(listing(core))  # type: ignore[no-any-return]


@get("/api/destinations/{name:str}", opt=whole(GIVE), sync_to_thread=True)
def show_destination(core: Core, name: FromPath[str]) -> dict[str, Any]:
    """One destination: what leaves, what the next run would tell, and its latest runs."""
    return plain(view(core, name))  # type: ignore[no-any-return]


@get("/api/destinations/{name:str}/runs/{run_id:str}", opt=whole(GIVE), sync_to_thread=True)
def show_run(core: Core, name: FromPath[str], run_id: FromPath[str]) -> dict[str, Any]:
    """One run of a destination, batch by batch."""
    return plain(run_view(core, name, run_id))  # type: ignore[no-any-return]


@post("/api/destinations/{name:str}/start", opt=whole(GIVE), status_code=200, sync_to_thread=True)
def start_destination(
    core: Core, viewer: Asking, name: FromPath[str], data: JSONBody[dict[str, Any]]
) -> dict[str, str]:  # fmt: skip
    """Let a destination give people away: `{"reason": "…"}`, with `most` for fewer at once than the settings allow.

    One that gives addresses away, hashed or not, is started by a privacy officer.
    """
    most = data.get("most")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool)):
        raise Unacceptable("`most` is no number", help='send {"reason": "…", "most": 1000}')
    begin(core, viewer, name, reason=str(data.get("reason", "")), most=most)
    return {"destination": name}


@post("/api/destinations/{name:str}/pause", opt=whole(GIVE), status_code=200, sync_to_thread=True)
def pause_destination(core: Core, viewer: Asking, name: FromPath[str]) -> dict[str, str]:
    """Have a destination wait, the run in hand after its batch."""
    pause(core, viewer, name, paused=True)
    return {"destination": name}


@post("/api/destinations/{name:str}/resume", opt=whole(GIVE), status_code=200, sync_to_thread=True)
def resume_destination(core: Core, viewer: Asking, name: FromPath[str]) -> dict[str, str]:
    """Have a destination go on where it stood."""
    pause(core, viewer, name, paused=False)
    return {"destination": name}


@post("/api/destinations/{name:str}/run", opt=whole(GIVE), status_code=202, sync_to_thread=True)
def run_destination(
    core: Core, viewer: Asking, name: FromPath[str], data: JSONBody[dict[str, Any]]
) -> dict[str, str]:  # fmt: skip
    """Have a destination told now, `{"everyone": true}` for all people anew and not only what has changed."""
    ask(core, viewer, name, everyone=data.get("everyone") is True)
    return {"destination": name}


@post("/api/destinations/{name:str}/test", opt=whole(GIVE), status_code=200, sync_to_thread=True)
def test_destination(core: Core, viewer: Asking, name: FromPath[str]) -> dict[str, Any]:
    """Reach a destination without giving it anybody."""
    return plain(try_out(core, viewer, name))  # type: ignore[no-any-return]


ROUTES = [
    list_destinations,
    show_destination,
    show_run,
    start_destination,
    pause_destination,
    resume_destination,
    run_destination,
    test_destination,
]
