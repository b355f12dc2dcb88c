"""What a statement needs: behaviours, tags, scores and traits, gathered while its expressions are lowered.

A `Gathered` lives as long as one statement is built. Lowering asks it for columns; afterwards
it writes the common table expressions that hold them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.arguments import number, text
from spira.segment.conditions.behaviours import (
    Behaviour,
    Counted,
    Crossed,
    Events,
    Followed,
    Funnel,
    Streak,
    Together,
    array_of,
    behaviour_of,
    crossed_of,
    is_behaviour,
)
from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.crossings import crossed, offsets
from spira.segment.conditions.edges import day_edges, uses_of_days
from spira.segment.conditions.follows import followed
from spira.segment.conditions.functions import HOUSEHOLDS, MOVES, POPULATION
from spira.segment.conditions.funnels import funnel
from spira.segment.conditions.lower import How, lower
from spira.segment.conditions.ranks import HOME, over_household, rank
from spira.segment.conditions.scans import (
    Source,
    aggregate,
    first_edge,
    grouped_by_value,
    is_alone,
    restricted,
    scan,
    source_of,
    trait_columns,
    weighed_by_value,
)
from spira.segment.conditions.sql import SQL_TYPES, Sql, column
from spira.segment.conditions.streaks import ENDS, streak
from spira.segment.conditions.together import together
from spira.segment.conditions.tree import Call, Compare, Literal, Name, Node, walk

BASE, TAGS, SCORES, TRAITS = "base", "tags", "known_scores", "known_traits"
HOUR = timedelta(hours=1)
Alone = Followed | Funnel | Streak | Together | Crossed  # what has a table of its own


@dataclass(slots=True, kw_only=True)
class Gathered:
    """The columns that one statement has asked for so far."""

    zone: str
    catalog: Catalog
    restrict: bool
    counted: dict[Counted, str] = field(default_factory=dict)
    alone: dict[Alone, str] = field(default_factory=dict)
    edges: dict[tuple[Source, timedelta], tuple[str, list[Events]]] = field(default_factory=dict)
    favourites: dict[tuple[Node | None, str | None, Counted | None], str] = field(default_factory=dict)
    scores: set[str] = field(default_factory=set)
    traits: set[str] = field(default_factory=set)
    reads_tags: bool = False

    def how(self) -> How:
        """How names and calls about people are found."""
        return How(name=self._name, call=self._call, zone=self.zone, compare=self._compare)

    def _name(self, node: Name) -> Sql:
        name = node.parts[0]
        if node.role == "tag":
            self.reads_tags = True
            return column(name, TAGS)
        (self.scores if node.role == "score" else self.traits).add(name)
        return column(name, SCORES if node.role == "score" else TRAITS)

    def _compare(self, node: Compare) -> Sql | None:
        """How far a funnel was gone, where only those matter who came to its second step or further."""
        match node:
            case Compare(op="=" | ">=" | ">", left=Call(function="funnel") as call, right=Literal(value=int(step))):
                asked, least = behaviour_of(call, self.zone), step + (node.op == ">")
                if isinstance(asked, Funnel) and least >= 2:
                    least = min(least, len(asked.steps) + 1)
                    return sql.coalesce(self._own(replace(asked, least=least), call.function), sql.whole(0))
        return None

    def _call(self, node: Call) -> Sql:
        if node.function in HOUSEHOLDS:
            self.traits.add(HOME)
            return over_household(node, lower(node.positional()[0], self.how()), column(HOME, TRAITS))
        if node.function in POPULATION:
            return rank(node, lower(node.positional()[0], self.how()))
        if node.function == "in_audience":
            return _member(text(node.positional()[0]))
        if node.function == "consented":
            purpose, channel = node.positional()
            return _permitted(text(purpose), text(channel))
        if node.function == "trait":
            name = text(node.positional()[0])
            self.traits.add(name)
            return column(name, TRAITS)
        if node.function == "ago":
            return lower(node.positional()[0], self.how())
        if node.function in MOVES:
            return sql.coalesce(self._own(crossed_of(node, self.zone), node.function), exp.Boolean(this=False))
        if node.function == "days_since":
            return sql.days_between(self._last(node), sql.as_of())
        return self._behaviour(node)

    def _last(self, node: Call) -> Sql:
        """The instant that a `days_since` counts from, later where it is asked as of some time ago."""
        last = self._column(node) if is_behaviour(node) else lower(node.positional()[0], self.how())
        return sql.shifted(last, node.shift)

    def _column(self, node: Call) -> Sql:
        asked = behaviour_of(node, self.zone)
        if not isinstance(asked, Counted):
            return self._own(asked, node.function)
        name = self.counted.setdefault(asked, f"b{len(self.counted)}")
        return column(name, self._table(asked))

    def _own(self, asked: Alone, function: str) -> Sql:
        name = self.alone.setdefault(asked, f"{function}_{len(self.alone)}")
        return column(name, name)

    def _behaviour(self, node: Call) -> Sql:
        value = self._column(node)
        if node.function in ("followed", "bought_with"):
            return sql.coalesce(value, exp.Boolean(this=False))
        if node.function == "did":
            return _often(sql.coalesce(value, sql.whole(0)), node)
        if node.function == "funnel":
            return sql.coalesce(value, self._first_step(node))
        if node.function in ("count", "count_of", "distinct_of", "active_days", "streak", "sum", "sum_of"):
            value = sql.coalesce(value, sql.whole(0))
        is_sum = node.function in ("sum", "sum_of")
        return sql.try_cast(value, SQL_TYPES[node.type]) if is_sum and node.type else value

    def _first_step(self, node: Call) -> Sql:
        """1 for whoever took the first step of a funnel, found in the scan that all share, else 0."""
        asked = behaviour_of(node, self.zone)
        if not isinstance(asked, Funnel):
            raise TypeError("not a funnel")
        first = Counted(measure="count", value=None, events=asked.first)
        name = self.counted.setdefault(first, f"b{len(self.counted)}")
        taken = exp.GT(this=column(name, self._table(first)), expression=sql.whole(0))
        return exp.Case(ifs=[exp.If(this=taken, true=sql.whole(1))], default=sql.whole(0))

    def _table(self, asked: Counted) -> str:
        """The table that a behaviour is computed in; the most frequent values of one thing share theirs."""
        if asked.measure != "most":
            return _scan_name(asked.array)
        key = (asked.value, asked.array, asked if asked.half_life else None)
        return self.favourites.setdefault(key, f"most_{len(self.favourites)}")

    def next_edge(self, trees: Iterable[Node]) -> Sql:
        """The least edge of everything that these trees use."""
        candidates: list[Sql] = []
        for tree in trees:
            for node in walk(tree):
                if isinstance(node, Call) and is_behaviour(node):
                    self._note_edges(behaviour_of(node, self.zone))
            for use in uses_of_days(tree):
                candidates.extend(day_edges(use, self._last(use.call)))
        for (source, offset), (name, _) in self.edges.items():
            candidates.append(sql.shifted(column(name, _scan_name(source.array)), offset))
        for asked, name in self.alone.items():
            candidates.extend(self._own_edges(asked, name))
        return sql.least(candidates)

    def _own_edges(self, asked: Alone, table: str) -> list[Sql]:
        """The edges that a behaviour's own table knows."""
        if isinstance(asked, Crossed):
            return [sql.shifted(column(name, table), offset) for offset, name in offsets(asked)]
        if not isinstance(asked, Streak) or not asked.current:
            return []
        breaks = sql.shifted(column(ENDS, table), asked.events.window.ending)
        early = sql.just_before(sql.shifted(breaks.copy(), -HOUR))
        # Where clocks are set back at midnight a day begins an hour before its second midnight.
        is_ahead = exp.GTE(this=sql.operand(early), expression=sql.as_of())
        return [sql.just_before(breaks), sql.when(is_ahead, early.copy())]

    def _note_edges(self, asked: Behaviour) -> None:
        if isinstance(asked, Counted | Together):
            self._note(asked.events, asked.array, asked.events.offsets())
            return
        if isinstance(asked, Streak):
            self._note(asked.events, array_of(asked.events.conditions), asked.events.offsets())
            return
        # What comes between can't matter by itself: a pair it would part is not complete before it.
        self._note(asked.first, None, asked.first.offsets())
        for each in asked.later()[:1] if isinstance(asked, Followed) else asked.later():
            self._note(each, None, each.offsets())

    def _note(self, events: Events, array: str | None, offsets: frozenset[timedelta]) -> None:
        source = Source(array=array, joined=False, zone=self.zone)
        for offset in sorted(offsets):
            _, groups = self.edges.setdefault((source, offset), (f"edge{len(self.edges)}", []))
            if events.timeless() not in groups:
                groups.append(events.timeless())

    def joined(self, tables: Iterable[str]) -> list[str]:
        """The tables that profiles are joined with."""
        found = [each for each in tables if not each.startswith("counted_")]
        return [*found, TAGS] if self.reads_tags else found

    def tables(self, *, future: bool) -> dict[str, exp.Select]:
        """The common table expressions by name; `future` includes events that are still to count."""
        found = self._scans(future=future)
        found.update(self._most_frequent())
        for asked, name in self.alone.items():
            found[name] = self._own_table(asked, name)
        if self.scores:
            found[SCORES] = self._score_columns()
        if self.traits:
            kinds = {name: self.catalog.traits.get(name, "text") for name in self.traits}
            found[TRAITS] = trait_columns(kinds, restrict=self.restrict)
        return found

    def _own_table(self, asked: Alone, name: str) -> exp.Select:
        match asked:
            case Followed():
                return followed(asked, name, self.zone, restrict=self.restrict)
            case Funnel():
                return funnel(asked, name, self.zone, restrict=self.restrict)
            case Streak():
                return streak(asked, name, self.zone, restrict=self.restrict)
            case Together():
                return together(asked, name, self.zone, restrict=self.restrict)
            case Crossed():
                return crossed(asked, name, restrict=self.restrict)

    def _scans(self, *, future: bool) -> dict[str, exp.Select]:
        plain = {asked: name for asked, name in self.counted.items() if asked.measure != "most"}
        arrays = dict.fromkeys([each.array for each in plain] + [source.array for source, _ in self.edges])
        found: dict[str, exp.Select] = {}
        for array in arrays:
            mine = {asked: name for asked, name in plain.items() if asked.array == array}
            edges = [(offset, *rest) for (source, offset), rest in self.edges.items() if source.array == array]
            asked = [each.events for each in mine] + self._asked_by_edges(array)
            values = [each.value for each in mine if each.value is not None]
            nodes = (*values, *(node for each in asked for node in each.conditions))
            source = source_of(array, nodes, self.zone)
            alone = is_alone(asked, future=future)
            columns = {name: aggregate(each, source, alone=alone) for each, name in mine.items()}
            columns |= {name: first_edge(groups, offset, source) for offset, name, groups in edges}
            found[_scan_name(array)] = scan(source, asked, columns, restrict=self.restrict, future=future)
        return found

    def _asked_by_edges(self, array: str | None) -> list[Events]:
        return [
            replace(each, window=replace(each.window, within=offset))
            for (source, offset), (_, groups) in self.edges.items()
            if source.array == array
            for each in groups
        ]

    def _most_frequent(self) -> dict[str, exp.Select]:
        groups: dict[str, list[tuple[str, Counted]]] = {}
        for asked, name in self.counted.items():
            if asked.measure == "most":
                groups.setdefault(self._table(asked), []).append((name, asked))
        found: dict[str, exp.Select] = {}
        for table, asked_for in groups.items():
            found[f"counted_{table}"] = self._value_counts(asked_for)
            found[table] = _favourite(f"counted_{table}", [name for name, _ in asked_for])
        return found

    def _value_counts(self, asked_for: list[tuple[str, Counted]]) -> exp.Select:
        value = asked_for[0][1].value
        if value is None:
            raise TypeError("the most frequent value of nothing")
        nodes = (value, *(node for _, each in asked_for for node in each.events.conditions))
        source = source_of(asked_for[0][1].array, nodes, self.zone)
        ((name, first), *_) = asked_for
        if first.half_life is not None:
            return weighed_by_value(source, value, first, name, restrict=self.restrict)
        return grouped_by_value(source, value, asked_for, restrict=self.restrict)

    def _score_columns(self) -> exp.Select:
        found = exp.Select().select(column("profile_id", "s"), copy=False).from_(sql.source("scores", "s"), copy=False)
        for name in sorted(self.scores):
            held = column("at" if self.catalog.scores[name] == "time" else "value", "s")
            chosen = exp.Max(this=sql.when(sql.named_in(column("model", "s"), [name]), held))
            found = found.select(exp.alias_(chosen, name, quoted=True), copy=False)
        found = found.where(sql.named_in(column("model", "s"), self.scores), copy=False)
        if self.restrict:
            found = found.where(restricted("s"), copy=False)
        return found.group_by(column("profile_id", "s"), copy=False)


def _scan_name(array: str | None) -> str:
    return "happened" if array is None else f"lines_{array}"


def _favourite(counted: str, names: list[str]) -> exp.Select:
    found = exp.Select().select(column("profile_id", "v"), copy=False).from_(sql.source(counted, "v"), copy=False)
    for name in names:
        times = column(name, "v")
        order = exp.Tuple(expressions=[exp.Neg(this=times), column("value", "v")])
        met = exp.GT(this=times.copy(), expression=sql.whole(0))
        best = exp.ArgMin(this=sql.when(met, column("value", "v")), expression=order)
        found = found.select(exp.alias_(best, name, quoted=True), copy=False)
    return found.group_by(column("profile_id", "v"), copy=False)


def _often(times: Sql, node: Call) -> Sql:
    named = node.named()
    least = number(named["at_least"]) if "at_least" in named else 1
    enough: Sql = exp.GTE(this=times, expression=sql.whole(least))
    if "at_most" not in named:
        return enough
    few = exp.LTE(this=times.copy(), expression=sql.whole(number(named["at_most"])))
    return sql.every([enough, few])


def _member(audience: str) -> Sql:
    members = exp.Select().select(column("profile_id", "m"), copy=False).from_(sql.source("members", "m"), copy=False)
    members = members.where(sql.named_in(column("audience", "m"), [audience]), copy=False)
    return sql.in_query(column("profile_id", BASE), members)


def _permitted(purpose: str, channel: str) -> Sql:
    found = exp.Select().select(column("profile_id", "a"), copy=False)
    found = found.from_(sql.source("permissions", "a"), copy=False)
    found = found.where(sql.named_in(column("purpose", "a"), [purpose]), copy=False)
    found = found.where(sql.named_in(column("channel", "a"), [channel]), copy=False)
    found = found.where(column("granted", "a"), copy=False)
    return sql.in_query(column("profile_id", BASE), found)
