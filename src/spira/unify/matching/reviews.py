"""Reviews: what staff said of two who are likely one person, and when enough of them have said it.

Reads   `match_reviews`, `match_review_ends` (state)
Writes  `match_reviews` (state)       who said what, when, and of which weight by which model
        `match_review_ends` (state)   the two identifiers that it is about, by HMAC

A review is settled when a decision (unify.decisions) was made of it, or when the same person said something else
since. Those that are open wait for somebody else: a second reviewer, or one who can tell. Where one of the two is
erased, a review has one end only and counts for nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import sqlalchemy as sa

from spira.kernel.clock import Clock
from spira.kernel.ids import new_id
from spira.storage import audit
from spira.storage.state import State, in_parts, state_table

Said = Literal["same", "different", "unsure"]
SAID: tuple[Said, ...] = get_args(Said)
Pair = tuple[str, str]

REVIEWS = state_table(
    "match_reviews",
    sa.Column("review_id", sa.String(32), primary_key=True),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("made_by", sa.String(64), nullable=False),
    sa.Column("made_at", sa.DateTime, nullable=False),
    sa.Column("weight", sa.Float, nullable=False),
    sa.Column("model", sa.String(32), nullable=False),
    sa.Column("settled", sa.Boolean, nullable=False),
    stage="unify.matching.reviews",
)
ENDS = state_table(
    "match_review_ends",
    sa.Column("review_id", sa.String(32), primary_key=True),
    sa.Column("subject_key", sa.String(32), primary_key=True, index=True),
    stage="unify.matching.reviews",
    person="subject_key",
    holds="which identifiers a review of a probable match is about, by HMAC",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What one of the staff said of a pair, as long as it is open."""

    review_id: str
    verdict: Said
    made_by: str
    made_at: datetime
    pair: Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What is reviewed: the HMACs of the two, how likely they are one, and by which model."""

    pair: Pair
    weight: float
    model: str


def say(state: State, clock: Clock, match: Match, verdict: Said, *, actor: str, needed: int) -> Said | None:
    """Write down what somebody says of a pair; what is decided by that, if it is: `needed` people said the same."""
    pair = ordered(match.pair)
    with state.write() as connection:
        before = _open(connection, [pair]).get(pair, ())
        own = [each.review_id for each in before if each.made_by == actor]
        _settle(connection, own)
        number = new_id("rev")
        row = {
            "review_id": number,
            "verdict": verdict,
            "made_by": actor,
            "made_at": clock.now(),
            "weight": match.weight,
            "model": match.model,
            "settled": False,
        }
        connection.execute(sa.insert(REVIEWS).values(**row))
        connection.execute(sa.insert(ENDS), [{"review_id": number, "subject_key": key} for key in pair])
        audit.record_in(connection, clock, actor=actor, action=f"identity.review_{verdict}", subject=number)
        after = _open(connection, [pair])[pair]
        counted = Counter(each.verdict for each in after)
        if verdict == "unsure" or counted[verdict] < needed:
            return None
        _settle(connection, [each.review_id for each in after])
    return verdict


def waiting(state: State, pairs: Collection[Pair] | None = None) -> Mapping[Pair, tuple[Review, ...]]:
    """The open reviews by their pair, oldest first; with `pairs`, of those only."""
    with state.read() as connection:
        return _open(connection, None if pairs is None else [ordered(each) for each in pairs])


def ordered(pair: Pair) -> Pair:
    """The two in the order by which they are known."""
    return (min(pair), max(pair))


def _open(connection: sa.Connection, pairs: Iterable[Pair] | None) -> dict[Pair, tuple[Review, ...]]:
    asked = sa.select(REVIEWS, ENDS.c.subject_key).join(ENDS, ENDS.c.review_id == REVIEWS.c.review_id)
    asked = asked.where(REVIEWS.c.settled.is_(False)).order_by(REVIEWS.c.made_at, REVIEWS.c.review_id)
    wanted = None if pairs is None else frozenset(pairs)
    if wanted is None:
        rows = list(connection.execute(asked).mappings())
    else:
        mine = sorted({key for pair in wanted for key in pair})
        of = [sa.select(ENDS.c.review_id).where(ENDS.c.subject_key.in_(lot)) for lot in in_parts(mine)]
        rows = [row for each in of for row in connection.execute(asked.where(REVIEWS.c.review_id.in_(each))).mappings()]
    ends: dict[str, set[str]] = {}
    for row in rows:
        ends.setdefault(row["review_id"], set()).add(row["subject_key"])
    found: dict[Pair, dict[str, Review]] = {}
    for row in rows:
        keys = sorted(ends[row["review_id"]])
        if len(keys) != 2 or (wanted is not None and (keys[0], keys[1]) not in wanted):
            continue
        pair = (keys[0], keys[1])
        made = Review(
            review_id=row["review_id"],
            verdict=row["verdict"],
            made_by=row["made_by"],
            made_at=row["made_at"],
            pair=pair,
        )
        found.setdefault(pair, {})[made.review_id] = made
    return {pair: tuple(each.values()) for pair, each in found.items()}


def _settle(connection: sa.Connection, numbers: list[str]) -> None:
    connection.execute(sa.update(REVIEWS).where(REVIEWS.c.review_id.in_(numbers)).values(settled=True))
