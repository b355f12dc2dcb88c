"""Hypothesis strategies: people with events, and expressions of every function, as text."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from tests.segment.conditions.world import BOUGHT, COUPON, NOON, SAW, Person

PARTS = ["starts_with", "ends_with", "contains", "has_item"]
PLACES = ["Asia/Shanghai", "America/New_York", "UTC", "Nowhere", "asia/shanghai", ""]
WORDS = ["a", "B", "ab", "青岛", " c ", ""]
INSTANTS = st.integers(-18, 6).map(lambda step: NOON + timedelta(hours=6 * step))
"""Six hours apart, so that events meet each other and the edges of windows."""


def maybe(strategy):
    """The value, or now and then nothing."""
    return st.one_of(strategy, strategy, strategy, st.none())


texts = st.sampled_from(WORDS)
amounts = st.integers(-500, 900).map(lambda cents: Decimal(cents) / 100)
days = st.integers(-9, 2).map(lambda step: date(2026, 3, 10) + timedelta(days=step))
LINE = st.fixed_dictionaries(
    {"department": maybe(texts), "value": maybe(amounts), "quantity": maybe(st.integers(-2, 3))}
)
SHOPPING = {
    "pieces": maybe(st.integers(-3, 4)),
    "revenue": maybe(amounts),
    "rating": maybe(st.sampled_from([-1.5, 0.0, 0.25, 2.5, 3.0])),
    "category": maybe(texts),
    "place": maybe(st.sampled_from(PLACES)),
    "is_gift": maybe(st.booleans()),
    "due": maybe(INSTANTS),
    "born": maybe(days),
    "touchpoint": maybe(st.sampled_from(["web", "store"])),
}


@st.composite
def events(draw):
    """One event without its id."""
    name = draw(st.sampled_from([BOUGHT, BOUGHT, SAW, COUPON]))
    found = {"event": name, "ts": draw(INSTANTS)}
    if name != COUPON:
        found |= draw(st.fixed_dictionaries(SHOPPING))
    if name == BOUGHT:
        found["products"] = draw(st.lists(LINE, max_size=3))
        found["gifts"] = [{"kind": kind} for kind in draw(st.lists(texts, max_size=2))]
    return found


@st.composite
def people(draw, *, most: int = 3):
    """Some people; the ids of events have nothing to do with their order in time."""
    count = draw(st.integers(1, most))
    histories = [draw(st.lists(events(), min_size=draw(st.sampled_from([0, 4])), max_size=9)) for _ in range(count)]
    ids = iter(draw(st.permutations(range(sum(map(len, histories))))))
    return [
        Person(
            id=number,
            events=[{"event_id": next(ids), **each} for each in history],
            tags=draw(
                st.fixed_dictionaries(
                    {
                        "level": maybe(texts),
                        "spent": maybe(amounts),
                        "visits": maybe(st.integers(-2, 4)),
                        "seen_at": maybe(INSTANTS),
                        "share": maybe(st.sampled_from([0.0, 0.5, 1.0])),
                    }
                )
            ),
            scores=draw(
                st.fixed_dictionaries({}, optional={"churn": st.sampled_from([0.1, 0.9]), "next_order": INSTANTS})
            ),
            traits=draw(
                st.fixed_dictionaries(
                    {},
                    optional={"city": texts, "age": st.integers(1, 90), "城市": texts, "zone": st.sampled_from(PLACES)},
                )
            ),
            audiences=draw(st.frozensets(st.sampled_from(["vip", "asleep"]))),
            moves=draw(st.lists(st.tuples(st.sampled_from(["vip", "asleep"]), st.booleans(), INSTANTS), max_size=4)),
            permissions=draw(st.dictionaries(st.just(("marketing", "email")), st.booleans())),
        )
        for number, history in enumerate(histories, 1)
    ]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


LENGTHS = st.sampled_from(["6 hours", "12 hours", "1 day", "2 days", "1 week", "720 minutes"])
MIDNIGHTS = st.integers(-6, 0).map(lambda step: (date(2026, 3, 10) + timedelta(days=step)).isoformat())
NAMES = {
    "event": {
        "integer": ["pieces", "trait('age')"],
        "money": ["revenue"],
        "number": ["rating"],
        "text": ["category", "touchpoint", "trait('city')"],
        "boolean": ["is_gift"],
        "time": ["due", "ts"],
        "date": ["born"],
    },
    "profile": {
        "integer": ["visits", "age"],
        "money": ["spent"],
        "number": ["share", "churn"],
        "text": ["level", "city", "城市"],
        "boolean": [],
        "time": ["seen_at", "next_order"],
        "date": [],
    },
    "lines": {
        "integer": ["products.quantity", "pieces"],
        "money": ["products.value", "revenue"],
        "number": ["rating"],
        "text": ["products.department", "category"],
        "boolean": ["is_gift"],
        "time": ["ts", "due"],
        "date": ["born"],
    },
}
ORDERED = ["integer", "money", "number", "text", "time", "date"]
NUMBERS = ["integer", "money", "number"]
KINDS = [*ORDERED, "boolean"]


@st.composite
def window(draw, *extra: str):
    """Named arguments of a window, each with its comma before it."""
    found = {}
    if draw(st.booleans()):
        found["within"] = quoted(draw(LENGTHS))
    if draw(st.integers(0, 3)) == 0:
        found["ending"] = quoted(draw(LENGTHS))
    if draw(st.integers(0, 4)) == 0:
        start = draw(MIDNIGHTS)
        found["since"] = quoted(start)
        if draw(st.booleans()):
            found["until"] = quoted((date.fromisoformat(start) + timedelta(days=draw(st.integers(1, 3)))).isoformat())
    for name in extra:
        if draw(st.booleans()):
            found[name] = str(draw(st.integers(1, 2) if name == "at_least" else st.integers(2, 3)))
    return "".join(f", {name} => {value}" for name, value in found.items())


@st.composite
def literal(draw, kind: str):
    """A constant of a type, as text."""
    match kind:
        case "integer":
            return str(draw(st.integers(0, 4)))
        case "money":
            return str(draw(st.integers(0, 5)))
        case "number":
            return str(draw(st.sampled_from([0.25, 2.5, 1.0])))
        case "text":
            return quoted(draw(texts))
        case "boolean":
            return draw(st.sampled_from(["true", "false", "null"]))
        case "time":
            return quoted((NOON + timedelta(hours=6 * draw(st.integers(-9, 3)))).isoformat(sep=" "))
        case _:
            return quoted(draw(days).isoformat())


@st.composite
def value(draw, kind: str, scope: str, depth: int = 1):
    """An expression of a type."""
    names = NAMES[scope][kind]
    choices = ["name"] * 3 if names else []
    if scope == "profile":
        choices += ["behaviour"] * 6
    if depth > 0:
        choices += ["computed", "case"]
    if not choices:
        choices = ["literal"]
    match draw(st.sampled_from(choices)):
        case "name":
            return draw(st.sampled_from(names))
        case "behaviour":
            return draw(behaviour(kind, depth))
        case "case":
            test, one, other = (draw(condition(scope, depth - 1)), *(draw(value(kind, scope, 0)) for _ in "ab"))
            return f"case when {test} then {one} else {other} end"
        case "computed":
            return draw(computed(kind, scope, depth - 1))
        case _:
            return draw(literal(kind))


@st.composite
def computed(draw, kind: str, scope: str, depth: int):
    """A function of values, or arithmetic."""

    def of(other: str) -> str:
        return draw(value(other, scope, depth))

    match kind:
        case "integer":
            options = [
                lambda: f"({of('integer')} {draw(st.sampled_from('+-*'))} {of('integer')})",
                lambda: f"-({of('integer')})",
                lambda: f"length({of('text')})",
                lambda: f"{draw(st.sampled_from(['floor', 'ceil']))}({of(draw(st.sampled_from(NUMBERS)))})",
                lambda: f"{draw(st.sampled_from(['year', 'month', 'day', 'weekday', 'hour']))}({of('time')})",
                lambda: f"{draw(st.sampled_from(['day', 'weekday', 'hour']))}({of('time')}, {of('text')})",
                lambda: f"days_between({of('time')}, {of('time')})",
                lambda: f"abs({of('integer')})",
            ]
        case "money":
            options = [
                lambda: (
                    f"({of('money')} {draw(st.sampled_from('+-'))} {of(draw(st.sampled_from(['money', 'integer'])))})"
                ),
                lambda: f"({of('money')} * {draw(st.integers(0, 3))})",
                lambda: f"round({of('money')}, {draw(st.integers(0, 3))})",
                lambda: f"-({of('money')})",
            ]
        case "number":
            options = [
                lambda: f"({of(draw(st.sampled_from(NUMBERS)))} / {of('integer')})",
                lambda: f"({of('number')} {draw(st.sampled_from('+-*'))} {of('integer')})",
                lambda: f"abs({of('number')})",
                lambda: f"({of('integer')} * 0.5)",
            ]
        case "text":
            options = [
                lambda: f"({of('text')} || {draw(literal('text'))})",
                lambda: f"{draw(st.sampled_from(['lower', 'upper', 'trim']))}({of('text')})",
                lambda: f"substr({of('text')}, {draw(st.integers(0, 2))}, {draw(st.integers(0, 2))})",
                lambda: f"substr({of('text')}, {of('integer')})",
            ]
        case "date":
            options = [lambda: f"date({of('time')})"]
        case "boolean":
            options = [lambda: f"({draw(condition(scope, depth))})"]
        case _:
            options = []
    if kind != "boolean":
        options += [
            lambda: f"coalesce({of(kind)}, {of(kind)})",
            lambda: f"nullif({of(kind)}, {of(kind)})",
            lambda: f"{draw(st.sampled_from(['least', 'greatest']))}({of(kind)}, {of(kind)})",
        ]
    return draw(st.sampled_from(options))()


@st.composite
def condition(draw, scope: str, depth: int = 1):
    """An expression that is true, false or null."""
    kind = draw(st.sampled_from(ORDERED))
    sign = draw(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]))
    left = draw(value(kind, scope, max(depth - 1, 0)))
    if scope == "profile" and depth > 0 and draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(["{}", "not {}"])).format(draw(behaviour("boolean", depth)))
    options = [
        lambda: f"{left} {sign} {draw(literal(kind)) if is_column(left) else draw(value(kind, scope, 0))}",
        lambda: f"{left} is{draw(st.sampled_from(['', ' not']))} null",
        lambda: f"{left} in ({draw(value(kind, scope, 0))}, {draw(value(kind, scope, 0))})",
        lambda: f"{left} not in ({draw(value(kind, scope, 0))}, {draw(value(kind, scope, 0))})",
        lambda: f"{left} between {draw(value(kind, scope, 0))} and {draw(value(kind, scope, 0))}",
    ]
    if kind == "text":
        options += [
            lambda: f"{left} like {quoted(draw(st.sampled_from(['a%', '%b', '_', '%', ''])))}",
            lambda: f"{draw(st.sampled_from(PARTS))}({left}, {draw(literal('text'))})",
        ]
    if kind == "money":
        options.append(lambda: f"{left} {sign} {draw(st.sampled_from(['1.25', '-0.5', '2.5']))}")
    if depth > 0:
        options += [
            lambda: (
                f"({draw(condition(scope, depth - 1))} {draw(st.sampled_from(['and', 'or']))} "
                f"{draw(condition(scope, depth - 1))})"
            ),
            lambda: f"not ({draw(condition(scope, depth - 1))})",
        ]
    return draw(st.sampled_from(options))()


def is_column(text: str) -> bool:
    """A bare name: only beside one of these may a text stand for a time."""
    return text.replace(".", "").replace("_", "").isalnum()


@st.composite
def conditions_inside(draw, scope: str):
    """Some conditions as further arguments."""
    found = draw(st.lists(condition(scope, 1), max_size=1))
    return "".join(f", {each}" for each in found)


@st.composite
def behaviour(draw, kind: str, depth: int = 1):
    """A function about events whose value has a type."""
    scope = draw(st.sampled_from(["event", "event", "lines"]))
    name = quoted(BOUGHT if scope == "lines" else draw(st.sampled_from([BOUGHT, SAW])))
    rest = draw(conditions_inside(scope))

    def of(*kinds: str) -> str:
        return draw(value(draw(st.sampled_from(kinds)), scope, min(depth, 1)))

    options = []
    if kind == "boolean":
        options = [
            lambda: f"did({name}{rest}{draw(window('at_least', 'at_most'))})",
            lambda: draw(followed()),
            lambda: f"{draw(st.sampled_from(['entered', 'left']))}_audience('vip'{draw(window())})",
            lambda: (
                f"bought_with({quoted(BOUGHT)}, products.quantity > 0, {draw(condition('lines', 0))}{draw(window())})"
            ),
            lambda: f"in_audience({quoted(draw(st.sampled_from(['vip', 'asleep'])))})",
            lambda: "consented('marketing', 'email')",
        ]
    if kind == "integer":
        options = [
            lambda: f"count_of({name}{rest}{draw(window())})",
            lambda: f"distinct_of({of(*KINDS)}, {name}{rest}{draw(window())})",
            lambda: f"days_since({name}{rest}{draw(window())})",
            lambda: f"days_since({draw(st.sampled_from(NAMES['profile']['time']))})",
            lambda: f"active_days({name}{rest}{draw(window())})",
            lambda: f"streak({name}{rest}{draw(st.sampled_from(['', ', current => true']))}{draw(window())})",
            lambda: draw(funnel()),
            lambda: f"count(*){draw(filtered())}",
            lambda: f"count({draw(st.sampled_from(['', 'distinct ']))}category){draw(filtered())}",
        ]
    if kind in NUMBERS:
        options.append(lambda: f"sum_of({of(kind)}, {name}{rest}{draw(window())})")
        column = NAMES["event"][kind][0]
        options.append(lambda: f"{draw(st.sampled_from(['sum', 'min', 'max']))}({column}){draw(filtered())}")
    if kind == "number":
        options.append(lambda: f"avg_of({of(*NUMBERS)}, {name}{rest}{draw(window())})")
    if kind in ORDERED:
        chosen = draw(st.sampled_from(["min_of", "max_of"]))
        options.append(lambda: f"{chosen}({of(kind)}, {name}{rest}{draw(window())})")
    several = draw(st.sampled_from(["first_of", "last_of", "most_of"]))
    options.append(lambda: f"{several}({of(kind)}, {name}{rest}{draw(window())})")
    options.append(lambda: f"most_of({of(kind)}, {name}{rest}{draw(window())}, half_life => {quoted(draw(LENGTHS))})")
    found = draw(st.sampled_from(options))()
    is_kept = any(
        each in found for each in ("in_audience", "consented", "days_since(seen", "days_since(next", "trait(")
    )
    return found if is_kept or draw(st.integers(0, 5)) else f"ago({found}, {quoted(draw(LENGTHS))})"


@st.composite
def followed(draw):
    """One event after another."""
    first, then = (quoted(draw(st.sampled_from([BOUGHT, SAW, COUPON]))) for _ in "ab")
    gap = f", gap => {quoted(draw(LENGTHS))}" if draw(st.booleans()) else ""
    without = f", without => {quoted(draw(st.sampled_from([SAW, COUPON])))}" if draw(st.booleans()) else ""
    return f"followed({first}, {then}{gap}{draw(window())}{without})"


@st.composite
def funnel(draw):
    """Two to four events in order, within limits or without."""
    steps = draw(st.lists(st.sampled_from([BOUGHT, SAW, COUPON]), min_size=2, max_size=4))
    limit = draw(st.sampled_from(["", "gap", "total"]))
    said = f", {limit} => {quoted(draw(LENGTHS))}" if limit else ""
    return f"funnel({', '.join(map(quoted, steps))}{said}{draw(window())})"


@st.composite
def filtered(draw):
    """The filter of an aggregate of SQL, or none."""
    match draw(st.integers(0, 2)):
        case 0:
            return ""
        case 1:
            return f" filter (where event = {quoted(draw(st.sampled_from([BOUGHT, SAW])))})"
        case _:
            name = quoted(draw(st.sampled_from([BOUGHT, SAW])))
            return f" filter (where event = {name} and {draw(condition('event', 0))})"


@st.composite
def expression(draw, depth: int = 1):
    """A value or a condition about a profile."""
    kind = draw(st.sampled_from([*KINDS, "boolean"]))
    return draw(condition("profile", depth) if kind == "boolean" else value(kind, "profile", depth))
