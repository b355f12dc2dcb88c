"""The copy of the facts follows the warehouse: written anew for whoever a refresh has touched.

Reads   `profiles`, `traits`, `tags`, `members`, `permissions`, `restricted`, `identifiers`, `moved`
        `changes`, `tag_changes`, `membership_changes`   whom a batch or an earlier stage has touched
Writes  `data/facts.sqlite`   by `unify.facts_store`
        `facts_copied`        which writing of the copy is the warehouse's own

Each writing has a stamp, which the copy gets first and the warehouse after it. A copy whose stamp the warehouse
does not know (none, an older one, another workspace's, the one from before a restore) is made anew for everyone; one
that was killed between the two is followed from where the warehouse stands. Everything is put into words by the
engine, some thousands of people at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path

from spira.kernel.ids import new_secret
from spira.segment.tags import FACTS_READ
from spira.storage import ddl, progress
from spira.storage.tables import Table, columns, table
from spira.storage.warehouse import Warehouse
from spira.unify import changed
from spira.unify.facts_store import FactsStore, Filling, Standing

STAGE = "segment.facts"
MEMBERS_READ = "segment.facts.members"
LOT = 100_000  # people put into words at a time
_FORM = 1  # counts up when the words of a person change their shape

FACTS_COPIED = table(
    Table(
        name="facts_copied",
        store="warehouse",
        stage=STAGE,
        columns=columns(
            """
            stamp VARCHAR required
            form VARCHAR required
            """
        ),
    )
)


def opened(warehouse: Warehouse, path: Path) -> FactsStore:
    """The copy in the file, open; answers may come from it if it is the one that the warehouse knows."""
    store = FactsStore(path)
    store.usable = _is_ours(warehouse, store)
    return store


def compute(
    warehouse: Warehouse, store: FactsStore, as_of: datetime, *, leave_out: Collection[str] = (), full: bool = False
) -> int:
    """Make the copy agree with the warehouse as of an instant; how many people were written.

    Tags named in `leave_out` are not in it.
    """
    shapes = {
        name: kind
        for name, kind in warehouse.columns("tags").items()
        if name not in ("profile_id", "next_edge_at") and name not in leave_out
    }
    form = hashlib.sha256(f"{_FORM} {shapes}".encode()).hexdigest()[:32]
    anew = full or not _is_ours(warehouse, store, form)
    marks = _choose(warehouse, full=anew)
    before = store.standing
    if not anew and before is not None and changed.nobody(warehouse):
        if before.as_of != as_of:
            with store.more(before._replace(as_of=as_of)):
                pass
        _mark(warehouse, marks, as_of)
        return 0
    known = warehouse.value(_STAMP) or ""
    standing = Standing(new_secret(), known, as_of, tuple(shapes))
    with store.anew(standing) if anew else store.more(standing) as filling:
        written = _fill(warehouse, filling, shapes, anew=anew)
    with warehouse.transaction():
        warehouse.execute("delete from facts_copied")
        warehouse.execute(_NOTE, {"stamp": standing.stamp, "form": form})
        _mark(warehouse, marks, as_of)
    store.usable = True
    return written


def _is_ours(warehouse: Warehouse, store: FactsStore, form: str | None = None) -> bool:
    known, standing = warehouse.one(_KNOWN), store.standing
    if known is None or standing is None or (form is not None and known[1] != form):
        return False
    return known[0] in (standing.stamp, standing.before)


def _choose(warehouse: Warehouse, *, full: bool) -> dict[str, int]:
    """Fill the temporary table `changed`; what each watermark will have reached by that."""
    marks = {
        STAGE: changed.choose(warehouse, STAGE, full=full),
        FACTS_READ: int(warehouse.value(_NEWEST_TAG_CHANGE)),
        MEMBERS_READ: int(warehouse.value(_NEWEST_MEMBER_CHANGE)),
    }
    if not full:
        since = {"tags": FACTS_READ, "members": MEMBERS_READ}
        warehouse.execute(_ADD_TOUCHED, {name: progress.since(warehouse, mark) for name, mark in since.items()})
    return marks


def _mark(warehouse: Warehouse, marks: dict[str, int], as_of: datetime) -> None:
    with warehouse.transaction():
        for stage, reached in marks.items():
            progress.mark(warehouse, stage, reached, as_of)


def _fill(warehouse: Warehouse, filling: Filling, shapes: dict[str, str], *, anew: bool) -> int:
    written, since = 0, -1 if anew else progress.since(warehouse, STAGE)
    people = _PEOPLE.format(tags=", ".join(_worded(name, kind) for name, kind in shapes.items()))
    for lot in _lots(warehouse):
        warehouse.execute(_LAY_OUT, lot)
        parted: list[int] = []
        if not anew:
            filling.gone(warehouse.query(_GONE, lot))
            parted = filling.stayed(warehouse.query(_STAYED, lot))
        rows = warehouse.query(people, lot)
        filling.people(rows)
        filling.keys(warehouse.query(_KEYS, lot | {"since": since, "parted": parted}))
        filling.moved(warehouse.query(_MOVED, lot))
        written += len(rows)
    return written


def _lots(warehouse: Warehouse) -> Iterator[dict[str, int]]:
    """The changed profiles in lots, by their numbers: above `low`, up to `high`."""
    low = -1
    for (high,) in warehouse.query(_BOUNDS, {"lot": LOT}):
        yield {"low": low, "high": high}
        low = high


def _worded(name: str, kind: str) -> str:
    """A tag's value as JSON, in the words in which the API writes it: exact numbers and instants as text."""
    column = f"tags.{ddl.quote(name)}"
    if kind in ("BIGINT", "UBIGINT", "HUGEINT"):
        return f"if(abs({column}::hugeint) > 9007199254740992, to_json({column}::varchar), to_json({column}))"
    if kind in ("DOUBLE", "FLOAT"):
        return f"if(isfinite({column}), to_json({column}), null)"
    if kind.startswith("TIMESTAMP"):
        return f"to_json(strftime({column}, '%Y-%m-%dT%H:%M:%S.%gZ'))"
    plain = kind in ("VARCHAR", "BOOLEAN", "INTEGER", "SMALLINT", "TINYINT")
    return f"to_json({column})" if plain else f"to_json({column}::varchar)"


_KNOWN = "select stamp, form from facts_copied"
_STAMP = "select stamp from facts_copied"
_NOTE = "insert into facts_copied (stamp, form) values ($stamp, $form)"
_NEWEST_TAG_CHANGE = "select coalesce(max(change), 0) from tag_changes"
_NEWEST_MEMBER_CHANGE = "select coalesce(max(change_id), 0) from membership_changes"
_ADD_TOUCHED = """
insert into changed
(select profile_id from tag_changes where change > $tags
 union select profile_id from membership_changes where change_id > $members)
except select profile_id from changed
"""
_BOUNDS = """
select max(profile_id)
from (select profile_id, (row_number() over (order by profile_id) - 1) // $lot as lot from changed)
group by lot order by 1
"""
_LAY_OUT = """
create or replace temp table facts_lot as
select profile_id from changed where profile_id > $low and profile_id <= $high
"""
# The bounds let the engine pass over whatever lies elsewhere; the table alone would be probed with every row.
_WITHIN = "{column} > $low and {column} <= $high"
_LOT = f"{_WITHIN.format(column='profile_id')} and profile_id in (select profile_id from facts_lot)"
# Traits, tags, audiences, consents and whether the person is restricted, in this order.
_PEOPLE = f"""
with lot as (select profile_id, unit_id from profiles where {_LOT}),
told as (
    select profile_id, json_group_object(name, value) as told from traits
    where value is not null and {_LOT} group by profile_id
), of_members as (
    select profile_id, to_json(list(audience order by audience)) as told from members where {_LOT} group by profile_id
), allowed as (
    select profile_id, to_json(list(json_array(purpose, channel, granted) order by purpose, channel)) as told
    from permissions where {_LOT} group by profile_id
)
select lot.profile_id, lot.unit_id,
       json_array(coalesce(told.told, '{{{{}}}}'::json), json_array({{tags}}), coalesce(of_members.told, '[]'::json),
                  coalesce(allowed.told, '[]'::json), restricted.profile_id is not null)::varchar
from lot left join told using (profile_id) left join of_members using (profile_id)
left join allowed using (profile_id) left join tags using (profile_id) left join restricted using (profile_id)
order by lot.profile_id
"""
_GONE = f"""
select profile_id from facts_lot
where profile_id not in (select profile_id from profiles where {_WITHIN.format(column="profile_id")})
"""
_STAYED = f"""
select profile_id from facts_lot
where profile_id not in (select subject_id from moved where {_WITHIN.format(column="subject_id")})
"""
_MOVED = f"select subject_id, profile_id from moved where {_LOT}"
# Keys that are new, or whose profile is another one now: most of those who did something have neither.
_KEYS = f"""
select unhex(subject_key), subject_id from identifiers
where {_WITHIN.format(column="subject_id")} and subject_id in ({_STAYED})
  and (batch > $since or list_contains($parted::bigint[], subject_id))
union all
select unhex(subject_key), theirs.profile_id
from identifiers key join (select subject_id, profile_id, batch from moved where {_LOT}) theirs using (subject_id)
where key.batch > $since or theirs.batch > $since
order by 1
"""
