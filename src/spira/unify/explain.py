"""Explain: why these identifiers are one person, link by link.

Reads   `identifiers`, `links`, `match_candidates`, `moved`, `profile_events`, and the vault

The weakest link is the one with the least behind it: a probable match, then both ends anonymous, then one
user id, then two; among equals the latest. Links that were seen but join nothing are shown, with what staff decided of
them and with the conflicts that keep people apart.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.vault import Vault
from spira.storage.warehouse import Row, Warehouse
from spira.unify import conflicts, masks
from spira.unify.conflicts import ConflictView
from spira.unify.kinds import USER_ID, is_contact
from spira.unify.matching.fields import slug, told_of
from spira.unify.people import locate
from spira.unify.portrait import says
from spira.unify.subjects import OURS

LIKELY = "likely"
TIES = {0: "weak", 1: "fair", 2: "strong"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """One identifier in the graph."""

    node: int = says("its number within this graph")
    id: str = says("its own p_ id, which decisions may name")
    kind: str = says("user_id, anonymous_id, email…")
    shown: str = says("the value, masked if it is a contact value, hidden if it is of a person the viewer may not see")
    mine: bool = says("whether it belongs to the person; else it was only seen with one that does")
    first_seen: datetime = says("when it was first seen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What one comparison of a probable match says."""

    field: str = says("the trait that was compared")
    about: str = says("given, family, birth_date, phone, rest, area, number…")
    level: str | None = says("how alike the two are in it; none where one of them lacks it")
    bits: float = says("what that adds to the weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """One piece of evidence that two identifiers are the same person."""

    one: int = says("a node")
    two: int = says("the other node")
    rule: str = says("what made the link: event, identify, alias…")
    event: str | None = says("the earliest event that showed both")
    ts: datetime = says("when that was")
    source: str = says("which source told it")
    strength: str = says("likely: a probable match; weak: no user id; fair: one user id; strong: two")
    joins: bool = says("whether it joins them; not when the identifier is shared with another person")
    decided: str | None = says("what staff said of the two: same, different or cut; none when nobody said anything")
    weight: float | None = says("of a probable match log2 of the odds; none for others")
    model: str | None = says("the version of the model that weighed it")
    fields: tuple[Weighed, ...] = says("what each field says for or against that the two are one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What staff said of two identifiers of the graph."""

    decision: str = says("its id, to be taken back by")
    verdict: str = says("same, different or cut")
    one: int = says("a node")
    two: int = says("the other node")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a profile is one person."""

    id: str = says("the profile")
    nodes: tuple[NodeView, ...] = says("its identifiers, and those seen with them that belong to another")
    links: tuple[LinkView, ...] = says("the evidence, oldest first")
    weakest: LinkView | None = says("the joining link with the least behind it; none when there is one identifier")
    decisions: tuple[Decided, ...] = says("what staff decided of these identifiers, and how to take it back")
    conflicts: tuple[ConflictView, ...] = says("where their evidence contradicts that of others, or itself")


def explain(warehouse: Warehouse, vault: Vault, viewer: Viewer, profile_id: int) -> Explanation:
    """The graph of identifiers and links of one person, masked; NotFound for one whom the viewer may not see."""
    profile = locate(warehouse, viewer, profile_id)
    found = [(*row, None, None, None) for row in warehouse.query(_LINKS, {"profile": profile})]
    found = sorted([*found, *warehouse.query(_MATCHES, {"profile": profile})], key=lambda row: (row[4], row[0], row[1]))
    ruled = warehouse.query(_RULED, {"profile": profile})
    ends = sorted({profile, *(end for one, two, *_ in (*found, *ruled) for end in (one, two))})
    ends += [each for (each,) in warehouse.query(_REST, {"profile": profile, "ends": ends})]
    subjects = warehouse.query(_NODES, {**bound_units(viewer), "profile": profile, "ends": ends})
    number = {subject: at for at, (subject, *_) in enumerate(subjects)}
    strong = {subject for subject, kind, *_ in subjects if kind == USER_ID}
    shown = masks.seen(
        vault, viewer, (row[2] for row in subjects if row[6] and (row[3] is None or is_contact(row[1]))), clear=False
    )
    said = {(one, two): verdict for one, two, _, verdict in ruled}
    links = tuple(
        _link(row, number, strong, said.get((row[0], row[1]))) for row in found if row[0] in number and row[1] in number
    )
    joining = [link for link in links if link.joins]
    return Explanation(
        id=show_profile(profile),
        nodes=tuple(_node(row, number, shown) for row in subjects),
        links=links,
        decisions=tuple(
            Decided(decision=decision, verdict=verdict, one=number[one], two=number[two])
            for one, two, decision, verdict in ruled
            if one in number and two in number
        ),
        conflicts=conflicts.about(warehouse, vault, viewer, [row[0] for row in subjects if row[5]]),
        weakest=min(joining, key=lambda link: (_RANKS[link.strength], -link.ts.timestamp()), default=None),
    )


def _node(row: Row, number: dict[int, int], shown: Mapping[str, str]) -> NodeView:
    subject, kind, key, value, first_seen, mine, seen = row
    text = value if seen and value is not None and not is_contact(kind) else shown.get(key, masks.HIDDEN)
    return NodeView(
        node=number[subject], id=show_profile(subject), kind=kind, shown=text, mine=mine, first_seen=first_seen
    )


def _link(row: Row, number: dict[int, int], strong: set[int], decided: str | None) -> LinkView:
    one, two, rule, event, ts, source, joins, weight, model, fields = row
    strength = LIKELY if weight is not None else TIES[len(strong.intersection((one, two)))]
    return LinkView(
        one=number[one],
        two=number[two],
        rule=rule,
        event=event,
        ts=ts,
        source=source,
        strength=strength,
        joins=joins and decided in (None, "same"),
        decided=decided,
        weight=None if weight is None else round(weight, 2),
        model=model,
        fields=tuple(
            Weighed(field=name, about=about, level=slug(level), bits=bits)
            for name, about, level, bits in (told_of(fields) if fields else ())
        ),
    )


_RANKS = {LIKELY: -1} | {name: rank for rank, name in TIES.items()}
_MATCHES = f"""
with {OURS}
select pair.subject_id, pair.other_id, rule, null, found_at, 'matching',
       coalesce(mine.profile_id, pair.subject_id) = coalesce(theirs.profile_id, pair.other_id), weight, model, fields
from match_candidates pair
left join moved mine on mine.subject_id = pair.subject_id
left join moved theirs on theirs.subject_id = pair.other_id
where weight >= join_at
  and (pair.subject_id in (select subject_id from ours) or pair.other_id in (select subject_id from ours))
order by found_at, pair.subject_id, pair.other_id limit 200
"""
_LINKS = f"""
with {OURS}, touching as (
    select * from links where subject_id in (select subject_id from ours) or other_id in (select subject_id from ours)
    order by ts, subject_id, other_id limit 500
), ends as (
    select subject_id from touching union select other_id from touching
), away as (
    select subject_id, profile_id from moved semi join ends using (subject_id)
), placed as (
    select subject_id, coalesce(away.profile_id, subject_id) as profile_id from ends left join away using (subject_id)
), seen as (
    select event_id, event from events where event_id in (select event_id from touching)
)
select link.subject_id, link.other_id, link.rule, seen.event, link.ts, link.source, one.profile_id = two.profile_id
from touching link
join placed one on one.subject_id = link.subject_id
join placed two on two.subject_id = link.other_id
left join seen on seen.event_id = link.event_id
order by link.ts, link.subject_id, link.other_id
"""
_RULED = f"""
with {OURS}
select subject_id, other_id, decision_id, says from identity_ruled
where subject_id in (select subject_id from ours) or other_id in (select subject_id from ours)
order by decision_id limit 200
"""
_REST = """
select subject_id from moved where profile_id = $profile and subject_id not in (select unnest($ends::bigint[]))
"""
_NODES = """
with ids as (
    select subject_id, kind, subject_key, value, first_seen from identifiers
    where subject_id in (select unnest($ends::bigint[]))
), away as (
    select subject_id, profile_id from moved where subject_id in (select unnest($ends::bigint[]))
), placed as (
    select ids.*, coalesce(away.profile_id, subject_id) as profile_id from ids left join away using (subject_id)
), theirs as (
    select profile_id, unit_id from profiles where profile_id in (select profile_id from placed)
)
select subject_id, kind, subject_key, value, first_seen, placed.profile_id = $profile,
       $units::bigint[] is null or coalesce(list_contains($units, theirs.unit_id), false)
from placed left join theirs using (profile_id)
order by placed.profile_id = $profile desc, kind = 'user_id' desc, first_seen, subject_id
"""
