"""Every function of the language: its arguments, its result, and one line about it.

The checker, the reference page's test and the console's builder read this table;
how a function is computed is said in lower.py and query.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spira.segment.conditions.catalog import Type

Accepts = Literal["any", "boolean", "numeric", "text", "time", "moment", "integer", "ordered"]
Result = Type | Literal["value", "common", "sum"]

WINDOW = ("within", "ending", "since", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """A function over a person's events: `value` first where it takes one, then events, then conditions.

    It takes `events` of them, and up to `most_events`.
    """

    name: str
    about: str
    value: Accepts | None = None
    events: int = 1
    most_events: int = 1
    conditions: bool = True
    named: tuple[str, ...] = WINDOW
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A function of values; `variadic` ones take any number of the last."""

    name: str
    about: str
    takes: tuple[Accepts, ...]
    optional: int = 0
    variadic: bool = False
    same: bool = False
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A function with rules of its own: about the population, about membership, or an aggregate of SQL."""

    name: str
    about: str


_BEHAVIOURS = (
    Behaviour(
        name="did",
        about="whether an event happened, at least once unless said otherwise",
        named=(*WINDOW, "at_least", "at_most"),
        result="boolean",
    ),
    Behaviour(name="count_of", about="how often an event happened", result="integer"),
    Behaviour(name="sum_of", about="the sum of a property", value="numeric", result="sum"),
    Behaviour(name="avg_of", about="the mean of a property", value="numeric", result="number"),
    Behaviour(name="min_of", about="the least value of a property", value="ordered", result="value"),
    Behaviour(name="max_of", about="the greatest value of a property", value="ordered", result="value"),
    Behaviour(name="distinct_of", about="how many different values a property had", value="any", result="integer"),
    Behaviour(name="first_of", about="the value of a property when it was first known", value="any", result="value"),
    Behaviour(name="last_of", about="the value of a property when it was last known", value="any", result="value"),
    Behaviour(
        name="most_of",
        about="the most frequent value of a property",
        value="any",
        named=(*WINDOW, "half_life"),
        result="value",
    ),
    Behaviour(name="active_days", about="on how many local days an event happened", result="integer"),
    Behaviour(
        name="streak",
        about="how many local days in a row an event happened",
        named=(*WINDOW, "current"),
        result="integer",
    ),
    Behaviour(name="days_since", about="whole days since an event, or since a time", result="integer"),
    Behaviour(
        name="followed",
        about="whether one event was followed by another",
        events=2,
        most_events=2,
        conditions=False,
        named=("gap", *WINDOW, "without"),
        result="boolean",
    ),
    Behaviour(
        name="funnel",
        about="how many steps in order were reached",
        events=2,
        most_events=10,
        conditions=False,
        named=("gap", "total", *WINDOW),
        result="integer",
    ),
    Behaviour(name="bought_with", about="whether lines of several kinds were in one event", result="boolean"),
)

_SCALARS = (
    Scalar(
        name="coalesce",
        about="the first value that is known",
        takes=("any",),
        variadic=True,
        same=True,
        result="common",
    ),
    Scalar(name="nullif", about="null where two values are equal", takes=("any", "any"), same=True, result="value"),
    Scalar(
        name="least", about="the smallest known value", takes=("ordered",), variadic=True, same=True, result="common"
    ),
    Scalar(
        name="greatest", about="the greatest known value", takes=("ordered",), variadic=True, same=True, result="common"
    ),
    Scalar(
        name="round", about="rounded, half away from zero", takes=("numeric", "integer"), optional=1, result="value"
    ),
    Scalar(name="abs", about="without its sign", takes=("numeric",), result="value"),
    Scalar(name="floor", about="the whole number at or below", takes=("numeric",), result="integer"),
    Scalar(name="ceil", about="the whole number at or above", takes=("numeric",), result="integer"),
    Scalar(name="lower", about="in small letters", takes=("text",), result="text"),
    Scalar(name="upper", about="in capital letters", takes=("text",), result="text"),
    Scalar(name="trim", about="without spaces at its ends", takes=("text",), result="text"),
    Scalar(name="length", about="how many characters", takes=("text",), result="integer"),
    Scalar(
        name="substr",
        about="a part, from a character counted from 1",
        takes=("text", "integer", "integer"),
        optional=1,
        result="text",
    ),
    Scalar(name="starts_with", about="whether a text begins so", takes=("text", "text"), result="boolean"),
    Scalar(name="ends_with", about="whether a text ends so", takes=("text", "text"), result="boolean"),
    Scalar(name="contains", about="whether a text has a part", takes=("text", "text"), result="boolean"),
    Scalar(name="has_item", about="whether a text that lists items has one", takes=("text", "text"), result="boolean"),
    Scalar(name="date", about="the local date of a time", takes=("time", "text"), optional=1, result="date"),
    Scalar(name="year", about="the local year", takes=("moment", "text"), optional=1, result="integer"),
    Scalar(name="month", about="the local month, 1 to 12", takes=("moment", "text"), optional=1, result="integer"),
    Scalar(name="day", about="the local day of the month", takes=("moment", "text"), optional=1, result="integer"),
    Scalar(
        name="weekday", about="the local weekday, Monday is 1", takes=("moment", "text"), optional=1, result="integer"
    ),
    Scalar(name="hour", about="the local hour, 0 to 23", takes=("time", "text"), optional=1, result="integer"),
    Scalar(
        name="days_between",
        about="whole days from one time to another",
        takes=("moment", "moment"),
        same=True,
        result="integer",
    ),
    Scalar(
        name="distance_km",
        about="kilometres between two places, each a latitude and a longitude",
        takes=("numeric", "numeric", "numeric", "numeric"),
        result="number",
    ),
)

_POPULATION = (
    Other(name="quintile", about="the fifth of all people with a value, 5 the highest"),
    Other(name="ntile", about="the nth part of all people with a value, n the highest"),
    Other(name="percentile", about="the share of people with a value at or below, 100 the highest"),
)

_HOUSEHOLDS = (
    Other(name="household_sum", about="the sum of a value over the household"),
    Other(name="household_max", about="the greatest value in the household"),
    Other(name="household_min", about="the least value in the household"),
    Other(name="household_any", about="whether something is true of anybody in the household"),
)

_MEMBERSHIP = (
    Other(name="in_audience", about="whether a person is a member of an audience"),
    Other(name="entered_audience", about="whether a person entered an audience in a window"),
    Other(name="left_audience", about="whether a person left an audience in a window"),
    Other(name="consented", about="whether a person allows a purpose on a channel"),
)

_PERSONAL = (
    Other(name="trait", about="a trait of the person, also inside a function about events"),
    Other(name="ago", about="a value as it was some time ago"),
)

_AGGREGATES = (
    Other(name="count", about="how many events, or how many with a value"),
    Other(name="sum", about="the sum of a property over events"),
    Other(name="avg", about="the mean of a property over events"),
    Other(name="min", about="the least value over events"),
    Other(name="max", about="the greatest value over events"),
)

BEHAVIOURS = {each.name: each for each in _BEHAVIOURS}
SCALARS = {each.name: each for each in _SCALARS}
HOUSEHOLDS = {each.name: each for each in _HOUSEHOLDS}
POPULATION = {each.name: each for each in (*_POPULATION, *_HOUSEHOLDS)}  # all that look at more people than one
PERSONAL = {each.name: each for each in _PERSONAL}
MEMBERSHIP = {each.name: each for each in _MEMBERSHIP}
LOCAL = frozenset({"date", "year", "month", "day", "weekday", "hour"})  # those that read a clock on the wall
MOVES = frozenset({"entered_audience", "left_audience"})
AUDIENCES = MOVES | {"in_audience"}  # all that name an audience
AGGREGATES = {each.name: each for each in _AGGREGATES}
FUNCTIONS: dict[str, Behaviour | Scalar | Other] = {
    **BEHAVIOURS,
    **SCALARS,
    **POPULATION,
    **MEMBERSHIP,
    **PERSONAL,
    **AGGREGATES,
}
