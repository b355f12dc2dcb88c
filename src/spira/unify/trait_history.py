"""Trait history: what a person's traits were at any instant, and which telling made them so.

Reads   `trait_facts`, `moved`, and the vault's masks

A telling comes into force when nothing that was told before it has a higher priority; it stays in force
until the next one that does. At one instant the later event wins. So the value at an instant is the one that
`unify.profiles` would have written of the tellings before it, and a telling that comes late, or is
replayed, takes the place that its own time gives it. Whose tellings they are is asked of today: what an
identifier told before it was tied to the person is theirs as well. What Spira works out by itself (OWN_TRAITS)
is not told and has no history here.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from spira.collect.tracking import OWN_TRAITS, PropertyType
from spira.kernel.errors import NotFound
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.storage.vault import Vault
from spira.storage.warehouse import Row, Warehouse
from spira.unify import masks
from spira.unify.people import locate
from spira.unify.portrait import says
from spira.unify.subjects import OURS

TELLINGS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One telling of a trait, with what became of it."""

    shown: str | None = says("the value, masked if it is a contact value; none when it was taken back")
    at: datetime = says("when it was told, by the event's own time")
    source: str = says("by which source")
    priority: int = says("how far that source is believed; the higher wins")
    counted: bool = says("whether it came into force; not when a source of higher priority had told before")
    until: datetime | None = says("when the next one took its place; none for the one in force, and one that never was")


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitThen:
    """A trait as it was at an instant."""

    name: str = says("the trait's name")
    type: PropertyType = says("its type by the tracking plan; text for one that is not declared")
    shown: str = says("its value then, masked if it is a contact value")
    at: datetime = says("when that had been told")
    source: str = says("by which source")
    priority: int = says("how far that source is believed")


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitsThen:
    """All traits of a person as they were at an instant."""

    id: str = says("the profile")
    as_of: datetime | None = says("the instant, what was told before it counts; none for now")
    traits: tuple[TraitThen, ...] = says("the traits that had a value, by name")


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitStory:
    """One trait of a person through time."""

    id: str = says("the profile")
    name: str = says("the trait's name")
    type: PropertyType = says("its type by the tracking plan; text for one that is not declared")
    as_of: datetime | None = says("the instant that `shown` speaks of; none for now")
    shown: str | None = says("its value then, masked if it is a contact value; none when it had none")
    tellings: tuple[Telling, ...] = says(f"every telling before that instant, newest first, at most {TELLINGS}")
    more: int = says("how many older tellings there are besides")


def traits_then(
    warehouse: Warehouse, vault: Vault, viewer: Viewer, profile_id: int, *, types: Mapping[str, PropertyType],
    as_of: datetime | None = None,
) -> TraitsThen:  # fmt: skip
    """Every trait of a person as it was just before `as_of`, or is now; masked; NotFound for one not to be seen."""
    profile = locate(warehouse, viewer, profile_id)
    facts = warehouse.query(_FACTS, {"profile": profile, "as_of": as_of, "name": None, "own": list(OWN_TRAITS)})
    standing = [max(told, key=_force) for _, told in groupby(facts, key=_name)]
    shown = masks.seen(vault, viewer, (fact[3] for fact in standing), clear=False)
    then = tuple(
        TraitThen(name=fact[0], type=types.get(fact[0], "text"), shown=text, at=fact[4], source=fact[5],
                  priority=fact[6])
        for fact in standing if (text := _text(fact, shown)) is not None
    )  # fmt: skip
    return TraitsThen(id=show_profile(profile), as_of=as_of, traits=then)


def trait_story(
    warehouse: Warehouse, vault: Vault, viewer: Viewer, profile_id: int, name: str, *,
    types: Mapping[str, PropertyType], as_of: datetime | None = None,
) -> TraitStory:  # fmt: skip
    """One trait through time, as it was told before `as_of`, or till now; masked; NotFound for one never told."""
    profile = locate(warehouse, viewer, profile_id)
    asked = {"profile": profile, "as_of": as_of, "name": name, "own": list(OWN_TRAITS)}
    facts = warehouse.query(_FACTS, asked)
    if not facts:
        raise NotFound(
            f"nobody told the trait `{name[:60]}` of this person before that instant",
            help="look at `traits` of the person, or ask for a later instant",
        )
    shown = masks.seen(vault, viewer, (fact[3] for fact in facts), clear=False)
    told = list(_tellings(facts, shown))
    now = next(each for each in reversed(told) if each.counted)
    return TraitStory(
        id=show_profile(profile), name=name, type=types.get(name, "text"), as_of=as_of, shown=now.shown,
        tellings=tuple(reversed(told))[:TELLINGS], more=max(0, len(told) - TELLINGS),
    )  # fmt: skip


def _tellings(facts: list[Row], shown: Mapping[str, str]) -> Iterator[Telling]:
    """The tellings of one trait, oldest first, each with what became of it."""
    best, counted = None, []
    for fact in facts:
        counted.append(best is None or fact[6] >= best)
        best = fact[6] if best is None else max(best, fact[6])
    ends = _ends(zip(facts, counted, strict=True))
    for fact, counts, until in zip(facts, counted, ends, strict=True):
        yield Telling(
            shown=_text(fact, shown), at=fact[4], source=fact[5], priority=fact[6], counted=counts, until=until
        )


def _ends(told: Iterable[tuple[Row, bool]]) -> list[datetime | None]:
    """When each telling was replaced: the instant of the next one that counted."""
    ends: list[datetime | None] = []
    following: datetime | None = None
    for fact, counts in reversed(list(told)):
        ends.append(following if counts else None)
        following = fact[4] if counts else following
    return ends[::-1]


def _name(fact: Row) -> str:
    return str(fact[0])


def _force(fact: Row) -> tuple[int, datetime, int]:
    return fact[6], fact[4], fact[1]


def _text(fact: Row, shown: Mapping[str, str]) -> str | None:
    value: str | None = fact[2]
    return value if fact[3] is None else shown.get(fact[3], masks.HIDDEN)


_FACTS = f"""
with {OURS}
select name, event_id, value, vault_key, ts, source, priority from trait_facts
where subject_id in (select subject_id from ours) and ($as_of::timestamp is null or ts < $as_of)
  and ($name::varchar is null or name = $name) and name not in (select unnest($own::varchar[]))
order by name, ts, event_id
"""
