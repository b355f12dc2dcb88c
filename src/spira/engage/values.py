"""Values: the tags and traits of people that a template asks for.

Reads   `traits`, `tags`, and the vault by whoever calls

Contact values are sealed; how they are opened, or masked, is the caller's to say: dispatch opens
them, a preview masks them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlglot import exp

from spira.storage.warehouse import Warehouse

Opening = Callable[[Iterable[str]], Mapping[str, str]]


def values_of(
    warehouse: Warehouse, opening: Opening, profiles: Sequence[int], names: frozenset[str]
) -> dict[int, dict[str, Any]]:
    """The tags and traits among `names` that each of `profiles` has; `opening` gives sealed values."""
    found: dict[int, dict[str, Any]] = {}
    traits = warehouse.query(_TRAITS, {"profiles": list(profiles), "names": sorted(names)})
    opened = opening(key for _, _, _, key in traits if key is not None)
    for profile, name, value, key in traits:
        found.setdefault(profile, {})[name] = opened.get(key) if key is not None else value
    columns = sorted(names & warehouse.columns("tags").keys() - {"profile_id", "next_edge_at"})
    if columns:
        select = exp.select("profile_id", *(exp.column(name, quoted=True) for name in columns)).from_("tags")
        sql = select.where("list_contains($profiles::bigint[], profile_id)").sql("duckdb")
        for profile, *row in warehouse.query(sql, {"profiles": list(profiles)}):
            found.setdefault(profile, {}).update(zip(columns, map(_plain, row), strict=True))
    return found


def _plain(value: Any) -> Any:
    """A tag's value as a template writes it: amounts with two places, instants as ISO text."""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value.isoformat(sep=" ", timespec="minutes") if isinstance(value, datetime) else value


_TRAITS = """
select profile_id, name, value, vault_key from traits
where list_contains($profiles::bigint[], profile_id) and list_contains($names::varchar[], name)
"""
