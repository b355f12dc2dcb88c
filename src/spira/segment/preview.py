"""Preview: whom a condition would choose at an instant, before anyone defines an audience of it.

Reads   what the condition speaks of; writes nothing.

The count is the viewer's own: people outside their units are not in it. A sample of the people
comes with it, for those who may see people. One statement answers, and is stopped when it
takes too long. Where the tags stand at the batch that the profiles stand at, their rows are the
people: ten million are not joined with their tags to be counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import PurePath

from sqlglot import exp

from spira.kernel.diagnostics import Diagnostic, Span, render
from spira.kernel.errors import ConditionInvalid, Conflict
from spira.kernel.viewer import Viewer
from spira.segment import tags
from spira.segment.conditions.behaviours import is_behaviour
from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.faults import Fault
from spira.segment.conditions.functions import SCALARS
from spira.segment.conditions.language import Analysis, analyse
from spira.segment.conditions.printer import canonical
from spira.segment.conditions.query import duckdb_sql, members_query
from spira.segment.conditions.tree import Call, Logic, Name, Node, walk
from spira.segment.limits import limited
from spira.segment.rewrite import Held, among, over_tags
from spira.storage.vault import Vault
from spira.storage.warehouse import Row, Warehouse
from spira.unify import people, profiles
from spira.unify.portrait import PersonRow

SAMPLE = 10
SECONDS = 10.0
TYPED = PurePath("condition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Whom a condition chooses."""

    count: int = field(metadata={"help": "how many people satisfy the condition, among those the viewer may see"})
    total: int = field(metadata={"help": "how many people the viewer may see"})
    sample: tuple[PersonRow, ...] = field(metadata={"help": "some of the people; none for who sees aggregates only"})
    as_of: datetime = field(metadata={"help": "the instant at which it was asked"})
    ms: float = field(metadata={"help": "how many milliseconds the answer took"})


def preview(
    warehouse: Warehouse,
    catalog: Catalog,
    viewer: Viewer,
    text: str,
    *,
    as_of: datetime,
    vault: Vault,
    seconds: float = SECONDS,
) -> Preview:
    """Count the people of whom `text` is true; ConditionInvalid shows every fault in it with its place."""
    started = time.perf_counter()
    analysis, ways = _compiled(text, Held(catalog), viewer.units)
    _require_tags(warehouse, analysis)
    count, total, chosen = _ask(warehouse, _shortest(warehouse, ways), as_of, seconds=seconds)
    sample = people.rows(warehouse, vault, viewer, chosen or []) if viewer.sees_people else []
    return Preview(
        count=count,
        total=total,
        sample=tuple(sample),
        as_of=as_of,
        ms=round((time.perf_counter() - started) * 1000, 2),
    )


def diagnose(text: str, catalog: Catalog) -> tuple[Diagnostic, ...]:
    """What is wrong with a condition that was typed, with lines and columns of the text itself."""
    return tuple(_diagnostic(text, each) for each in analyse(text, catalog, expect="boolean").faults)


def tags_of(catalog: Catalog, viewer: Viewer, text: str) -> frozenset[str]:
    """The tags that a condition reads; ConditionInvalid as `preview`, with which it shares what was understood."""
    return _compiled(text, Held(catalog), viewer.units)[0].reads.tags


def sql_of(catalog: Catalog, viewer: Viewer, text: str) -> str:
    """The statement that counts the people of a condition, laid out to be read; ConditionInvalid as `preview`."""
    analysis, _ = _compiled(text, Held(catalog), viewer.units)
    who = _who(analysis, catalog, _scope(viewer.units))
    return _asked(who, _scope(viewer.units)).sql(dialect="duckdb", pretty=True)


def chosen(catalog: Catalog, viewer: Viewer, text: str) -> exp.Select:
    """The `profile_id` of each of the viewer's people of whom a condition is true; it takes `$as_of`."""
    analysis, _ = _compiled(text, Held(catalog), viewer.units)
    return members_query(analysis, catalog, scope=_scope(viewer.units))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ways:
    """One question as three statements: over profiles, over tags, over tags and those who have none on purpose."""

    profiles: str
    tags: str | None
    left_out: str | None


@lru_cache(maxsize=64)
def _compiled(text: str, held: Held, units: frozenset[int] | None) -> tuple[Analysis, _Ways]:
    """A condition understood and compiled; pages ask for the same one again and again."""
    analysis = analyse(text, held.catalog, expect="boolean")
    if analysis.faults:
        shown = [render(_diagnostic(text, each), text) for each in analysis.faults]
        helps = [each.help for each in analysis.faults if each.help]
        raise ConditionInvalid("\n\n".join(shown), help=helps[0] if helps else None)
    scope = _scope(units)
    who = _who(analysis, held.catalog, scope)
    shorter = [None if scope is not None else over_tags(who, left_out=each) for each in (False, True)]
    if shorter[0] is not None:
        shorter[0] = _narrowed(analysis, held.catalog) or shorter[0]
    alone, left_out = (None if each is None else duckdb_sql(_asked(each, scope)) for each in shorter)
    return analysis, _Ways(profiles=duckdb_sql(_asked(who, scope)), tags=alone, left_out=left_out)


def _narrowed(analysis: Analysis, catalog: Catalog) -> exp.Select | None:
    """The people looked for among those of whom the cheaper parts are true; None where no tags say who they are.

    First come the parts that tags alone decide, then those about traits, consents and memberships, then the events:
    what a scan of them groups is a few people then, not everyone who did something.
    """
    tree = analysis.tree
    if not isinstance(tree, Logic) or tree.op != "and":
        return None
    steps: dict[int, list[str]] = {}
    for each in sorted(tree.operands, key=_cost):
        steps.setdefault(_cost(each), []).append(f"({canonical(each)})")
    if 0 not in steps or len(steps) == 1:
        return None
    first, *further = (analyse(" and ".join(parts), catalog, expect="boolean") for parts in steps.values())
    found = over_tags(_who(first, catalog, None), left_out=False)
    for place, step in enumerate(further):
        if found is not None:
            found = among(_who(step, catalog, None, restrict=True), found, name=f"found_{place}")
    return found


def _cost(node: Node) -> int:
    """0 for what tags alone decide, 2 for what events are read for, 1 for anything between."""
    calls = [each for each in walk(node) if isinstance(each, Call) and each.function not in SCALARS]
    if any(is_behaviour(each) for each in calls):
        return 2
    names = [each for each in walk(node) if isinstance(each, Name)]
    return 0 if names and not calls and all(each.role == "tag" for each in names) else 1


def _shortest(warehouse: Warehouse, ways: _Ways) -> str:
    """The statement that has the least to do and counts the same people."""
    if ways.tags is None or ways.left_out is None:
        return ways.profiles
    marks, is_restricted = warehouse.one(_STANDING, {"stages": [tags.STAGE, profiles.STAGE]}) or ([], True)
    if marks is None or len(marks) != 2 or len(set(marks)) > 1:  # none before the first refresh
        return ways.profiles
    return ways.left_out if is_restricted else ways.tags


def _scope(units: frozenset[int] | None) -> exp.Expression | None:
    return people.scope(Viewer(staff_id="", name="", roles=frozenset(), units=units))


def _who(analysis: Analysis, catalog: Catalog, scope: exp.Expression | None, *, restrict: bool = False) -> exp.Select:
    """The people of whom it is true, in any order; of those in `changed` when restricted."""
    found = members_query(analysis, catalog, scope=scope, restrict=restrict)
    found.set("order", None)
    return found


def _asked(who: exp.Select, scope: exp.Expression | None) -> exp.Select:
    """One row: how many it is true of, how many there are, and the first few of them."""
    everyone = exp.select(exp.Count(this=exp.Star())).from_("profiles")
    if scope is not None:
        everyone = everyone.where(scope.copy())
    first = exp.Anonymous(this="min", expressions=[exp.column("profile_id"), exp.Literal.number(SAMPLE)])
    answered = who.subquery("each", copy=False)
    return exp.select(exp.Count(this=exp.Star()), everyone.subquery(), first).from_(answered)


def _require_tags(warehouse: Warehouse, analysis: Analysis) -> None:
    """A tag that was applied a moment ago has no column until the next refresh."""
    if not analysis.reads.tags:
        return
    missing = sorted(analysis.reads.tags.difference(warehouse.columns("tags")))
    if missing:
        raise Conflict(f"the tag `{missing[0]}` has not been worked out yet", help="wait for a refresh, or ask for one")


def _ask(warehouse: Warehouse, sql: str, as_of: datetime, *, seconds: float) -> Row:
    said, help = "the condition was not answered", "narrow its windows, or try again later"
    with limited(warehouse, seconds, said=said, help=help):
        row = warehouse.one(sql, {"as_of": as_of} if "$as_of" in sql else None)
    return row or (0, 0, [])


_STANDING = """
select list(batch), (select exists (from restricted)) from progress where list_contains($stages, stage)
"""


def _diagnostic(text: str, fault: Fault) -> Diagnostic:
    before = text[: fault.start]
    line_start = before.rfind("\n") + 1
    line_end = text.find("\n", fault.start)
    end = min(fault.end, line_end if line_end >= 0 else len(text))
    at = Span(TYPED, before.count("\n") + 1, fault.start - line_start + 1, max(end - fault.start, 1))
    return Diagnostic(code=fault.code, message=fault.message, at=at, help=fault.help)
