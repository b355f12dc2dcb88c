"""`/api/definitions`: what the workspace's files say, what is applied, and what came before.

The server reads and writes the definitions in its own directory. A change is an edit of one definition,
planned with its people before it is applied; the plan's fingerprint says that what is applied is what
was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Annotated, Any, Literal

from litestar import get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from spira.definitions import history as past
from spira.definitions.apply import applied as applied_in
from spira.definitions.editing import Place, place_of, with_definition, without_definition
from spira.definitions.files import read_raw
from spira.definitions.history import GenerationRow, GenerationView, Revision
from spira.definitions.kinds import KINDS, Definition, Reference
from spira.definitions.listing import FaultRow, Listing, faults_of, listing, stamp
from spira.definitions.plan import Plan
from spira.definitions.workspace import Edits
from spira.engage.uses import uses
from spira.kernel.errors import NotFound
from spira.kernel.viewer import Viewer
from spira.segment.lineage import Thing, reading, texts_understood
from spira.server import staff
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.errors import Unacceptable
from spira.server.roles import DEFINE, whole
from spira.server.wire import plain

Way = Literal["write", "remove", "roll_back", "files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A change of the definitions that is to be planned or applied.

    `write` puts `text` in the place of a definition, and `companions` (texts by file name) beside it;
    `remove` takes it away, `roll_back` makes the files say what `generation` said, `files` takes them
    as they lie on disk.
    """

    way: Way = "files"
    kind: str = ""
    name: str = ""
    text: str = ""
    companions: dict[str, str] = field(default_factory=dict)
    generation: int = 0
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """What a draft would do: its faults, or its plan with people."""

    faults: tuple[FaultRow, ...] = field(metadata={"help": "what is wrong; nothing can be applied with any"})
    plan: Plan | None = field(metadata={"help": "what would change, and for how many people; none with faults"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionView:
    """One definition with everything around it."""

    kind: str = field(metadata={"help": "its kind"})
    name: str = field(metadata={"help": "its name"})
    label: Any = field(metadata={"help": "what people read"})
    owner: str = field(metadata={"help": "who answers for it"})
    path: str = field(metadata={"help": "the file it lies in; empty when none does"})
    line: int = field(metadata={"help": "its first line there"})
    text: str = field(metadata={"help": "the text in the file, or the applied one when no file has it"})
    companions: Mapping[str, str] = field(metadata={"help": "the texts of the files that it names, by name"})
    state: str = field(metadata={"help": "applied, changed, new, removed or faulty"})
    reads: tuple[Reference, ...] = field(metadata={"help": "the definitions that it refers to"})
    used_by: tuple[Reference, ...] = field(metadata={"help": "the definitions that refer to it"})
    revisions: tuple[Revision, ...] = field(metadata={"help": "the generations that changed it, newest first"})
    earlier: int | None = field(metadata={"help": "the generation whose text is shown instead; none for the text now"})


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A page of generations."""

    generations: tuple[GenerationRow, ...] = field(metadata={"help": "the newest first"})
    actors: Mapping[str, str] = field(metadata={"help": "names of staff by id"})
    next: int | None = field(metadata={"help": "where the next page begins; none on the last"})


Earlier = Annotated[int | None, QueryParameter(ge=1, le=1 << 31)]


def everything(core: AnyCore) -> Listing:
    """All definitions, applied and in the files; read again when a file has been touched."""
    question = ("definitions", stamp(core.directory), core.applied.generation)
    return core.kept(question, lambda: listing(core.directory, core.applied))


def one(core: AnyCore, kind: str, name: str, *, earlier: int | None = None) -> DefinitionView:
    """One definition, with the text of an `earlier` generation when asked; NotFound when it is nowhere."""
    row = next((each for each in everything(core).definitions if (each.kind, each.name) == (kind, name)), None)
    place = place_of(core.directory, kind, name)
    applied = core.applied.find(kind, name)
    if place is None and applied is None:
        raise NotFound(f"there is no {kind[:40]} `{name[:80]}`", help="GET /api/definitions lists them all")
    reads, used_by = _around(core, (kind, name))
    text = place.text if place else applied.node.text if applied else ""
    companions: Mapping[str, str] = _companions(core, applied, place)
    if earlier is not None:
        text, companions = past.text_at(core.state, earlier, kind, name)
    return DefinitionView(
        kind=kind,
        name=name,
        label=row.label if row else None,
        owner=row.owner if row else "",
        path=str(place.path) if place else "",
        line=place.line if place else 0,
        text=text,
        companions=companions,
        state=row.state if row else "faulty",
        reads=reads,
        used_by=used_by,
        revisions=tuple(past.revisions(core.state, kind, name)),
        earlier=earlier,
    )


def history(core: AnyCore, *, before: int | None = None, limit: int = 30) -> History:
    """Generations, newest first."""
    rows = past.history(core.state, before=before, limit=limit + 1)
    shown = tuple(rows[:limit])
    return History(
        generations=shown,
        actors=actors(core, {each.actor for each in shown}),
        next=shown[-1].generation if len(rows) > limit else None,
    )


def edits_of(core: AnyCore, draft: Draft) -> Edits:
    """What a draft writes into the files."""
    match draft.way:
        case "write":
            if draft.kind not in KINDS:
                raise Unacceptable(f"`{draft.kind[:40]}` is no kind of definition", help=f"kinds: {', '.join(KINDS)}")
            edits = with_definition(core.directory, draft.kind, draft.name, draft.text)
            place = place_of(core.directory, draft.kind, draft.name, edits=edits) if draft.companions else None
            beside = (
                {place.path.parent / PurePath(name): text for name, text in draft.companions.items()} if place else {}
            )
            return {**edits, **beside}
        case "remove":
            return without_definition(core.directory, draft.kind, draft.name)
        case "roll_back":
            return past.as_of_generation(core.directory, core.state, applied_in(core.state), draft.generation)
        case _:
            return {}


def drafted(core: AnyCore, draft: Draft) -> Drafted:
    """What a draft would do; writes nothing. The files as they lie are looked at anew when one has been touched."""
    if draft.way == "files":
        return core.kept(("plan", stamp(core.directory)), lambda: _drafted(core, draft))
    return _drafted(core, draft)


def _drafted(core: AnyCore, draft: Draft) -> Drafted:
    edits = edits_of(core, draft)
    faults = faults_of(core.directory, edits)
    return Drafted(faults=faults, plan=None if faults else core.plan(edits))


def apply_draft(core: AnyCore, viewer: Viewer, draft: Draft) -> Plan:
    """Carry a draft out as it was seen; Conflict when the world has moved since."""
    done = core.apply(viewer, edits=edits_of(core, draft), fingerprint=draft.fingerprint or None)
    if draft.way != "files":
        about = f"generation {draft.generation}" if draft.way == "roll_back" else f"{draft.kind} {draft.name}"
        audit(core, viewer, f"definitions.{draft.way}", about[:500], changes=len(done.changes))
    return done


def actors(core: AnyCore, ids: set[str]) -> dict[str, str]:
    """The names of staff among some ids."""
    return {each: name for each, name in staff.names(core.state).items() if each in ids}


def _companions(core: AnyCore, applied: Definition | None, place: Place | None) -> dict[str, str]:
    """The texts of the files beside a definition, as they lie on disk; as applied where there are none."""
    known = dict(applied.companions) if applied else {}
    if place is None:
        return known
    on_disk = {name: read_raw(core.directory, place.path.parent / name) for name in known}
    return {name: text if text is not None else known[name] for name, text in on_disk.items()}


def _around(core: AnyCore, here: Thing | Reference) -> tuple[tuple[Reference, ...], tuple[Reference, ...]]:
    """What a definition reads, and what reads it."""
    tags = {each.tag: each.value for each in core.applied.of("tag")}
    audiences = {each.audience: each.who for each in core.applied.of("audience")}
    reads: dict[Reference, set[Reference]] = {}
    understood = texts_understood(tags, audiences, core.catalog)
    for reader, things in reading(*understood, uses(core.applied, core.catalog)).items():
        reads.setdefault(reader, set()).update(each for each in things if each[0] in KINDS)
    for each in core.applied.definitions:
        if each.kind in KINDS:
            reads.setdefault((each.kind, each.name), set()).update(KINDS.get(each.kind).references(each.model))
    used_by = {reader for reader, things in reads.items() if here in things}
    return tuple(sorted(reads.get(here, ()))), tuple(sorted(used_by))


@get("/api/definitions", sync_to_thread=True)
def list_definitions(core: Core) -> dict[str, Any]:
    """Everything that is defined: the generation, and of each definition its state, file, label and fingerprint."""
    return plain(everything(core))  # type: ignore[no-any-return]


@get("/api/definitions/history", opt=whole(DEFINE), sync_to_thread=True)
def show_history(core: Core, before: Annotated[int | None, QueryParameter(ge=1, le=1 << 31)] = None) -> dict[str, Any]:
    """Generations, newest first, each with what it changed; `next` continues as `before`."""
    return plain(history(core, before=before))  # type: ignore[no-any-return]


@get("/api/definitions/history/{number:int}", opt=whole(DEFINE), sync_to_thread=True)
def show_generation(core: Core, number: FromPath[int]) -> dict[str, Any]:
    """One generation, line by line against the one before it."""
    return plain(generation(core, number))  # type: ignore[no-any-return]


@get("/api/definitions/plan", opt=whole(DEFINE), sync_to_thread=True)
def show_plan(core: Core) -> dict[str, Any]:
    """What applying the files would change: their faults, or the plan with people."""
    return plain(drafted(core, Draft()))  # type: ignore[no-any-return]


@get("/api/definitions/{kind:str}/{name:str}", opt=whole(DEFINE), sync_to_thread=True)
def show_definition(core: Core, kind: FromPath[str], name: FromPath[str], earlier: Earlier = None) -> dict[str, Any]:
    """One definition: its text now or in an earlier generation, its file, what is around it, and its history."""
    return plain(one(core, kind, name, earlier=earlier))  # type: ignore[no-any-return]


@post("/api/definitions/plan", opt=whole(DEFINE), status_code=200, sync_to_thread=True)
def plan(core: Core) -> dict[str, Any]:
    """What applying the files would change, and for how many people; writes nothing."""
    return plain(core.plan())  # type: ignore[no-any-return]


@post("/api/definitions/draft", opt=whole(DEFINE), status_code=200, sync_to_thread=True)
def plan_draft(core: Core, data: JSONBody[Draft]) -> dict[str, Any]:
    """What one change would do, be it a text that is written, a definition taken away, or an earlier generation."""
    return plain(drafted(core, data))  # type: ignore[no-any-return]


@post("/api/definitions/apply", opt=whole(DEFINE), status_code=200, sync_to_thread=True)
def apply(core: Core, viewer: Asking, data: JSONBody[Draft | None] = None) -> dict[str, Any]:
    """Apply the files, or one change, as the next generation; the plan that was carried out."""
    carried_out = plain(apply_draft(core, viewer, data or Draft()))
    return {"generation": core.applied.generation, **carried_out}


def generation(core: AnyCore, number: int) -> GenerationView:
    """One generation, its actor by name."""
    found = past.generation_view(core.state, number)
    return replace(found, actor=actors(core, {found.actor}).get(found.actor, found.actor))


ROUTES = [
    list_definitions,
    show_history,
    show_generation,
    show_plan,
    show_definition,
    plan,
    plan_draft,
    apply,
]
