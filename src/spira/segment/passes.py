"""Tags compiled: the passes over the data that work all of them out, as text for the engine.

One pass scans for every tag and every input of a rank that needs no other tag; one pass
ranks everyone; further passes work out what builds on those. Each pass is one statement of
the language's compiler whose table `tags` is exchanged for the draft, so that a half-done
refresh is never read. The same texts serve a refresh of the changed profiles and a full one.
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
from spira.segment.order import order
from spira.segment.ranks import Rank, has_ranks, split
from spira.segment.rewrite import Held, reading, stored
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
DRAFT, LAYER, RANKED = "tags_draft", "tags_layer", "tags_ranked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One statement that makes a temporary table of some columns; `ranks` marks one over everyone's inputs.

    `changed` works on the profiles of the temporary table `changed`, `everyone` on all.
    `grow` adds to the draft, as they stand, profiles whose ranks moved though they did not change.
    """

    names: tuple[str, ...]
    changed: str
    everyone: str
    ranks: bool = False
    grow: str = ""
    moved: str = ""

    @property
    def timed(self) -> bool:
        """Whether the statements take the parameter `$as_of`."""
        return "$as_of" in self.everyone


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


@dataclass(slots=True)
class _Making:
    """Columns gathered while compiling: what each means, and which are ranks."""

    catalog: Catalog
    columns: dict[str, Analysis] = field(default_factory=dict)
    ranks: dict[str, Rank] = field(default_factory=dict)
    tags: dict[str, Type] = field(default_factory=dict)
    cuts: dict[str, Rank] = field(default_factory=dict)


def program(values: Mapping[str, str], catalog: Catalog) -> Program:
    """The compiled tags; made once for the same texts over the same catalog."""
    return _program(tuple(values.items()), Held(catalog))


@lru_cache(maxsize=8)
def _program(values: tuple[tuple[str, str], ...], held: Held) -> Program:
    making = _Making(catalog=held.catalog)
    for name, text in values:
        _add_tag(making, name, text)
    uses = {name: each.reads.tags for name, each in making.columns.items()}
    passes = tuple(_layers(making, order(uses).layers))
    hidden = [name for name in making.columns if name not in making.tags]
    tags = tuple(Column(name=name, type=COLUMN_TYPES[kind]) for name, kind in making.tags.items())
    inputs = tuple(Column(name=name, type=COLUMN_TYPES[_type(making, name)]) for name in hidden)
    said = "\n".join([*(each.everyone for each in passes), *map(repr, tags)])
    return Program(
        passes=tuple(_growing(each, passes[:place]) for place, each in enumerate(passes)),
        tags=tags,
        inputs=inputs,
        cuts=tuple(_cut(tag, rank, _type(making, rank.input)) for tag, rank in making.cuts.items()),
        fingerprint=hashlib.sha256(said.encode()).hexdigest()[:32],
    )


def _add_tag(making: _Making, name: str, text: str) -> None:
    analysis = _sound(name, analyse_tag(text, making.catalog))
    making.tags[name] = analysis.type or "null"
    if analysis.tree is None or not has_ranks(analysis.tree):
        making.columns[name] = analysis
        return
    parts = split(analysis.tree)
    for rank in parts.ranks:
        _add_hidden(making, rank.input, _sound(name, analyse_tag(rank.value, making.catalog)))
        _add_hidden(making, rank.column, _sound(name, analyse_tag(rank.text, making.catalog)))
        making.ranks[rank.column] = rank
    if parts.whole and not parts.whole.text.startswith(("percentile", "household_")):
        making.cuts[name] = parts.whole
    making.columns[name] = _sound(name, analyse_tag(parts.text, making.catalog))


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
        plain = {name: making.columns[name] for name in layer if name not in making.ranks}
        ranked = {name: making.columns[name] for name in layer if name in making.ranks}
        if plain:
            yield _scan(plain, making.catalog)
        if ranked:
            yield _ranking(ranked, making)


def _scan(columns: Mapping[str, Analysis], catalog: Catalog) -> Pass:
    changed, everyone = (
        stored(reading(profiles_query(columns, catalog, restrict=restrict, edges=True), {"tags": DRAFT}), LAYER)
        for restrict in (True, False)
    )
    return Pass(names=tuple(columns), changed=changed, everyone=everyone)


def _ranking(columns: Mapping[str, Analysis], making: _Making) -> Pass:
    """Everyone's ranks: the draft's inputs first, the stored ones of all who did not change."""
    inputs = sorted({making.ranks[name].input for name in columns})
    query = profiles_query(columns, making.catalog, restrict=False, edges=False)
    drafted = exp.select("profile_id", *map(_column, inputs)).from_(DRAFT)
    unchanged = exp.select("profile_id", *map(_column, inputs)).from_("tag_inputs").where(_unchanged())
    whole = stored(reading(query, {"tags": exp.union(drafted, unchanged, distinct=False)}), RANKED)
    alone = stored(reading(query, {"tags": DRAFT}), RANKED)
    return Pass(names=tuple(columns), changed=whole, everyone=alone, ranks=True)


def _growing(each: Pass, before: tuple[Pass, ...]) -> Pass:
    if not each.ranks:
        return each
    known = [name for earlier in before for name in earlier.names]
    shown = (exp.column("profile_id", "t"), exp.column("next_edge_at", "t"), *map(_column, known))
    old = exp.select(*shown).from_(exp.to_table("tags", alias="t"))
    joined = old.join(exp.to_table("tag_inputs", alias="i"), using=["profile_id"])
    grown = joined.where(exp.column("profile_id", "t").isin(query=exp.select("profile_id").from_("moved_ranks")))
    differs = [exp.NullSafeNEQ(this=_column(name, "r"), expression=_column(name, "i")) for name in each.names]
    moved = (
        exp.select(exp.column("profile_id", "r"))
        .from_(exp.to_table(RANKED, alias="r"))
        .join(exp.to_table("tag_inputs", alias="i"), using=["profile_id"])
        .where(exp.and_(exp.or_(*differs), _unchanged("r")))
    )
    return replace(each, grow=duckdb_sql(grown), moved=duckdb_sql(moved))


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
