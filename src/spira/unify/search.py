"""Search of people: whom a text names and why, who begins with a letter, and who was seen lately.

Reads   `profiles`, `identifiers`, `moved`, `traits`, `tags`, the vault's blind indexes, and what `listing` reads

What is searched is never stored in clear: a text is looked for by its HMAC, the beginning of a
name by the mark of its first letter and then among those that bear it. Everything stays within
the viewer's people, and masked.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from spira.collect.identifier_rules import BUILT_IN, IdentifierRule
from spira.kernel.errors import NotFound
from spira.kernel.ids import read_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.keys import Keys
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import people
from spira.unify.listing import Beside, Wanted, beside
from spira.unify.portrait import PersonRow, says
from spira.unify.subjects import IDS, by_keys

PAGE = 30
SAME_LETTER = 2_000  # names of one kind that begin alike and are looked through; more need a longer text
LIFECYCLE = "lifecycle"
NO_MORE = Wanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPerson(PersonRow):
    """One person in the answer of a search."""

    matched: str | None = says("what the text was found as: a kind of identifier, a trait, or id; none without a text")
    lifecycle: str | None = says("the value of the tag `lifecycle`, where there is one")
    beside: Beside = says("what a list says of them beside: masked contact values, last purchase, tags")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPeople:
    """A page of people."""

    people: tuple[FoundPerson, ...] = says("who they are")
    next: str | None = says("where the next page begins; none on the last")


def search(
    warehouse: Warehouse,
    vault: Vault,
    viewer: Viewer,
    text: str,
    *,
    keys: Keys,
    wanted: Wanted = NO_MORE,
    rules: Mapping[str, IdentifierRule] = BUILT_IN,
) -> FoundPeople:
    """The people that a text names exactly; if there are none, those whose name begins so.

    `rules` are the kinds of identifiers as the workspace declares them.
    """
    text = text.strip()
    found = people.find(warehouse, vault, viewer, text, keys=keys, rules=rules) if text else []
    sought: Mapping[str, str] = people.sought(vault, text, keys=keys, rules=rules) if found else {}
    if not found and text and ":" not in text:
        sought = _beginning(vault, text)
        chosen = _named(warehouse, viewer, list(sought))
        found = people.rows(warehouse, vault, viewer, chosen)
    more = beside(warehouse, vault, viewer, [read_profile(each.id) for each in found], wanted)
    return FoundPeople(people=_told(warehouse, found, sought, more), next=None)


def recent(
    warehouse: Warehouse, vault: Vault, viewer: Viewer, *, before: str | None = None, wanted: Wanted = NO_MORE
) -> FoundPeople:
    """The viewer's people, those seen last first; `before` is the `next` of the page before."""
    people.require(viewer)
    seen, after = _place(before)
    asked = {**bound_units(viewer), "seen": seen, "after": after}
    rows = warehouse.query(_RECENT, asked | {"limit": PAGE + 1})
    shown = people.rows(warehouse, vault, viewer, [profile for profile, _ in rows[:PAGE]])
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    more = beside(warehouse, vault, viewer, [read_profile(each.id) for each in shown], wanted)
    return FoundPeople(
        people=_told(warehouse, shown, {}, more),
        next=None if last is None else f"{last[1].isoformat()}~{last[0]}",
    )


def _place(before: str | None) -> tuple[datetime | None, int | None]:
    if before is None:
        return None, None
    seen, _, profile = before.partition("~")
    try:
        return datetime.fromisoformat(seen), int(profile)
    except ValueError:
        raise NotFound("there is no such page of people", help="begin at the first page") from None


def _beginning(vault: Vault, text: str) -> dict[str, str]:
    """The keys of names that begin with a text, with the trait that each is."""
    found: dict[str, str] = {}
    start = text.casefold()
    for name in people.NAMES:
        keys = vault.find_by_initial(name, text, limit=SAME_LETTER)
        opened = vault.open(keys) if len(start) > 1 else dict.fromkeys(keys, start)
        found |= {key: name for key, value in opened.items() if value.strip().casefold().startswith(start)}
    return found


def _named(warehouse: Warehouse, viewer: Viewer, keys: Sequence[str]) -> list[int]:
    if not keys:
        return []
    asked = {**bound_units(viewer), "keys": keys, "limit": people.LIST}
    return [profile for (profile,) in warehouse.query(_BY_TRAIT, asked)]


def _told(
    warehouse: Warehouse, found: Sequence[PersonRow], wanted: Mapping[str, str], more: Mapping[int, Beside]
) -> tuple[FoundPerson, ...]:
    if not found:
        return ()
    profiles = [read_profile(each.id) for each in found]
    matched: dict[int, str] = {}
    if wanted:
        for profile, key in warehouse.query(_MATCHED, {"profiles": profiles, **by_keys(wanted)}):
            matched.setdefault(profile, wanted[key])
    states: dict[int, str] = {}
    if LIFECYCLE in warehouse.columns("tags"):
        states = dict(warehouse.query(_LIFECYCLES, {"profiles": profiles}))
    return tuple(
        FoundPerson(
            id=each.id,
            name=each.name,
            number=each.number,
            unit_id=each.unit_id,
            first_seen=each.first_seen,
            last_seen=each.last_seen,
            matched=matched.get(profile, "id" if wanted else None),
            lifecycle=states.get(profile),
            beside=more[profile],
        )
        for profile, each in zip(profiles, found, strict=True)
    )


_RECENT = """
select profile_id, last_seen from profiles
where ($units::bigint[] is null or list_contains($units, unit_id))
  and ($seen::timestamp is null or last_seen < $seen or (last_seen = $seen and profile_id > $after))
order by last_seen desc, profile_id
limit $limit
"""
_BY_TRAIT = """
select profile_id from profiles
where profile_id in (select profile_id from traits where vault_key in (select unnest($keys::varchar[])))
  and ($units::bigint[] is null or list_contains($units, unit_id))
order by last_seen desc, profile_id
limit $limit
"""
_MATCHED = f"""
with {IDS}, away as (
    select subject_id, profile_id from moved semi join ids using (subject_id)
)
select coalesce(away.profile_id, subject_id) as profile_id, subject_key
from ids left join away using (subject_id)
where coalesce(away.profile_id, subject_id) in (select unnest($profiles::bigint[]))
union all
select profile_id, vault_key from traits
where vault_key in (select unnest($keys::varchar[])) and profile_id in (select unnest($profiles::bigint[]))
"""
_LIFECYCLES = """
select profile_id, lifecycle::varchar from tags where profile_id in (select unnest($profiles::bigint[]))
"""
