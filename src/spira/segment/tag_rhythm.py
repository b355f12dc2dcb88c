"""Tag rhythm: how often a tag is worked out, where it need not be with every change.

Reads   `progress`   when the tags of a rhythm were last worked out
Writes  `progress`   a row for each rhythm, in the transaction of the tags

Between two times a tag of a rhythm keeps its value for everyone, also when what it builds on changes, and somebody
new has none; at its time it is worked out for everyone and is what a full refresh makes of it. All tags of one rhythm
are due together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from spira.definitions.model import fault
from spira.kernel.cron import last_between, read_schedule
from spira.kernel.durations import BadDuration, parse_duration
from spira.storage import progress
from spira.storage.warehouse import Warehouse

ALWAYS = "every change"
_DAILY = re.compile(r"daily at ([01]?[0-9]|2[0-3]):([0-5][0-9])")
_MARK = "segment.tags, {rhythm}"


def _rhythm(text: str) -> str:
    by, said = read(text)
    if by != "length":
        return text
    try:
        parse_duration(said)
    except BadDuration:
        message = f"`{text}` does not say how often a tag is worked out"
        raise fault("D014", message, help=f"write `{ALWAYS}`, `every 30 minutes` or `daily at 04:00`") from None
    return text


Rhythm = Annotated[
    str, AfterValidator(_rhythm), Field(json_schema_extra={"examples": [ALWAYS, "every 30 minutes", "daily at 04:00"]})
]


def read(rhythm: str) -> tuple[Literal["change", "length", "day"], str]:
    """What a rhythm goes by: every change, a length of time as `30 minutes`, or a time of day as `04:00`."""
    daily = _DAILY.fullmatch(rhythm)
    if daily is not None:
        return "day", f"{daily[1]}:{daily[2]}"
    return ("change", "") if rhythm == ALWAYS else ("length", rhythm.removeprefix("every "))


def is_due(rhythm: str, last: datetime, now: datetime, *, zone: str) -> bool:
    """Whether the tags of a rhythm that were worked out at `last` are to be worked out at `now`."""
    by, said = read(rhythm)
    if by == "day":
        hour, minute = said.split(":")
        return last_between(read_schedule(f"{minute} {hour} * * *"), last, now, zone=zone) is not None
    return by == "change" or now >= last + parse_duration(said)


def rhythms(tags: Iterable[tuple[str, str]]) -> Mapping[str, frozenset[str]]:
    """Names by rhythm, of pairs of a tag and its rhythm; those that follow every change are not in it."""
    found: dict[str, frozenset[str]] = {}
    for name, rhythm in tags:
        if rhythm != ALWAYS:
            found[rhythm] = found.get(rhythm, frozenset()) | {name}
    return found


def waiting(warehouse: Warehouse, every: Iterable[str], now: datetime, *, zone: str) -> frozenset[str]:
    """The rhythms that are not due."""
    stood = {rhythm: stood_at(warehouse, rhythm) for rhythm in every}
    return frozenset(
        rhythm for rhythm, last in stood.items() if last is not None and not is_due(rhythm, last, now, zone=zone)
    )


def stood_at(warehouse: Warehouse, rhythm: str) -> datetime | None:
    """The instant that the tags of a rhythm were last worked out for; None before the first time."""
    return progress.stood_at(warehouse, _MARK.format(rhythm=rhythm))


def mark(warehouse: Warehouse, rhythm: str, batch: int, as_of: datetime) -> None:
    """Say that the tags of a rhythm were worked out for everyone."""
    progress.mark(warehouse, _MARK.format(rhythm=rhythm), batch, as_of)
