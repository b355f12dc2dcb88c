"""The review queue: who is likely one person, side by side, as far as the one who asks may see them.

Reads   `match_candidates`, `match_runs`, `moved`, `identifiers`, `identity_ruled`, `identity_kinds`, `profiles`,
        `traits`, `consents`, and the vault by way of `unify.masks`

In the queue is every pair whose two are still two, that staff have not spoken of, whom it is likely that they are
one: those too faint to be joined unasked, and those that are sure enough but that a unique kind keeps apart. What
somebody could not tell, or waits for a second reviewer, comes to that person last.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple

from spira.kernel.errors import NotFound
from spira.kernel.ids import BadId, read_profile, show_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.vault import Vault
from spira.storage.warehouse import Row, Warehouse
from spira.unify import masks, people
from spira.unify.kinds import is_contact
from spira.unify.matching.fields import slug, told_of
from spira.unify.matching.reviews import Pair
from spira.unify.personal import is_below
from spira.unify.portrait import PersonRow, says
from spira.unify.subjects import OF_EACH

PAGE = 20
CHILD = 14  # years below which the law takes everything for sensitive
BORN = ("birth_date", "birthday", "date_of_birth")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """Two who are likely one person."""

    pair: str = says("the pair's id, two p_ ids of identifiers with a dot between them")
    weight: float = says("log2 of the odds that they are one")
    probability: float = says("the same as a probability")
    one: PersonRow | None = says("the one; none for a person without an event")
    two: PersonRow | None = says("the other")
    kept_apart: bool = says("whether they would have been joined, did not unique identifiers contradict that")
    sensitive: bool = says("whether either has an identity card, sensitive consent or is a child")
    needed: int = says("how many of the staff must say the same")
    said: Mapping[str, int] = says("what was said so far, by how many")
    mine: str | None = says("what the viewer said of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """What one comparison of a field says."""

    about: str = says("given, family, birth_date, phone, rest, area, number…")
    level: str | None = says("how alike the two are in it, as a name; none where one of them lacks it")
    bits: float = says("what that adds to the weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """One field of both, side by side."""

    name: str = says("the trait")
    one: str | None = says("what the one told, masked if it is a contact value")
    two: str | None = says("what the other told")
    bits: float = says("what the field adds to the weight")
    parts: tuple[PartView, ...] = says("the comparisons it is made of")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldView:
    """An identifier of one of the two."""

    kind: str = says("user_id, phone, email…")
    shown: str = says("its value, masked if it is a contact value")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPair:
    """One pair in full."""

    row: ReviewRow = says("the pair as the queue lists it")
    start: float = says("the weight before anything is compared: how rare it is that two are one")
    fields: tuple[FieldView, ...] = says("what both told, field by field")
    held_one: tuple[HeldView, ...] = says("the identifiers of the one")
    held_two: tuple[HeldView, ...] = says("the identifiers of the other")
    rule: str = says("by which model: matching and its name")
    model: str = says("the model's version")
    found_at: datetime = says("when the pair was found")
    clear: bool = says("whether contact values are in clear")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The last run of the matching."""

    run_at: datetime = says("when it was")
    everyone: bool = says("whether all people were matched with all")
    records: int = says("how many people there were to match")
    pairs: int = says("how many pairs it kept")
    joining: int = says("how many pairs join by themselves")
    seconds: float = says("how long it took")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The queue as it stands for one viewer."""

    waiting: int = says("how many pairs wait")
    rows: tuple[ReviewRow, ...] = says("the first of them, or those of a page: the surest first")
    next: int | None = says("where the next page begins; none on the last one")
    last: LastRun | None = says("the last run; none before the first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One pair as the warehouse has it."""

    subjects: tuple[int, int]
    keys: Pair
    profiles: tuple[int, int]
    weight: float
    joins: bool
    fields: str
    rule: str
    model: str
    found_at: datetime

    @property
    def pair(self) -> str:
        """The pair's id: two p_ ids of identifiers with a dot between them."""
        return ".".join(map(show_profile, self.subjects))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was said of pairs, and what it takes: by the two HMACs."""

    said: Mapping[Pair, Mapping[str, int]]
    mine: Mapping[Pair, str]
    reviewers: str
    hashed: Collection[str]
    today: date


class Page(NamedTuple):
    """A page of the pairs that wait, as the warehouse has it; `begins` and ends among all that the viewer may see."""

    found: list[Candidate]
    begins: int
    waiting: int  # how many there are on all pages
    is_last: bool


def page(warehouse: Warehouse, viewer: Viewer, standing: Standing, *, start: int = 0) -> Page:
    """The pairs that wait from `start` on, as far as the viewer may see both people; last those the viewer judged."""
    people.require(viewer)
    mine = list(standing.mine)
    asked = {
        "mine_one": [one for one, _ in mine],
        "mine_two": [two for _, two in mine],
        "start": start,
        "limit": PAGE + 1,
    }
    rows = _ask(warehouse, viewer, _QUEUE, asked)
    many = rows[0][-1] if rows else waiting(warehouse, viewer) if start else 0
    return Page([_candidate(row) for row in rows[:PAGE]], start, many, len(rows) <= PAGE)


def queue(warehouse: Warehouse, vault: Vault, viewer: Viewer, standing: Standing, page: Page) -> Queue:
    """What a page shows of its pairs."""
    last = warehouse.rows(_LAST)
    return Queue(
        waiting=page.waiting,
        rows=_rows(warehouse, vault, viewer, standing, page.found),
        next=None if page.is_last else page.begins + PAGE,
        last=LastRun(**last[0]) if last else None,
    )


def waiting(warehouse: Warehouse, viewer: Viewer) -> int:
    """How many pairs of people whom the viewer may see wait."""
    return int(_ask(warehouse, viewer, _WAITING, {})[0][0])


def find(warehouse: Warehouse, viewer: Viewer, pair: str) -> Candidate:
    """A pair that waits, by its id; NotFound for one that does not, or whose people the viewer may not see."""
    people.require(viewer)
    rows: list[Row] = []
    with suppress(BadId, ValueError):
        one, two = sorted(read_profile(each) for each in pair.strip().split("."))
        rows = _ask(warehouse, viewer, _ONE, {"one": one, "two": two})
    if not rows:
        raise NotFound("no such pair waits", help="it may have been decided, or matched anew: look at the queue")
    return _candidate(rows[0])


def _ask(warehouse: Warehouse, viewer: Viewer, sql: str, asked: Mapping[str, Any]) -> list[Row]:
    """The rows of a statement over the pairs that wait, of which the viewer may see both people."""
    scope, bound = ("", {}) if viewer.units is None else (_SCOPE, bound_units(viewer))
    return warehouse.query(sql.format(open=_OPEN.format(scope=scope)), {**bound, **asked})


def in_full(
    warehouse: Warehouse,
    vault: Vault,
    viewer: Viewer,
    standing: Standing,
    found: Candidate,
    *,
    traits: Mapping[str, Sequence[str]],
    row: Callable[[], ReviewRow | None] = lambda: None,
    on_show: Callable[[str], object] | None = None,
) -> ReviewPair:
    """One pair, field by field; in clear only with `on_show`, which is told of both, for a role that may see it.

    `traits` says of each column which traits it is taken from, the first that was told; `row` gives the pair's own of
    the queue, for one who has it, and is asked last.
    """
    clear = on_show is not None and viewer.unmasks
    profiles = list(found.profiles)
    told = {(who, name): (value, key) for who, name, value, key in warehouse.query(_TRAITS, {"profiles": profiles})}
    held = warehouse.query(_HELD, {"profiles": profiles})
    keys = [key for _, key in told.values() if key] + [row[2] for row in held if row[3] is None or is_contact(row[1])]
    shown = masks.seen(vault, viewer, keys, clear=clear)
    if clear and on_show is not None:
        for each in profiles:
            on_show(show_profile(each))

    def say(profile: int, column: str) -> str | None:
        for name in traits.get(column, (column,)):
            value, key = told.get((profile, name), (None, None))
            if value is not None or key is not None:
                return value if value is not None else shown.get(key or "", masks.HIDDEN)
        own = [row for row in held if row[0] == profile and row[1] in traits.get(column, (column,))]
        return _held(own[0], shown).shown if own else None

    parts = told_of(found.fields)
    made = []
    for column, several in groupby(parts, key=lambda part: part[0]):
        views = tuple(PartView(about=about, level=slug(level), bits=bits) for _, about, level, bits in several)
        one, two = (say(each, column) for each in profiles)
        made.append(FieldView(name=column, one=one, two=two, bits=round(sum(v.bits for v in views), 2), parts=views))
    return ReviewPair(
        row=row() or _rows(warehouse, vault, viewer, standing, [found])[0],
        start=round(found.weight - sum(bits for *_, bits in parts), 2),
        fields=tuple(made),
        held_one=tuple(_held(row, shown) for row in held if row[0] == profiles[0]),
        held_two=tuple(_held(row, shown) for row in held if row[0] == profiles[1]),
        rule=found.rule,
        model=found.model,
        found_at=found.found_at,
        clear=clear,
    )


def is_sensitive(warehouse: Warehouse, profiles: Sequence[int], hashed: Collection[str], today: date) -> set[int]:
    """Those of `profiles` of whom more is at stake: an identity card, consent to sensitive use, or a child."""
    marked = {who for (who,) in warehouse.query(_SENSITIVE, {"profiles": list(profiles), "hashed": sorted(hashed)})}
    born = warehouse.query(_BORN, {"profiles": list(profiles), "born": list(BORN)})
    return marked | {who for who, day in born if is_below(day, CHILD, today)}


def needed(reviewers: str, *, sensitive: bool) -> int:
    """How many of the staff must say the same."""
    return 2 if reviewers == "two" or (reviewers == "sensitive" and sensitive) else 1


def _rows(
    warehouse: Warehouse, vault: Vault, viewer: Viewer, standing: Standing, found: Sequence[Candidate]
) -> tuple[ReviewRow, ...]:
    profiles = sorted({each for one in found for each in one.profiles})
    seen: dict[int, PersonRow] = {read_profile(row.id): row for row in people.rows(warehouse, vault, viewer, profiles)}
    marked = is_sensitive(warehouse, profiles, standing.hashed, standing.today)
    return tuple(_row(each, seen, marked, standing) for each in found)


def _row(found: Candidate, seen: Mapping[int, PersonRow], marked: set[int], standing: Standing) -> ReviewRow:
    sensitive = not marked.isdisjoint(found.profiles)
    return ReviewRow(
        pair=found.pair,
        weight=round(found.weight, 2),
        probability=round(1 / (1 + 2 ** -min(max(found.weight, -60.0), 60.0)), 6),
        one=seen.get(found.profiles[0]),
        two=seen.get(found.profiles[1]),
        kept_apart=found.joins,
        sensitive=sensitive,
        needed=needed(standing.reviewers, sensitive=sensitive),
        said=dict(standing.said.get(found.keys, {})),
        mine=standing.mine.get(found.keys),
    )


def _candidate(row: Row) -> Candidate:
    one, two, one_key, two_key, mine, theirs, weight, joins, fields, rule, model, found_at = row[:12]
    return Candidate(
        subjects=(one, two),
        keys=(min(one_key, two_key), max(one_key, two_key)),
        profiles=(mine, theirs),
        weight=weight,
        joins=joins,
        fields=fields,
        rule=rule,
        model=model,
        found_at=found_at,
    )


def _held(row: Row, shown: Mapping[str, str]) -> HeldView:
    _, kind, key, value = row
    text: Any = value if value is not None and not is_contact(kind) else shown.get(key, masks.HIDDEN)
    return HeldView(kind=kind, shown=text)


_OPEN = """
placed as (
    select pair.subject_id, pair.other_id, one.subject_key as one_key, other.subject_key as other_key,
           coalesce(mine.profile_id, pair.subject_id) as one_profile,
           coalesce(theirs.profile_id, pair.other_id) as other_profile,
           weight, coalesce(weight >= join_at, false) as joins, fields, pair.rule, model, found_at
    from match_candidates pair
    join identifiers one on one.subject_id = pair.subject_id
    join identifiers other on other.subject_id = pair.other_id
    left join moved mine on mine.subject_id = pair.subject_id
    left join moved theirs on theirs.subject_id = pair.other_id
), ruled as (
    select coalesce(mine.profile_id, said.subject_id) as one, coalesce(theirs.profile_id, said.other_id) as other
    from identity_ruled said
    left join moved mine on mine.subject_id = said.subject_id
    left join moved theirs on theirs.subject_id = said.other_id
    where said.says in ('different', 'cut') and said.other_id is not null
), waiting as (
    select placed.* from placed anti join ruled
        on least(one, other) = least(one_profile, other_profile)
        and greatest(one, other) = greatest(one_profile, other_profile)
    where one_profile <> other_profile {scope}
    qualify row_number() over (
        partition by least(one_profile, other_profile), greatest(one_profile, other_profile)
        order by weight desc, subject_id, other_id) = 1
)
"""
# Of whom a viewer who is bound to units sees both; for others it is not planned.
_SCOPE = """
      and 2 = (select count(*) from profiles
               where profile_id in (one_profile, other_profile) and list_contains($units::bigint[], unit_id))
"""
_QUEUE = """
with {open}, mine as (
    select unnest($mine_one::varchar[]) as one, unnest($mine_two::varchar[]) as two
)
select waiting.*, count(*) over () as waiting from waiting
left join mine on mine.one = least(one_key, other_key) and mine.two = greatest(one_key, other_key)
order by mine.one is not null, weight desc, subject_id, other_id
limit $limit offset $start
"""
_ONE = "with {open} select * from waiting where subject_id = $one and other_id = $two"
_WAITING = "with {open} select count(*) from waiting"
_LAST = "select run_at, everyone, records, pairs, joining, seconds from match_runs order by run_at desc limit 1"
_TRAITS = """
select profile_id, name, value, vault_key from traits where profile_id in (select unnest($profiles::bigint[]))
"""
_HELD = f"""
with {OF_EACH}
select profile_id, kind, subject_key, value
from ours join identifiers using (subject_id) left join identity_kinds using (kind)
qualify row_number() over (partition by profile_id order by rank nulls last, first_seen desc, subject_id) <= 8
order by profile_id, rank nulls last, first_seen desc, subject_id
"""
_SENSITIVE = f"""
with {OF_EACH}
select profile_id from consents where separate and said and profile_id in (select unnest($profiles::bigint[]))
union
select profile_id from ours join identifiers using (subject_id) where kind in (select unnest($hashed::varchar[]))
"""
_BORN = """
select profile_id, value from traits
where name in (select unnest($born::varchar[])) and value is not null
  and profile_id in (select unnest($profiles::bigint[]))
"""
