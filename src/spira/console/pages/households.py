"""Households: the people who live or pay together, from one person's side and from the household's own."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from spira.console.carrying import carried
from spira.console.labels import label_of
from spira.console.render import done, page
from spira.console.telling import Told
from spira.kernel.viewer import Viewer
from spira.server.api.asked import profile_of
from spira.server.api.households import DECIDE, HouseholdPage, decide, join, of_person, view
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import PEOPLE
from spira.unify import people
from spira.unify.households import ROLES

Asked = Request[Any, Any, Any]


@get("/people/{profile:str}/household", opt={"roles": PEOPLE, "data": "/api/profiles/{profile}/household"},
     sync_to_thread=True)  # fmt: skip
def household_of_page(request: Asked, core: Core, viewer: Asking, profile: FromPath[str]) -> Response[str]:
    """The household of one person, and what staff decide about it."""
    return _draw(request, core, viewer, profile)


@get("/households/{home:str}", opt={"roles": PEOPLE, "data": "/api/households/{home}"}, sync_to_thread=True)
def household_page(request: Asked, core: Core, viewer: Asking, home: FromPath[str]) -> Response[str]:
    """One household."""
    found = view(core, viewer, home)
    return page(
        request, core, "household.html", data=found, person=None, may=False, labels=_labels(core, viewer, found)
    )


@post("/people/{profile:str}/household", opt={"roles": DECIDE}, status_code=200)
async def decide_form(request: Asked, core: Core, viewer: Asking, profile: FromPath[str]) -> Response[Any]:
    """Put somebody together with another, give them roles, or keep them apart; what is wrong stays in its box."""
    form = await request.form()
    other, what = str(form.get("with", "")).strip(), str(form.get("what", "join"))
    roles = [str(each) for each in form.getall("roles", [])]

    def act() -> Response[Any]:
        if what == "join":
            join(core, viewer, profile, other, roles)
        else:
            decide(core, viewer, profile, what, roles)
        return done(f"/people/{profile}/household", "household_kept")

    return await carried(viewer, act, lambda fault: _draw(request, core, viewer, profile, fault=fault, typed=other))


def _labels(core: AnyCore, viewer: Viewer, found: HouseholdPage) -> dict[str, str]:
    """What the household's tags are called."""
    return {each.name: label_of(core, "tag", each.name, viewer.language) for each in found.tags}


def _draw(
    request: Asked, core: AnyCore, viewer: Viewer, profile: str, *, fault: Told | None = None, typed: str = ""
) -> Response[str]:
    found = of_person(core, viewer, profile)
    lane = core.lane()
    (person,) = people.rows(lane, core.vault, viewer, [people.locate(lane, viewer, profile_of(profile))])
    mine = next((each.roles for each in found.members if each.person.id == person.id), ())
    return page(
        request,
        core,
        "household.html",
        status=fault.status if fault else 200,
        data=found,
        labels=_labels(core, viewer, found),
        person=person,
        may=viewer.has(*DECIDE),
        roles=ROLES,
        mine=mine,
        fault=fault,
        typed=typed,
    )


ROUTES = [household_of_page, household_page, decide_form]
