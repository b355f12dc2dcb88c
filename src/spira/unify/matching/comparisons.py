"""How two records are compared, field by field: the levels from equal to unlike that Splink learns a weight for."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from spira.unify.matching.clean import Cleaned, Field

Level = dict[str, Any]


def comparisons(cleaned: Cleaned, exact: Collection[str] = ()) -> list[dict[str, Any]]:
    """The comparisons of a cleaned table, in Splink's terms; levels of columns that the table lacks are left out.

    Of the columns in `exact` only equal values count.
    """
    have = set(cleaned.table.column_names)
    made = []
    for field in cleaned.fields:
        for each in _of(field, cleaned.chinese):
            if each["output_column_name"] in have:
                levels = [level for level in each["comparison_levels"] if _columns(level) <= have]
                if not set(field.columns).isdisjoint(exact):
                    levels = [*levels[:2], levels[-1]]
                made.append({**each, "comparison_levels": levels})
    return made


def labels(comparison: dict[str, Any]) -> list[str]:
    """What the levels of a comparison are called, by the number that Splink gives them: unlike is 0."""
    return [level["label_for_charts"] for level in reversed(comparison["comparison_levels"][1:])]


def kinds_of(cleaned: Cleaned) -> dict[str, str]:
    """What each comparison is about: `given`, `family`, of an address `rest`, `area` and `number`, else a column's
    kind."""
    made = {}
    for field in cleaned.fields:
        for each in _of(field, cleaned.chinese):
            column = each["output_column_name"]
            made[column] = {"name": column, "address": column.rpartition("_")[2]}.get(field.kind, field.kind)
    return made


def _columns(level: Level) -> set[str]:
    return set(re.findall(r"\b(\w+)_[lr]\b", level["sql_condition"]))


def _of(field: Field, chinese: bool) -> list[dict[str, Any]]:
    name = field.name
    match field.kind:
        case "name":
            return [_given(chinese), _family(chinese)]
        case "birth_date":
            return [_comparison(name, _birth_date(name))]
        case "phone" | "id_number":
            return [_comparison(name, [_same(name), _typo(name, "one character differs"), _likeness(name, 0.9)])]
        case "email":
            return [_comparison(name, _email(name))]
        case "address":
            return _address(name)
        case "postcode" | "house_number":
            first = (
                f"left({name}_l, 2) = left({name}_r, 2)"
                if field.kind == "postcode"
                else f"left({name}_l, 1) = left({name}_r, 1)"
            )
            return [
                _comparison(name, [_equal(name), _typo(name, "one character differs"), _level(first, "same beginning")])
            ]
        case "category":
            return [_comparison(name, [_equal(name), _typo(name, "a typing error", shortest=3)])]
        case _:
            return [_comparison(name, _text(name))]


def _given(chinese: bool) -> dict[str, Any]:
    swapped = _level("given_l = family_other_r and family_other_l = given_r", "names in the other order")
    levels = [_equal("given_written", of="given")] if chinese else []
    levels += [_equal("given"), swapped]
    if chinese:
        levels += [
            _typo("given", "one letter differs", shortest=4),
            _level("left(given_l, 3) = left(given_r, 3)", "same beginning"),
        ]
    else:
        levels += [
            _level("given_root_l = given_root_r", "a short form, or the first of several names"),
            _likeness("given", 0.92),
            _level(
                "(length(given_l) = 1 or length(given_r) = 1) and left(given_l, 1) = left(given_r, 1)", "an initial"
            ),
            _likeness("given", 0.8),
        ]
    return _comparison("given", levels)


def _family(chinese: bool) -> dict[str, Any]:
    swapped = _level("family_l = given_other_r and given_other_l = family_r", "names in the other order")
    levels = [_equal("family_written", of="family")] if chinese else []
    levels += [_equal("family"), swapped, _likeness("family", 0.92)]
    if not chinese:
        levels += [_level("family_sound_l = family_sound_r", "sounds alike"), _likeness("family", 0.8)]
    return _comparison("family", levels)


def _birth_date(name: str) -> list[Level]:
    left, right = f"{name}_l", f"{name}_r"

    def same(*pieces: str) -> str:
        cuts = {"year": "[1:4]", "month": "[5:6]", "day": "[7:8]"}
        return " and ".join(f"{left}{cuts[each]} = {right}{cuts[each]}" for each in pieces)

    two = " or ".join(f"({same(*each)})" for each in (("year", "month"), ("year", "day"), ("month", "day")))
    crossed = f"{same('year')} and {left}[5:6] = {right}[7:8] and {left}[7:8] = {right}[5:6]"
    return [
        _equal(name),
        _level(f"({crossed}) or ({_one_edit(name)})", "one digit, or day and month exchanged"),
        _level(two, "two of year, month and day"),
        _level(f"{same('year')} or damerau_levenshtein({left}, {right}) <= 2", "the year, or two digits"),
    ]


def _email(name: str) -> list[Level]:
    user = f"split_part({name}_l, '@', 1)", f"split_part({name}_r, '@', 1)"
    return [
        _same(name),
        _level(f"{user[0]} = {user[1]}", "same before the @"),
        _level(f"damerau_levenshtein({name}_l, {name}_r) <= 2", "two characters differ"),
        _level(f"jaro_winkler_similarity({user[0]}, {user[1]}) >= 0.88", "alike before the @"),
    ]


def _address(name: str) -> list[dict[str, Any]]:
    rest, area, number = f"{name}_rest", f"{name}_area", f"{name}_number"
    street = [_equal(rest), _likeness(rest, 0.92), _likeness(rest, 0.8)]
    place = [
        _equal(area),
        _level(f"left({area}_l, 4) = left({area}_r, 4)", "same city"),
        _level(f"left({area}_l, 2) = left({area}_r, 2)", "same province"),
    ]
    return [
        _comparison(rest, street),
        _comparison(area, place),
        _comparison(number, [_equal(number), _typo(number, "one digit", shortest=2)]),
    ]


def _text(name: str) -> list[Level]:
    return [_equal(name), _typo(name, "one letter differs", shortest=4), _likeness(name, 0.92), _likeness(name, 0.8)]


def _comparison(column: str, levels: list[Level]) -> dict[str, Any]:
    null = {
        "sql_condition": f"{column}_l is null or {column}_r is null",
        "label_for_charts": "missing",
        "is_null_level": True,
    }
    rest = {"sql_condition": "ELSE", "label_for_charts": "unlike"}
    return {"output_column_name": column, "comparison_levels": [null, *levels, rest]}


def _level(condition: str, label: str) -> Level:
    return {"sql_condition": condition, "label_for_charts": label}


def _equal(column: str, *, of: str | None = None) -> Level:
    label = "written alike" if of else "equal"
    return {
        **_level(f"{column}_l = {column}_r", label),
        "tf_adjustment_column": column,
        "tf_adjustment_weight": 1.0,
        "tf_minimum_u_value": 0.0001,
    }


def _same(column: str) -> Level:
    """Equal, for values that one person has: how often a value occurs says how many records that person has."""
    return _level(f"{column}_l = {column}_r", "equal")


def _typo(column: str, label: str, *, shortest: int = 1) -> Level:
    long_enough = f"length({column}_l) >= {shortest} and " if shortest > 1 else ""
    return _level(f"{long_enough}{_one_edit(column)}", label)


def _one_edit(column: str) -> str:
    """At most one letter wrong, missing, too many or exchanged; a cheap look at both ends spares most of the distances.

    One edit touches two neighbouring letters at most, so one of the two ends is left as it was.
    """
    left, right = f"{column}_l", f"{column}_r"
    kept = f"((least(length({left}), length({right})) - 2) // 2)"
    ends = f"(left({left}, {kept}) = left({right}, {kept}) or right({left}, {kept}) = right({right}, {kept}))"
    return (
        f"abs(length({left}) - length({right})) <= 1 and (least(length({left}), length({right})) < 4 or {ends}) "
        f"and damerau_levenshtein({left}, {right}) <= 1"
    )


def _likeness(column: str, least: float) -> Level:
    return _level(
        f"jaro_winkler_similarity({column}_l, {column}_r) >= {least}", "nearly equal" if least > 0.85 else "alike"
    )
