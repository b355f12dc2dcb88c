"""Tag points: how many people had a value of each tag, day by day.

Reads   `tags`
Writes  `tag_points`   one row per tag and local day, of the last time it was counted that day

One scan of `tags` counts every column at once. The stage asks for it at each turn; within an hour
of the workspace's clock the counts stand, unless everyone was worked out anew. A day without a
row is a day on which nobody counted, and is drawn as missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pyarrow as pa
from sqlglot import exp

from spira.kernel.clock import local
from spira.kernel.viewer import is_of_few
from spira.storage.warehouse import Warehouse

EVERY = timedelta(hours=1)
_OWN = ("profile_id", "next_edge_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPoint:
    """A tag on one day."""

    day: date = field(metadata={"help": "the day, in the workspace's zone"})
    profiles: int = field(metadata={"help": "how many people there were"})
    with_value: int = field(metadata={"help": "how many of them had a value"})
    as_of: datetime = field(metadata={"help": "when on that day they were counted"})

    @property
    def is_about_few(self) -> bool:
        """Whether it says something of fewer than five people."""
        return is_of_few(self.with_value, self.profiles)


def note(warehouse: Warehouse, *, as_of: datetime, zone: str, full: bool = False) -> int:
    """Count every tag once more if it is time; how many rows were written."""
    last = warehouse.value(_LAST)
    if not full and last is not None and last > as_of - EVERY:
        return 0
    names = [name for name in warehouse.columns("tags") if name not in _OWN]
    if not names:
        return 0
    everyone, *held = warehouse.one(_counts(names)) or (0,)
    day = local(as_of, zone).date()
    rows = pa.table(
        {
            "tag": names,
            "day": pa.array([day] * len(names), pa.date32()),
            "profiles": [everyone] * len(names),
            "with_value": held,
            "as_of": pa.array([as_of] * len(names), pa.timestamp("us")),
        }
    )
    with warehouse.transaction():
        warehouse.execute(_FORGET, {"day": day})
        return warehouse.append("tag_points", rows)


def points(warehouse: Warehouse, tag: str, *, since: date) -> tuple[TagPoint, ...]:
    """The days of one tag from `since` on, oldest first; days on which nobody counted are not in it."""
    found = warehouse.rows(_POINTS, {"tag": tag, "since": since})
    return tuple(TagPoint(**each) for each in found)


def _counts(names: list[str]) -> str:
    counted = [exp.Count(this=exp.column(name, quoted=True)) for name in names]
    return exp.select(exp.Count(this=exp.Star()), *counted).from_("tags").sql(dialect="duckdb")


_LAST = "select max(as_of) from tag_points"
_FORGET = "delete from tag_points where day = $day"
_POINTS = """
select day, profiles, with_value, as_of from tag_points where tag = $tag and day >= $since order by day
"""
