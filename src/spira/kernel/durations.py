"""Lengths of time as people write them: `30 days`, `12 hours`, `2 weeks`.

A day is 24 hours. Months are refused: they have no one length.
"""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
BACK_OFF_MINUTES = (1, 2, 5, 15, 30, 60)
_SHAPE = re.compile(r"\s*(\d+)\s*([a-z]+?)s?\s*", re.IGNORECASE)


class BadDuration(ValueError):
    """Text that is no length of time; its message says what to write."""


def parse_duration(text: str) -> timedelta:
    """`text` as a length of time greater than zero."""
    found = _SHAPE.fullmatch(text)
    unit = UNITS.get(found.group(2).lower()) if found else None
    if found is None or unit is None:
        raise BadDuration(
            f"`{text}` is not a duration; write a number and minutes, hours, days or weeks, as in '30 days'"
        )
    if int(found.group(1)) == 0:
        raise BadDuration(f"`{text}` has no length; write at least 1")
    return timedelta(seconds=int(found.group(1)) * unit)


def back_off(tries: int) -> timedelta:
    """How long whoever was tried `tries` times, from 1, is left alone: a minute at first, then up to an hour."""
    return timedelta(minutes=BACK_OFF_MINUTES[min(tries, len(BACK_OFF_MINUTES)) - 1])
