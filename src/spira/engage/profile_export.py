"""Profile export: people in bulk with traits, tags and audiences, for a purpose that is named, and the way back.

Reads   `profiles`, `identifiers`, `moved`, `traits`, `tags`, `members`, and what reach reads

The rules are those of every export (`audience_export`): for writing to people only those leave whom the
channel may write to; addresses only for a role that sees them, on an explicit wish. Sealed traits and
`sensitive` tags never leave. A file's columns `trait:NAME` come back as the traits of identify calls by
the mapping that `mapping_of` writes; tags and audiences are worked out, so they have no way back.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
import pyarrow as pa
from pyarrow import parquet
from sqlglot import exp

from spira.engage import reach
from spira.engage.audience_export import ADDRESS, MARK, Wish, checked, may_leave
from spira.engage.sheets import sheet
from spira.kernel.clock import iso
from spira.kernel.errors import Conflict
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import masks, people

Format = Literal["csv", "jsonl", "parquet"]
FORMATS: Mapping[str, str] = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}
MOST = 1_000_000
LOT = 20_000
FIRST = ("id", "user_id", "unit", "first_seen", "last_seen")
TRAIT = "trait:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """What is wanted beside the purpose, channel, tags and addresses of `wish`.

    A part of the people: those after the profile `after`, at most `limit`; its CSV has its heads only at the beginning.
    """

    wish: Wish
    traits: tuple[str, ...] = ()
    audiences: bool = False
    format: Format = "csv"
    after: int | None = None
    limit: int = MOST

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        more = [f"{TRAIT}{name}" for name in self.traits]
        return (
            *FIRST,
            *more,
            *self.wish.tags,
            *(("audiences",) if self.audiences else ()),
            *((ADDRESS, MARK) if self.wish.contacts else ()),
        )


def granted(
    bulk: Bulk, viewer: Viewer, *, kinds: Sequence[str], tags: Sequence[str], traits: Sequence[str]
) -> Bulk:  # fmt: skip
    """The wish if it may be granted; Conflict or NotAllowed say why not."""
    people.require(viewer)
    checked(bulk.wish, viewer, kinds=kinds, tags=tags)
    if unknown := sorted(set(bulk.traits).difference(traits)):
        raise Conflict(
            f"the trait `{unknown[0][:60]}` is not declared, or sealed", help="choose declared traits that are clear"
        )
    if bulk.format not in FORMATS:
        raise Conflict(f"`{bulk.format}` is no format", help=f"choose one of: {', '.join(FORMATS)}")
    return bulk


def leaving(
    lane: Warehouse, viewer: Viewer, wish: Wish, rules: reach.Rules, *, after: int | None = None, limit: int = MOST
) -> list[tuple[int, str | None]]:
    """Everyone who leaves, or of an audience, each with the address if one may be wanted; Conflict above `MOST`.

    With a smaller `limit` the first so many after a profile, in the order of profiles, and one more if there is one.
    """
    table = "members" if wish.audience else "profiles"
    own = exp.select("profile_id").from_(table)
    named: dict[str, Any] = {}
    if wish.audience:
        own, named = own.where("audience = $audience", dialect="duckdb"), {"audience": wish.audience}
    of, bound = may_leave(own, viewer, wish.purpose, wish.channel, rules, recipient=wish.recipient)
    asked = {**bound, **named}
    found = lane.query(
        _LEAVING.format(leaving=of.sql(dialect="duckdb")), {**asked, "after": after, "most": min(limit, MOST) + 1}
    )
    if len(found) > MOST:
        raise Conflict(f"more than {MOST:,} people would leave", help="export an audience at a time")
    return [(profile, key) for profile, key in found]


def written(
    lane: Warehouse,
    vault: Vault,
    viewer: Viewer,
    bulk: Bulk,
    found: Sequence[tuple[int, str | None]],
    *,
    units: Mapping[int, str],
) -> Iterator[bytes]:
    """The file, lot by lot. Parquet is one lot, since its end says where everything is."""
    lots = (found[start : start + LOT] for start in range(0, len(found), LOT))
    if bulk.format == "parquet":
        tables = [_table(bulk, _rows(lane, vault, viewer, bulk, lot, units)) for lot in lots]
        whole, kept = pa.concat_tables([_table(bulk, []), *tables]), io.BytesIO()
        parquet.write_table(whole, kept)
        yield kept.getvalue()
        return
    if bulk.format == "csv" and bulk.after is None:
        yield sheet([bulk.columns]).encode("utf-8-sig")
    for lot in lots:
        rows = _rows(lane, vault, viewer, bulk, lot, units)
        if bulk.format == "csv":
            flat = ([";".join(each) if isinstance(each, list) else each for each in row] for row in rows)
            yield sheet(flat).encode()
        else:
            yield b"".join(msgspec.json.encode(_told(bulk.columns, row), enc_hook=str) + b"\n" for row in rows)


def mapping_of(traits: Sequence[str]) -> str:
    """The mapping that brings an exported file's traits into a workspace as identify calls, in YAML."""
    columns = {f"t{place}": {"from": f"{TRAIT}{name}"} for place, name in enumerate(traits)}
    told = {
        "mapping": "profiles",
        "columns": {"user_id": {"required": True}, **columns},
        "key": "user_id",
        "calls": [
            {
                "call": "identify",
                "user_id": "user_id",
                "traits": {name: f"t{place}" for place, name in enumerate(traits)},
            }
        ],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"


def _told(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    told = {name: value for name, value in zip(columns, row, strict=True) if value is not None}
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in told.items()}


def _table(bulk: Bulk, rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Rows as a table: instants are instants, audiences a list, everything else text, as CSV has it."""
    kinds = {"first_seen": pa.timestamp("us"), "last_seen": pa.timestamp("us"), "audiences": pa.list_(pa.string())}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in bulk.columns])
    columns = [
        pa.array([_as_kept(row[place], text=field.type == pa.string()) for row in rows], field.type)
        for place, field in enumerate(schema)
    ]
    return pa.table(columns, schema=schema)


def _as_kept(value: Any, *, text: bool) -> Any:
    if value is None or not text or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return iso(value)
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _rows(
    lane: Warehouse,
    vault: Vault,
    viewer: Viewer,
    bulk: Bulk,
    lot: Sequence[tuple[int, str | None]],
    units: Mapping[int, str],
) -> list[list[Any]]:
    keys = dict(lot)
    asked: dict[str, Any] = {"profiles": list(keys)}
    told = {row[0]: row[1:] for row in lane.query(_FIRST, asked)}
    traits: dict[tuple[int, str], str] = {
        (who, name): value for who, name, value in lane.query(_TRAITS, {**asked, "names": list(bulk.traits)})
    }
    tags = _tags(lane, bulk.wish.tags, asked)
    homes: dict[int, list[str]] = dict(lane.query(_AUDIENCES, asked)) if bulk.audiences else {}
    opened = masks.seen(vault, viewer, keys.values(), clear=True) if bulk.wish.contacts else {}
    rows: list[list[Any]] = []
    for profile in keys:
        if profile not in told:
            continue
        unit, first, last, user_id = told[profile]
        row = [show_profile(profile), user_id, units.get(unit), first, last]
        row += [traits.get((profile, name)) for name in bulk.traits]
        row += tags.get(profile, (None,) * len(bulk.wish.tags))
        row += [homes.get(profile, [])] if bulk.audiences else []
        row += [opened.get(keys[profile] or ""), bulk.wish.mark] if bulk.wish.contacts else []
        rows.append(row)
    return rows


def _tags(lane: Warehouse, names: Sequence[str], asked: dict[str, Any]) -> dict[int, tuple[Any, ...]]:
    if not names:
        return {}
    select = exp.select("profile_id", *(exp.column(name, quoted=True) for name in names)).from_("tags")
    select = select.where("profile_id in (select unnest($profiles::bigint[]))", dialect="duckdb")
    return {row[0]: tuple(row[1:]) for row in lane.query(select.sql(dialect="duckdb"), asked)}


_LEAVING = """
with leaving as ({leaving})
select profile_id, leaving.address_key from leaving join profiles using (profile_id)
where $after::bigint is null or profile_id > $after
order by profile_id limit $most
"""
_FIRST = """
with mine as (
    select coalesce(moved.profile_id, one.subject_id) as profile_id, min(one.value) as user_id
    from identifiers one left join moved on moved.subject_id = one.subject_id
    where one.kind = 'user_id' and coalesce(moved.profile_id, one.subject_id) in (select unnest($profiles::bigint[]))
    group by 1
)
select profile_id, unit_id, first_seen, last_seen, user_id
from profiles left join mine using (profile_id)
where profile_id in (select unnest($profiles::bigint[]))
"""
_TRAITS = """
select profile_id, name, value from traits
where profile_id in (select unnest($profiles::bigint[])) and name in (select unnest($names::varchar[]))
  and value is not null
"""
_AUDIENCES = """
select profile_id, list(audience order by audience) from members
where profile_id in (select unnest($profiles::bigint[])) group by profile_id
"""
