"""Functions of values, as the naive evaluator reads them."""

from __future__ import annotations

import math
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal


def like(text, pattern):
    """SQL's LIKE, one character at a time."""
    if text is None or pattern is None:
        return None
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(like(text[start:], pattern[1:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and like(text[1:], pattern[1:])


def rounded(value, places=0):
    """Half away from zero."""
    if isinstance(value, int):
        return value
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    found = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return found if isinstance(value, Decimal) else float(found)


def substr(text, start, count=None):
    begin = max(start, 1) - 1
    return text[begin:] if count is None else text[begin : begin + max(count, 0)]


def has_item(items, item):
    """Whether an item is in a list that is written as a text."""
    even = items.replace(" ", "").translate(str.maketrans("，、;；", ",,,,"))
    return item.replace(" ", "").translate(str.maketrans("，、;；", ",,,,")) in even.split(",")


def calendar(part, value):
    match part:
        case "date":
            return value.date()
        case "weekday":
            return value.isoweekday()
        case _:
            return getattr(value, part)


def distance_km(*degrees):
    """The great circle, by the angle between two directions from the middle of the earth."""
    if any(abs(each) > most for each, most in zip(degrees, (90, 180, 90, 180), strict=True)):
        return None
    one, other = (
        (math.cos(lat) * math.cos(long), math.cos(lat) * math.sin(long), math.sin(lat))
        for lat, long in (map(math.radians, map(float, degrees[each : each + 2])) for each in (0, 2))
    )
    chord = math.dist(one, other)
    return 2 * 6371.0088 * math.asin(min(chord / 2, 1))


SCALARS = {
    "distance_km": distance_km,
    "round": rounded,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "lower": str.lower,
    "upper": str.upper,
    "trim": lambda text: text.strip(" "),
    "length": len,
    "substr": substr,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "has_item": has_item,
    "contains": lambda text, part: part in text,
    **dict.fromkeys("coalesce nullif least greatest date year month day weekday hour days_between".split()),
}


def measured(measure: str, values: list):
    """A measure over the values that are known, in the order of their events."""
    if measure == "sum_of":
        return sum(values) if values else 0
    if measure == "distinct_of":
        return len(set(values))
    if not values:
        return None
    if measure == "most_of":
        counts = Counter(values)
        return min(value for value, number in counts.items() if number == max(counts.values()))
    if measure == "avg_of":
        return float(sum(values)) / len(values)
    return {"min_of": min, "max_of": max, "first_of": lambda v: v[0], "last_of": lambda v: v[-1]}[measure](values)


def weighed(found, half_life):
    """The value whose events weigh most, by how long before the latest event they lie."""
    weights = Counter()
    for value, ts in found:
        if value is not None:
            weights[value] += max(1, math.floor(2.0 ** (40 - (found[-1][1] - ts) / half_life)))
    return min((value for value in weights if weights[value] == max(weights.values())), default=None)
