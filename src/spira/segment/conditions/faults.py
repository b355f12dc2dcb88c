"""Faults: what is wrong with an expression, and between which characters.

A fault is data, collected and never raised; whoever holds the file the text came from
turns it into a located diagnostic. Each code has a page in docs/reference/errors.
"""

from __future__ import annotations

from dataclasses import dataclass

SYNTAX = "D301"
UNKNOWN_FUNCTION = "D302"
UNKNOWN_EVENT = "D303"
UNKNOWN_PROPERTY = "D304"
UNKNOWN_NAME = "D305"
AMBIGUOUS_NAME = "D306"
WRONG_TYPE = "D307"
BAD_DURATION = "D308"
EMPTY_WINDOW = "D309"
UNKNOWN_ARGUMENT = "D310"
MISSING_ARGUMENT = "D311"
WRONG_RESULT = "D312"
AGGREGATE_OUTSIDE_TAG = "D313"
UNKNOWN_AUDIENCE = "D314"
POPULATION_OUTSIDE_TAG = "D315"
NOT_ALLOWED_HERE = "D316"
TOO_MANY_ARGUMENTS = "D317"
BAD_VALUE = "D318"
TWO_ARRAYS = "D319"
TOO_LARGE = "D320"

CODES = tuple(f"D{number}" for number in range(301, 321))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault; `start` and `end` count characters of the expression from 0, `end` excluded."""

    code: str
    message: str
    start: int
    end: int
    help: str | None = None
