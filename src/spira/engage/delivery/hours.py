"""Hours of the day in which somebody is left alone, and when they are over."""

from __future__ import annotations

from datetime import datetime, time

from spira.engage.journeys.flow import next_time
from spira.kernel.clock import local


def over_at(hours: tuple[time, time] | None, as_of: datetime, zone: str) -> datetime | None:
    """When the quiet hours that `as_of` falls into are over, in UTC; None outside of them."""
    if hours is None or hours[0] == hours[1]:
        return None
    begin, end = hours
    now = local(as_of, zone).time()
    inside = begin <= now < end if begin < end else now >= begin or now < end
    return next_time(end.strftime("%H:%M"), as_of, zone=zone) if inside else None
