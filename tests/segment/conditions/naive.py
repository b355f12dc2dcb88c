"""The language again, read literally: one person at a time, over plain lists, without SQL.

It shares the parser's tree with the compiler and nothing else. Slow and obvious on purpose:
where the two differ, this one says what was meant.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.segment.conditions.naive_values import SCALARS, calendar, like, measured, weighed
from tests.segment.conditions.world import Person

from spira.segment.conditions.tree import (
    Arithmetic,
    Between,
    Call,
    Case,
    Compare,
    In,
    IsNull,
    Like,
    Literal,
    Logic,
    Name,
    Named,
    Negative,
    Node,
    Not,
    walk,
)
from spira.segment.conditions.zones import ZONES

DAY = timedelta(days=1)
UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": DAY, "week": timedelta(weeks=1)}
WITHOUT_VALUE = ("did", "count_of", "days_since", "active_days", "streak", "bought_with")
AGGREGATES = {"count": "count_of", "sum": "sum_of", "avg": "avg_of", "min": "min_of", "max": "max_of"}


class Written(float):
    """A number with a fraction as it stands in the text: exact beside money, a float beside the rest."""

    exact: Decimal


def written(value: Decimal) -> Written:
    found = Written(value)
    found.exact = value
    return found


class Naive:
    """The value of expressions for one person at one instant."""

    def __init__(self, person: Person, now: datetime, zone: str = "UTC") -> None:
        self.person, self.now, self.zone = person, now, zone

    def value(self, node: Node):
        """What the expression is worth, outside behaviour functions."""
        return self.evaluate(node, self.known, self.call)

    def holds(self, node: Node) -> bool:
        """Whether a condition is true; null is not."""
        return self.value(node) is True

    def known(self, node: Name):
        name = node.parts[0]
        for facts in (self.person.tags, self.person.scores, self.person.traits):
            if name in facts:
                return facts[name]
        return None

    # -- what is true everywhere

    def evaluate(self, node: Node, name, call):
        def go(each):
            return self.evaluate(each, name, call)

        match node:
            case Literal(kind="number"):
                return written(node.value)
            case Literal():
                return node.value
            case Name():
                return name(node)
            case Call():
                return (
                    call(node) if node.function not in SCALARS else self.scalar(node, [go(a) for a in node.arguments])
                )
            case Not():
                value = go(node.operand)
                return None if value is None else not value
            case Negative():
                value = go(node.operand)
                if isinstance(value, Written):
                    return written(-value.exact)
                return None if value is None else -value
            case Logic():
                return self.logic(node.op, [go(each) for each in node.operands])
            case Compare():
                return self.compare(node.op, go(node.left), go(node.right))
            case In():
                tests = [self.compare("=", go(node.operand), go(each)) for each in node.items]
                return self.negate(self.logic("or", tests), node.negated)
            case Between():
                value = go(node.operand)
                tests = [self.compare(">=", value, go(node.low)), self.compare("<=", value, go(node.high))]
                return self.negate(self.logic("and", tests), node.negated)
            case Like():
                return self.negate(like(go(node.operand), go(node.pattern)), node.negated)
            case IsNull():
                return (go(node.operand) is None) is not node.negated
            case Arithmetic():
                return self.arithmetic(node.op, go(node.left), go(node.right))
            case Case():
                return self.case(node, go)

    def case(self, node: Case, go):
        for when in node.whens:
            if node.operand is None:
                chosen = go(when.condition)
            else:
                chosen = self.compare("=", go(node.operand), go(when.condition))
            if chosen is True:
                return go(when.result)
        return None if node.otherwise is None else go(node.otherwise)

    def negate(self, value, negated):
        return value if value is None or not negated else not value

    def logic(self, op, values):
        decisive = op == "or"
        if decisive in values:
            return decisive
        return None if None in values else not decisive

    def compare(self, op, left, right):
        left, right = self.alike(left, right)
        if left is None or right is None:
            return None
        return {
            "=": left == right,
            "<>": left != right,
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
        }[op]

    def alike(self, left, right):
        for one, other in ((left, right), (right, left)):
            if isinstance(one, str) and isinstance(other, date):
                changed = self.moment(one) if isinstance(other, datetime) else date.fromisoformat(one)
                return (changed, right) if one is left else (left, changed)
            if isinstance(one, float) and isinstance(other, Decimal):
                is_exact = isinstance(one, Written)
                pair = (one.exact, other) if is_exact else (float(one), float(other))
                return pair if one is left else pair[::-1]
        return left, right

    def moment(self, text):
        local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(self.zone))
        return local.astimezone(UTC).replace(tzinfo=None)

    def local(self, value, said=None):
        zone = said if said in ZONES else self.zone
        return value.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)) if isinstance(value, datetime) else value

    def arithmetic(self, op, left, right):
        if left is None or right is None:
            return None
        if op == "||":
            return left + right
        if op == "/":
            return None if right == 0 else float(left) / float(right)
        if isinstance(left, float) or isinstance(right, float) or (op == "*" and type(left) is type(right) is Decimal):
            left, right = float(left), float(right)
        found = {"+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right}[op]()
        too_large = isinstance(found, int) and not -(2**63) <= found < 2**63
        return None if too_large else found

    def scalar(self, node: Call, values):
        if node.function == "coalesce":
            return next((each for each in values if each is not None), None)
        if node.function in ("least", "greatest"):
            there = [each for each in values if each is not None]
            return (min if node.function == "least" else max)(there) if there else None
        if node.function == "nullif":
            return None if self.compare("=", *values) is True else values[0]
        if node.function in ("date", "year", "month", "day", "weekday", "hour"):
            there = self.local(values[0], values[1] if len(values) > 1 else None)
            return None if there is None else calendar(node.function, there)
        if None in values:
            return None
        if node.function == "days_between":
            early, late = self.alike(values[0], values[1])
            return math.floor((late - early) / DAY)
        return SCALARS[node.function](*values)

    # -- behaviour

    def call(self, node: Call):
        if node.function == "in_audience":
            return node.arguments[0].value in self.person.audiences
        if node.function == "consented":
            return self.person.permissions.get(tuple(each.value for each in node.arguments), False)
        if node.function == "trait":
            return self.person.traits.get(node.arguments[0].value)
        if node.function == "ago":
            then = Naive(self.person, self.now - length(node.positional()[1]), self.zone)
            return then.value(node.positional()[0])
        if node.function in ("entered_audience", "left_audience"):
            start, end = self.window(node.named())
            moved = (node.positional()[0].value, node.function == "entered_audience")
            return any((name, entered) == moved and start <= at < end for name, entered, at in self.person.moves)
        if node.function == "followed":
            return self.followed(node)
        if node.function == "funnel":
            return self.funnel(node)
        if node.function == "bought_with":
            return self.bought_with(node)
        if node.function == "days_since" and not is_text(node.positional()[0]):
            value = self.value(node.positional()[0])
            return None if value is None else math.floor((self.now - value) / DAY)
        return self.behaviour(node)

    def behaviour(self, node: Call):
        values, rows = self.rows(node)
        named = node.named()
        match AGGREGATES.get(node.function, node.function):
            case "did":
                least = named["at_least"].value if "at_least" in named else 1
                most = named["at_most"].value if "at_most" in named else math.inf
                return least <= len(rows) <= most
            case "active_days":
                return len(self.days(rows))
            case "streak":
                return self.streak(self.days(rows), node.named())
            case "most_of" if "half_life" in named:
                return weighed([(self.inside(values[0], row), row["ts"]) for row in rows], length(named["half_life"]))
            case "days_since":
                return math.floor((self.now - rows[-1]["ts"]) / DAY) if rows else None
            case "count_of":
                if not values:
                    return len(rows)
                known = self.seen(values[0], rows)
                return len(set(known)) if node.distinct else len(known)
            case measure:
                return measured(measure, self.seen(values[0], rows))

    def days(self, rows):
        return {self.local(row["ts"]).date() for row in rows}

    def streak(self, days, named):
        """The longest row of days; of a current one, the row that holds today or yesterday."""
        runs = [
            [day + n * DAY for n in range(len(days)) if all(day + m * DAY in days for m in range(n + 1))]
            for day in days
        ]
        if "current" in named and named["current"].value:
            today = self.local(self.now - length(named.get("ending"))).date()
            runs = [run for run in runs if run[-1] in (today, today - DAY)]
        return max(map(len, runs), default=0)

    def bought_with(self, node: Call):
        conditions = node.positional()[1:]
        _, rows = self.rows(
            replace(
                node, arguments=node.arguments[:1] + tuple(each for each in node.arguments if isinstance(each, Named))
            )
        )
        arrays = {
            each.parts[0] for one in conditions for each in walk(one) if isinstance(each, Name) and len(each.parts) == 2
        }
        return any(
            all(any(self.inside(one, line) is True for line in rows_of(row, arrays)) for one in conditions)
            for row in rows
        )

    def funnel(self, node: Call):
        named = node.named()
        steps = [each.value for each in node.positional()]
        start, end = self.window(named)
        past = [each for each in self.person.events if each["ts"] < self.now]
        gap, total = (length(named[name]) if name in named else timedelta.max for name in ("gap", "total"))

        def furthest(first, last, step):
            ways = [each["ts"] for each in past if step < len(steps) and each["event"] == steps[step]]
            fit = [ts for ts in ways if last < ts and ts - last <= gap and ts - first <= total]
            return max((furthest(first, ts, step + 1) for ts in fit), default=step)

        firsts = [each["ts"] for each in past if each["event"] == steps[0] and start <= each["ts"] < end]
        return max((furthest(ts, ts, 1) for ts in firsts), default=0)

    def seen(self, value: Node, rows):
        found = [self.inside(value, row) for row in rows]
        return [each for each in found if each is not None]

    def inside(self, node: Node, row):
        return self.evaluate(node, lambda name: row.get(".".join(name.parts)), self.call)

    def rows(self, node: Call):
        """The value asked for, and the events or lines that count, in their total order."""
        if node.function in AGGREGATES:
            values, event, conditions = node.positional(), None, [node.where] if node.where else []
        else:
            positional = list(node.positional())
            count = 0 if node.function in WITHOUT_VALUE else 1
            values, event, conditions = positional[:count], positional[count].value, positional[count + 1 :]
        arrays = {
            each.parts[0]
            for part in (*values, *conditions)
            for each in walk(part)
            if isinstance(each, Name) and len(each.parts) == 2
        }
        start, end = self.window(node.named())
        found = []
        for each in sorted(self.person.events, key=lambda one: (one["ts"], one["event_id"])):
            if (event is None or each["event"] == event) and start <= each["ts"] < end:
                found.extend(rows_of(each, arrays))
        return values, [row for row in found if all(self.inside(each, row) is True for each in conditions)]

    def window(self, named):
        end = self.now - length(named.get("ending"))
        start = datetime(1, 1, 1) if "within" not in named else end - length(named["within"])
        if "since" in named:
            start = max(start, self.moment(named["since"].value))
        if "until" in named:
            end = min(end, self.moment(named["until"].value))
        return start, end

    def followed(self, node: Call):
        named = node.named()
        first, then = (each.value for each in node.positional())
        start, end = self.window(named)
        gap = length(named["gap"]) if "gap" in named else timedelta.max
        past = [each for each in self.person.events if each["ts"] < self.now]
        between = [each["ts"] for each in past if "without" in named and each["event"] == named["without"].value]
        return any(
            a["event"] == first
            and start <= a["ts"] < end
            and b["event"] == then
            and a["ts"] < b["ts"]
            and b["ts"] - a["ts"] <= gap
            and not any(a["ts"] < each < b["ts"] for each in between)
            for a in past
            for b in past
        )


def ranked(function: str, parts: int, values: dict[int, object]) -> dict[int, object]:
    """The rank of each person among those with a value."""
    order = sorted((value, id) for id, value in values.items() if value is not None)
    found: dict[int, object] = dict.fromkeys(values)
    if function == "percentile":
        found.update({id: 100 * (place + 1) / len(order) for place, (_, id) in enumerate(order)})
        return found
    small, larger = divmod(len(order), parts)
    place = 0
    for part in range(parts):
        for _ in range(small + (part < larger)):
            found[order[place][1]] = part + 1
            place += 1
    return found


def rows_of(event: dict, arrays: set[str]) -> list[dict]:
    """The event itself, or one row for each line of the array that is spoken of."""
    if not arrays:
        return [event]
    (array,) = arrays
    return [{**event, **{f"{array}.{name}": value for name, value in line.items()}} for line in event.get(array) or []]


def is_text(node: Node) -> bool:
    return isinstance(node, Literal) and node.kind == "text"


def length(node: Node | None) -> timedelta:
    if node is None:
        return timedelta(0)
    number, unit = node.value.split()
    return int(number) * UNITS[unit.removesuffix("s")]
