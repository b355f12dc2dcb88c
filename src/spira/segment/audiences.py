"""Audiences: who is in which named set, and who has entered and left.

Reads   `profile_events`, `tags`, `scores`, `traits`, `permissions`   what conditions speak of
        `changes`, `tag_changes`, `score_changes`   whom a batch or an earlier stage has touched
        `membership_changes`   who moved in the refresh before this one, which conditions may ask for
Writes  `members`              who is in, and since when
        `membership_changes`   every entering and leaving, numbered in order
        `member_edges`         when a membership may change by time alone
        `audience_program`     what the conditions were compiled from

A membership is a function of the world at `as_of`; what is written is its difference from the
last one, so that a second run at the same instant writes nothing. Profiles that nothing has
touched and whose edge has not passed are not looked at (decision 0008).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from pydantic import Field

from spira.definitions.apply import Applied
from spira.definitions.model import DefinitionModel, Label, NameStr
from spira.kernel.errors import DefinitionsInvalid
from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.language import analyse
from spira.segment.conditions.query import profiles_query
from spira.segment.order import order
from spira.segment.rewrite import Held, reading, stored
from spira.storage import progress
from spira.storage.warehouse import Warehouse
from spira.unify import changed

STAGE = "segment.audiences"
TAGS_READ = "segment.audiences.tags"
SCORES_READ = "segment.audiences.scores"
MOVES_READ = "segment.audiences.moves"
DRAFT, LAYER = "members_draft", "members_layer"


class AudienceDefinition(DefinitionModel):
    """An audience: the profiles of whom a condition is true."""

    audience: NameStr = Field(description="Its name: journeys and other audiences use it.")
    label: Label | None = Field(default=None, description="What people call it.")
    description: Label | None = Field(default=None, description="Who is in it, in a person's words.")
    owner: str = Field(default="", description="Who answers for it.")
    who: str = Field(description="The condition that is true of its members.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Conditions that one statement answers for the profiles in `changed`, or for everyone."""

    changed: str
    everyone: str

    @property
    def timed(self) -> bool:
        """Whether the statements take the parameter `$as_of`."""
        return "$as_of" in self.everyone


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """All audiences compiled; `fingerprint` changes when any membership could.

    `asks_for_moves` says that a condition asks who entered or left an audience.
    """

    layers: tuple[Layer, ...]
    fingerprint: str
    asks_for_moves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """How many memberships a refresh began and ended."""

    entered: int
    left: int


def compute(warehouse: Warehouse, applied: Applied, catalog: Catalog, as_of: datetime, *, full: bool = False) -> Moves:
    """Make `members` agree with the conditions as of an instant, and note who entered and left."""
    wanted = program(who_of(applied), catalog)
    anew = warehouse.value(_FINGERPRINT) != wanted.fingerprint
    with warehouse.transaction():
        marks = _choose(warehouse, as_of, asks_for_moves=wanted.asks_for_moves, full=full or anew)
        moves = Moves(entered=0, left=0)
        if anew or warehouse.value(_ANYONE):
            draft(warehouse, wanted, as_of, full=full or anew)
            moves = _write(warehouse, as_of, full=full or anew)
        conditions = json.dumps(_prints(applied))
        if anew or warehouse.value(_CONDITIONS) != conditions:  # written otherwise, a condition may mean the same
            warehouse.execute(_FORGET_PROGRAM)
            warehouse.execute(_NOTE_PROGRAM, {"fingerprint": wanted.fingerprint, "conditions": conditions})
        for stage, reached in marks.items():
            progress.mark(warehouse, stage, reached, as_of)
    return moves


def worked_out(warehouse: Warehouse, applied: Applied) -> frozenset[str]:
    """The audiences whose members a refresh worked out from the condition that is applied now; others wait for one."""
    known = json.loads(warehouse.value(_CONDITIONS) or "{}")
    return frozenset(name for name, print in _prints(applied).items() if known.get(name) == print)


def _prints(applied: Applied) -> dict[str, str]:
    """A fingerprint of each applied condition: its text may name somebody, and is kept with the definitions only."""
    return {name: hashlib.sha256(text.encode()).hexdigest()[:32] for name, text in who_of(applied).items()}


def who_of(applied: Applied) -> dict[str, str]:
    """The applied conditions by audience."""
    return {each.audience: each.who for each in applied.of("audience")}


def program(who: Mapping[str, str], catalog: Catalog, *, tags: str = "tags") -> Program:
    """The compiled audiences, reading the table `tags`; made once for the same texts over the same catalog."""
    return _program(tuple(who.items()), Held(catalog), tags)


def draft(warehouse: Warehouse, wanted: Program, as_of: datetime, *, full: bool) -> None:
    """Put the memberships of the chosen profiles into `members_draft`; nothing else is written."""
    warehouse.execute(_START)
    warehouse.execute(_START_EDGES)
    for each in wanted.layers:
        warehouse.execute(each.everyone if full else each.changed, {"as_of": as_of} if each.timed else None)
        warehouse.execute(_TAKE_MEMBERS)
        warehouse.execute(_TAKE_EDGES)
    warehouse.execute(_LEAVE_OUT)


@lru_cache(maxsize=8)
def _program(who: tuple[tuple[str, str], ...], held: Held, tags: str) -> Program:
    catalog = replace(held.catalog, audiences=frozenset(name for name, _ in who))
    found = {name: analyse(text, catalog, expect="boolean") for name, text in who}
    for name, each in found.items():
        if each.faults:
            message = f"the audience `{name}` can't be worked out: {each.faults[0].message}"
            raise DefinitionsInvalid(message, help="run `spira check`")
    others, layers = {"members": DRAFT, "tags": tags}, []
    for names in order({name: each.reads.audiences for name, each in found.items()}).layers:
        columns = {name: found[name] for name in names}
        changed_sql, everyone = (
            stored(reading(profiles_query(columns, catalog, restrict=restrict, edges=True), others), LAYER)
            for restrict in (True, False)
        )
        layers.append(Layer(changed=changed_sql, everyone=everyone))
    said = "\n".join(each.everyone for each in layers)
    asks_for_moves = "membership_changes" in said
    fingerprint = hashlib.sha256(said.encode()).hexdigest()[:32]
    return Program(layers=tuple(layers), fingerprint=fingerprint, asks_for_moves=asks_for_moves)


def _choose(warehouse: Warehouse, as_of: datetime, *, asks_for_moves: bool, full: bool) -> dict[str, int]:
    """Fill the temporary table `changed`; what each watermark will have reached by that."""
    marks = {
        STAGE: changed.choose(warehouse, STAGE, full=full),
        TAGS_READ: int(warehouse.value(_NEWEST_TAG_CHANGE)),
        SCORES_READ: int(warehouse.value(_NEWEST_SCORE_CHANGE)),
        MOVES_READ: int(warehouse.value(_NEWEST_MOVE)),
    }
    if full:
        warehouse.execute(_ADD_EVERY_ROW)
        return marks
    known = {
        "tags": progress.since(warehouse, TAGS_READ),
        "scores": progress.since(warehouse, SCORES_READ),
        "moves": progress.since(warehouse, MOVES_READ) if asks_for_moves else marks[MOVES_READ],
        "as_of": as_of,
    }
    warehouse.execute(_ADD_TOUCHED, known)
    return marks


def _write(warehouse: Warehouse, as_of: datetime, *, full: bool) -> Moves:
    """Apply the difference between the draft and the members of the chosen profiles."""
    warehouse.execute(_DIFFERENCE.format(looked_at=_ALL_MEMBERS if full else _CHANGED_MEMBERS))
    warehouse.execute(_NOTE_CHANGES, {"as_of": as_of})
    left = warehouse.execute(_LEAVE)
    entered = warehouse.execute(_ENTER, {"as_of": as_of})
    warehouse.execute(_FORGET_EDGES)
    warehouse.execute(_WRITE_EDGES)
    return Moves(entered=entered, left=left)


# A program of before its conditions were noted is worked out anew, once.
_FINGERPRINT = "select fingerprint from audience_program where conditions is not null"
_CONDITIONS = "select conditions from audience_program"
_FORGET_PROGRAM = "delete from audience_program"
_NOTE_PROGRAM = "insert into audience_program (fingerprint, conditions) values ($fingerprint, $conditions)"
_ANYONE = "select exists (from changed)"
_NEWEST_TAG_CHANGE = "select coalesce(max(change), 0) from tag_changes"
_NEWEST_SCORE_CHANGE = "select coalesce(max(change), 0) from score_changes"
_NEWEST_MOVE = "select coalesce(max(change_id), 0) from membership_changes"
_ADD_TOUCHED = """
insert into changed
(select profile_id from tag_changes where change > $tags
 union select profile_id from score_changes where change > $scores
 union select profile_id from membership_changes where change_id > $moves
 union select profile_id from member_edges where next_edge_at < $as_of)
except select profile_id from changed
"""
_ADD_EVERY_ROW = """
insert into changed
(select profile_id from members union select profile_id from member_edges) except select profile_id from changed
"""
_START = """
create or replace temp table members_draft as select audience, profile_id, since from members limit 0
"""
_START_EDGES = "create or replace temp table member_edges_draft as select * from member_edges limit 0"
_TAKE_MEMBERS = """
insert into members_draft by name
select audience, profile_id, null::timestamp as since
from (unpivot members_layer on columns(* exclude (profile_id, next_edge_at)) into name audience value is_in)
where is_in
"""
_LEAVE_OUT = "delete from members_draft where profile_id in (select profile_id from restricted)"
_TAKE_EDGES = """
insert into member_edges_draft by name
select profile_id, next_edge_at from members_layer where next_edge_at is not null
"""
_ALL_MEMBERS = "members"
_CHANGED_MEMBERS = "(from members where profile_id in (select profile_id from changed))"
# One join says both who came and who went.
_DIFFERENCE = """
create or replace temp table moves as
select coalesce(now.audience, old.audience) as audience, coalesce(now.profile_id, old.profile_id) as profile_id,
       old.profile_id is null as entered
from members_draft now
full join {looked_at} old on old.audience = now.audience and old.profile_id = now.profile_id
where old.profile_id is null or now.profile_id is null
"""
_NOTE_CHANGES = """
insert into membership_changes by name
select (select coalesce(max(change_id), 0) from membership_changes)
         + row_number() over (order by audience, profile_id, entered) as change_id,
       audience, profile_id, entered, $as_of as at
from moves order by change_id
"""
_LEAVE = """
delete from members using moves
where members.audience = moves.audience and members.profile_id = moves.profile_id and not moves.entered
"""
_ENTER = """
insert into members by name
select audience, profile_id, $as_of as since from moves where entered order by audience, profile_id
"""
_FORGET_EDGES = "delete from member_edges where profile_id in (select profile_id from changed)"
_WRITE_EDGES = """
insert into member_edges by name
select profile_id, min(next_edge_at) as next_edge_at from member_edges_draft group by profile_id order by profile_id
"""
