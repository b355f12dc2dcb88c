"""Recipients: to whom else personal data of people was given, how much of it abroad, and what they still have to hear.

Reads   `shared_people`, `recipient_duties` (state), `identifiers`
Writes  `shared_people` (state)      whose data went to whom in which calendar year, by HMAC, each once
        `recipient_duties` (state)   what a recipient has to be told: that somebody was erased, corrected or restricted

A recipient is one of the setting `rights.processors`; whatever gives data out (a list, a destination) calls `check`
before and `note` after it has written down that it does. Messages that a provider carries go one by one: `beyond`
says of whom none may go. People are counted by calendar year and country, ordinary data and sensitive apart, as the
Chinese rules on data that leaves the country do; what would go beyond the limits of the settings is stopped.

When somebody is erased, corrected or restricted, each recipient of theirs gets a duty (GDPR 19, PIPL 47). It names
the person by the id that stood in the list (`p_…`) and the list's mark, never by a value, so that it may be kept after
an erasure. A duty is over when the recipient was told, by Spira at the address in the setting or by staff.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from spira.kernel.clock import Clock, local
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.ids import new_id, show_profile
from spira.kernel.settings import RightsSettings
from spira.storage import audit
from spira.storage.state import State, in_parts, state_table, upsert
from spira.storage.warehouse import Warehouse
from spira.unify.portrait import says
from spira.unify.subjects import IDS, by_keys

What = Literal["erasure", "correction", "restriction"]
CHINA = "CN"  # the one country whose law counts the people whose data leaves it

SHARED = state_table(
    "shared_people",
    sa.Column("year", sa.Integer, primary_key=True),
    sa.Column("recipient", sa.String(80), primary_key=True),
    sa.Column("subject_key", sa.String(32), primary_key=True),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("sensitive", sa.Boolean, nullable=False),
    sa.Column("export_id", sa.String(32), nullable=False),
    sa.Index(None, "subject_key"),
    stage="unify.exports",
    person="subject_key",
    holds="whose data went to which recipient in which year, by HMAC, with the last list",
)
DUTIES = state_table(
    "recipient_duties",
    sa.Column("duty_id", sa.String(32), primary_key=True),
    sa.Column("recipient", sa.String(80), nullable=False),
    sa.Column("what", sa.String(16), nullable=False),
    sa.Column("person", sa.String(32), nullable=False),
    sa.Column("export_id", sa.String(32), nullable=False),
    sa.Column("filed_at", sa.DateTime, nullable=False),
    sa.Column("told_at", sa.DateTime),
    sa.Column("told_by", sa.String(64)),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("tried_at", sa.DateTime),
    sa.Index(None, "told_at"),
    stage="unify.rights",
    holds="what recipients have to hear of erasures and corrections: the id and the mark of a list, nobody's name",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody else who handles personal data for us, or gets it from us."""

    name: str = says("who")
    task: str = says("what for")
    country: str = says("where, as an ISO code")
    abroad: bool = says("whether that is another country than where the data is kept")
    asks: bool = says("whether people have to agree to that alone first: their data leaves China (PIPL 39)")
    url: str = says("where Spira tells of erasures and corrections; empty where staff do")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """How many people's data one recipient got in a calendar year."""

    year: int = says("the year, in the workspace's zone")
    recipient: str = says("who got it")
    country: str = says("where they are")
    people: int = says("how many different people")
    sensitive: int = says("of how many of them sensitive data was among it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Abroad:
    """How many people's data went abroad in a calendar year, and how many may."""

    year: int = says("the year")
    people: int = says("how many different people")
    sensitive: int = says("of how many of them sensitive data")
    most_people: int | None = says("how many may at most; none without a limit")
    most_sensitive: int | None = says("of how many sensitive data may at most")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What a recipient has to be told, or was."""

    duty_id: str = says("its id, which the recipient sees too")
    recipient: str = says("who has to know")
    what: What = says("erasure, correction or restriction")
    person: str = says("whom it is about: the id that stood in the list")
    export_id: str = says("the mark of the last list that they were in")
    filed_at: datetime = says("since when")
    told_at: datetime | None = says("when the recipient was told; none while they were not")
    told_by: str | None = says("by whom: an id of staff, or `spira`")


def every(rights: RightsSettings) -> tuple[Recipient, ...]:
    """The recipients of the settings, in their order."""
    found = []
    for written in rights.processors:
        name, task, country, url = (*(part.strip() for part in written.split(";", 3)), "")[:4]
        abroad = country != rights.country
        asks = abroad and rights.country == CHINA
        found.append(Recipient(name=name, task=task, country=country, abroad=abroad, asks=asks, url=url))
    return tuple(found)


def get(rights: RightsSettings, name: str) -> Recipient:
    """The recipient of a name; NotFound for one that stands in no record of processing."""
    found = next((each for each in every(rights) if each.name == name), None)
    if found is None:
        raise NotFound(
            f"there is no recipient `{name[:80]}`", help="add them to the record of processing: `rights.processors`"
        )
    return found


def limits(rights: RightsSettings) -> tuple[int | None, int | None]:
    """Of how many people data may go abroad in a year, and of how many sensitive data; None is no limit."""
    return (rights.abroad_people, rights.abroad_sensitive) if rights.country == CHINA else (None, None)


def check(
    state: State,
    rights: RightsSettings,
    to: Recipient,
    keys: Sequence[str],
    *,
    sensitive: bool,
    at: datetime,
    zone: str,
) -> None:
    """Refuse with Conflict what would take more people's data abroad this year than may go."""
    if not to.abroad:
        return
    year = local(at, zone).year
    most, most_sensitive = limits(rights)
    for limit, only_sensitive in ((most, False), (most_sensitive if sensitive else None, True)):
        if limit is None:
            continue
        gone = _gone_abroad(state, rights.country, year, only_sensitive=only_sensitive)
        known = _counted(state, rights.country, year, keys, only_sensitive=only_sensitive)
        would = gone + len(set(keys) - known)
        if would > limit:
            of = "sensitive data of " if only_sensitive else "data of "
            raise Conflict(
                f"with this list {of}{would:,} people would have gone abroad in {year}; {limit:,} may",
                help="file the standard contract or the security assessment, then raise `rights.abroad_people` or"
                " `rights.abroad_sensitive`; or choose fewer people",
            )


def beyond(state: State, rights: RightsSettings, keys: Sequence[str], *, at: datetime, zone: str) -> frozenset[str]:
    """Which people, by their keys, would be more than may have gone abroad this year; the first ones go first."""
    most, _ = limits(rights)
    year, wanted = local(at, zone).year, list(dict.fromkeys(keys))
    if most is None or not wanted:
        return frozenset()
    room = max(0, most - _gone_abroad(state, rights.country, year, only_sensitive=False))
    if len(wanted) <= room:
        return frozenset()
    known = _counted(state, rights.country, year, wanted, only_sensitive=False)
    return frozenset([key for key in wanted if key not in known][room:])


def note(
    connection: sa.Connection, to: Recipient, keys: Sequence[str], *, year: int, export_id: str, sensitive: bool
) -> None:
    """Write down whose data goes to a recipient, in the transaction of the caller's own record.

    `export_id` is the list's mark, or empty for messages that they carry, which are in no list.
    """
    for lot in in_parts(keys):
        rows = [
            {
                "year": year,
                "recipient": to.name,
                "subject_key": key,
                "country": to.country,
                "sensitive": sensitive,
                "export_id": export_id,
            }
            for key in lot
        ]
        kept = ("country", *(("export_id",) if export_id else ()), *(("sensitive",) if sensitive else ()))
        upsert(connection, SHARED, rows, replace=kept)


def given(state: State) -> list[Given]:
    """How many people's data each recipient got in each year, the latest year first."""
    sensitive = sa.func.sum(sa.case((SHARED.c.sensitive.is_(True), 1), else_=0)).label("sensitive")
    asked = sa.select(
        SHARED.c.year, SHARED.c.recipient, SHARED.c.country, sa.func.count().label("people"), sensitive
    ).group_by(SHARED.c.year, SHARED.c.recipient, SHARED.c.country)
    asked = asked.order_by(SHARED.c.year.desc(), sa.desc("people"), SHARED.c.recipient)
    with state.read() as connection:
        return [
            Given(**{**row, "people": int(row["people"]), "sensitive": int(row["sensitive"])})
            for row in connection.execute(asked).mappings()
        ]


def abroad(state: State, rights: RightsSettings, *, at: datetime, zone: str) -> Abroad:
    """How many people's data went abroad this year, each once however many recipients they had."""
    year = local(at, zone).year
    most, most_sensitive = limits(rights)
    return Abroad(
        year=year,
        people=_gone_abroad(state, rights.country, year, only_sensitive=False),
        sensitive=_gone_abroad(state, rights.country, year, only_sensitive=True),
        most_people=most,
        most_sensitive=most_sensitive,
    )


def owe(state: State, lane: Warehouse, clock: Clock, keys: Sequence[str], *, what: What) -> list[Duty]:
    """File what each recipient of a person has to be told; call it before the person's rows are erased.

    Asking again for what is not told yet files nothing new. Who is to be erased counts for the year without a name
    from then on.
    """
    last, counted = _lists_of(state, keys)
    if not counted:
        return []
    wanted = sorted({key for _, key in last})
    shown = {key: show_profile(int(subject)) for key, subject in lane.query(_SUBJECTS, by_keys(wanted))}
    at = clock.now()
    with state.write() as connection:
        waiting: set[tuple[str, str, str]] = set()
        for lot in in_parts(sorted(set(shown.values()))):
            theirs = sa.and_(DUTIES.c.told_at.is_(None), DUTIES.c.person.in_(lot))
            rows = connection.execute(sa.select(DUTIES).where(theirs))
            waiting.update((row.recipient, row.what, row.person) for row in rows)
        made = [
            {
                "duty_id": new_id("duty"),
                "recipient": recipient,
                "what": what,
                "person": shown[key],
                "export_id": export_id,
                "filed_at": at,
                "tries": 0,
            }
            for (recipient, key), export_id in sorted(last.items())
            if key in shown and (recipient, what, shown[key]) not in waiting
        ]
        if made:
            connection.execute(sa.insert(DUTIES), made)
        if what == "erasure":
            _make_nameless(connection, keys)
    return [_duty({**each, "told_at": None, "told_by": None}) for each in made]


def _lists_of(state: State, keys: Sequence[str]) -> tuple[dict[tuple[str, str], str], bool]:
    """The last list in which each recipient got each of some keys, and whether any is counted at all."""
    last: dict[tuple[str, str], str] = {}
    counted = False
    with state.read() as connection:
        for lot in in_parts(list(keys)):
            asked = sa.select(SHARED).where(SHARED.c.subject_key.in_(lot)).order_by(SHARED.c.year)
            for row in connection.execute(asked):
                counted = True
                if row.export_id:  # messages are in no list
                    last[row.recipient, row.subject_key] = row.export_id
    return last, counted


def _make_nameless(connection: sa.Connection, keys: Sequence[str]) -> None:
    """Let whoever is about to be erased still count, once: their rows are from now on those of a key that is nobody's.

    All of their identifiers become one; sensitive data of any of them stays counted as such.
    """
    nobody = f"erased_{new_id('x')[2:]}"
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for lot in in_parts(list(keys)):
        mine = SHARED.c.subject_key.in_(lot)
        for row in connection.execute(sa.select(SHARED).where(mine)).mappings():
            place = row["year"], row["recipient"]
            sensitive = row["sensitive"] or (place in rows and rows[place]["sensitive"])
            rows[place] = {**row, "subject_key": nobody, "sensitive": sensitive}
        connection.execute(sa.delete(SHARED).where(mine))
    if rows:
        upsert(connection, SHARED, list(rows.values()))


def duties(state: State, *, limit: int, waiting: bool | None = None) -> list[Duty]:
    """The duties, those that wait first, the oldest of them first; then the told ones, the newest first."""
    told = DUTIES.c.told_at
    first = sa.case((told.is_(None), 0), else_=1)
    asked = sa.select(DUTIES).order_by(
        first, sa.case((told.is_(None), DUTIES.c.filed_at)), told.desc(), DUTIES.c.duty_id
    )
    if waiting is not None:
        asked = asked.where(told.is_(None) if waiting else told.is_not(None))
    with state.read() as connection:
        return [_duty(row) for row in connection.execute(asked.limit(limit)).mappings()]


def by_id(state: State, ids: Sequence[str]) -> list[Duty]:
    """The duties of some ids, in their order; those that are none are left out."""
    with state.read() as connection:
        rows = connection.execute(sa.select(DUTIES).where(DUTIES.c.duty_id.in_(list(ids)))).mappings().all()
    found = {row["duty_id"]: _duty(row) for row in rows}
    return [found[each] for each in ids if each in found]


def untold(
    state: State, names: Sequence[str], *, since: datetime, limit: int = 200
) -> list[tuple[Duty, int, datetime | None]]:
    """The duties towards some recipients that wait and are not older: each, how often it was tried, and when last."""
    asked = sa.select(DUTIES).where(
        DUTIES.c.told_at.is_(None), DUTIES.c.recipient.in_(list(names)), DUTIES.c.filed_at >= since
    )
    asked = asked.order_by(DUTIES.c.tries, DUTIES.c.filed_at, DUTIES.c.duty_id).limit(limit)
    with state.read() as connection:
        return [(_duty(row), row["tries"], row["tried_at"]) for row in connection.execute(asked).mappings()]


def tried(state: State, duty_id: str, *, at: datetime) -> None:
    """A call that nobody took."""
    mine = DUTIES.c.duty_id == duty_id
    with state.write() as connection:
        connection.execute(sa.update(DUTIES).where(mine).values(tries=DUTIES.c.tries + 1, tried_at=at))


def told(state: State, clock: Clock, duty_id: str, *, actor: str) -> Duty:
    """Write down that a recipient was told; NotFound for an id that nobody gave, Conflict when they were already."""
    with state.write() as connection:
        mine = sa.and_(DUTIES.c.duty_id == duty_id, DUTIES.c.told_at.is_(None))
        done = connection.execute(sa.update(DUTIES).where(mine).values(told_at=clock.now(), told_by=actor)).rowcount
        row = connection.execute(sa.select(DUTIES).where(DUTIES.c.duty_id == duty_id)).mappings().first()
        if row is None:
            raise NotFound(f"there is no duty `{duty_id[:40]}`", help="the page of exports lists them")
        if not done:
            raise Conflict("the recipient was told of this already", help="nothing is left to do")
        audit.record_in(
            connection,
            clock,
            actor=actor,
            action="recipient.told",
            subject=duty_id,
            detail={"recipient": row["recipient"], "what": row["what"]},
        )
    return _duty(row)


def _gone_abroad(state: State, home: str, year: int, *, only_sensitive: bool) -> int:
    asked = sa.select(sa.func.count(sa.distinct(SHARED.c.subject_key))).where(
        SHARED.c.year == year, SHARED.c.country != home
    )
    if only_sensitive:
        asked = asked.where(SHARED.c.sensitive.is_(True))
    with state.read() as connection:
        return int(connection.execute(asked).scalar_one())


def _counted(state: State, home: str, year: int, keys: Sequence[str], *, only_sensitive: bool) -> set[str]:
    """Which of the keys were counted abroad already this year."""
    known: set[str] = set()
    with state.read() as connection:
        for lot in in_parts(list(keys)):
            asked = sa.select(SHARED.c.subject_key).where(
                SHARED.c.year == year, SHARED.c.country != home, SHARED.c.subject_key.in_(lot)
            )
            if only_sensitive:
                asked = asked.where(SHARED.c.sensitive.is_(True))
            known.update(key for (key,) in connection.execute(asked))
    return known


def _duty(row: Mapping[Any, Any]) -> Duty:
    return Duty(**{name: row[name] for name in Duty.__dataclass_fields__})


_SUBJECTS = f"with {IDS} select subject_key, subject_id from ids"
