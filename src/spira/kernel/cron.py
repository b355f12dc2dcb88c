"""Schedules as cron writes them: `0 10 * * 1` is ten o'clock on Mondays, in the workspace's zone.

Five fields: minute, hour, day of the month, month, weekday (0 or 7 is Sunday). Each is `*`, a
number, a range `1-5`, a list `1,15`, or any of these with a step `*/15`. Where both days are
restricted either one suffices, as cron has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from spira.kernel.clock import local, midnight, utc

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_SEARCHED_DAYS = 4 * 366 + 1  # the 29th of February comes round within it


class BadSchedule(ValueError):
    """Text that is no schedule; its message says what to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The minutes, hours, days, months and weekdays at which something happens."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool


def read_schedule(text: str) -> Schedule:
    """The schedule that `text` writes; BadSchedule if it writes none."""
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise BadSchedule(f"`{text}` is not a schedule; write minute hour day month weekday, as in '0 10 * * 1'")
    minutes, hours, days, months, weekdays = (_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True))
    return Schedule(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        either_day=parts[2] != "*" and parts[4] != "*",
    )


Often = Literal["minutes", "hours", "day", "week", "month", "year"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A schedule that people have words for: how often, on which days, at which times.

    `minutes` says every how many it comes, or at which minute of each hour; `days` are weekdays (0 is Sunday)
    of a week and days of a month or of the year's `month`; `times` are hours and minutes.
    """

    often: Often
    minutes: int = 0
    days: tuple[int, ...] = ()
    month: int = 0
    times: tuple[tuple[int, int], ...] = ()


def shape_of(schedule: Schedule) -> Shape | None:
    """What kind of schedule it is; None where words would be longer than the five fields."""
    every_month = len(schedule.months) == 12
    every_date, every_weekday = len(schedule.days) == 31, len(schedule.weekdays) == 7
    if schedule.either_day and not every_date and not every_weekday:
        return None
    daily = (every_date and every_weekday) or schedule.either_day
    if len(schedule.hours) == 24:
        return _within_hours(schedule) if daily and every_month else None
    times = tuple((hour, minute) for hour in sorted(schedule.hours) for minute in sorted(schedule.minutes))
    if len(times) > _MOST_TIMES:
        return None
    if daily or every_date:
        days = () if daily else tuple(sorted(schedule.weekdays))
        return Shape(often="day" if daily else "week", days=days, times=times) if every_month else None
    dates = tuple(sorted(schedule.days))
    if every_month and len(dates) <= _MOST_DATES:
        return Shape(often="month", days=dates, times=times)
    if len(schedule.months) == 1 and len(dates) == 1:
        return Shape(often="year", days=dates, month=min(schedule.months), times=times)
    return None


def _within_hours(schedule: Schedule) -> Shape | None:
    minutes = sorted(schedule.minutes)
    if len(minutes) == 1:
        return Shape(often="hours", minutes=minutes[0])
    step = minutes[1] - minutes[0]
    even = 60 % step == 0 and minutes == list(range(0, 60, step))
    return Shape(often="minutes", minutes=step) if even else None


_MOST_TIMES, _MOST_DATES = 4, 4


def last_between(schedule: Schedule, after: datetime, until: datetime, *, zone: str) -> datetime | None:
    """The latest scheduled instant in (after, until], or None."""
    day, first = local(until, zone).date(), local(after, zone).date()
    for _ in range(_SEARCHED_DAYS):
        if day < first:
            return None
        if _falls_on(schedule, day.day, day.month, day.isoweekday() % 7):
            start = midnight(day, zone)
            for hour in sorted(schedule.hours, reverse=True):
                for minute in sorted(schedule.minutes, reverse=True):
                    at = utc(local(start, zone).replace(hour=hour, minute=minute))
                    if after < at <= until:
                        return at
        day -= timedelta(days=1)
    return None


def _falls_on(schedule: Schedule, day: int, month: int, weekday: int) -> bool:
    if month not in schedule.months:
        return False
    if schedule.either_day:
        return day in schedule.days or weekday in schedule.weekdays
    return day in schedule.days and weekday in schedule.weekdays


def _field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            bounds = (low, high)
        elif first.isdigit() and (not dash or last.isdigit()):
            bounds = (int(first), int(last) if dash else high if step else int(first))
        else:
            raise BadSchedule(f"`{part}` is not a {name}; write *, a number, 1-5, 1,3 or */2")
        if not low <= bounds[0] <= bounds[1] <= high or (step and (not step.isdigit() or int(step) == 0)):
            raise BadSchedule(f"`{part}` is not a {name}; it goes from {low} to {high}")
        found.update(range(bounds[0], bounds[1] + 1, int(step) if step else 1))
    return frozenset(found)
