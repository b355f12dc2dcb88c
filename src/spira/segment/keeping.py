"""Keeping: the members of an audience as they are now, frozen in a manual tag, or split into arms of one by a seed.

Reads   `members`, `profiles`, `tags`
Writes  the log   `Tag Changed`, by way of `manual_tags`

A frozen audience is one that asks for the tag, so it is an audience like any other, in conditions, in reasons and on
every engine, and goes with its people when profiles are merged or erased. Which arm a person comes into is a function
of the seed and the profile alone: splitting again, or splitting another audience by the same seed, puts nobody
elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from sqlglot import exp

from spira.kernel.errors import Conflict
from spira.kernel.ids import stable_share
from spira.kernel.viewer import Viewer, only_theirs
from spira.segment.manual_tags import YES
from spira.storage.warehouse import Warehouse

MOST = 200_000
WHOLE = 100


def members(lane: Warehouse, viewer: Viewer, audience: str) -> list[int]:
    """Who of the viewer's people is in, in order; Conflict for more than can be kept at once."""
    theirs, bound = only_theirs(viewer)
    asked = {"audience": audience, "most": MOST + 1, **bound}
    found = [each for (each,) in lane.query(_MEMBERS.format(theirs=theirs), asked)]
    if len(found) > MOST:
        raise Conflict(f"more than {MOST:,} people are in it", help="keep a smaller audience")
    return found


def count(lane: Warehouse, viewer: Viewer, audience: str) -> int:
    """How many of the viewer's people are in."""
    theirs, bound = only_theirs(viewer)
    return int(lane.value(_COUNT.format(theirs=theirs), {"audience": audience, **bound}))


def arms(profiles: Sequence[int], seed: str, shares: Mapping[str, int]) -> dict[int, str]:
    """The arm of each person; `shares` are whole percents, and whoever falls beyond their sum is in no arm."""
    edges = list(accumulate(shares.values()))
    found = {}
    for profile in profiles:
        place = stable_share("split", seed, profile) * WHOLE
        arm = next((name for name, edge in zip(shares, edges, strict=True) if place < edge), None)
        if arm is not None:
            found[profile] = arm
    return found


def fresh(lane: Warehouse, tag: str, wanted: Mapping[int, str]) -> dict[int, str]:
    """Those of `wanted` who have not that value already, as of the last refresh."""
    if tag not in lane.columns("tags") or not wanted:
        return dict(wanted)
    value = exp.cast(exp.column(tag, quoted=True), "varchar")
    select = exp.select("profile_id", value).from_("tags").where("profile_id in (select unnest($among::bigint[]))")
    rows = lane.query(select.sql(dialect="duckdb"), {"among": list(wanted)})
    now = {profile: YES if value == "true" else value for profile, value in rows}
    return {profile: each for profile, each in wanted.items() if now.get(profile) != each}


_MEMBERS = "select profile_id from members where audience = $audience {theirs} order by profile_id limit $most"
_COUNT = "select count(*) from members where audience = $audience {theirs}"
