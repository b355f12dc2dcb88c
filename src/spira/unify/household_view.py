"""Household view: who belongs to one household, by what and in which roles, as a viewer may see it.

Reads   `households`, and what a list of people reads

Housemates whom the viewer may not see are counted and not named. A household is not a person: it has
no identifiers, no consent and no messages of its own.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from spira.collect.envelope import OwnEvent
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.ids import new_id, show_profile
from spira.kernel.viewer import Viewer
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import people
from spira.unify.households import EVENT, ROLES, Role
from spira.unify.portrait import PersonRow, says

SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """One person of a household."""

    person: PersonRow = says("who, masked")
    basis: str = says("by what they belong to it: staff, account (a family account) or address")
    roles: tuple[Role, ...] = says("buyer, user, payer: as staff said, else as the trait family_role tells")
    since: datetime = says("since when that is known")


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdView:
    """People who live or pay together."""

    household: str | None = says("its id, h_ and more; none when the person belongs to none")
    holds: bool = says("whether it counts: two people at least, and not so many that it is an office")
    size: int = says("how many people belong to it")
    members: tuple[MemberView, ...] = says(f"those whom the viewer may see, by role, at most {SHOWN}")
    hidden: int = says("how many more there are whom the viewer may not see, or beyond the most that are shown")


def household(warehouse: Warehouse, vault: Vault, viewer: Viewer, home: str) -> HouseholdView:
    """A household by its id; NotFound when the viewer may see nobody of it."""
    people.require(viewer)
    rows = warehouse.query(_MEMBERS, {"household": home})
    shown = {row.id: row for row in people.rows(warehouse, vault, viewer, [row[0] for row in rows])}
    members = tuple(
        MemberView(
            person=shown[show_profile(who)],
            basis=basis,
            roles=tuple(role for role in ROLES if role in (roles or "").split(",")),
            since=since,
        )
        for who, basis, roles, since, _ in rows
        if show_profile(who) in shown
    )
    if not members:
        raise NotFound(f"there is no household `{home[:40]}`", help="open it from the page of one of its people")
    kept = members[:SHOWN]
    return HouseholdView(
        household=home, holds=bool(rows[0][4]), size=len(rows), members=kept, hidden=len(rows) - len(kept)
    )


def of_person(warehouse: Warehouse, vault: Vault, viewer: Viewer, profile_id: int) -> HouseholdView:
    """The household of a person; one with nobody in it when they belong to none."""
    profile = people.locate(warehouse, viewer, profile_id)
    home = warehouse.value(_OF_PERSON, {"profile": profile})
    if home is None:
        return HouseholdView(household=None, holds=False, size=0, members=(), hidden=0)
    return household(warehouse, vault, viewer, home)


def joined(warehouse: Warehouse, profiles: Iterable[int]) -> tuple[str, list[int]]:
    """The household for people whom staff put together, and which of them have yet to be put into it.

    It is the one that staff made for the first of them who has such a one, else a new one.
    """
    listed = list(dict.fromkeys(profiles))
    if len(listed) < 2:
        raise Conflict("a household has two people at least", help="name somebody else than the person themselves")
    homes: dict[int, str] = dict(warehouse.query(_BY_STAFF, {"profiles": listed}))
    home = next((homes[each] for each in listed if each in homes), None) or new_id("h")
    return home, [each for each in listed if homes.get(each) != home]


def decision(profile: int, home: str, roles: Iterable[str], *, staff_id: str, at: datetime) -> OwnEvent:
    """What staff decide of one person, as an event; it lies just before `at`, so that a refresh as of `at` counts it.

    `home` is a household, `-` for none, or empty for what account and address say.
    """
    asked = set(roles)
    if unknown := asked.difference(ROLES):
        raise Conflict(f"`{min(unknown)[:40]}` is no role", help=f"the roles are {', '.join(ROLES)}")
    told = {"household": home, "staff_id": staff_id}
    if asked:
        told["household_role"] = ",".join(role for role in ROLES if role in asked)
    return OwnEvent(
        message_id=new_id("home"),
        event=EVENT,
        at=at - timedelta(milliseconds=1),
        subject_id=profile,
        properties=told,
    )


_OF_PERSON = "select household from households where profile_id = $profile"
_MEMBERS = """
select profile_id, basis, roles, since, holds from households
where household = $household
order by coalesce(contains(roles, 'payer'), false) desc, coalesce(contains(roles, 'buyer'), false) desc, profile_id
"""
_BY_STAFF = """
select profile_id, household from households
where basis = 'staff' and profile_id in (select unnest($profiles::bigint[]))
"""
