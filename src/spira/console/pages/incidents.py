"""Incidents: personal data that leaked, was changed or was lost; the clock, who was told, and what was done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.params import FromPath

from spira.console.carrying import carried
from spira.console.render import done, page
from spira.console.telling import Told
from spira.kernel.clock import local
from spira.kernel.viewer import Viewer
from spira.server.api import incidents
from spira.server.api.incidents import IncidentFacts, NewIncident, Revision, TellingOf
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import ERASE, whole
from spira.unify.incidents import DATA, KINDS, SENSITIVE
from spira.unify.rights import LAWS

Asked = Request[Any, Any, Any]


@get("/incidents", opt={**whole(ERASE), "data": "/api/incidents"}, sync_to_thread=True)
def register(request: Asked, core: Core) -> Response[str]:
    """The register, the most pressing first, and writing an incident down."""
    return _draw(request, core)


@get("/incidents/{incident_id:str}", opt={**whole(ERASE), "data": "/api/incidents/{incident_id}"}, sync_to_thread=True)
def incident(request: Asked, core: Core, incident_id: FromPath[str]) -> Response[str]:
    """One incident: its clock, telling the authority and the people, and what is known."""
    return _one(request, core, incident_id)


@post("/incidents", opt=whole(ERASE), status_code=200)
async def file(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Write an incident down."""
    form = await request.form()

    def act() -> Response[Any]:
        law = _text(form, "law")
        known = asdict(_facts(form))
        new = NewIncident(**known, noticed_at=_text(form, "noticed_at"), law=law if law in LAWS else None)
        return done(f"/incidents/{incidents.file(core, viewer, new).incident_id}", "incident_filed")

    return await carried(viewer, act, lambda fault: _draw(request, core, form=form, fault=fault))


@post("/incidents/{incident_id:str}/revise", opt=whole(ERASE), status_code=200)
async def revise(request: Asked, core: Core, viewer: Asking, incident_id: FromPath[str]) -> Response[Any]:
    """Write down what is known by now."""
    form = await request.form()
    return await _act(
        request,
        core,
        viewer,
        incident_id,
        "incident_revised",
        lambda: incidents.revise(core, viewer, incident_id, Revision(**asdict(_facts(form)), version=_version(form))),
        form=form,
    )


@post("/incidents/{incident_id:str}/told", opt=whole(ERASE), status_code=200)
async def tell(request: Asked, core: Core, viewer: Asking, incident_id: FromPath[str]) -> Response[Any]:
    """Write down that the authority or the people were told, or need not be."""
    form = await request.form()
    telling = TellingOf(
        whom=_text(form, "whom"),  # type: ignore[arg-type]  # nobody known is refused below
        words=_text(form, "words"),
        needed=_text(form, "needed") != "no",
        at=_text(form, "at"),
        version=_version(form),
    )
    return await _act(
        request, core, viewer, incident_id, "incident_told", lambda: incidents.tell(core, viewer, incident_id, telling)
    )


@post("/incidents/{incident_id:str}/close", opt=whole(ERASE), status_code=200)
async def close(request: Asked, core: Core, viewer: Asking, incident_id: FromPath[str]) -> Response[Any]:
    """Close an incident of which nothing is missing."""
    version = _version(await request.form())
    return await _act(
        request,
        core,
        viewer,
        incident_id,
        "incident_closed",
        lambda: incidents.close(core, viewer, incident_id, version),
    )


async def _act(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    incident_id: str,
    word: str,
    act: Callable[[], object],
    *,
    form: FormMultiDict | None = None,
) -> Response[Any]:
    """Do something to an incident, and lead back to it; what is wrong is told on its page, with what was typed."""

    def lead() -> Response[Any]:
        act()
        return done(f"/incidents/{incident_id}", word)

    return await carried(viewer, lead, lambda fault: _one(request, core, incident_id, form=form, fault=fault))


def _facts(form: FormMultiDict) -> IncidentFacts:
    people = _text(form, "people").replace(",", "")
    if people and not people.isdecimal():
        raise Unacceptable(f"`{people[:40]}` is no number of people", help="write an estimate, or nothing yet")
    return IncidentFacts(
        kind=_text(form, "kind"),  # type: ignore[arg-type]  # an unknown one is refused below
        data=[str(each) for each in form.getall("data", [])],  # type: ignore[misc]  # likewise
        people=int(people) if people else None,
        happened_at=_text(form, "happened_at"),
        happened=_text(form, "happened"),
        cause=_text(form, "cause"),
        harm=_text(form, "harm"),
        measures=_text(form, "measures"),
        advice=_text(form, "advice"),
    )


def _version(form: FormMultiDict) -> int | None:
    """The version that was looked at, as the page told it."""
    text = _text(form, "version")
    return int(text) if text.isdecimal() else None


def _text(form: FormMultiDict, name: str) -> str:
    return str(form.get(name, "")).strip()


def _draw(
    request: Asked, core: AnyCore, *, form: FormMultiDict | None = None, fault: Told | None = None
) -> Response[str]:
    typed = {name: _text(form, name) for name in form} if form else {}
    return page(
        request,
        core,
        "incidents.html",
        status=fault.status if fault else 200,
        data=incidents.view(core),
        typed={"noticed_at": _typed(core, core.clock.now()), "law": core.settings.rights.law, **typed},
        ticked=[str(each) for each in form.getall("data", [])] if form else [],
        fault=fault,
        **_choices(),
    )


def _one(
    request: Asked, core: AnyCore, incident_id: str, *, form: FormMultiDict | None = None, fault: Told | None = None
) -> Response[str]:
    found = incidents.one(core, incident_id)
    it = found.row.incident
    return page(
        request,
        core,
        "incident.html",
        status=fault.status if fault else 200,
        data=found,
        typed={
            "kind": it.kind,
            "people": "" if it.people is None else str(it.people),
            "happened_at": _typed(core, it.happened_at) if it.happened_at else "",
            **{name: getattr(found, name) for name in ("happened", "cause", "harm", "measures", "advice")},
            **({name: _text(form, name) for name in form} if form else {}),
        },
        ticked=[str(each) for each in form.getall("data", [])] if form else it.data,
        now=_typed(core, core.clock.now()),
        overtaken=form is not None and _version(form) not in (None, it.version),
        fault=fault,
        **_choices(),
    )


def _choices() -> dict[str, Any]:
    return {"kinds": KINDS, "kinds_of_data": DATA, "sensitive": SENSITIVE, "laws": LAWS}


def _typed(core: AnyCore, at: datetime) -> str:
    """An instant as a field for it has it, in the workspace's zone, to the second: rounded it could be too early."""
    return f"{local(at, core.settings.workspace.zone):%Y-%m-%dT%H:%M:%S}"


ROUTES = [register, incident, file, revise, tell, close]
