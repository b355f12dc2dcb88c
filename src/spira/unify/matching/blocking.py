"""Which pairs of records are looked at: keys chosen from the data, so that each finds few pairs for what it costs.

A key is one or two (rarely three) parts of a record that must be equal: a birthday, a name's sound and a post code.
For every candidate the pairs it would make are counted; those that cost too much are refined with a further part.
Blocks larger than `MOST` records are left out of a key: a value that so many share says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from spira.unify.matching.clean import Cleaned, Field

MOST = 1_500  # records that one block may hold
SAMPLE = 200_000  # records that pairs are counted on; of more records a part is counted and the pairs are scaled up
_KEYS = 28  # keys at most: each further one is asked of every pair that the earlier ones found


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a record that a key is made of, as SQL over the cleaned table; `field` is what it was taken from."""

    field: str
    name: str
    sql: str
    exact: str | None = None  # the column itself, where the part is a whole column


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Parts that must all be equal, and how many pairs that makes."""

    parts: tuple[Part, ...]
    pairs: int

    @property
    def sql(self) -> str:
        """The key as one value; missing where any part is."""
        return " || '|' || ".join(f"({part.sql})" for part in self.parts)


def parts_of(cleaned: Cleaned) -> list[Part]:
    """Every part that a key may be made of."""
    have = set(cleaned.table.column_names)
    found: list[Part] = []
    for field in cleaned.fields:
        found += [part for part in _parts(field, cleaned.chinese) if part.exact is None or part.exact in have]
    if not {"given", "family"} <= have:
        found = [part for part in found if not part.name.endswith(":crossed")]
    return found


def asked(cleaned: Cleaned, wanted: Iterable[Sequence[str]]) -> list[Key]:
    """Keys as somebody wrote them: the columns of which each is made, as the table had them."""
    parts = {part.field: part for part in reversed(parts_of(cleaned)) if part.exact is not None}
    whole = {column: field.name for field in cleaned.fields for column in field.columns}
    of_address = {field.name: f"{field.name}_rest" for field in cleaned.fields if field.kind == "address"}
    made = []
    for columns in wanted:
        names = [whole[column] for column in columns if column in whole]
        chosen = tuple(
            Part(field=name, name=f"{name}:whole", sql=_whole(name, of_address, parts))
            for name in dict.fromkeys(names)
            if name in parts or name in of_address
        )
        if chosen:
            made.append(Key(parts=chosen, pairs=0))
    return made


def _whole(name: str, of_address: Mapping[str, str], parts: Mapping[str, Part]) -> str:
    return of_address.get(name) or str(parts[name].exact)


def choose(connection: Any, table: str, cleaned: Cleaned, *, budget: int) -> list[Key]:
    """The keys for a table of the connection, the cheapest first; together they make at most about `budget` pairs."""
    parts = parts_of(cleaned)
    single_cap, spent = budget // 8, 0
    chosen: list[Key] = []
    for size in (1, 2, 3):
        if size == 3 and len(chosen) >= 8:
            break
        tried = [each for each in combinations(parts, size) if _worth(each) and not _implied(each, chosen)]
        if size == 3:
            tried = tried[:120]
        counted = sorted((Key(parts=each, pairs=count) for each, count in _count(connection, table, tried)), key=_cost)
        for key in counted:
            if len(chosen) >= _KEYS or spent + key.pairs > budget or key.pairs > single_cap:
                break
            if key.pairs and not _implied(key.parts, chosen):
                chosen.append(key)
                spent += key.pairs
    return sorted(chosen, key=_cost)


def count_pairs(connection: Any, table: str, expressions: Sequence[str]) -> list[int]:
    """About how many pairs each expression makes, blocks above `MOST` records left out.

    A part of a large table has its share of the pairs squared, be they of one person or not.
    """
    counted = []
    ((rows,),) = connection.execute(f"select count(*) from {table}").fetchall()
    share = min(1.0, SAMPLE / max(rows, 1))
    most = max(2.0, MOST * share)
    if share < 1:
        step = round(1 / share)
        share, table = 1 / step, f"(from {table} where hash(unique_id) % {step} = 0)"
    for expression in expressions:
        (row,) = connection.execute(
            f"select coalesce(sum(n * (n - 1) // 2), 0)::BIGINT from "
            f"(select count(*) n from {table} where ({expression}) is not null group by {expression}) where n <= {most}"
        ).fetchall()
        counted.append(int(row[0] / share**2))
    return counted


def _count(connection: Any, table: str, tried: list[tuple[Part, ...]]) -> Iterable[tuple[tuple[Part, ...], int]]:
    keys = [Key(parts=each, pairs=0) for each in tried]
    return zip(tried, count_pairs(connection, table, [key.sql for key in keys]), strict=True)


def _cost(key: Key) -> tuple[int, str]:
    return key.pairs, key.sql


def _worth(parts: tuple[Part, ...]) -> bool:
    fields = [part.field for part in parts]
    return len(set(fields)) == len(fields)


def _implied(parts: tuple[Part, ...], chosen: Iterable[Key]) -> bool:
    """Whether a chosen key already finds every pair that these parts would find."""
    mine = {part.name for part in parts}
    for name in tuple(mine):
        mine |= _COARSER.get(name.partition(":")[2], frozenset()) and {
            f"{name.partition(':')[0]}:{each}" for each in _COARSER[name.partition(":")[2]]
        }
    return any({part.name for part in key.parts} <= mine for key in chosen)


# A part that is equal makes these parts of the same field equal, too.
_COARSER: dict[str, frozenset[str]] = {
    "bag": frozenset({"initials"}),
    "day": frozenset({"year_month", "month_day"}),
    "whole": frozenset({"start", "end", "user"}),
}


def _parts(field: Field, chinese: bool) -> list[Part]:
    name = field.name

    def part(piece: str, sql: str, *, of: str | None = None, exact: str | None = None) -> Part:
        return Part(field=of or name, name=f"{of or name}:{piece}", sql=sql, exact=exact)

    match field.kind:
        case "name":
            return [
                part("bag", "name_bag", exact="name_bag"),
                part("sound", "given_sound", of="given", exact="given_sound")
                if not chinese
                else part("sound", "given", of="given", exact="given"),
                part("sound", "family_sound", of="family", exact="family_sound")
                if not chinese
                else part("sound", "family", of="family", exact="family"),
                part("root", "left(given_root, 3)", of="given", exact="given_root"),
                part("start", "left(family, 3)", of="family", exact="family"),
                part("crossed", "least(left(given, 3), left(family, 3)) || greatest(left(given, 3), left(family, 3))"),
            ]
        case "birth_date":
            return [
                part("day", name, exact=name),
                part("year_month", f"left({name}, 6)", exact=name),
                part("month_day", f"case when length({name}) = 8 then right({name}, 4) end", exact=name),
                part(
                    "year_day", f"case when length({name}) = 8 then left({name}, 4) || right({name}, 2) end", exact=name
                ),
                part("year", f"left({name}, 4)", exact=name),
            ]
        case "phone" | "id_number":
            return [
                part("whole", name, exact=name),
                part("start", f"left({name}, length({name}) - 4)", exact=name),
                part("end", f"right({name}, 6)", exact=name),
            ]
        case "email":
            return [
                part("whole", name, exact=name),
                part("user", f"split_part({name}, '@', 1)", exact=name),
                part("start", f"left({name}, 5)", exact=name),
            ]
        case "address":
            return [
                part("rest", f"{name}_rest", exact=f"{name}_rest"),
                part("area", f"{name}_area", exact=f"{name}_area"),
                part("number", f"{name}_number", exact=f"{name}_number"),
                part("start", f"left({name}_rest, {3 if chinese else 5})", exact=f"{name}_rest"),
            ]
        case "postcode" | "house_number" | "category":
            return [part("whole", name, exact=name)]
        case _:
            return [part("whole", name, exact=name), part("start", f"left({name}, 5)", exact=name)]
