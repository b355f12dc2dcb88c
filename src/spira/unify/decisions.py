"""Decisions: what staff said of two identifiers: the same person, two different people, or a link that is none.

Reads   `identity_decisions`, `identity_ends` (state)
Writes  `identity_decisions` (state)   what was said, by whom and when, and when it was taken back
        `identity_ends` (state)        the two identifiers that it is about, by HMAC
        `identity_ruled`               the decisions that hold, beside the links (by `unify.identity_rules`)

A decision stays, so the same evidence does not join (or part) the two again: not after a replay, and not
in a warehouse that is made again from the log. Taking it back gives what the evidence alone says. When
one of the two is erased, the decision is void, for it has one end only.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa

from spira.kernel.clock import Clock
from spira.kernel.errors import Conflict, NotFound, SpiraError
from spira.kernel.ids import new_id
from spira.storage import audit
from spira.storage.state import State, state_table
from spira.storage.warehouse import Warehouse
from spira.unify import changed, identity, identity_rules
from spira.unify.portrait import says
from spira.unify.ties import Ties

Verdict = Literal["same", "different", "cut"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

DECISIONS = state_table(
    "identity_decisions",
    sa.Column("decision_id", sa.String(32), primary_key=True),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("made_by", sa.String(64), nullable=False),
    sa.Column("made_at", sa.DateTime, nullable=False),
    sa.Column("ended_by", sa.String(64)),
    sa.Column("ended_at", sa.DateTime),
    stage="unify.decisions",
)
ENDS = state_table(
    "identity_ends",
    sa.Column("decision_id", sa.String(32), primary_key=True),
    sa.Column("subject_key", sa.String(32), primary_key=True, index=True),
    stage="unify.decisions",
    person="subject_key",
    holds="which identifiers staff said are one person or two, by HMAC",
)


class BadDecision(SpiraError):
    """A decision that says nothing, such as one about an identifier and itself."""

    code = "E461"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision that holds or held."""

    decision_id: str = says("its id")
    verdict: Verdict = says("same: one person; different: two people; cut: the link between the two counts for nothing")
    keys: tuple[str, ...] = says("the HMACs of the two identifiers")
    made_by: str = says("who said so, by the id of staff")
    made_at: datetime = says("when they said so")
    ended_by: str | None = says("who took it back, or said otherwise later")
    ended_at: datetime | None = says("when it was taken back; none while it holds")


def decide(
    state: State, clock: Clock, pairs: Iterable[tuple[str, str]], what: Verdict, *, actor: str
) -> tuple[Decision, ...]:
    """Say of each pair of HMACs what it is; what was said of the same pair before does not hold any more."""
    if what not in VERDICTS:
        raise BadDecision(f"`{what}` is no decision", help=f"choose one of: {', '.join(VERDICTS)}")
    return _decide(state, clock, {_ordered(pair): what for pair in pairs}, actor=actor)


def part(
    state: State, clock: Clock, cut: Iterable[tuple[str, str]], apart: tuple[str, str], *, actor: str
) -> tuple[Decision, ...]:
    """Cut the links between pairs of HMACs, and say that the pair `apart` are different people."""
    said: dict[tuple[str, str], Verdict] = {_ordered(pair): "cut" for pair in cut}
    return _decide(state, clock, {**said, _ordered(apart): "different"}, actor=actor)


def _decide(state: State, clock: Clock, said: Mapping[tuple[str, str], Verdict], *, actor: str) -> tuple[Decision, ...]:
    if not said or any(one == two for one, two in said):
        raise BadDecision("a decision is about two identifiers", help="name one of each person")
    at, made = clock.now(), []
    with state.write() as connection:
        for pair, what in sorted(said.items(), key=lambda each: (each[1], each[0])):  # `cut` comes before `different`
            _end(connection, _about(connection, pair), actor=actor, at=at)
            if what == "different":
                _refuse_contradiction(connection, pair)
            number = new_id("dec")
            row = {"decision_id": number, "verdict": what, "made_by": actor, "made_at": at}
            connection.execute(sa.insert(DECISIONS).values(**row))
            connection.execute(sa.insert(ENDS), [{"decision_id": number, "subject_key": key} for key in pair])
            audit.record_in(connection, clock, actor=actor, action=f"identity.{what}", subject=number)
            made.append(number)
    return tuple(each for each in listed(state) if each.decision_id in made)


def take_back(state: State, clock: Clock, decision_id: str, *, actor: str) -> None:
    """End a decision, so that the evidence alone counts again; NotFound for one that does not hold."""
    with state.write() as connection:
        if not _end(connection, [decision_id], actor=actor, at=clock.now()):
            raise NotFound(
                f"there is no decision `{decision_id}` that holds", help="the list of decisions has their ids"
            )
        audit.record_in(connection, clock, actor=actor, action="identity.take_back", subject=decision_id)


def listed(state: State, *, keys: Sequence[str] | None = None, every: bool = False) -> list[Decision]:
    """The decisions that hold (with `every`, those that ended too), newest first; with `keys`, about one of them."""
    with state.read() as connection:
        asked = sa.select(DECISIONS, ENDS.c.subject_key).join(ENDS, ENDS.c.decision_id == DECISIONS.c.decision_id)
        if not every:
            asked = asked.where(DECISIONS.c.ended_at.is_(None))
        rows = connection.execute(asked.order_by(DECISIONS.c.made_at.desc(), DECISIONS.c.decision_id)).mappings()
        found: dict[str, dict[str, Any]] = {}
        for row in rows:
            told = found.setdefault(row["decision_id"], {**row, "keys": ()})
            told["keys"] = tuple(sorted((*told["keys"], row["subject_key"])))
    wanted = None if keys is None else frozenset(keys)
    return [
        Decision(**{name: value for name, value in each.items() if name != "subject_key"})
        for each in found.values()
        if len(each["keys"]) == 2 and (wanted is None or wanted.intersection(each["keys"]))
    ]


def follow(warehouse: Warehouse, state: State, ties: Ties | None = None) -> int:
    """Make the people agree with the decisions that hold; how many subjects went to another profile.

    `ties` is what is remembered of the links; without it they are read when somebody's decisions have changed.
    Whoever gained or lost one is noted as changed, so that the next refresh computes them anew.
    """
    told = [
        {"decision_id": each.decision_id, "says": each.verdict, "subject_key": each.keys[0], "other_key": each.keys[1]}
        for each in listed(state)
    ]
    if not told and warehouse.one(_ANY) is None:
        return 0
    with warehouse.transaction():
        if not identity_rules.follow_decisions(warehouse, told):
            return 0
        warehouse.execute(_AROUND)
        return identity.resolve_around(warehouse, changed.new_batch(warehouse), "decided_about", ties).moved


def _refuse_contradiction(connection: sa.Connection, pair: tuple[str, str]) -> None:
    """Conflict where other decisions make the two one, so that nobody could follow both."""
    asked = sa.select(ENDS.c.decision_id, ENDS.c.subject_key).join(
        DECISIONS, DECISIONS.c.decision_id == ENDS.c.decision_id
    )
    ends: dict[str, list[str]] = {}
    for number, key in connection.execute(asked.where(DECISIONS.c.verdict == "same", DECISIONS.c.ended_at.is_(None))):
        ends.setdefault(number, []).append(key)
    tied, news = {pair[0]}, True
    while news:
        reached = {key for each in ends.values() if tied.intersection(each) for key in each}
        news = not reached <= tied
        tied |= reached
    if pair[1] in tied:
        raise Conflict(
            "decisions of staff make these two one person", help="take back the decision that says `same` first"
        )


def _ordered(pair: tuple[str, str]) -> tuple[str, str]:
    return (min(pair), max(pair))


def _about(connection: sa.Connection, pair: tuple[str, str]) -> list[str]:
    """The decisions about a pair, whether they hold or not."""
    one, two = (sa.select(ENDS.c.decision_id).where(ENDS.c.subject_key == key) for key in pair)
    asked = sa.select(DECISIONS.c.decision_id).where(DECISIONS.c.decision_id.in_(one), DECISIONS.c.decision_id.in_(two))
    return list(connection.execute(asked).scalars())


def _end(connection: sa.Connection, numbers: Sequence[str], *, actor: str, at: datetime) -> int:
    mine = sa.and_(DECISIONS.c.decision_id.in_(numbers), DECISIONS.c.ended_at.is_(None))
    return int(connection.execute(sa.update(DECISIONS).where(mine).values(ended_by=actor, ended_at=at)).rowcount)


_ANY = "select 1 from identity_ruled limit 1"
_AROUND = """
create or replace temp table decided_about as
select subject_id from identity_met union select other_id from identity_met
"""
