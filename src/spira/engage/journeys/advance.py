"""Advance: everyone in a journey moves as far as they can at this instant, in a few statements.

Reads   `members`, `membership_changes`, `profile_events`, `changes`, `tags`, `moved`, applied journeys
Writes  `enrolments`, `enrolment_steps`, `outbox`, `journey_versions`

One transaction: killed anywhere, the next tick does the same again. A person is in one step
of an enrolment at a time, and each visit of a sending step leaves one row in the outbox. The
held out walk like everyone; their rows say so, and the gate withholds them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from spira.definitions.apply import Applied
from spira.engage.journeys.choosing import choose
from spira.engage.journeys.enrol import PREPARE, STAGE, enrol
from spira.engage.journeys.flow import Node, due_after
from spira.engage.journeys.news import News
from spira.engage.journeys.versions import Version, reconcile
from spira.engage.moves import follow
from spira.kernel.durations import parse_duration
from spira.segment.conditions.catalog import Catalog
from spira.storage import progress
from spira.storage.warehouse import Warehouse
from spira.unify.personal import REFUSED_SQL

_log = logging.getLogger("spira.engage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """What a tick did: how many entered, took a step, left early, reached the goal and are to be written to."""

    entered: int = 0
    stepped: int = 0
    left: int = 0
    goals: int = 0
    messages: int = 0
    faults: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows changed."""
        return self.entered + self.stepped + self.left + self.goals + self.messages


def advance(warehouse: Warehouse, applied: Applied, catalog: Catalog, as_of: datetime) -> int:
    """Stage 7: enrol, let leave, and move everyone who is due at `as_of`; how many rows changed."""
    done = tick(warehouse, applied, catalog, as_of)
    for fault in done.faults:
        _log.warning("%s; nobody meets it until it is understood again", fault)
    return done.rows


def tick(warehouse: Warehouse, applied: Applied, catalog: Catalog, as_of: datetime) -> Advanced:
    """The same, saying what was done."""
    with warehouse.transaction():
        versions = reconcile(warehouse, applied.of("journey"), as_of)
        left = _retire(warehouse, versions, as_of) + _follow_merges(warehouse, versions, as_of)
        warehouse.execute(PREPARE)
        entered = sum(enrol(warehouse, each, as_of, zone=catalog.zone) for each in versions if each.current)
        news = News.since_last_tick(warehouse)
        goals = sum(_reach_goal(warehouse, each, news, as_of) for each in versions)
        moving = _Tick(warehouse, versions, catalog, as_of)
        left += moving.leave_by_rule()
        moving.wake(news)
        stepped, messages = moving.move()
        news.mark(warehouse, as_of)
        progress.mark(warehouse, STAGE, progress.since(warehouse, STAGE) + 1, as_of)
    return Advanced(
        entered=entered, stepped=stepped, left=left, goals=goals, messages=messages, faults=tuple(moving.faults)
    )


def _retire(warehouse: Warehouse, versions: Sequence[Version], as_of: datetime) -> int:
    kept = sorted({each.name for each in versions})
    return warehouse.execute(_RETIRE, {"kept": kept, "as_of": as_of})


def _follow_merges(warehouse: Warehouse, versions: Sequence[Version], as_of: datetime) -> int:
    """Rows go with the person to their new profile; of two walks through one journey the earlier goes on."""
    if not follow(warehouse, STAGE, ("enrolments", "enrolment_steps", "outbox"), as_of):
        return 0
    keyed = sorted({each.name for each in versions if each.model.enter.key is not None})
    return warehouse.execute(_ONE_WALK, {"keyed": keyed, "as_of": as_of})


def _reach_goal(warehouse: Warehouse, version: Version, news: News, as_of: datetime) -> int:
    goal = version.model.goal
    if goal is None:
        return 0
    walks = {"journey": version.name, "version": version.number, "within": parse_duration(goal.within), "as_of": as_of}
    return warehouse.execute(_GOAL) if news.look(warehouse, _WITHOUT_GOAL, goal.did, walks) else 0


class _Tick:
    """One tick's movement of all versions."""

    def __init__(self, warehouse: Warehouse, versions: Sequence[Version], catalog: Catalog, as_of: datetime) -> None:
        self.faults: list[str] = []
        self._warehouse = warehouse
        self._versions = versions
        self._catalog = catalog
        self._as_of = as_of

    def leave_by_rule(self) -> int:
        """End the walks of those who meet their journey's exit rule."""
        left = 0
        for version in self._versions:
            where = {"journey": version.name, "version": version.number}
            if version.model.exit is None or not self._warehouse.execute(_ASK_WALKING, where):
                continue
            self._choose(version, version.model.exit)
            left += self._warehouse.execute(_LEAVE_CHOSEN, where | {"as_of": self._as_of})
        return left

    def wake(self, news: News) -> None:
        """Make due at once those whose awaited event came."""
        for version, node in self._nodes("await"):
            walks = {"journey": version.name, "version": version.number, "waiting": node.position}
            walks |= {"arrived": node.position.removesuffix(".waiting"), "as_of": self._as_of}
            if node.event is not None and news.look(self._warehouse, _WAITING, node.event, walks):
                self._warehouse.execute(_WAKE, {"as_of": self._as_of})

    def move(self) -> tuple[int, int]:
        """Take steps until nobody is due; how many were taken, and how many messages were asked for."""
        stepped = messages = 0
        most = max((len(each.nodes) for each in self._versions), default=0)
        with self._warehouse.registered("flow_rows", self._flow()):
            self._warehouse.execute(_LAY_FLOW)
        now = {"as_of": self._as_of}
        for _ in range(most):
            if not self._warehouse.execute(_MOVING, now):
                break
            stepped += self._warehouse.execute(_VISIT, now)
            messages += self._warehouse.execute(_ASK_TO_SEND, now)
            self._branch()
            self._warehouse.execute(_STEP, now)
        return stepped, messages

    def _branch(self) -> None:
        """Decide the way of everyone who stands at a branch.

        Whoever refused personal content is not sorted by what is known of them: they go on by `else`, and leave
        where a way only leads out.
        """
        self._warehouse.execute(_NO_WAYS)
        for version, node in self._nodes("branch"):
            here = {"journey": version.name, "version": version.number, "step": node.position}
            ends = {each.position for each in version.nodes if each.kind == "exit"}
            for condition, following in node.ways:
                content = version.model.purpose == "marketing" and following is not None and following not in ends
                if not self._warehouse.execute(_ASK_UNDECIDED, {**here, "content": content}):
                    continue
                self._choose(version, condition)
                self._warehouse.execute(_GO, here | {"following": following})

    def _choose(self, version: Version, condition: str) -> None:
        wrong = choose(self._warehouse, condition, self._catalog, self._as_of)
        if wrong is not None:
            self.faults.append(f"journey {version.name}, version {version.number}: {wrong}")

    def _nodes(self, kind: str) -> list[tuple[Version, Node]]:
        return [(version, node) for version in self._versions for node in version.nodes if node.kind == kind]

    def _flow(self) -> pa.Table:
        """All positions as a relation, each with when those who take it now are due next."""
        zone = self._catalog.zone
        rows = [
            {
                "journey": version.name,
                "version": version.number,
                "position": node.position,
                "kind": node.kind,
                "following": node.following,
                "next_due": due_after(node, self._as_of, zone=zone),
                "channel": node.channel,
                "template": node.template,
                "purpose": version.model.purpose,
                "campaign": version.model.campaign,
            }
            for version in self._versions
            for node in version.nodes
        ]
        return pa.Table.from_pylist(rows, schema=_FLOW)


_FLOW = pa.schema(
    [
        ("journey", pa.string()),
        ("version", pa.int32()),
        ("position", pa.string()),
        ("kind", pa.string()),
        ("following", pa.string()),
        ("next_due", pa.timestamp("us")),
        ("channel", pa.string()),
        ("template", pa.string()),
        ("purpose", pa.string()),
        ("campaign", pa.string()),
    ]
)
_RETIRE = """
update enrolments set state = 'left', reason = 'retired', ended_at = $as_of, due_at = null
where state = 'active' and not list_contains($kept::varchar[], journey)
"""
_ONE_WALK = """
update enrolments set state = 'left', reason = 'merged', ended_at = $as_of, due_at = null
where enrolment_id in (
  select enrolment_id from enrolments where state = 'active'
  qualify row_number() over (
    partition by journey, profile_id, case when list_contains($keyed::varchar[], journey) then key else '' end
    order by entered_at, enrolment_id) > 1
)
"""
_WITHOUT_GOAL = """
select enrolment_id, profile_id, entered_at as "after", entered_at + $within as until
from enrolments
where journey = $journey and version = $version and goal_at is null
  and entered_at + $within + interval 7 days >= $as_of
"""
_GOAL = """
update enrolments set goal_at = reached.ts
from (select enrolment_id, min(ts) as ts from noticed group by enrolment_id) as reached
where enrolments.enrolment_id = reached.enrolment_id
"""
_ASK_WALKING = """
create or replace temp table changed as
select distinct profile_id from enrolments where journey = $journey and version = $version and state = 'active'
"""
_LEAVE_CHOSEN = """
update enrolments set state = 'left', reason = 'exit_rule', ended_at = $as_of, due_at = null
where journey = $journey and version = $version and state = 'active' and profile_id in (select profile_id from chosen)
"""
_WAITING = """
select e.enrolment_id, e.profile_id, s.at as "after", 'infinity'::timestamp as until
from enrolments e join enrolment_steps s on s.enrolment_id = e.enrolment_id and s.step = $arrived
where e.journey = $journey and e.version = $version and e.state = 'active' and e.step = $waiting and e.due_at > $as_of
"""
_WAKE = "update enrolments set due_at = $as_of where enrolment_id in (select enrolment_id from noticed)"
_LAY_FLOW = "create or replace temp table flow as select * from flow_rows"
_MOVING = """
create or replace temp table moving as
select e.enrolment_id, e.journey, e.version, e.profile_id, e.held_out, e.step, e.visit
from enrolments e join flow f on f.journey = e.journey and f.version = e.version and f.position = e.step
where e.state = 'active' and e.due_at <= $as_of
"""
_VISIT = """
insert into enrolment_steps by name
select enrolment_id, journey, version, profile_id, step, visit, $as_of as at from moving
"""
_ASK_TO_SEND = """
insert into outbox by name
select ('0x' || substr(md5(concat_ws(':', m.enrolment_id, m.step, m.visit)), 1, 15))::bigint as outbox_id,
       m.enrolment_id, m.step, m.visit, m.profile_id, m.journey, m.version,
       f.channel, f.template, f.purpose, f.campaign, m.held_out, $as_of as created_at
from moving m join flow f on f.journey = m.journey and f.version = m.version and f.position = m.step
where f.kind = 'send'
"""
_NO_WAYS = "create or replace temp table ways (enrolment_id BIGINT not null, following VARCHAR)"
_ASK_UNDECIDED = f"""
create or replace temp table changed as
select distinct profile_id from moving
where journey = $journey and version = $version and step = $step
  and enrolment_id not in (select enrolment_id from ways)
  and not ($content and profile_id in ({REFUSED_SQL}))
"""
_GO = """
insert into ways
select enrolment_id, $following from moving
where journey = $journey and version = $version and step = $step and profile_id in (select profile_id from chosen)
  and enrolment_id not in (select enrolment_id from ways)
"""
_STEP = """
update enrolments set
  step = coalesce(taken.following, enrolments.step),
  due_at = case when taken.following is null then null else taken.next_due end,
  state = case when taken.following is not null then 'active' when taken.kind = 'exit' then 'left' else 'finished' end,
  reason = case when taken.kind = 'exit' then 'exit' end,
  ended_at = case when taken.following is null then $as_of end
from (
  select m.enrolment_id, f.kind, f.next_due,
         case when w.enrolment_id is not null then w.following else f.following end as following
  from moving m join flow f on f.journey = m.journey and f.version = m.version and f.position = m.step
    left join ways w on w.enrolment_id = m.enrolment_id
) as taken
where enrolments.enrolment_id = taken.enrolment_id
"""
