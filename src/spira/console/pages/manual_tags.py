"""Tags set by hand: of one person from their page, and of a list or file of people."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from spira.console.labels import label_of, tag_value_words
from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.segment.manual_tags import YES
from spira.segment.tags import TagDefinition, worked_out
from spira.server.api.manual_tags import MOST, TAG, Changed, definition, set_many, set_one
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.unify.portrait import TagView

Asked = Request[Any, Any, Any]
MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A manual tag as a person's page offers it: its values with their words, and the one as last computed."""

    tag: str
    label: str
    values: tuple[tuple[str, str], ...]
    now: str | None


def offered(core: AnyCore, viewer: Viewer, tags: Iterable[TagView]) -> list[Offered]:
    """The manual tags that the viewer may set."""
    if not viewer.has(*TAG):
        return []
    known = {each.name: each.value for each in tags}
    manual = [each for each in worked_out(core.applied) if each.manual is not None]
    return [
        Offered(
            tag=each.tag,
            label=label_of(core, "tag", each.tag, viewer.language),
            values=_values(core, each, viewer.language),
            now=_now(known.get(each.tag)),
        )
        for each in manual
    ]


def _values(core: AnyCore, model: TagDefinition, language: str) -> tuple[tuple[str, str], ...]:
    words = tag_value_words(core, language)
    if model.manual == "flag":
        return ((YES, words(model.tag, True)),)
    return tuple((value, words(model.tag, value)) for value in model.values)


def _now(value: Any) -> str | None:
    if isinstance(value, bool):
        return YES if value else None
    return None if value is None else str(value)


@post("/people/{profile:str}/tags/{name:str}", opt={"roles": TAG}, status_code=200)
async def set_tag_form(
    request: Asked, core: Core, viewer: Asking, profile: FromPath[str], name: FromPath[str]
) -> Response[Any]:
    """Set or take away a manual tag of one person."""
    value = str((await request.form()).get("value", ""))
    await anyio.to_thread.run_sync(lambda: set_one(core, viewer, profile, name, value or None))
    return done(f"/people/{profile}", "tag_set")


@get("/tags/{name:str}/people", opt={"roles": TAG, "like": "/tags/{name}"}, sync_to_thread=True)
def people_page(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[str]:
    """Where a list of people is given or loses a manual tag."""
    return _draw(request, core, viewer, name)


@post("/tags/{name:str}/people", opt={"roles": TAG}, status_code=200, request_max_body_size=MOST_BYTES)
async def set_tags_form(request: Asked, core: Core, viewer: Asking, name: FromPath[str]) -> Response[Any]:
    """Set a manual tag of those in the box and in the first column of the file."""
    form = await request.form()
    typed, value = str(form.get("people", "")), str(form.get("value", ""))
    sent = form.get("file")
    content = await sent.read() if isinstance(sent, UploadFile) else b""

    def attempt() -> Response[Any]:
        try:
            texts = [each.strip() for each in typed.splitlines() if each.strip()] + first_column(content)
            changed = set_many(core, viewer, name, texts, value or None)
        except SpiraError as error:
            fault = told(error, viewer.language)
            return _draw(request, core, viewer, name, fault=fault, typed=typed, value=value)
        return _draw(request, core, viewer, name, changed=changed, value=value)

    return await anyio.to_thread.run_sync(attempt)


def first_column(content: bytes) -> list[str]:
    """The first column of a CSV file, or the lines of a text; without its head, if that names no one's id."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error):
        raise Unacceptable("the file is no CSV in UTF-8", help="save it as CSV with the encoding UTF-8") from None
    cells = [row[0].strip() for row in rows if row and row[0].strip()]
    heads = {"id", "profile", "profile_id", "user_id", "identifier", "email", "phone", "member_card"}
    return cells[1:] if cells and cells[0].lower() in heads else cells


def _draw(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    name: str,
    *,
    changed: Changed | None = None,
    fault: Told | None = None,
    typed: str = "",
    value: str | None = None,
) -> Response[str]:
    model = definition(core, name)
    values: Sequence[tuple[str, str]] = _values(core, model, viewer.language)
    return page(
        request,
        core,
        "tag_people.html",
        status=fault.status if fault else 200,
        data=None,
        name=name,
        title=label_of(core, "tag", name, viewer.language),
        values=values,
        value=values[0][0] if value is None else value,
        changed=changed,
        fault=fault,
        typed=typed,
        most=MOST,
    )


ROUTES = [set_tag_form, people_page, set_tags_form]
