from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.kernel.clock import local
from spira.kernel.cron import BadSchedule, last_between, read_schedule, shape_of

MONDAY = datetime(2026, 3, 2)


@pytest.mark.parametrize(
    ("text", "after", "until", "expected"),
    [
        ("0 10 * * 1", MONDAY, MONDAY + timedelta(hours=11), MONDAY + timedelta(hours=10)),
        ("0 10 * * 1", MONDAY, MONDAY + timedelta(hours=9), None),
        ("0 10 * * 1", MONDAY, MONDAY + timedelta(days=20), MONDAY + timedelta(days=14, hours=10)),
        ("*/15 * * * *", MONDAY, MONDAY + timedelta(minutes=50), MONDAY + timedelta(minutes=45)),
        ("0 0 29 2 *", MONDAY, MONDAY + timedelta(days=1000), datetime(2028, 2, 29)),
        ("0 0 1 * 5", MONDAY, MONDAY + timedelta(days=5), datetime(2026, 3, 6)),
        ("0 9-17/4 * * 0,7", MONDAY, MONDAY + timedelta(days=7), datetime(2026, 3, 8, 17)),
    ],
)
def test_the_latest_time_in_a_stretch_is_found(
    text: str, after: datetime, until: datetime, expected: datetime | None
) -> None:
    """
    Weekdays, steps, ranges, leap days, and either of two days, as cron has them.
    """
    assert last_between(read_schedule(text), after, until, zone="UTC") == expected


def test_hours_are_those_of_the_zone() -> None:
    """
    Ten o'clock in Shanghai is two in the morning, UTC.
    """
    found = last_between(read_schedule("0 10 * * *"), MONDAY, MONDAY + timedelta(hours=12), zone="Asia/Shanghai")
    assert found == MONDAY + timedelta(hours=2)


@pytest.mark.parametrize("text", ["", "0 10 * *", "60 * * * *", "* * * * 8", "a * * * *", "5-1 * * * *", "*/0 * * * *"])
def test_what_is_no_schedule_is_said_so(text: str) -> None:
    """
    Too few fields, numbers out of range and words are refused, never guessed at.
    """
    with pytest.raises(BadSchedule):
        read_schedule(text)


@given(
    st.integers(0, 59), st.integers(0, 23), st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)), st.integers(1, 90)
)
def test_a_daily_time_is_never_more_than_a_day_ago(minute: int, hour: int, until: datetime, hours: int) -> None:
    """
    Where it lies in the stretch it shows the hour asked for; where none is found the stretch had none.
    """
    zone = "Asia/Shanghai"
    after = until - timedelta(hours=hours)
    found = last_between(read_schedule(f"{minute} {hour} * * *"), after, until, zone=zone)
    if found is None:
        assert hours < 24
    else:
        assert after < found <= until
        assert until - found < timedelta(days=1)
        assert (local(found, zone).hour, local(found, zone).minute) == (hour, minute)


def fires(schedule, day: datetime) -> bool:
    """Whether a schedule falls on a day, by reading the set of its fields one by one."""
    month, date = day.month in schedule.months, day.day in schedule.days
    weekday = day.isoweekday() % 7 in schedule.weekdays
    return month and ((date or weekday) if schedule.either_day else (date and weekday))


DAYS = st.sampled_from(["*", "1", "1,15", "*/10", "31", "1-31", "5-9"])


@given(
    st.sampled_from(["0", "*/15", "5", "0,30", "*", "*/7"]),
    st.sampled_from(["*", "10", "9,17", "8-18/2", "*/2"]),
    DAYS,
    st.sampled_from(["*", "3", "1-6", "2"]),
    st.sampled_from(["*", "1", "1-5", "6,0", "0-6", "7"]),
)
def test_a_shape_says_no_other_days_and_times_than_the_schedule(minute, hour, day, month, weekday):
    """What has words falls on just the days of its schedule over four years, at just its times."""
    schedule = read_schedule(f"{minute} {hour} {day} {month} {weekday}")
    shape = shape_of(schedule)
    if shape is None:
        return
    said = {
        "minutes": lambda _: True,
        "hours": lambda _: True,
        "day": lambda _: True,
        "week": lambda at: at.isoweekday() % 7 in shape.days,
        "month": lambda at: at.day in shape.days,
        "year": lambda at: (at.month, at.day) == (shape.month, shape.days[0]),
    }[shape.often]
    days = [MONDAY + timedelta(days=number) for number in range(4 * 366)]
    assert [fires(schedule, each) for each in days] == [said(each) for each in days]
    if shape.often == "minutes":
        assert schedule.minutes == set(range(0, 60, shape.minutes))
    elif shape.often == "hours":
        assert schedule.minutes == {shape.minutes}
    else:
        assert set(shape.times) == {(hour, minute) for hour in schedule.hours for minute in schedule.minutes}
