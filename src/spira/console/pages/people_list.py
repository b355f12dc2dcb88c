"""The list of people: finding one, and doing something with several that are ticked."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from spira.console.columns import columns_of
from spira.console.pages.people import trait_labels
from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.engage.audience_export import PURPOSES, Wish
from spira.engage.reach import kinds_of
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.server import unsealing
from spira.server.api.profiles import listed, search
from spira.server.api.selection import EXPORT, UNMASK, export, file_of, note_all, show_contact
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import PEOPLE
from spira.unify import recipients
from spira.unify.listing import Wanted
from spira.unify.notes import LONGEST
from spira.unify.units import all_units

Asked = Request[Any, Any, Any]
NUMERIC = ("integer", "number", "money")


@get("/people", opt={"roles": PEOPLE, "data": "/api/profiles"}, sync_to_thread=True)
def people_page(
    request: Asked, core: Core, viewer: Asking, q: FromQuery[str] = "", before: FromQuery[str | None] = None
) -> Response[Any]:
    """Search, or those seen last; one hit alone leads straight to the person. For htmx, only the list."""
    return _draw(request, core, viewer, q, before)


@post("/people/selected/note", opt={"roles": PEOPLE}, status_code=200)
async def note_selected_form(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """One note about everybody who is ticked; what can't be kept stays in the box."""
    form = await request.form()
    chosen, text = _chosen(form), str(form.get("text", ""))

    def attempt() -> Response[Any]:
        try:
            note_all(core, viewer, chosen, text)
        except SpiraError as error:
            return _again(request, core, viewer, form, told(error, viewer.language), typed=text)
        return done(_back(form), "notes_written")

    return await anyio.to_thread.run_sync(attempt)


@post("/people/selected/export", opt={"roles": EXPORT, "cost": "export"}, status_code=200)
async def export_selected_form(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Everybody who is ticked as a CSV file, with the tags that are columns of the list."""
    form = await request.form()

    def attempt() -> Response[Any]:
        tags = tuple(each.tag for each in columns_of(core, viewer, "people").tags)
        wish = Wish(
            audience="",
            purpose=str(form.get("purpose", "")),
            channel=str(form.get("channel", "")),
            tags=tags,
            contacts=form.get("contacts") == "yes",
            recipient=str(form.get("recipient", "")),
        )
        try:
            made = export(core, viewer, _chosen(form), wish, reason=str(form.get("reason", "")))
        except SpiraError as error:
            return _again(request, core, viewer, form, told(error, viewer.language), wish=wish)
        return file_of(core, made, "people")

    return await anyio.to_thread.run_sync(attempt)


@post("/people/{profile:str}/contact", opt={"roles": UNMASK}, status_code=200)
async def show_contact_form(request: Asked, core: Core, viewer: Asking, profile: FromPath[str]) -> Response[str]:
    """One contact value in clear, written down with why; htmx puts it, or the question, where its mask was."""
    form = await request.form()
    kind, reason = str(form.get("kind", "")), str(form.get("reason", "")).strip()
    part = bool(request.headers.get("hx-request"))
    template = "parts/contact_value.html" if part else "person_value.html"

    def shown() -> Response[str]:
        if not reason and unsealing.is_owed(core, viewer):
            asking, action = "parts/contact_reason.html" if part else "reason.html", f"/people/{profile}/contact"
            return page(request, core, asking, kind=kind, person=profile, action=action)
        value = show_contact(core, viewer, profile, kind, reason=reason)
        return page(request, core, template, value=value, kind=kind, person=profile)

    return await anyio.to_thread.run_sync(shown)


def _draw(request: Asked, core: AnyCore, viewer: Viewer, text: str, before: str | None, **again: Any) -> Response[Any]:
    columns = columns_of(core, viewer, "people")
    wanted = Wanted(orders="last_order" in columns, tags=tuple(each.tag for each in columns.tags))
    found = search(core, viewer, text, before=before, wanted=wanted)
    part = bool(request.headers.get("hx-request"))
    if text.strip() and len(found.people) == 1 and not part and not again:
        return Redirect(path=f"/people/{found.people[0].id}")
    given: dict[str, Any] = {"fault": None, "typed": "", "wish": None, "chosen": ()} | again
    fault: Told | None = given["fault"]
    return page(
        request,
        core,
        "parts/people_list.html" if part else "people.html",
        status=fault.status if fault else 200,
        data=listed(found),
        text=text,
        found=found,
        columns=columns,
        types=core.catalog.tags,
        numeric=NUMERIC,
        units={unit.unit_id: unit.name for unit in all_units(core.state)},
        traits=trait_labels(core, viewer.language),
        may_export=viewer.has(*EXPORT),
        purposes=PURPOSES,
        recipients=recipients.every(core.settings.rights),
        kinds=kinds_of(core.applied),
        longest=LONGEST,
        **given,
    )


def _again(
    request: Asked, core: AnyCore, viewer: Viewer, form: FormMultiDict, fault: Told, **kept: Any
) -> Response[Any]:
    """The list as it was narrowed, with what is wrong and what was ticked and typed."""
    asked = dict(parse_qsl(str(form.get("query", ""))))
    return _draw(
        request, core, viewer, asked.get("q", ""), asked.get("before"), fault=fault, chosen=_chosen(form), **kept
    )


def _chosen(form: FormMultiDict) -> tuple[str, ...]:
    return tuple(str(each) for each in form.getall("chosen", []))


def _back(form: FormMultiDict) -> str:
    """The list as it was narrowed; a text that was searched for is asked anew."""
    before = dict(parse_qsl(str(form.get("query", "")))).get("before")
    return f"/people?before={before}" if before else "/people"


ROUTES = [people_page, note_selected_form, export_selected_form, show_contact_form]
