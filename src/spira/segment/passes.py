"""Tags compiled: the passes over the data that work all of them out, as text for the engine.

One pass scans for every tag, every input of a rank, and whatever a tag that builds on others asks of
events; one pass ranks everyone; further passes only add columns to the rows that are there. Each pass
is a statement of the language's compiler whose table `tags` is exchanged for the draft, so that a
half-done refresh is never read. The same texts serve the changed profiles, a stretch of ids, and everyone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from sqlglot import exp

from spira.kernel.errors import DefinitionsInvalid
from spira.segment.analysed import analyse_tag
from spira.segment.conditions.catalog import Catalog, Type
from spira.segment.conditions.language import Analysis
from spira.segment.conditions.query import duckdb_sql, profiles_query
from spira.segment.divisions import Division
from spira.segment.order import order
from spira.segment.ranks import Rank, apart, has_ranks, split
from spira.segment.rewrite import Held, alongside, reading, stored, within
from spira.storage import ddl
from spira.storage.tables import Column

COLUMN_TYPES: Mapping[Type, str] = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "money": "DECIMAL(18,4)",
    "text": "VARCHAR",
    "time": "TIMESTAMP",
    "date": "DATE",
    "null": "VARCHAR",
}
DRAFT, LAYER, RANKED, WIDER, RANKED_BY = "tags_draft", "tags_layer", "tags_ranked", "tags_wider", "tags_ranked_by"
EDGE = "next_edge_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Some columns, and how they are made.

    A scan has three statements that make the table `tags_layer`: for the temporary table `changed`, for the
    profiles from `$low` to below `$high`, for everyone. A pass over the draft alone has `rows` instead, which adds
    its columns to the rows of `tags_draft`; `divisions` are the ranks whose ends it takes as parameters. Other
    ranks have windows over everyone (`ranks`) and make `tags_ranked`.

    `ranked_by` gathers what everyone is divided by; `grow` adds to the draft, as they stand, profiles whose ranks
    `moved` though they did not change.
    """

    names: tuple[str, ...]
    changed: str = ""
    part: str = ""
    everyone: str = ""
    rows: exp.Select | None = None
    divisions: tuple[Division, ...] = ()
    ranks: bool = False
    ranked_by: str = ""
    grow: str = ""
    moved: str = ""


def widened(passes: Iterable[Pass], source: exp.Query | str = DRAFT) -> exp.Select:
    """The rows of the draft, or of another source, with the columns of passes over it, one upon the other."""
    found: exp.Query | str = source
    for each in passes:
        if each.rows is not None:
            found = reading(each.rows, {DRAFT: found})
    return found if isinstance(found, exp.Select) else exp.select("*").from_(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The published cut points of one tag: a statement with the parameters `$tag` and `$as_of`."""

    tag: str
    sql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """All tags compiled. `fingerprint` changes when any value could."""

    passes: tuple[Pass, ...]
    tags: tuple[Column, ...]
    inputs: tuple[Column, ...]
    cuts: tuple[Cut, ...]
    fingerprint: str
    carried: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Making:
    """Columns gathered while compiling: what each means, and which are ranks."""

    catalog: Catalog
    columns: dict[str, Analysis] = field(default_factory=dict)
    ranks: dict[str, Rank] = field(default_factory=dict)
    tags: dict[str, Type] = field(default_factory=dict)
    cuts: dict[str, Rank] = field(default_factory=dict)
    over: Mapping[str, str] = field(default_factory=dict)
    carried: frozenset[str] = frozenset()


def program(
    values: Mapping[str, str],
    catalog: Catalog,
    *,
    over: Mapping[str, str] | None = None,
    carried: frozenset[str] = frozenset(),
) -> Program:
    """The compiled tags, reading the tables of `over` in others' places; made once for the same texts and catalog.

    Tags that are `carried` are not worked out: they keep the value that `tags` has.
    """
    return _program(tuple(values.items()), Held(catalog), tuple((over or {}).items()), carried)


@lru_cache(maxsize=8)
def _program(
    values: tuple[tuple[str, str], ...], held: Held, over: tuple[tuple[str, str], ...], carried: frozenset[str]
) -> Program:
    making = _Making(catalog=held.catalog, over=dict(over), carried=carried)
    for name, text in values:
        if name in carried:
            making.tags[name] = held.catalog.tags[name]
        else:
            _add_tag(making, name, text)
    uses: dict[str, frozenset[str]] = {name: each.reads.tags for name, each in making.columns.items()}
    uses |= dict.fromkeys(carried, frozenset())
    passes = tuple(_layers(making, order(uses).layers))
    hidden = [name for name in making.columns if name not in making.tags]
    tags = tuple(Column(name=name, type=COLUMN_TYPES[kind]) for name, kind in making.tags.items())
    inputs = tuple(Column(name=name, type=COLUMN_TYPES[_type(making, name)]) for name in hidden)
    said = "\n".join([*(each.everyone or _said(each) for each in passes), *map(repr, tags)])
    return Program(
        passes=tuple(_growing(each, passes[:place]) for place, each in enumerate(passes)),
        tags=tags,
        inputs=inputs,
        cuts=tuple(_cut(tag, rank, _type(making, rank.input)) for tag, rank in making.cuts.items()),
        fingerprint=hashlib.sha256(said.encode()).hexdigest()[:32],
        carried=carried,
    )


def _add_tag(making: _Making, name: str, text: str) -> None:
    analysis = _sound(name, analyse_tag(text, making.catalog))
    making.tags[name] = analysis.type or "null"
    if analysis.tree is None or not has_ranks(analysis.tree):
        making.columns[name] = _settled(making, name, analysis)
        return
    parts = split(analysis.tree)
    for rank in parts.ranks:
        _add_hidden(making, rank.input, _settled(making, name, _sound(name, analyse_tag(rank.value, making.catalog))))
        _add_hidden(making, rank.column, _sound(name, analyse_tag(rank.text, making.catalog)))
        making.ranks[rank.column] = rank
    if parts.whole and not parts.whole.text.startswith(("percentile", "household_")):
        making.cuts[name] = parts.whole
    making.columns[name] = _settled(making, name, _sound(name, analyse_tag(parts.text, making.catalog)))


def _settled(making: _Making, name: str, analysis: Analysis) -> Analysis:
    """What builds on other tags asks events for nothing itself: that becomes columns of the first scan."""
    if analysis.tree is None or not analysis.reads.tags:
        return analysis
    found = apart(analysis.tree)
    if not found.columns:
        return analysis
    for column, value in found.columns.items():
        _add_hidden(making, column, _sound(name, analyse_tag(value, making.catalog)))
    return _sound(name, analyse_tag(found.text, making.catalog))


def _add_hidden(making: _Making, name: str, analysis: Analysis) -> None:
    making.columns[name] = analysis
    making.catalog = replace(making.catalog, tags={**making.catalog.tags, name: analysis.type or "null"})


def _sound(name: str, analysis: Analysis) -> Analysis:
    if analysis.faults:
        raise DefinitionsInvalid(
            f"the tag `{name}` can't be worked out: {analysis.faults[0].message}", help="run `spira check`"
        )
    return analysis


def _type(making: _Making, name: str) -> Type:
    return making.columns[name].type or "null"


def _layers(making: _Making, layers: Iterable[tuple[str, ...]]) -> Iterable[Pass]:
    for layer in layers:
        carried = [name for name in layer if name in making.carried]
        plain = {name: making.columns[name] for name in layer if name not in (*making.ranks, *carried)}
        beside = {name: each for name, each in plain.items() if _is_beside(name, each, making.catalog)}
        scanned = {name: each for name, each in plain.items() if name not in beside}
        divided = [name for name in layer if name in making.ranks and making.ranks[name].parts]
        ranked = {name: making.columns[name] for name in layer if name in making.ranks and name not in divided}
        if scanned:
            yield _scan(scanned, making)
        if carried:
            yield _carrying(carried)
        if ranked:
            yield _ranking(ranked, making)
        if divided:
            yield _dividing([making.ranks[name] for name in divided])
        if beside:
            yield Pass(names=tuple(beside), rows=_beside(beside, making.catalog))


def _scan(columns: Mapping[str, Analysis], making: _Making) -> Pass:
    changed = profiles_query(columns, making.catalog, restrict=True, edges=True)
    whole = profiles_query(columns, making.catalog, restrict=False, edges=True)
    made = [stored(reading(each, {"tags": DRAFT, **making.over}), LAYER) for each in (changed, within(changed), whole)]
    return Pass(names=tuple(columns), changed=made[0], part=made[1], everyone=made[2])


def _is_beside(name: str, analysis: Analysis, catalog: Catalog) -> bool:
    """Whether a column only needs the draft; what reads no tags is not compiled to find that out."""
    return bool(analysis.reads.tags) and _beside({name: analysis}, catalog) is not None


def _carrying(names: list[str]) -> Pass:
    """The stored values of some tags, as they stand; time alone changes none of them."""
    shown = ", ".join(f"known.{ddl.quote(each)}" for each in names)
    made = [_CARRIED.format(layer=LAYER, shown=shown, who=who) for who in (_AMONG_CHANGED, _WITHIN, "true")]
    return Pass(names=tuple(names), changed=made[0], part=made[1], everyone=made[2])


def _beside(columns: Mapping[str, Analysis], catalog: Catalog) -> exp.Select | None:
    return alongside(profiles_query(columns, catalog, restrict=False, edges=True), DRAFT, EDGE)


def _dividing(ranks: list[Rank]) -> Pass:
    """Ranks that compare with the ends of equal parts of everyone."""
    divisions = tuple(Division(column=each.column, input=each.input, parts=each.parts or 1) for each in ranks)
    rows = exp.select("tags.*").from_(exp.to_table(DRAFT, alias="tags"))
    for each in divisions:
        rows = rows.select(exp.alias_(each.expression("tags"), each.column, quoted=True), copy=False)
    inputs = sorted({each.input for each in divisions})
    return Pass(
        names=tuple(each.column for each in divisions),
        rows=rows,
        divisions=divisions,
        ranked_by=stored(exp.select("*").from_(_inputs(inputs).subquery("everyone")), RANKED_BY),
    )


def _ranking(columns: Mapping[str, Analysis], making: _Making) -> Pass:
    """Everyone's ranks: the draft's inputs first, the stored ones of all who did not change."""
    inputs = sorted({making.ranks[name].input for name in columns})
    query = profiles_query(columns, making.catalog, restrict=False, edges=False)
    whole = stored(reading(query, {"tags": _inputs(inputs), **making.over}), RANKED)
    alone = stored(reading(query, {"tags": DRAFT, **making.over}), RANKED)
    return Pass(names=tuple(columns), changed=whole, everyone=alone, ranks=True)


def _inputs(names: list[str]) -> exp.Query:
    """What everyone is ranked by: as drafted, and as stored for those who did not change."""
    drafted = exp.select("profile_id", *map(_column, names)).from_(DRAFT)
    unchanged = exp.select("profile_id", *map(_column, names)).from_("tag_inputs").where(_unchanged())
    return exp.union(drafted, unchanged, distinct=False)


def _growing(each: Pass, before: tuple[Pass, ...]) -> Pass:
    if not each.ranks and not each.divisions:
        return each
    known = [name for earlier in before for name in earlier.names]
    shown = (exp.column("profile_id", "t"), exp.column(EDGE, "t"), *map(_column, known))
    old = exp.select(*shown).from_(exp.to_table("tags", alias="t"))
    joined = old.join(exp.to_table("tag_inputs", alias="i"), using=["profile_id"])
    grown = joined.where(exp.column("profile_id", "t").isin(query=exp.select("profile_id").from_("moved_ranks")))
    return replace(each, grow=duckdb_sql(grown), moved=duckdb_sql(_moved(each)))


def _moved(each: Pass) -> exp.Select:
    """Who did not change, and has another rank than before."""
    if each.divisions:
        now = {division.column: division.expression("i") for division in each.divisions}
        differs = [exp.NullSafeNEQ(this=_column(name, "i"), expression=rank) for name, rank in now.items()]
        held = exp.select(exp.column("profile_id", "i")).from_(exp.to_table("tag_inputs", alias="i"))
        return held.where(exp.and_(exp.or_(*differs), _unchanged("i")))
    differs = [exp.NullSafeNEQ(this=_column(name, "r"), expression=_column(name, "i")) for name in each.names]
    return (
        exp.select(exp.column("profile_id", "r"))
        .from_(exp.to_table(RANKED, alias="r"))
        .join(exp.to_table("tag_inputs", alias="i"), using=["profile_id"])
        .where(exp.and_(exp.or_(*differs), _unchanged("r")))
    )


def _said(each: Pass) -> str:
    return "" if each.rows is None else duckdb_sql(each.rows)


def _column(name: str, table: str | None = None) -> exp.Column:
    return exp.column(name, table, quoted=True)


def _unchanged(table: str | None = None) -> exp.Expression:
    changed = exp.select("profile_id").from_("changed")
    return exp.column("profile_id", table).isin(query=changed).not_()


def _cut(tag: str, rank: Rank, kind: Type) -> Cut:
    value = _column(rank.input)
    number = exp.func("epoch", value) if kind in ("time", "date") else exp.cast(value, "double")
    low, high = (number, number.copy()) if kind != "text" else (exp.cast(exp.null(), "double"),) * 2
    query = (
        exp.select(
            exp.alias_(exp.Placeholder(this="tag"), "tag"),
            exp.alias_(_column(rank.column), "class"),
            exp.alias_(exp.Min(this=low), "low"),
            exp.alias_(exp.Max(this=high), "high"),
            exp.alias_(exp.Count(this=exp.Star()), "profiles"),
            exp.alias_(exp.Placeholder(this="as_of"), "as_of"),
        )
        .from_("tag_inputs")
        .where(_column(rank.column).is_(exp.null()).not_())
        .group_by(_column(rank.column))
    )
    return Cut(tag=tag, sql=duckdb_sql(query))


_CARRIED = """
create or replace temp table {layer} as
select one.profile_id, {shown}, null::timestamp as next_edge_at
from profiles one left join tags known on known.profile_id = one.profile_id where {who}
"""
_AMONG_CHANGED = "one.profile_id in (select profile_id from changed)"
_WITHIN = "one.profile_id >= $low and one.profile_id < $high"
