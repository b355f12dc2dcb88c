"""Values: what a tag, a trait or a property of an event really has, the most frequent first.

Reads   `tags`, `traits`, `profile_events` and the views of lines, `profiles`

Only of the people whom the viewer may see, and for one who sees aggregates only, only values that
several people share. Contact values are in the vault and can't be asked for here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spira.definitions.model import Label
from spira.kernel.viewer import FEWEST, Viewer, bound_units
from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.scans import view_of
from spira.segment.sentences.build import properties
from spira.storage import ddl
from spira.storage.warehouse import Warehouse

MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value, and how many people have it."""

    value: str = field(metadata={"help": "the value as one types it"})
    profiles: int = field(metadata={"help": "how many of the viewer's people have it"})
    label: Label | None = field(default=None, metadata={"help": "what people call it, if its tag says so"})


def values_of(lane: Warehouse, catalog: Catalog, viewer: Viewer, of: str, *, most: int = MOST) -> list[Value]:
    """The values of `tag:NAME`, `trait:NAME` or `property:EVENT:NAME`; none for what there is not."""
    kind, _, rest = of.partition(":")
    asked = {
        **bound_units(viewer),
        "least": 1 if viewer.sees_people else FEWEST,
        "most": most,
    }
    if kind == "tag" and rest in catalog.tags and rest in lane.columns("tags"):
        return _read(lane, _OF_TAG.format(column=ddl.quote(rest)), asked)
    if kind == "trait" and rest in catalog.traits:
        return _read(lane, _OF_TRAIT, {**asked, "name": rest})
    event, _, name = rest.rpartition(":")
    if kind == "property" and event in catalog.events and name in properties(event, catalog):
        array, _, inner = name.rpartition(".")
        view = view_of(array) if array else "profile_events"
        if inner in lane.columns(view):
            asked_of_event = _OF_PROPERTY.format(view=ddl.quote(view), column=ddl.quote(inner))
            return _read(lane, asked_of_event, {**asked, "event": event})
    return []


def _read(lane: Warehouse, sql: str, asked: Mapping[str, object]) -> list[Value]:
    return [Value(value=value, profiles=profiles) for value, profiles in lane.query(sql, dict(asked))]


_OF_TAG = """
select {column}::varchar as value, count(*) as profiles
from tags join profiles using (profile_id)
where {column} is not null and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by value having profiles >= $least order by profiles desc, value limit $most
"""
_OF_TRAIT = """
select value, count(*) as profiles
from traits join profiles using (profile_id)
where name = $name and value is not null
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by value having profiles >= $least order by profiles desc, value limit $most
"""
_OF_PROPERTY = """
select {column}::varchar as value, count(distinct profile_id) as profiles
from {view} join profiles using (profile_id)
where event = $event and {column} is not null
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by value having profiles >= $least order by profiles desc, value limit $most
"""
