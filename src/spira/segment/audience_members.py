"""Members: who is in an audience, and who came and went, page by page, for those who may see people.

Reads   `members`, `membership_changes`, `profiles`, and what names a person

People outside the viewer's units are as if they were not; names come masked.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from spira.kernel.errors import NotFound
from spira.kernel.ids import BadId, read_profile, show_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import people
from spira.unify.listing import Beside, Wanted, beside
from spira.unify.portrait import PersonRow, says


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person in an audience."""

    person: PersonRow = says("who")
    since: datetime = says("since when")
    beside: Beside = says("what a list says of them beside: masked contact values, last purchase")


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """A page of members, the latest first."""

    rows: tuple[Member, ...] = says("the members")
    next: str | None = says("where the next page begins; null on the last")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entering or leaving."""

    person: PersonRow = says("who")
    entered: bool = says("whether they entered; else they left")
    at: datetime = says("when")


def members(
    lane: Warehouse, vault: Vault, viewer: Viewer, audience: str, *, limit: int, before: str | None = None
) -> Members:
    """A page of an audience's members; NotAllowed for one who sees aggregates only."""
    people.require(viewer)
    since, after = _place(before)
    asked = {"audience": audience, "since": since, "after": after, "limit": limit + 1, **bound_units(viewer)}
    found = lane.query(_MEMBERS, asked)
    asked_for = [profile for profile, _ in found[:limit]]
    shown = {row.id: row for row in people.rows(lane, vault, viewer, asked_for)}
    more_of = beside(lane, vault, viewer, asked_for, Wanted(orders=True))
    rows = [
        Member(person=shown[show_profile(profile)], since=at, beside=more_of[profile])
        for profile, at in found[:limit]
        if show_profile(profile) in shown
    ]
    more = len(found) > limit
    last = found[limit - 1] if more else None
    return Members(rows=tuple(rows), next=f"{last[1].isoformat()}~{show_profile(last[0])}" if last else None)


def changes(lane: Warehouse, vault: Vault, viewer: Viewer, audience: str, *, limit: int) -> tuple[Change, ...]:
    """The latest enterings and leavings."""
    people.require(viewer)
    found = lane.query(_CHANGES, {"audience": audience, "limit": limit, **bound_units(viewer)})
    names = list(dict.fromkeys(profile for profile, _, _ in found))
    shown = {row.id: row for row in people.rows(lane, vault, viewer, names)}
    return tuple(
        Change(person=shown[show_profile(profile)], entered=entered, at=at)
        for profile, entered, at in found
        if show_profile(profile) in shown
    )


def member_since(lane: Warehouse, audience: str, profile_id: int) -> datetime | None:
    """Since when a person is in; None for one who is not."""
    found: datetime | None = lane.value(_SINCE, {"audience": audience, "profile": profile_id})
    return found


def _place(before: str | None) -> tuple[datetime | None, int | None]:
    if not before:
        return None, None
    since, _, profile = before.partition("~")
    try:
        return datetime.fromisoformat(since), read_profile(profile)
    except (ValueError, BadId):
        raise NotFound("there is no such page of members", help="begin at the first page") from None


_MEMBERS = """
select profile_id, since from members join profiles using (profile_id)
where audience = $audience and ($units::bigint[] is null or list_contains($units, unit_id))
  and ($since::timestamp is null or since < $since or (since = $since and profile_id > $after))
order by since desc, profile_id limit $limit
"""
_CHANGES = """
select profile_id, entered, change."at" from membership_changes as change join profiles using (profile_id)
where audience = $audience and ($units::bigint[] is null or list_contains($units, unit_id))
order by change."at" desc, change_id desc limit $limit
"""
_SINCE = "select since from members where audience = $audience and profile_id = $profile"
