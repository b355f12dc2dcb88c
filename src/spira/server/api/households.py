"""`/api/households`, `/api/profiles/{profile}/household`: people who live or pay together; never one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from litestar import get, post
from litestar.params import FromPath, JSONBody

from spira.collect.emit import emit
from spira.collect.identifier_rules import rules_of
from spira.kernel.errors import NotFound
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Role, Viewer
from spira.segment.analysed import analyse_tag
from spira.segment.tag_facts import is_of_households
from spira.segment.tags import worked_out
from spira.server.api.asked import profile_of
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.errors import Unacceptable
from spira.server.roles import PEOPLE
from spira.server.wire import plain
from spira.storage import ddl
from spira.unify import household_view, people
from spira.unify.household_view import HouseholdView
from spira.unify.households import ALONE
from spira.unify.named import named
from spira.unify.portrait import TagView, says

DECIDE: tuple[Role, ...] = ("administrator", "operator", "guide", "service", "community_manager")


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdPage(HouseholdView):
    """A household with what its tags say of it."""

    tags: tuple[TagView, ...] = says("the tags that are about the whole household, such as household_sum(…)")


def view(core: AnyCore, viewer: Viewer, home: str) -> HouseholdPage:
    """One household."""
    return _tagged(core, household_view.household(core.lane(), core.vault, viewer, home))


def of_person(core: AnyCore, viewer: Viewer, shown_id: str) -> HouseholdPage:
    """The household of one person."""
    return _tagged(core, household_view.of_person(core.lane(), core.vault, viewer, profile_of(shown_id)))


def _tagged(core: AnyCore, found: HouseholdView) -> HouseholdPage:
    """The household with its tags, which each of its members has the same value of."""
    values: dict[str, Any] = {}
    if found.holds and found.members:
        lane = core.lane()
        known = lane.columns("tags")
        asked = [
            each.tag
            for each in worked_out(core.applied)
            if each.tag in known and is_of_households(analyse_tag(each.value, core.catalog))
        ]
        if asked:
            profile = profile_of(found.members[0].person.id)
            rows = lane.rows(f"select {ddl.names(asked)} from tags where profile_id = $profile", {"profile": profile})
            values = rows[0] if rows else {}
    return HouseholdPage(
        **{each.name: getattr(found, each.name) for each in fields(HouseholdView)},
        tags=tuple(TagView(name=name, value=value) for name, value in values.items() if value is not None),
    )


def join(core: AnyCore, viewer: Viewer, shown_id: str, other: str, roles: Sequence[str] = ()) -> str:
    """Put a person into the household of another; its id. Events, and written down; shows after the next refresh."""
    lane, now = core.lane(), core.clock.now()
    profile = people.locate(lane, viewer, profile_of(shown_id))
    (second,) = named(lane, viewer, [other], keys=core.keys, rules=rules_of(core.applied.of("identifier")))
    if second is None:
        raise NotFound("that names nobody, or more than one person", help="write an id, or KIND:VALUE")
    home, new = household_view.joined(lane, [profile, second])
    told = [profile, *(each for each in new if each != profile)]
    events = [
        household_view.decision(each, home, roles if each == profile else (), staff_id=viewer.staff_id, at=now)
        for each in told
    ]
    emit(core.log, core.clock, events)
    shown = [show_profile(each) for each in told]
    audit(core, viewer, "household.join", show_profile(profile), household=home, people=shown, roles=list(roles))
    return home


def decide(core: AnyCore, viewer: Viewer, shown_id: str, what: str, roles: Sequence[str] = ()) -> None:
    """Keep somebody where they are in other roles, out of every household, or where account and address put them."""
    lane, now = core.lane(), core.clock.now()
    profile = people.locate(lane, viewer, profile_of(shown_id))
    home = {"alone": ALONE, "as_known": ""}.get(what)
    if home is None:
        home = household_view.of_person(lane, core.vault, viewer, profile).household
    if home is None:
        raise NotFound("the person belongs to no household", help="put them together with somebody first")
    emit(core.log, core.clock, [household_view.decision(profile, home, roles, staff_id=viewer.staff_id, at=now)])
    audit(core, viewer, "household.decide", show_profile(profile), household=home, what=what, roles=list(roles))


@get("/api/households/{home:str}", opt={"roles": PEOPLE}, sync_to_thread=True)
def show_household(core: Core, viewer: Asking, home: FromPath[str]) -> dict[str, Any]:
    """One household: its people whom one may see, by what they belong to it, and their roles."""
    told: dict[str, Any] = plain(view(core, viewer, home))
    return told


@get("/api/profiles/{profile:str}/household", opt={"roles": PEOPLE}, sync_to_thread=True)
def show_household_of(core: Core, viewer: Asking, profile: FromPath[str]) -> dict[str, Any]:
    """The household of a person; `household` is null when they belong to none."""
    told: dict[str, Any] = plain(of_person(core, viewer, profile))
    return told


@post("/api/profiles/{profile:str}/household", opt={"roles": DECIDE}, status_code=200, sync_to_thread=True)
def decide_household(
    core: Core, viewer: Asking, profile: FromPath[str], data: JSONBody[dict[str, Any]]
) -> dict[str, Any]:
    """Decide on a person's household, of `roles` buyer, user, payer; nobody is merged. Shows after the next refresh.

    `{"with": "user_id:1042"}` puts them together; `{"what": "roles" | "alone" | "as_known"}` keeps them where they
    are, out of every household, or where family account and address put them.
    """
    roles, other, what = data.get("roles", []), data.get("with"), data.get("what")
    if not isinstance(roles, list) or not all(isinstance(each, str) for each in roles):
        raise Unacceptable("`roles` is a list of texts", help='send {"with": "user_id:1042", "roles": ["payer"]}')
    if isinstance(other, str) and other.strip():
        return {"household": join(core, viewer, profile, other, roles)}
    if what not in ("roles", "alone", "as_known"):
        raise Unacceptable(
            "neither `with` nor `what` is told", help='send {"with": "user_id:1042"} or {"what": "alone"}'
        )
    decide(core, viewer, profile, what, roles)
    return {"household": None}


ROUTES = [show_household, show_household_of, decide_household]
