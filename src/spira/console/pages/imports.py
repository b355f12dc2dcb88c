"""Imports: what is read on a schedule, what was imported, one import with its rows at fault, and a file handed in.

A file is looked at before anything is imported: its first calls, its rows at fault by row and
column, what the tracking plan would refuse. Only then it is imported, beside everything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery

from spira.collect.imports import uploads
from spira.console.pages.quarantine import said_of
from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.i18n import catalogue, say
from spira.kernel.viewer import Viewer
from spira.server.api.imports import StartUpload, again, ask, choices, listing, look, receive, start, view
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import RUN, whole

Asked = Request[Any, Any, Any]
PIECE = 1_048_576
# What the domain says of a row at fault, and the words that say it in the reader's language.
_REASONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), key)
    for pattern, key in (
        (r"there is no value", "no_value"),
        (r"this is no whole number", "integer"),
        (r"this is no number", "number"),
        (r"this is neither yes nor no.*", "boolean"),
        (r"this is no time written as (?P<shape>.+)", "format"),
        (r"this is no time.*", "time"),
        (r"this is no telephone number", "phone"),
        (r"this is no e-mail address", "email"),
        (r"this is no JSON", "json"),
        (r"`values` has nothing for it.*", "values"),
        (r"the table keeps it as a number.*", "digits"),
        (r"the row says nobody.*", "nobody"),
        (r"the row says no time.*", "no_time"),
        (r"row (?P<row>\d+) of the same key is at fault", "same_key"),
        (r"the rows of this key do not lie together.*", "apart"),
        (r"the row has (?P<found>\d+) values, and the head names (?P<wanted>\d+)", "width"),
        (r"a value holds what look like further rows.*", "swallowed"),
        (r"the line is .*", "line"),
    )
)


@get("/imports", opt={**whole(RUN), "data": "/api/imports"}, sync_to_thread=True)
def imports_page(request: Asked, core: Core, before: FromQuery[str | None] = None) -> Response[str]:
    """The list."""
    return page(request, core, "imports.html", data=listing(core, before))


@get("/imports/new", opt={**whole(RUN), "data": "/api/imports/choices"}, sync_to_thread=True)
def new_import_page(request: Asked, core: Core) -> Response[str]:
    """The form for a file."""
    return _form(request, core, {}, None)


@post("/imports/new", opt=whole(RUN), status_code=200, request_max_body_size=uploads.MOST_BYTES)
async def hand_in(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """What the file would become; or the form again with what is wrong."""
    form = await request.form()
    file = form.get("file")
    typed = {name: str(value).strip() for name, value in form.items() if not isinstance(value, UploadFile)}
    pieces: list[bytes] = []
    if isinstance(file, UploadFile):
        while piece := await file.read(PIECE):
            pieces.append(piece)
    name = file.filename if isinstance(file, UploadFile) else ""

    def carry_out() -> Response[str]:
        try:
            if not pieces or not name:
                raise Unacceptable("no file was chosen", help="choose a CSV, Excel, Parquet or JSON Lines file")
            if not typed.get("source"):
                raise Unacceptable("no source was chosen", help="choose the source that the events come through")
            upload = receive(core, name, pieces)
            return _checked(request, core, viewer, upload, typed)
        except SpiraError as error:
            return _form(request, core, typed, told(error, viewer.language))

    return await anyio.to_thread.run_sync(carry_out)


@post("/imports/uploads/{upload:str}/check", opt=whole(RUN), status_code=200)
async def look_again(request: Asked, core: Core, viewer: Asking, upload: FromPath[str]) -> Response[str]:
    """What the file would become with what was changed."""
    typed = {name: str(value) for name, value in (await request.form()).items()}
    return await anyio.to_thread.run_sync(lambda: _checked(request, core, viewer, upload, typed))


@post("/imports/uploads/{upload:str}/start", opt=whole(RUN), status_code=200)
async def start_import(request: Asked, core: Core, viewer: Asking, upload: FromPath[str]) -> Response[Any]:
    """On to the import's page; or what the file would become, with what is wrong."""
    typed = {name: str(value) for name, value in (await request.form()).items()}

    def carry_out() -> Response[Any]:
        try:
            begun = start(core, viewer, upload, _wanted(typed))
        except SpiraError as error:
            return _checked(request, core, viewer, upload, typed, told(error, viewer.language))
        return done(f"/imports/{begun.import_id}", "import_known" if begun.status == "done" else "import_started")

    return await anyio.to_thread.run_sync(carry_out)


@get("/imports/{import_id:str}", opt={**whole(RUN), "data": "/api/imports/{import_id}"}, sync_to_thread=True)
def import_page(request: Asked, core: Core, viewer: Asking, import_id: FromPath[str]) -> Response[str]:
    """One import."""
    return page(request, core, "import.html", data=view(core, import_id), why=reasons(viewer.language), fault=None)


@post("/imports/{import_id:str}/retry", opt=whole(RUN), status_code=200)
async def retry(request: Asked, core: Core, viewer: Asking, import_id: FromPath[str]) -> Response[Any]:
    """Back to the import; or its page with what is wrong."""

    def carry_out() -> Response[Any]:
        try:
            again(core, viewer, import_id)
        except SpiraError as error:
            fault = told(error, viewer.language)
            data, why = view(core, import_id), reasons(viewer.language)
            return page(request, core, "import.html", status=fault.status, data=data, why=why, fault=fault)
        return done(f"/imports/{import_id}", "import_started")

    return await anyio.to_thread.run_sync(carry_out)


@post("/imports/scheduled/{name:str}/run", opt=whole(RUN), status_code=200)
async def run_now(core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """Back to the list."""
    await anyio.to_thread.run_sync(lambda: ask(core, viewer, name))
    return done("/imports", "import_asked")


def _wanted(typed: dict[str, str]) -> StartUpload:
    return StartUpload(source=typed.get("source", ""), mapping=typed.get("mapping", ""), text=typed.get("text", ""))


def _checked(
    request: Asked, core: AnyCore, viewer: Viewer, upload: str, typed: dict[str, str], fault: Told | None = None
) -> Response[str]:
    """The page that shows what a file would become, as far as it can be read."""
    checked = None
    try:
        checked = look(core, upload, _wanted(typed))
    except SpiraError as error:
        if error.status == 404:
            return _form(request, core, typed, told(error, viewer.language))
        fault = fault or told(error, viewer.language)
    return page(
        request,
        core,
        "import_check.html",
        status=fault.status if fault else 200,
        back="/imports/new",
        checked=checked,
        upload=upload,
        typed={**typed, "text": checked.text if checked else typed.get("text", "")},
        options=choices(core),
        why=reasons(viewer.language),
        said=partial(said_of, language=viewer.language),
        fault=fault,
    )


def _form(request: Asked, core: AnyCore, typed: dict[str, str], fault: Told | None) -> Response[str]:
    return page(
        request,
        core,
        "import_new.html",
        status=fault.status if fault else 200,
        data=choices(core),
        typed=typed,
        most_bytes=uploads.MOST_BYTES,
        fault=fault,
    )


def reasons(language: str) -> Callable[[str], str]:
    """Says what is wrong with a row in a language; what it does not know it says as it is."""
    texts = catalogue("spira.console", language)

    def why(reason: str) -> str:
        return "; ".join(_each(reason))

    def _each(reason: str) -> Iterator[str]:
        for part in reason.split("; "):
            column, mark, rest = part.rpartition(": ")
            found = _said(rest) or _said(part)
            yield f"{column}{mark}{found}" if found and _said(rest) and mark else found or part

    def _said(text: str) -> str | None:
        for pattern, key in _REASONS:
            if found := pattern.fullmatch(text):
                return say(texts, f"import_why.{key}", **found.groupdict())
        return None

    return why


ROUTES = [
    imports_page,
    new_import_page,
    hand_in,
    look_again,
    start_import,
    import_page,
    retry,
    run_now,
]
