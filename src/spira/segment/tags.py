"""Tags: short facts about every profile, worked out from what it did and told.

Reads   `profile_events`   and the lines of its arrays: what the values speak of
        `profiles`         who there is
        `restricted`       who is left out
        `traits`, `permissions`   where a value names a trait or a consent
        `changes`          whom a batch has touched
Writes  `tags`             one row per profile, one typed column per tag, and the next edge
        `tag_inputs`       what ranks over everyone are made of
        `tag_cuts`         where the classes of a rank begin and end
        `tag_program`      what the columns were compiled from
        `tag_changes`      whose values a refresh has changed

A tag is a function of the events before `as_of`. A refresh runs the same statements for the
changed profiles, and for those whose next edge has passed, as a full one runs for everyone,
and leaves the same rows (decision 0008). All is worked out in temporary tables; one
transaction puts it in place, so that a reader sees the old values or the new.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from spira.definitions.apply import Applied
from spira.definitions.model import DefinitionModel, Label, NameStr
from spira.segment import manual_tags, passes
from spira.segment.conditions.catalog import Catalog
from spira.segment.passes import Pass, Program
from spira.segment.tables import TAG_INPUTS, TAGS
from spira.storage import ddl, progress
from spira.storage.tables import Column, Table
from spira.storage.warehouse import Warehouse
from spira.unify import changed

STAGE = "segment.tags"
FACTS_READ = "segment.facts.tags"
READERS = ("segment.models.tags", "segment.audiences.tags", FACTS_READ)


class TagDefinition(DefinitionModel):
    """A tag: a short fact about each profile."""

    model_config = ConfigDict(json_schema_extra=manual_tags.either)

    tag: NameStr = Field(description="Its name: conditions and other tags use it.")
    label: Label | None = Field(default=None, description="What people call it.")
    description: Label | None = Field(default=None, description="What it says, and what it is good for.")
    values: dict[str, Label] = Field(
        default_factory=dict, description="What people call its values; conditions and exports keep the value itself."
    )
    owner: str = Field(default="", description="Who answers for it.")
    privacy: Literal["open", "personal", "sensitive"] = Field(
        default="open", description="How carefully it is shown; `sensitive` values leave no export."
    )
    manual: manual_tags.Manual | None = Field(
        default=None,
        description="Set by staff instead of a `value`: `flag` is yes or no, `choice` one of `values`.",
    )
    value: str = Field(description="The expression that gives its value.")

    @model_validator(mode="before")
    @classmethod
    def _folded(cls, told: Any) -> Any:
        return manual_tags.folded(told)


def compute(warehouse: Warehouse, applied: Applied, catalog: Catalog, as_of: datetime, *, full: bool = False) -> int:
    """Make `tags` agree with the events before `as_of`; how many profiles were worked out."""
    wanted = program_of(applied, catalog)
    anew = _fingerprint(warehouse) != wanted.fingerprint
    upto = choose(warehouse, as_of, full=full or anew)
    if not anew and not warehouse.value(_ANYONE):
        progress.mark(warehouse, STAGE, upto, as_of)
        return 0
    draft(warehouse, wanted, as_of, full=full or anew)
    with warehouse.transaction():
        if anew:
            _make_anew(warehouse, wanted)
        _write(warehouse, wanted, as_of)
        progress.mark(warehouse, STAGE, upto, as_of)
    return int(warehouse.value(_COUNT_DRAFT))


def program_of(applied: Applied, catalog: Catalog) -> Program:
    """The applied tags, compiled."""
    return passes.program({each.tag: each.value for each in applied.of("tag")}, catalog)


def choose(warehouse: Warehouse, as_of: datetime, *, full: bool = False) -> int:
    """Fill the temporary table `changed`; the batch that is reached by that."""
    upto = changed.choose(warehouse, STAGE, full=full)
    warehouse.execute(_ADD_EVERY_ROW if full else _ADD_DUE, None if full else {"as_of": as_of})
    return upto


def draft(warehouse: Warehouse, wanted: Program, as_of: datetime, *, full: bool) -> None:
    """Work the chosen profiles out into the temporary table `tags_draft`; nothing else is written."""
    warehouse.execute(_START_FULL if full else _START)
    for each in wanted.passes:
        warehouse.execute(each.everyone if full else each.changed, {"as_of": as_of} if each.timed else None)
        if each.ranks:
            _take_ranks(warehouse, each, full=full)
        else:
            warehouse.execute(_WIDEN)
        warehouse.execute(_FORGET_NARROW)
        warehouse.execute(_RENAME)


def _take_ranks(warehouse: Warehouse, each: Pass, *, full: bool) -> None:
    """Add ranks to the draft, and to it everyone whose rank was moved by others."""
    if not full:
        warehouse.execute(_MOVED_RANKS + each.moved)
        if warehouse.value(_ANY_MOVED):
            warehouse.execute(_GROW_DRAFT + each.grow)
            warehouse.execute(_GROW_CHANGED)
    warehouse.execute(_ADD_RANKS)


def _fingerprint(warehouse: Warehouse) -> str | None:
    found: str | None = warehouse.value(_FINGERPRINT)
    return found


def _make_anew(warehouse: Warehouse, wanted: Program) -> None:
    """Put empty tables with the wanted columns in the place of the old ones."""
    for table, columns in ((TAGS, wanted.tags), (TAG_INPUTS, wanted.inputs)):
        fresh = Table(name=table.name, store=table.store, stage=table.stage, columns=(*table.columns, *columns))
        warehouse.execute(ddl.create(fresh, name=f"{table.name}_next"))
        for statement in ddl.swap(table.name, f"{table.name}_next"):
            warehouse.execute(statement)
    warehouse.execute(_FORGET_PROGRAM)
    warehouse.execute(_NOTE_PROGRAM, {"fingerprint": wanted.fingerprint})


def _write(warehouse: Warehouse, wanted: Program, as_of: datetime) -> None:
    tags = ("profile_id", *_names(wanted.tags))
    readers = dict(zip(("models", "audiences", "facts"), READERS, strict=True))
    warehouse.execute(_NOTE_CHANGES.format(columns=ddl.names(tags)), readers)
    warehouse.execute(_FORGET_READ_CHANGES, readers)
    warehouse.execute(ddl.delete_where("tags", "profile_id", "changed"))
    warehouse.execute(_WRITE.format(table="tags", columns=ddl.names((*tags, "next_edge_at"))))
    if not wanted.inputs:
        return
    inputs = ("profile_id", *_names(wanted.inputs))
    warehouse.execute(ddl.delete_where("tag_inputs", "profile_id", "changed"))
    warehouse.execute(_WRITE.format(table="tag_inputs", columns=ddl.names(inputs)))
    warehouse.execute(_FORGET_CUTS)
    for each in wanted.cuts:
        warehouse.execute(_WRITE_CUTS + each.sql, {"tag": each.tag, "as_of": as_of})


def _names(columns: tuple[Column, ...]) -> tuple[str, ...]:
    return tuple(each.name for each in columns)


_ADD_DUE = """
insert into changed
select profile_id from tags where next_edge_at < $as_of and profile_id not in (select profile_id from changed)
"""
_ADD_EVERY_ROW = """
insert into changed select profile_id from tags where profile_id not in (select profile_id from changed)
"""
_ANYONE = "select exists (from changed)"
_START = """
create or replace temp table tags_draft as
select profile_id, null::timestamp as next_edge_at from profiles
where profile_id in (select profile_id from changed) and profile_id not in (select profile_id from restricted)
"""
_START_FULL = """
create or replace temp table tags_draft as
select profile_id, null::timestamp as next_edge_at from profiles
where profile_id not in (select profile_id from restricted)
"""
_WIDEN = """
create or replace temp table tags_wider as
select known.* replace (least(known.next_edge_at, more.next_edge_at) as next_edge_at),
       more.* exclude (profile_id, next_edge_at)
from tags_draft known join tags_layer more using (profile_id)
"""
_ADD_RANKS = """
create or replace temp table tags_wider as
select known.*, more.* exclude (profile_id)
from tags_draft known join tags_ranked more using (profile_id)
"""
_FORGET_NARROW = "drop table tags_draft"
_RENAME = "alter table tags_wider rename to tags_draft"
_MOVED_RANKS = "create or replace temp table moved_ranks as "
_ANY_MOVED = "select exists (from moved_ranks)"
_GROW_DRAFT = "insert into tags_draft by name "
_GROW_CHANGED = "insert into changed select profile_id from moved_ranks"
_FINGERPRINT = "select fingerprint from tag_program"
_FORGET_PROGRAM = "delete from tag_program"
_NOTE_PROGRAM = "insert into tag_program (fingerprint) values ($fingerprint)"
# A change's number lies above all that its readers have seen, also when an erasure took the last ones away.
_NOTE_CHANGES = """
insert into tag_changes by name
with different as (
  select profile_id from (
    select {columns} from tags_draft
    except select {columns} from tags where profile_id in (select profile_id from changed)
  )
  union
  select profile_id from tags
  where profile_id in (select profile_id from changed) and profile_id not in (select profile_id from tags_draft)
)
select profile_id, 1 + greatest(
         (select coalesce(max(change), 0) from tag_changes),
         (select coalesce(max(batch), 0) from progress where stage in ($models, $audiences, $facts))) as change
from different order by profile_id
"""
_FORGET_READ_CHANGES = """
delete from tag_changes
where change < (select max(change) from tag_changes)
  and change <= (select coalesce(min(batch), 0) from progress where stage = $models)
  and change <= (select coalesce(min(batch), 0) from progress where stage = $audiences)
  and change <= (select coalesce(min(batch), 0) from progress where stage = $facts)
"""
_WRITE = "insert into {table} by name select {columns} from tags_draft order by profile_id"
_FORGET_CUTS = "delete from tag_cuts"
_WRITE_CUTS = "insert into tag_cuts by name "
_COUNT_DRAFT = "select count(*) from tags_draft"
