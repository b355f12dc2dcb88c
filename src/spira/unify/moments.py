"""Moments: what a timeline shows beside a person's events: messages, audiences, journeys, identity and consents.

Reads   `deliveries`, `membership_changes`, `enrolments`, `links`, `consents`; `identity_decisions` (state)

Each kind has a rank, and each moment of a kind a number of its own, so that all moments of a person have one order:
instant, then rank, then number, the latest first. A page says where it ended in these three, and the next begins
there, whatever has come meanwhile. All kinds of the warehouse are asked for in one statement.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import sqlalchemy as sa

from spira.kernel.errors import NotFound
from spira.storage.state import State, in_parts
from spira.storage.warehouse import Warehouse
from spira.unify.decisions import DECISIONS, ENDS
from spira.unify.portrait import Moment

if TYPE_CHECKING:
    from spira.unify.notes import Note

Kind = Literal["event", "consent", "message", "audience", "journey", "identity", "tag", "household", "note"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_TOLD_BY_EVENTS = {  # kinds that are events, by the events' names
    "consent": ("Consent Given", "Consent Withdrawn"),
    "tag": ("Tag Changed",),
    "household": ("Household Changed",),
}
KIND_OF = {name: kind for kind, names in _TOLD_BY_EVENTS.items() for name in names}
OTHERS: tuple[Kind, ...] = ("message", "audience", "journey", "identity", "consent")  # no events, in the warehouse
READ_WITH_ALL: tuple[Kind, ...] = ("message", "journey")  # those of them that a dossier has
LAPSED = "lapsed"  # a consent that ended by itself, which no event says


class Place(NamedTuple):
    """Where a page of the timeline ended."""

    ts: datetime
    rank: int
    number: int

    @classmethod
    def read(cls, text: str) -> Place:
        """The place that `str(place)` wrote; NotFound for any other text."""
        try:
            ts, rank, number = text.split("~")
            return cls(datetime.fromisoformat(ts), int(rank), int(number))
        except ValueError:
            raise NotFound("there is no such page of the timeline", help="begin at the first page") from None

    def __str__(self) -> str:
        return f"{self.ts.isoformat()}~{self.rank}~{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which moments are wanted. `source` and `event` are of events alone; `since` counts in, `until` does not."""

    kinds: tuple[Kind, ...] = KINDS
    event: str | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: Place | None = None

    @property
    def events_alone(self) -> bool:
        """Whether only events can be meant."""
        return self.event is not None or self.source is not None

    def asks(self, kind: Kind) -> bool:
        """Whether moments of a kind that are no events are wanted."""
        return kind in self.kinds and not self.events_alone

    def takes(self, moment: Moment) -> bool:
        """Whether a moment lies in the range and after the place where the page before ended."""
        if (self.since and moment.ts < self.since) or (self.until and moment.ts >= self.until):
            return False
        return self.before is None or order(moment) < _order(self.before)

    @property
    def names(self) -> tuple[list[str] | None, list[str]]:
        """The names of the events that are wanted (None is every name), and those that are not."""
        of_kinds = [name for name, kind in KIND_OF.items() if kind in self.kinds]
        if self.event is not None:
            return ([self.event] if KIND_OF.get(self.event, "event") in self.kinds else []), []
        if "event" not in self.kinds:
            return of_kinds, []
        return None, [name for name, kind in KIND_OF.items() if kind not in self.kinds]


EVERYTHING = Wanted()


def place_of(moment: Moment) -> Place:
    """Where a page ends whose last moment this is."""
    return Place(moment.ts, _LAPSED if moment.what == LAPSED else _RANKS[moment.kind], moment.number)


def order(moment: Moment) -> tuple[datetime, int, int]:
    """By this moments are put in order, the greatest first."""
    return _order(place_of(moment))


def _order(place: Place) -> tuple[datetime, int, int]:
    return place.ts, -place.rank, place.number


def others(
    warehouse: Warehouse,
    profile: int,
    subjects: Sequence[int],
    wanted: Wanted,
    *,
    limit: int,
    kinds: Sequence[Kind] = OTHERS,
    messages: Sequence[Mapping[str, Any]] | None = None,
    walks: Sequence[Mapping[str, Any]] | None = None,
) -> list[Moment]:
    """The latest moments that are no events, of those of `kinds` that are wanted, the latest first.

    `messages` are all deliveries of the person and `walks` all enrolments, for one who has read them.
    """
    read: list[Moment] = []
    if wanted.asks("message"):
        read += map(_message, messages or ())
    if wanted.asks("journey"):
        read += (moment for walk in walks or () for moment in _walk(walk))
    known = [moment for moment in read if wanted.takes(moment)]
    done = {kind for kind, rows in (("message", messages), ("journey", walks)) if rows is not None}
    if len(subjects) < 2:
        done.add("identity")
    asked = [kind for kind in kinds if wanted.asks(kind) and kind not in done]
    if asked:
        sql, told = _page(asked, wanted)
        told |= {"limit": limit}
        if asked != ["identity"]:
            told["profile"] = profile
        if "identity" in asked:
            told["subjects"] = list(subjects)
        known += [_moment(*row) for row in warehouse.query(sql, told)]
    return sorted(known, key=order, reverse=True)[:limit]


def _page(asked: Sequence[Kind], wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """The statement for some kinds, and what it is told of range and place: what is not asked for is not planned."""
    told: dict[str, Any] = {}
    conditions = []
    if wanted.since is not None:
        conditions.append("ts >= $since")
        told["since"] = wanted.since
    if wanted.until is not None:
        conditions.append("ts < $until")
        told["until"] = wanted.until
    if wanted.before is not None:
        conditions.append(_AFTER)
        told |= wanted.before._asdict()
    where = f"where {' and '.join(conditions)}" if conditions else ""
    return _PAGE.format(parts="\nunion all\n".join(_PARTS[kind] for kind in asked), where=where), told


def of_notes(notes: Iterable[Note], wanted: Wanted) -> list[Moment]:
    """Notes as moments, named by the ids of their authors."""
    if not wanted.asks("note"):
        return []
    made = [_moment("note", each.at, each.note_id, "written", each.author, each.text, {}) for each in notes]
    return [each for each in made if wanted.takes(each)]


def signed(found: Iterable[Moment], names: Mapping[str, str]) -> list[Moment]:
    """The same with the names of staff in place of their ids."""
    return [replace(each, name=names.get(each.name or "", each.name)) for each in found]


def of_decisions(state: State, keys: Sequence[str], wanted: Wanted) -> list[Moment]:
    """What staff decided of a person's identifiers, by their HMACs: same, different, cut, and what was taken back."""
    if not wanted.asks("identity"):
        return []
    rows: dict[str, Any] = {}
    asked = sa.select(DECISIONS).join(ENDS, ENDS.c.decision_id == DECISIONS.c.decision_id)
    with state.read() as connection:
        for lot in in_parts(keys):
            found = connection.execute(asked.where(ENDS.c.subject_key.in_(lot)))
            rows |= {row.decision_id: row for row in found}
    made = []
    for each in rows.values():
        number = int.from_bytes(hashlib.sha256(each.decision_id.encode()).digest()[:7])
        made.append(_moment("identity", each.made_at, number, each.verdict, each.made_by, None, {}))
        if each.ended_at is not None:
            made.append(_moment("identity", each.ended_at, number, "taken_back", each.ended_by, each.verdict, {}))
    return [each for each in made if wanted.takes(each)]


def _moment(
    kind: str, ts: datetime, number: int, what: str, name: str | None, text: str | None, details: Mapping[str, Any]
) -> Moment:
    return Moment(
        kind=kind,
        number=number,
        what=what,
        name=name,
        event_id=None,
        event=None,
        ts=ts,
        source=None,
        touchpoint=None,
        text=text or "",
        amount=None,
        details={key: _text(value) for key, value in details.items() if value is not None},
    )


def _message(row: Mapping[str, Any]) -> Moment:
    told = {name: row.get(name) for name in _OF_MESSAGE}
    return _moment("message", row["created_at"], row["delivery_id"], row["state"], row["template"], row["reason"], told)


def _walk(row: Mapping[str, Any]) -> Iterator[Moment]:
    """What happened on a walk through a journey, as the statement says it of those that were not read."""
    for place, (what, text) in enumerate((("entered", None), ("goal", None), ("ended", row["reason"]))):
        ts = row[f"{what}_at"]
        if ts is not None:
            yield _moment("journey", ts, row["enrolment_id"] * 4 + place, what, row["journey"], text, {})


def _text(value: object) -> str:
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


# Kinds that are events share one rank; a consent that lapsed is none.
_RANKS: dict[str, int] = {kind: 0 if kind in ("event", *_TOLD_BY_EVENTS) else place for place, kind in enumerate(KINDS)}
_LAPSED = len(KINDS)
_OF_MESSAGE = ("channel", "purpose", "journey", "step", "sent_at", "opened_at", "clicked_at")
_NONE = "map([]::varchar[], []::varchar[])"
_PARTS: dict[str, str] = {
    "message": f"""
select 'message', created_at, {_RANKS["message"]}, delivery_id, state, template, reason,
       map({list(_OF_MESSAGE)}, [{", ".join(f"{name}::varchar" for name in _OF_MESSAGE)}])
from deliveries where profile_id = $profile""",
    "audience": f"""
select 'audience', "at", {_RANKS["audience"]}, change_id, if(entered, 'entered', 'left'), audience, null, {_NONE}
from membership_changes where profile_id = $profile""",
    "journey": f"""
select 'journey', each.ts, {_RANKS["journey"]}, enrolment_id * 4 + each.place, each.what, journey, each.text, {_NONE}
from (select * from enrolments where profile_id = $profile) walks, unnest([
       {{'ts': entered_at, 'place': 0, 'what': 'entered', 'text': null::varchar}},
       {{'ts': goal_at, 'place': 1, 'what': 'goal', 'text': null}},
       {{'ts': ended_at, 'place': 2, 'what': 'ended', 'text': reason}}]) as walk(each)
where each.ts is not null""",
    "identity": f"""
select 'identity', ts, {_RANKS["identity"]}, (hash(subject_id, other_id) >> 4)::bigint, 'joined', rule, source, {_NONE}
from links
where subject_id in (select unnest($subjects::bigint[])) and other_id in (select unnest($subjects::bigint[]))""",
    "consent": f"""
select 'consent', coalesce(expires_at, since), {_LAPSED}, (hash(purpose, channel) >> 4)::bigint, '{LAPSED}', purpose,
       channel, map(['lapsed'], [lapsed])
from consents where profile_id = $profile and lapsed is not null""",
}
_AFTER = "(ts < $ts or (ts = $ts and (rank > $rank or (rank = $rank and number < $number))))"
_PAGE = """
select kind, ts, number, what, name, text, details
from ({parts}) as found(kind, ts, rank, number, what, name, text, details)
{where}
order by ts desc, rank, number desc
limit $limit
"""
