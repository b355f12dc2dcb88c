"""`/api/imports`: tables that are read in, on a schedule or by hand, and their rows at fault.

A program that reads tables itself (`spira import` is one) begins an import, hands over lots of calls
each with the cursor behind it, and ends it; asked again it is told the cursor to go on from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePath
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery, JSONBody

from spira.collect import sources
from spira.collect.connectors.base import open_connector
from spira.collect.imports import checking, tables, uploads, views
from spira.collect.imports.checking import Report
from spira.collect.imports.definition import file_connector, name_of
from spira.collect.imports.reading import LINE, faults_csv
from spira.collect.imports.tables import Beginning, Import
from spira.collect.imports.views import Choices, ImportList, ImportView
from spira.collect.mapping import guess as guessing
from spira.collect.mapping.build import Builder
from spira.collect.mapping.model import MappingDefinition, mapping_called, read_mapping, shipped
from spira.collect.sources import Source
from spira.collect.tracking import plan_of
from spira.definitions.workspace import fingerprint
from spira.kernel.clock import utc
from spira.kernel.diagnostics import render
from spira.kernel.errors import Conflict, DefinitionsInvalid, NotFound
from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.errors import Unacceptable
from spira.server.roles import RUN, whole
from spira.server.wire import plain
from spira.worker.paths import Paths

CHECKED_ROWS = 20_000
DRAFT = "upload.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUpload:
    """How an uploaded file is to be imported. `text` is a mapping of one's own, as YAML, instead of a named one."""

    source: str
    mapping: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An uploaded file that was looked at; nothing of it is imported yet."""

    upload: str
    part: str
    source: str
    mapping: str
    text: str
    report: Report


def listing(core: AnyCore, before: str | None = None) -> ImportList:
    """The schedules, and a page of what was imported."""
    try:
        instant = utc(datetime.fromisoformat(before)) if before else None
    except ValueError:
        raise Unacceptable(f"`{before}` is no place in the list", help="take the `next` of the page before") from None
    return views.listing(core.state, core.applied.of("import"), as_of=as_of(core), before=instant)


def view(core: AnyCore, import_id: str) -> ImportView:
    """One import."""
    return views.one(core.state, import_id, as_of=as_of(core))


def choices(core: AnyCore) -> Choices:
    """What an upload can be."""
    return views.choices(core.state, core.applied.of("mapping"))


def receive(core: AnyCore, name: str, pieces: Iterable[bytes]) -> str:
    """Keep an uploaded file; the upload's id."""
    return uploads.keep(core.directory, core.keys, name, pieces)


def look(core: AnyCore, upload: str, wanted: StartUpload) -> Checked:
    """What an uploaded file would become; without a mapping, by one that is guessed."""
    source = sources.get(core.state, wanted.source)
    folder = uploads.folder_of(core.directory, upload)
    with uploads.opened(folder, core.keys, Paths(core.directory).scratch) as path:
        report, mapping, text = _looked_at(core, path, source, wanted)
    uploads.use_mapping(folder, mapping)
    return Checked(
        upload=upload,
        part=path.name,
        source=wanted.source,
        mapping=mapping.mapping,
        text=text,
        report=report,
    )


def _looked_at(core: AnyCore, path: Path, source: Source, wanted: StartUpload) -> tuple[Report, MappingDefinition, str]:
    """What a file would become, with the mapping that says so and its text."""
    mapping, text = _mapping(core, wanted)
    if mapping is None:
        kind, options = file_connector(path, None)
        connector = open_connector(kind, options)
        text = guessing.guess(guessing.first_rows(connector, connector.parts()[0]), path.stem)
        mapping = _drafted(text)
    kind, options = file_connector(path, mapping)
    connector = open_connector(kind, options)
    part = replace(connector.parts()[0], name=path.name)
    builder = Builder(mapping, source=wanted.source, keys=core.keys, zone=core.settings.workspace.zone)
    plan = plan_of(core.applied.of("tracking"))
    report = checking.check(
        connector, part, builder, plan=plan, at=as_of(core), most_rows=CHECKED_ROWS, mode=source.mode
    )
    return report, mapping, text


def start(core: AnyCore, viewer: Viewer, upload: str, wanted: StartUpload) -> Import:
    """Have an uploaded file imported; the one there is when it was imported before."""
    sources.get(core.state, wanted.source)
    folder = uploads.folder_of(core.directory, upload)
    named, _ = _mapping(core, wanted)
    mapping = named or uploads.mapping_of(folder)
    uploads.use_mapping(folder, mapping)
    with uploads.opened(folder, core.keys, Paths(core.directory).scratch) as path:
        kind, options = file_connector(path, mapping)
        connector = open_connector(kind, options)
        identity = connector.identity(connector.parts()[0])
    what = Beginning(
        source=wanted.source,
        mapping=mapping.mapping,
        fingerprint=_print(mapping),
        kind="upload",
        part=path.name,
        identity=identity,
        actor=viewer.staff_id,
        mark=upload,
    )
    begun = tables.begin(core.state, core.clock, what, status="waiting")
    if begun.status == "done":
        uploads.discard(core.directory, upload)
    audit(core, viewer, "import.start", begun.import_id, source=wanted.source, mapping=mapping.mapping)
    return begun


def ask(core: AnyCore, viewer: Viewer, name: str) -> None:
    """Have a scheduled import run as soon as may be."""
    if name not in {name_of(each) for each in core.applied.of("import")}:
        raise NotFound(f"there is no import called `{name}`", help="the definitions of imports have their names")
    known = tables.schedules(core.state).get(name, tables.Schedule(name=name))
    tables.keep_schedule(core.state, replace(known, asked=True))
    audit(core, viewer, "import.run", name)


def again(core: AnyCore, viewer: Viewer, import_id: str) -> Import:
    """Have an upload that failed taken up where it stands."""
    found = tables.get(core.state, import_id)
    if found.kind != "upload":
        raise Conflict("this import was not handed in here", help="run its schedule, or the command, again")
    uploads.folder_of(core.directory, found.mark)
    audit(core, viewer, "import.start", import_id)
    return tables.start(core.state, core.clock, import_id)


def mended(core: AnyCore, viewer: Viewer, import_id: str) -> str:
    """The rows at fault as CSV, with all that stood in them; written down."""
    tables.get(core.state, import_id)
    found = tables.opened_faults(core.state, core.keys, import_id)
    audit(core, viewer, "import.faults", import_id, rows=len(found))
    columns = dict.fromkeys(name for each in found for name in each.cells if name != LINE)
    return "\ufeff" + faults_csv(found, tuple(columns))


def example(name: str) -> str:
    """The text of a mapping that comes with Spira."""
    if name not in shipped():
        raise NotFound(f"no mapping `{name}` comes with Spira", help=f"there are: {', '.join(shipped())}")
    return shipped()[name][1]


def _mapping(core: AnyCore, wanted: StartUpload) -> tuple[MappingDefinition | None, str]:
    if wanted.text.strip():
        return _drafted(wanted.text), wanted.text
    if wanted.mapping:
        return mapping_called(wanted.mapping, core.applied.of("mapping")), ""
    return None, ""


def _drafted(text: str) -> MappingDefinition:
    model, _, faults = read_mapping(text, PurePath(DRAFT))
    if model is None or faults:
        said = render(faults[0], text) if faults else "it is empty"
        raise DefinitionsInvalid(said, help=f"{len(faults)} faults in all" if len(faults) > 1 else None)
    return model


def _print(mapping: MappingDefinition) -> str:
    return fingerprint(mapping.model_dump(mode="json"), {})


@get("/api/imports", opt=whole(RUN), sync_to_thread=True)
def list_imports(core: Core, before: FromQuery[str | None] = None) -> dict[str, Any]:
    """The imports on a schedule, and what was imported, the last begun first."""
    return plain(listing(core, before))  # type: ignore[no-any-return]


@get("/api/imports/{import_id:str}", opt=whole(RUN), sync_to_thread=True)
def show_import(core: Core, import_id: FromPath[str]) -> dict[str, Any]:
    """One import: how far it is, and its first rows at fault."""
    return plain(view(core, import_id))  # type: ignore[no-any-return]


@get("/api/imports/choices", opt=whole(RUN), sync_to_thread=True)
def list_choices(core: Core) -> dict[str, Any]:
    """The sources and mappings that an upload can be given."""
    return plain(choices(core))  # type: ignore[no-any-return]


@get("/api/imports/{import_id:str}/faults.csv", opt={**whole(RUN), "cost": "export"}, sync_to_thread=True)
def download_faults(core: Core, viewer: Asking, import_id: FromPath[str]) -> Response[str]:
    """The rows at fault as CSV, to be mended and imported again; it is written down."""
    return as_download(mended(core, viewer, import_id), f"{import_id}-faults.csv")


@post("/api/imports/scheduled/{name:str}/run", opt=whole(RUN), status_code=202, sync_to_thread=True)
def run_import(core: Core, viewer: Asking, name: FromPath[str]) -> dict[str, str]:
    """Have a scheduled import run as soon as may be, files that failed before included."""
    ask(core, viewer, name)
    return {"import": name}


@post(
    "/api/imports/uploads",
    opt={**whole(RUN), "cost": "export"},
    status_code=201,
    request_max_body_size=uploads.MOST_BYTES,
)
async def upload_file(
    core: Core, data: Annotated[UploadFile, Body(media_type=RequestEncodingType.MULTI_PART)]
) -> dict[str, Any]:
    """Hand a file in, as the multipart field `data`; it is kept for a day, and nothing of it is imported yet."""
    return {"upload": receive(core, data.filename, [await data.read()])}


@post("/api/imports/uploads/{upload:str}/check", opt=whole(RUN), status_code=200, sync_to_thread=True)
def check_upload(core: Core, upload: FromPath[str], data: JSONBody[StartUpload]) -> dict[str, Any]:
    """What an uploaded file would become: the first calls, the rows at fault, and what the plan would refuse."""
    return plain(look(core, upload, data))  # type: ignore[no-any-return]


@post("/api/imports/uploads/{upload:str}/start", opt=whole(RUN), status_code=202, sync_to_thread=True)
def start_upload(core: Core, viewer: Asking, upload: FromPath[str], data: JSONBody[StartUpload]) -> dict[str, Any]:
    """Have an uploaded file imported."""
    return plain(views.shown(start(core, viewer, upload, data)))  # type: ignore[no-any-return]


@post("/api/imports/{import_id:str}/retry", opt=whole(RUN), status_code=202, sync_to_thread=True)
def retry_import(core: Core, viewer: Asking, import_id: FromPath[str]) -> dict[str, Any]:
    """Have an uploaded file that failed taken up where it stands."""
    return plain(views.shown(again(core, viewer, import_id)))  # type: ignore[no-any-return]


def as_download(text: str, name: str) -> Response[str]:
    """A CSV that a browser saves."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content=text, media_type="text/csv; charset=utf-8", headers=headers)


ROUTES = [
    list_imports,
    list_choices,
    show_import,
    download_faults,
    run_import,
    upload_file,
    check_upload,
    start_upload,
    retry_import,
]
