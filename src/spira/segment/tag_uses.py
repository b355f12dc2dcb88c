"""Tag uses: when each tag was last of use to anybody, so that those which nobody needs can be found.

Writes  `tag_uses` (state)   one row for each tag that is worked out: known since when, and last used when

Stage 4 writes down, as often as it counts coverage, which tags a definition reads. What somebody asks in passing, a
condition that is tried or a list of people with the tag in it, is written down where it is asked; once a day and tag
is enough, and within that day it costs a look into memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from spira.storage.state import State, state_table, upsert

DAYS = 90
QUIET, EVERY = timedelta(days=DAYS), timedelta(days=1)

TAG_USES = state_table(
    "tag_uses",
    sa.Column("tag", sa.String(100), primary_key=True),
    sa.Column("since", sa.DateTime, nullable=False),
    sa.Column("used_at", sa.DateTime),
    stage="segment.tags",
)
_noted: WeakKeyDictionary[State, dict[str, datetime]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """When a tag was of use."""

    since: datetime = field(metadata={"help": "since when its uses are written down"})
    used_at: datetime | None = field(metadata={"help": "when it was last used, to within a day; null for never"})

    def is_quiet(self, now: datetime) -> bool:
        """Whether nobody has used it for `DAYS` days, and could have."""
        return (self.used_at or self.since) <= now - QUIET


def follow(state: State, tags: Iterable[str], read: Iterable[str], *, at: datetime) -> None:
    """Keep a row for each of `tags`, which are worked out; those of them that definitions `read` are in use."""
    now, names = set(read), set(tags)
    with state.write() as connection:
        known = set(connection.execute(sa.select(TAG_USES.c.tag)).scalars())
        if gone := known - names:
            connection.execute(sa.delete(TAG_USES).where(TAG_USES.c.tag.in_(sorted(gone))))
        upsert(connection, TAG_USES, [{"tag": each, "since": at} for each in sorted(names - known)], replace=())
        if used := sorted(now & names):
            connection.execute(sa.update(TAG_USES).where(TAG_USES.c.tag.in_(used)).values(used_at=at))


def note(state: State, tags: Iterable[str], *, at: datetime) -> None:
    """Somebody asks something of `tags` just now."""
    noted = _noted.setdefault(state, {})
    fresh = sorted(each for each in set(tags) if each not in noted or noted[each] <= at - EVERY)
    if not fresh:
        return
    older = sa.or_(TAG_USES.c.used_at.is_(None), TAG_USES.c.used_at < at)
    with state.write() as connection:
        connection.execute(sa.update(TAG_USES).where(TAG_USES.c.tag.in_(fresh), older).values(used_at=at))
    noted.update(dict.fromkeys(fresh, at))


def uses(state: State) -> Mapping[str, Use]:
    """The tags whose uses are written down, with when."""
    with state.read() as connection:
        rows = connection.execute(sa.select(TAG_USES.c.tag, TAG_USES.c.since, TAG_USES.c.used_at)).all()
    return {tag: Use(since=since, used_at=used_at) for tag, since, used_at in rows}
