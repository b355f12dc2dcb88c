"""Undo: which decisions take a profile apart, or put two together; and who stands behind an identifier.

Reads   `identifiers`, `links`, `match_candidates`, `moved`, `identity_kinds`, `identity_ruled`

A split cuts every link between what goes and what stays, and says that the strongest of each are two
people, so that new evidence does not bring them together unseen. Cutting and joining are one decision.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spira.collect.identifier_rules import BUILT_IN, IdentifierRule
from spira.kernel.errors import NotFound
from spira.kernel.ids import BadId, read_profile
from spira.kernel.viewer import Viewer
from spira.storage.keys import Keys
from spira.storage.warehouse import Warehouse
from spira.unify import people
from spira.unify.decisions import BadDecision
from spira.unify.kinds import split_identifier
from spira.unify.subjects import IDS, by_keys, subjects_of

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One identifier that somebody named: its subject, its key, and the profile it is now."""

    subject: int
    key: str
    profile: int


def end(
    warehouse: Warehouse, viewer: Viewer, keys: Keys, text: str, *, rules: Mapping[str, IdentifierRule] = BUILT_IN
) -> End:
    """The identifier that `KIND:VALUE` or a `p_` id names (of a profile: its first); NotFound for nobody's.

    `rules` are the kinds as the workspace declares them.
    """
    try:
        asked: dict[str, Any] = {"subject": read_profile(text.strip()), "keys": [], "heads": []}
    except BadId:
        parts = split_identifier(text, rules)
        if parts is None:
            raise NotFound("this is no identifier", help="write KIND:VALUE, as in user_id:1042, or a p_ id") from None
        asked = {"subject": None, **by_keys([keys.subject_key(*parts)])}
    row = warehouse.one(_END, asked)
    if row is None:
        raise NotFound("nobody has this identifier", help="see that it is written as the person told it")
    people.require(viewer)
    if viewer.units is not None:
        people.locate(warehouse, viewer, row[2])
    return End(subject=row[0], key=row[1], profile=row[2])


def split(warehouse: Warehouse, profile: int, away: Collection[int]) -> tuple[list[Pair], Pair]:
    """The links to cut so that the subjects `away` leave a profile, and the two who are different people then."""
    mine = subjects_of(warehouse, profile)
    going = sorted(set(away))
    staying = sorted(set(mine) - set(going))
    if not going or not staying or not set(going) <= set(mine):
        raise BadDecision(
            "a split takes some identifiers of a profile, and leaves some", help="choose those of the other person"
        )
    cut = [(one, two) for one, two in warehouse.query(_BETWEEN, {"going": going, "staying": staying})]
    return cut, (_strongest(warehouse, staying), _strongest(warehouse, going))


def profile_now(warehouse: Warehouse, subject: int) -> int:
    """The profile that a subject is today."""
    return int(
        warehouse.value(
            "select coalesce((select profile_id from moved where subject_id = $one), $one)", {"one": subject}
        )
    )


def _strongest(warehouse: Warehouse, subjects: Sequence[int]) -> str:
    return str(warehouse.value(_STRONGEST, {"subjects": list(subjects)}))


_END = f"""
with {IDS}, named as (
    select subject_id from ids union select subject_id from identifiers where subject_id = $subject
)
select subject_id, one.subject_key, coalesce(moved.profile_id, subject_id)
from named join identifiers one using (subject_id) left join moved using (subject_id)
"""
_NOW = "select coalesce((select profile_id from moved where subject_id = $subject), $subject)"
_BETWEEN = """
with sides as (
    select unnest($going::bigint[]) as subject_id, true as goes
    union all select unnest($staying::bigint[]), false
)
select mine.subject_key, theirs.subject_key
from (select subject_id, other_id from links
      union select subject_id, other_id from identity_ruled where says = 'same' and other_id is not null
      union select subject_id, other_id from match_candidates where weight >= join_at) link
join sides one on one.subject_id = link.subject_id
join sides other on other.subject_id = link.other_id and other.goes <> one.goes
join identifiers mine on mine.subject_id = link.subject_id
join identifiers theirs on theirs.subject_id = link.other_id
"""
_STRONGEST = """
select subject_key from identifiers left join identity_kinds using (kind)
where subject_id in (select unnest($subjects::bigint[])) order by rank nulls last, subject_id limit 1
"""
