"""`/api/identity/review` and `/api/identity/match`: who is likely one person, what staff say of it, and runs."""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import get, post
from litestar.params import FromQuery, JSONBody

from spira.collect.identifier_rules import rules_of
from spira.kernel.clock import local
from spira.kernel.viewer import Viewer
from spira.server import unsealing
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.errors import Unacceptable
from spira.server.roles import CONNECT, DECIDE, whole
from spira.server.wire import plain
from spira.unify import decisions
from spira.unify.matching import review, reviews
from spira.unify.matching.definition import columns_of
from spira.unify.matching.review import Queue, ReviewPair, ReviewRow, Standing
from spira.unify.portrait import says
from spira.worker import matching
from spira.worker.matching import MatchRun, definition_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView(Queue):
    """The queue, and the pair that is looked at."""

    on: bool = says("whether the workspace matches its people at all")
    pair: ReviewPair | None = says("the pair that was asked for, else the first; none when nobody waits")
    as_of: datetime = says("when this was looked up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What somebody says of a pair: same, different or unsure."""

    pair: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What became of a word."""

    decided: str | None = says("same or different, when that is decided now; none while somebody else is to say so too")
    needed: int = says("how many of the staff must say the same of this pair")
    decisions: tuple[str, ...] = says("the ids of what was decided, to be taken back by")
    waiting: int = says("how many pairs wait now")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which run: everyone with everyone and a new model, or that with the model there is."""

    full: bool = False
    keep_model: bool = False


def view(
    core: AnyCore, viewer: Viewer, *, pair: str = "", start: int = 0, clear: bool = False, reason: str = ""
) -> ReviewView:
    """The queue, with one pair in full. Contact values in clear only when asked for; that, and why, is written down."""
    why = unsealing.given(core, viewer, reason) if clear else {}

    def told(person: str) -> None:
        audit(core, viewer, "person.shown_in_clear", person, **why)

    lane, standing = core.lane(), _standing(core, viewer)
    page = review.page(lane, viewer, standing, start=max(0, start))
    listed = core.meanwhile(lambda other: review.queue(other, core.vault, viewer, standing, page))
    model = definition_of(core.applied)
    traits = {name: traits for name, _, traits in columns_of(model.compared)} if model else {}
    whole_pair = None
    if pair or page.found:
        candidate = next((each for each in page.found if not pair or each.pair == pair), None)
        candidate = candidate or review.find(lane, viewer, pair)

        def row() -> ReviewRow | None:
            return next((each for each in listed.result().rows if each.pair == candidate.pair), None)

        whole_pair = review.in_full(
            lane, core.vault, viewer, standing, candidate, traits=traits, row=row, on_show=told if clear else None
        )
    found = listed.result()
    return ReviewView(
        waiting=found.waiting,
        rows=found.rows,
        next=found.next,
        last=found.last,
        on=model is not None,
        pair=whole_pair,
        as_of=as_of(core),
    )


def say(core: AnyCore, viewer: Viewer, word: Word) -> Said:
    """Say of a pair that it is one person or two, or that one can't tell; decided when enough have said the same."""
    verdict = next((each for each in reviews.SAID if each == word.verdict), None)
    if verdict is None:
        raise Unacceptable(f"`{word.verdict[:20]}` is no answer", help=f"say one of: {', '.join(reviews.SAID)}")
    with core.exclusive():
        stores, standing = core.stores(), _standing(core, viewer)
        lane = stores.warehouse
        found = review.find(lane, viewer, word.pair)
        marked = review.is_sensitive(lane, found.profiles, standing.hashed, standing.today)
        needed = review.needed(standing.reviewers, sensitive=bool(marked))
        match = reviews.Match(pair=found.keys, weight=found.weight, model=found.model)
        decided = reviews.say(core.state, core.clock, match, verdict, actor=viewer.staff_id, needed=needed)
        made: tuple[decisions.Decision, ...] = ()
        if decided == "same" or decided == "different":
            made = decisions.decide(core.state, core.clock, [found.keys], decided, actor=viewer.staff_id)
            decisions.follow(lane, core.state, stores.ties)
        left = review.waiting(lane, viewer)
    numbers = tuple(each.decision_id for each in made)
    return Said(decided=decided, needed=needed, decisions=numbers, waiting=left)


def run(core: AnyCore, viewer: Viewer, wanted: Wanted) -> MatchRun | None:
    """Match people now; None where nothing has changed since the last run."""
    done = matching.match(core, full=wanted.full, keep_model=wanted.keep_model)
    audit(core, viewer, "identity.match", "full" if wanted.full else "changed", pairs=done.pairs if done else 0)
    return done


def _standing(core: AnyCore, viewer: Viewer) -> Standing:
    """What was said of the pairs that wait, and what the workspace asks for."""
    found = reviews.waiting(core.state)
    model = definition_of(core.applied)
    own = {pair: each.verdict for pair, said in found.items() for each in said if each.made_by == viewer.staff_id}
    return Standing(
        said={pair: dict(Counter(each.verdict for each in said)) for pair, said in found.items()},
        mine=own,
        reviewers=model.reviewers if model else "sensitive",
        hashed=[rule.kind for rule in rules_of(core.applied.of("identifier")).values() if rule.privacy == "hash"],
        today=local(core.clock.now(), core.settings.workspace.zone).date(),
    )


@get("/api/identity/review", opt={"roles": DECIDE}, sync_to_thread=True)
def list_reviews(
    core: Core,
    viewer: Asking,
    pair: FromQuery[str] = "",
    start: FromQuery[int] = 0,
    clear: FromQuery[bool] = False,
    reason: FromQuery[str] = "",
) -> dict[str, Any]:
    """Who is likely one person, the surest first, and one pair field by field; with `clear`, and a `reason` where one
    is owed, contact values as they are."""
    found: dict[str, Any] = plain(view(core, viewer, pair=pair, start=start, clear=clear, reason=reason))
    return found


@post("/api/identity/review", opt={"roles": DECIDE}, sync_to_thread=True)
def say_of_pair(core: Core, viewer: Asking, data: JSONBody[Word]) -> dict[str, Any]:
    """Say of a pair what it is: `{"pair": "p_….p_…", "verdict": "same"}`, or different, or unsure."""
    made: dict[str, Any] = plain(say(core, viewer, data))
    return made


@post("/api/identity/match", opt=whole(CONNECT), sync_to_thread=True)
def match_now(core: Core, viewer: Asking, data: JSONBody[Wanted]) -> dict[str, Any]:
    """Match people with one another now: those new or changed, or with `full` everyone, by a model learned anew."""
    return {"run": plain(run(core, viewer, data))}


ROUTES = [list_reviews, say_of_pair, match_now]
