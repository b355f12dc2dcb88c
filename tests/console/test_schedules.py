"""Schedules in words."""

import pytest

from spira.console.schedules import length_words, schedule_words

SAID = [
    ("0 10 * * 1", "every Monday at 10:00", "每周一 10:00"),
    ("30 9 * * 1-5", "Monday to Friday at 09:30", "每周一至周五 09:30"),
    ("0 10 * * 6,7", "every Saturday and Sunday at 10:00", "每周六、周日 10:00"),
    ("0 10 * * 0,2,4", "every Tuesday, Thursday and Sunday at 10:00", "每周二、周四、周日 10:00"),
    ("0 9,17 * * *", "every day at 09:00 and 17:00", "每天 09:00、17:00"),
    ("0 8 1,15 * *", "on the 1st and 15th of every month at 08:00", "每月 1 日、15 日 08:00"),
    ("0 8 3 11 *", "every year on the 3rd of November at 08:00", "每年 11 月 3 日 08:00"),
    ("*/15 * * * *", "every 15 minutes", "每 15 分钟"),
    ("* * * * *", "every minute", "每分钟"),
    ("0 * * * *", "every hour, on the hour", "每小时整点"),
    ("5 * * * *", "every hour at minute 5", "每小时的第 5 分"),
    ("0 10 1 * 0-6", "every day at 10:00", "每天 10:00"),
]


@pytest.mark.parametrize(("text", "english", "chinese"), SAID)
def test_usual_schedules_are_said_in_both_languages(text, english, chinese):
    """As people say them, a week beginning on Monday."""
    assert schedule_words(text, "en") == english
    assert schedule_words(text, "zh-CN") == chinese


@pytest.mark.parametrize("text", ["0 10 1 * 1", "*/7 * * * *", "0 8-18 * * *", "0 10 * 1-6 1", "not a schedule"])
def test_unusual_ones_keep_what_was_written(text):
    """Words that are longer than the five fields, or that could mislead, are not made."""
    assert schedule_words(text, "en") == text


def test_a_duration_is_said_in_the_largest_unit_that_it_is_whole_in():
    """Whatever unit its author wrote it in."""
    assert [length_words(each, "en") for each in ("15 minutes", "24 hours", "90 minutes")] == [
        "15 minutes",
        "one day",
        "90 minutes",
    ]
    assert [length_words(each, "zh-CN") for each in ("15 minutes", "14 days")] == ["15 分钟", "2 周"]
