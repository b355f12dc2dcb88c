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
        `tag_stage`, `tag_parts`   what a refresh of everyone has found so far
        `progress`         how far the tags have come, and each rhythm (`tag_rhythm.py`)

A tag is a function of the events before `as_of`. A refresh runs the same statements for the
changed profiles, and for those whose next edge has passed, as a full one runs for everyone,
and leaves the same rows (decision 0008). All is worked out in temporary tables; one
transaction puts it in place, so that a reader sees the old values or the new.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from spira.definitions.apply import Applied
from spira.definitions.model import DefinitionModel, Label, NameStr
from spira.segment import drafting, manual_tags, passes, tag_rhythm, whole
from spira.segment.conditions.catalog import Catalog
from spira.segment.passes import Program
from spira.storage import ddl, progress
from spira.storage.tables import Column
from spira.storage.warehouse import Warehouse
from spira.unify import changed

STAGE = "segment.tags"
FACTS_READ = "segment.facts.tags"
READERS = ("segment.models.tags", "segment.audiences.tags", FACTS_READ)


Status = Literal["draft", "applied", "retired"]


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
    status: Status = Field(
        default="applied",
        description="A `draft` is tried out and a `retired` one kept: neither is worked out, and nothing may use it.",
    )
    refresh: tag_rhythm.Rhythm = Field(
        default=tag_rhythm.ALWAYS,
        description="How often it is worked out: `every change`, `every 30 minutes` or `daily at 04:00`.",
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


def worked_out(applied: Applied) -> list[TagDefinition]:
    """The applied tags that a refresh works out: not the drafts, and not those that are retired."""
    return [each for each in applied.of("tag") if each.status == "applied"]


def idle_of(tags: Iterable[TagDefinition]) -> frozenset[str]:
    """The names of the others."""
    return frozenset(each.tag for each in tags if each.status != "applied")


def compute(warehouse: Warehouse, applied: Applied, catalog: Catalog, as_of: datetime, *, full: bool = False) -> int:
    """Make `tags` agree with the events before `as_of`; how many profiles were worked out."""
    print = program_of(applied, catalog).fingerprint
    anew = _fingerprint(warehouse) != print
    beats = tag_rhythm.rhythms((each.tag, each.refresh) for each in worked_out(applied))
    waits = frozenset() if full or anew else tag_rhythm.waiting(warehouse, beats, as_of, zone=catalog.zone)
    carried = frozenset[str]().union(*(beats[each] for each in waits))
    wanted, done = program_of(applied, catalog, carried=carried), 0
    if full or anew or beats.keys() - waits:
        stood, done = _everyone(warehouse, wanted, as_of, anew=anew, print=print, due=beats.keys() - waits)
        if stood == as_of:
            return done
    upto = choose(warehouse, as_of)
    if not warehouse.value(_ANYONE):
        progress.mark(warehouse, STAGE, upto, as_of)
        return done
    drafting.draft(warehouse, wanted, as_of, full=False)
    with warehouse.transaction():
        _write(warehouse, wanted, as_of)
        progress.mark(warehouse, STAGE, upto, as_of)
    return done + int(warehouse.value(_COUNT_DRAFT))


def _everyone(
    warehouse: Warehouse, wanted: Program, as_of: datetime, *, anew: bool, print: str, due: Iterable[str]
) -> tuple[datetime, int]:
    """Work everyone out, with the tags of rhythms that are `due`; the instant at which they stand now, and how many.

    The instant is an earlier one where a refresh goes on that was killed.
    """
    now = whole.Standing(batch=changed.newest(warehouse), as_of=as_of)
    every = whole.stretches(warehouse)
    if len(every) == 1:
        drafting.draft(warehouse, wanted, as_of, full=True)
    else:
        now = whole.stage(warehouse, wanted, now, every)
    with warehouse.transaction():
        done = whole.write(warehouse, wanted, now, anew=anew, drafted=len(every) == 1)
        _note_changes(warehouse)
        _write_cuts(warehouse, wanted, now.as_of)
        warehouse.execute(_FORGET_PROGRAM)
        warehouse.execute(_NOTE_PROGRAM, {"fingerprint": print})
        for each in due:
            tag_rhythm.mark(warehouse, each, now.batch, now.as_of)
        progress.mark(warehouse, STAGE, now.batch, now.as_of)
    return now.as_of, done


def program_of(applied: Applied, catalog: Catalog, *, carried: frozenset[str] = frozenset()) -> Program:
    """The applied tags, compiled; those `carried` keep the values that they have."""
    return passes.program({each.tag: each.value for each in worked_out(applied)}, catalog, carried=carried)


def choose(warehouse: Warehouse, as_of: datetime) -> int:
    """Fill the temporary table `changed` with those who changed or whose edge has passed; the batch reached by that."""
    upto = changed.choose(warehouse, STAGE)
    warehouse.execute(_ADD_DUE, {"as_of": as_of})
    return upto


def _fingerprint(warehouse: Warehouse) -> str | None:
    found: str | None = warehouse.value(_FINGERPRINT)
    return found


def _write(warehouse: Warehouse, wanted: Program, as_of: datetime) -> None:
    tags = ("profile_id", *_names(wanted.tags))
    changes = " or ".join(f"now.{ddl.quote(each)} is distinct from old.{ddl.quote(each)}" for each in tags)
    warehouse.execute(_DIFFERENT.format(changes=changes))
    _note_changes(warehouse)
    warehouse.execute(ddl.delete_where("tags", "profile_id", "changed"))
    warehouse.execute(_WRITE.format(table="tags", columns=ddl.names((*tags, "next_edge_at"))))
    if not wanted.inputs:
        return
    inputs = ("profile_id", *_names(wanted.inputs))
    warehouse.execute(ddl.delete_where("tag_inputs", "profile_id", "changed"))
    warehouse.execute(_WRITE.format(table="tag_inputs", columns=ddl.names(inputs)))
    _write_cuts(warehouse, wanted, as_of)


def _note_changes(warehouse: Warehouse) -> None:
    """Say whose tags are others, as they stand in `tags_different`, and forget what all have read."""
    readers = dict(zip(("models", "audiences", "facts"), READERS, strict=True))
    warehouse.execute(_NOTE_CHANGES, readers)
    warehouse.execute(_FORGET_READ_CHANGES, readers)


def _write_cuts(warehouse: Warehouse, wanted: Program, as_of: datetime) -> None:
    warehouse.execute(_FORGET_CUTS, {"carried": sorted(wanted.carried)})
    for each in wanted.cuts:
        warehouse.execute(_WRITE_CUTS + each.sql, {"tag": each.tag, "as_of": as_of})


def _names(columns: tuple[Column, ...]) -> tuple[str, ...]:
    return tuple(each.name for each in columns)


_ADD_DUE = """
insert into changed
select profile_id from tags where next_edge_at < $as_of and profile_id not in (select profile_id from changed)
"""
_ANYONE = "select exists (from changed)"
_FINGERPRINT = "select fingerprint from tag_program"
_FORGET_PROGRAM = "delete from tag_program"
_NOTE_PROGRAM = "insert into tag_program (fingerprint) values ($fingerprint)"
_DIFFERENT = """
create or replace temp table tags_different as
select coalesce(now.profile_id, old.profile_id) as profile_id
from tags_draft now
full join (from tags where profile_id in (select profile_id from changed)) old on old.profile_id = now.profile_id
where {changes}
"""
# A change's number lies above all that its readers have seen, also when an erasure took the last ones away.
_NOTE_CHANGES = """
insert into tag_changes by name
select profile_id, 1 + greatest(
         (select coalesce(max(change), 0) from tag_changes),
         (select coalesce(max(batch), 0) from progress where stage in ($models, $audiences, $facts))) as change
from tags_different order by profile_id
"""
_FORGET_READ_CHANGES = """
delete from tag_changes
where change < (select max(change) from tag_changes)
  and change <= (select coalesce(min(batch), 0) from progress where stage = $models)
  and change <= (select coalesce(min(batch), 0) from progress where stage = $audiences)
  and change <= (select coalesce(min(batch), 0) from progress where stage = $facts)
"""
_WRITE = "insert into {table} by name select {columns} from tags_draft order by profile_id"
_FORGET_CUTS = "delete from tag_cuts where not list_contains($carried::varchar[], tag)"
_WRITE_CUTS = "insert into tag_cuts by name "
_COUNT_DRAFT = "select count(*) from tags_draft"
