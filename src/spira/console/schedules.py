"""Schedules and durations in words: `0 10 * * 1` is "every Monday at 10:00", or 每周一 10:00.

What has no short words keeps the five fields that its author wrote; pages show those beside the words too.
"""

from __future__ import annotations

from collections.abc import Mapping

from spira.kernel.cron import BadSchedule, Shape, read_schedule, shape_of
from spira.kernel.durations import parse_duration
from spira.kernel.i18n import catalogue, say

_UNITS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_WORKDAYS, _WEEKEND = (1, 2, 3, 4, 5), (0, 6)
_ORDINALS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def schedule_words(text: str, language: str) -> str:
    """A schedule as people say it; the text itself where there are no short words for it."""
    texts = catalogue("spira.console", language)
    try:
        shape = shape_of(read_schedule(text))
    except BadSchedule:
        shape = None
    return text if shape is None else _said(shape, texts)


def length_words(text: str, language: str) -> str:
    """A duration as people say it, in the largest unit that it is whole in: 15 分钟, 3 days."""
    seconds = int(parse_duration(text).total_seconds())
    unit, size = next(each for each in _UNITS if seconds % each[1] == 0)
    return say(catalogue("spira.console", language), f"length.{unit}", count=seconds // size)


def _said(shape: Shape, texts: Mapping[str, str]) -> str:
    if shape.often == "minutes":
        return say(texts, "schedule.minutes", count=shape.minutes)
    if shape.often == "hours":
        return say(texts, "schedule.hours_at" if shape.minutes else "schedule.hours", minute=shape.minutes)
    times = _listed([f"{hour:02}:{minute:02}" for hour, minute in shape.times], texts)
    if shape.often == "day":
        return say(texts, "schedule.day", times=times)
    if shape.often == "week":
        if shape.days == _WORKDAYS:
            return say(texts, "schedule.workdays", times=times)
        if shape.days == _WEEKEND:
            return say(texts, "schedule.weekend", times=times)
        order = sorted(shape.days, key=lambda day: (day - 1) % 7)  # a week begins on Monday
        return say(texts, "schedule.week", days=_listed([texts[f"weekday.{day}"] for day in order], texts), times=times)
    dates = [say(texts, f"schedule_date.{_ORDINALS.get(day, 'th')}", day=day) for day in shape.days]
    if shape.often == "month":
        return say(texts, "schedule.month", days=_listed(dates, texts), times=times)
    return say(texts, "schedule.year", day=dates[0], month=texts[f"month.{shape.month}"], times=times)


def _listed(parts: list[str], texts: Mapping[str, str]) -> str:
    if len(parts) < 2:
        return parts[0]
    return texts["schedule.comma"].join(parts[:-1]) + texts["schedule.and"] + parts[-1]
