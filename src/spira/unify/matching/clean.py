"""A table as it came, made into columns that can be compared; each value that occurs often is worked out once.

What is made: per kind the columns named in `FIELDS`, with the field's name in front where a kind may occur
several times (texts, categories, codes). Nothing is refused: what can't be read is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import pyarrow as pa

from spira.unify.matching import addresses, names, values
from spira.unify.matching.columns import texts
from spira.unify.matching.text import HAN, fold, latin, sound

Column = list[str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that records are compared by: its kind, its own name, and the columns of the table it came from."""

    name: str
    kind: str
    columns: tuple[str, ...]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out of a whole table, so that later records are read in the same way: whether names are Chinese,
    which columns of dates have the day in front, and which columns tell anybody from anybody."""

    chinese: bool
    days_first: dict[str, bool]
    kept: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """Records ready to be compared: `table` has `unique_id` (the row's number) and the columns of each field.

    `source` is the column that tells sources apart, if there is one; `shape` how the table was read.
    """

    table: pa.Table
    fields: tuple[Field, ...]
    source: str | None
    shape: Shape

    @property
    def chinese(self) -> bool:
        """Whether names are written in Chinese."""
        return self.shape.chinese


def clean(table: pa.Table, kinds: Mapping[str, str], *, shape: Shape | None = None) -> Cleaned:
    """Bring each column that `kinds` knows to its form; with `shape`, as another table was read before."""
    made: dict[str, Column] = {}
    fields: list[Field] = []
    of: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        of.setdefault(kind, []).append(name)
    raw = {name: texts(table.column(name)) for name in kinds}
    chinese = _names(raw, of, made, fields)
    days_first: dict[str, bool] = {}
    for name in of.get("birth_date", []):
        days_first[name] = (
            shape.days_first[name] if shape else values.day_first(each for each in raw[name][:5_000] if each)
        )
        read_day = partial(values.birth_date, days_first=days_first[name])
        _add(made, fields, name, "birth_date", read_day, raw[name])
    for kind, read in (("phone", values.phone), ("email", values.email), ("id_number", values.code)):
        for name in of.get(kind, []):
            _add(made, fields, name, kind, read, raw[name])
    for name in of.get("address", []):
        _address(made, fields, name, raw[name])
    for kind, read in (("house_number", latin), ("postcode", values.code), ("text", _plain), ("category", _plain)):
        for name in of.get(kind, []):
            _add(made, fields, name, kind, read, raw[name])
    source = of.get("source", [None])[0]
    if source is not None:
        made["source"] = raw[source]
    if shape is None:  # a value that all rows have, or none, tells nobody from anybody
        telling = frozenset(key for key, column in made.items() if key == "source" or _tells(column))
        shape = Shape(chinese=chinese, days_first=days_first, kept=telling)
    kept = {key: column for key, column in made.items() if key in shape.kept}
    arrays: dict[str, Any] = {"unique_id": pa.array(range(table.num_rows), pa.int64())}
    arrays |= {key: pa.array(column, pa.string()) for key, column in kept.items()}
    return Cleaned(
        table=pa.table(arrays),
        fields=tuple(each for each in fields if each.name in kept or each.kind in ("name", "address")),
        source="source" if source is not None else None,
        shape=shape,
    )


def _names(
    raw: Mapping[str, Column], of: Mapping[str, list[str]], made: dict[str, Column], fields: list[Field]
) -> bool:
    """The person's name as `given`, `family` and what is derived of them; whether names are Chinese."""
    given, family, full = (of.get(kind, [None])[0] for kind in ("given_name", "family_name", "full_name"))
    used = tuple(name for name in (given, family, full) if name)
    if not used:
        return False
    if given and family:
        pairs = zip(raw[given], raw[family], strict=True)
        parts = _each(list(pairs), lambda pair: names.from_parts(*pair) if any(pair) else None)
    elif full:
        parts = _each(raw[full], lambda text: names.split(text) if text else None)
    elif given:
        parts = _each(raw[given], lambda text: names.from_parts(text, None) if text else None)
    else:
        parts = _each(raw[family or ""], lambda text: names.from_parts(None, text) if text else None)
    made["given"] = [each.given if each else None for each in parts]
    made["family"] = [each.family if each else None for each in parts]
    made["given_written"] = [each.given_written if each else None for each in parts]
    made["family_written"] = [each.family_written if each else None for each in parts]
    made["given_root"] = _each(made["given"], names.root)
    made["given_sound"] = _each(made["given"], lambda text: sound(text) if text else None)
    made["family_sound"] = _each(made["family"], lambda text: sound(text) if text else None)
    made["name_bag"] = _each(list(zip(made["given"], made["family"], strict=True)), _bag)
    # Copies for the comparison with the parts in the other order: Splink takes a column for one comparison's own.
    made["given_other"], made["family_other"] = made["given"], made["family"]
    fields.append(Field(name="name", kind="name", columns=used))
    sample = [text for text in raw[full or given or family or ""][:2_000] if text]
    return sum(1 for text in sample if HAN.search(text)) > 0.3 * max(len(sample), 1)


def _address(made: dict[str, Column], fields: list[Field], name: str, column: Column) -> None:
    key = _safe(name, made)
    parts = _each(column, lambda text: addresses.parse(text) if text else None)
    made[f"{key}_area"] = [each.area if each else None for each in parts]
    made[f"{key}_number"] = [each.number if each else None for each in parts]
    made[f"{key}_rest"] = [each.rest if each else None for each in parts]
    fields.append(Field(name=key, kind="address", columns=(name,)))


def _add(
    made: dict[str, Column],
    fields: list[Field],
    name: str,
    kind: str,
    read: Callable[[str], str | None],
    column: Column,
) -> None:
    key = _safe(name, made)
    made[key] = _each(column, lambda text: (read(text) or None) if text else None)
    fields.append(Field(name=key, kind=kind, columns=(name,)))


def _each(column: list[Any], read: Callable[[Any], Any]) -> list[Any]:
    known = {value: read(value) for value in set(column)}
    return [known[value] for value in column]


def _plain(text: str) -> str:
    folded = fold(text)
    return folded if HAN.search(folded) else latin(text)


def _bag(pair: tuple[str | None, str | None]) -> str | None:
    """Given and family name with their words in alphabetical order: equal for names in either order."""
    given, family = pair
    return " ".join(sorted(f"{given} {family}".split())) if given and family else None


def _safe(name: str, made: Mapping[str, Any]) -> str:
    """A column's own name inside: plain letters, and no one else's."""
    base = "f_" + (latin(name).replace(" ", "_") or "column")
    key, count = base, 2
    while key in made or f"{key}_rest" in made:
        key, count = f"{base}_{count}", count + 1
    return key


def _tells(column: Column) -> bool:
    return len(set(column) - {None}) > 1
