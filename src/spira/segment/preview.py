"""Preview: whom a condition would choose at an instant, before anyone defines an audience of it.

Reads   what the condition speaks of; writes nothing.

The count is the viewer's own: people outside their units are not in it. A sample of the people
comes with it, for those who may see people. One statement answers, and is stopped when it
takes too long.
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
from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.faults import Fault
from spira.segment.conditions.language import Analysis, analyse
from spira.segment.conditions.query import duckdb_sql, members_query, profiles_query
from spira.segment.limits import limited
from spira.segment.rewrite import Held
from spira.storage.vault import Vault
from spira.storage.warehouse import Row, Warehouse
from spira.unify import people
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
    analysis, sql = _compiled(text, Held(catalog), viewer.units)
    _require_tags(warehouse, analysis)
    count, total, chosen = _ask(warehouse, sql, as_of, seconds=seconds)
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


def sql_of(catalog: Catalog, viewer: Viewer, text: str) -> str:
    """The statement that counts the people of a condition, laid out to be read; ConditionInvalid as `preview`."""
    analysis, _ = _compiled(text, Held(catalog), viewer.units)
    return _asked(analysis, catalog, _scope(viewer.units)).sql(dialect="duckdb", pretty=True)


def chosen(catalog: Catalog, viewer: Viewer, text: str) -> exp.Select:
    """The `profile_id` of each of the viewer's people of whom a condition is true; it takes `$as_of`."""
    analysis, _ = _compiled(text, Held(catalog), viewer.units)
    return members_query(analysis, catalog, scope=_scope(viewer.units))


@lru_cache(maxsize=64)
def _compiled(text: str, held: Held, units: frozenset[int] | None) -> tuple[Analysis, str]:
    """A condition understood and compiled; pages ask for the same one again and again."""
    analysis = analyse(text, held.catalog, expect="boolean")
    if analysis.faults:
        shown = [render(_diagnostic(text, each), text) for each in analysis.faults]
        helps = [each.help for each in analysis.faults if each.help]
        raise ConditionInvalid("\n\n".join(shown), help=helps[0] if helps else None)
    return analysis, duckdb_sql(_asked(analysis, held.catalog, _scope(units)))


def _scope(units: frozenset[int] | None) -> exp.Expression | None:
    return people.scope(Viewer(staff_id="", name="", roles=frozenset(), units=units))


def _asked(analysis: Analysis, catalog: Catalog, scope: exp.Expression | None) -> exp.Select:
    """One row: how many it is true of, how many there are, and the first few of them."""
    each = profiles_query({"holds": analysis}, catalog, restrict=False, edges=False, scope=scope)
    chosen = exp.Case(ifs=[exp.If(this=exp.column("holds"), true=exp.column("profile_id"))])
    first = exp.Anonymous(this="min", expressions=[chosen.copy(), exp.Literal.number(SAMPLE)])
    answered = exp.Subquery(this=each, alias=exp.TableAlias(this=exp.to_identifier("each")))
    return exp.select(exp.Count(this=chosen), exp.Count(this=exp.Star()), first).from_(answered)


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
        row = warehouse.one(sql, {"as_of": as_of})
    return row or (0, 0, [])


def _diagnostic(text: str, fault: Fault) -> Diagnostic:
    before = text[: fault.start]
    line_start = before.rfind("\n") + 1
    line_end = text.find("\n", fault.start)
    end = min(fault.end, line_end if line_end >= 0 else len(text))
    at = Span(TYPED, before.count("\n") + 1, fault.start - line_start + 1, max(end - fault.start, 1))
    return Diagnostic(code=fault.code, message=fault.message, at=at, help=fault.help)
