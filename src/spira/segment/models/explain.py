"""Why a person has a score: what the model saw of them, beside everyone, and where they stand among others.

Reads   `scores`, `model_fits`, `profiles`, and whatever the kind's features speak of

The features are those of the instant the score was worked out for. Where the person stands is told among
the viewer's people, and only when there are enough of them for it to be about nobody in particular.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from spira.kernel.viewer import FEWEST, Viewer, only_theirs
from spira.segment.models.base import MODELS, Card, Input
from spira.segment.models.definition import ModelDefinition
from spira.storage.warehouse import Warehouse
from spira.unify import people


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Where a score stands among those of the viewer's people."""

    people: int = field(metadata={"help": "how many people have a score"})
    above: float = field(metadata={"help": "the share of them whose score is higher, or whose time is later"})
    median: float | datetime | None = field(metadata={"help": "the score in the middle"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReason:
    """What made one score."""

    score_type: Literal["time", "number"] = field(metadata={"help": "what the score is: an instant, or a number"})
    value: float | None = field(metadata={"help": "the number; null when there is none"})
    called: Mapping[str, str] | None = field(metadata={"help": "what people call it, in both languages, if anything"})
    at: datetime | None = field(metadata={"help": "the instant, for scores that are one"})
    as_of: datetime | None = field(metadata={"help": "the instant it was worked out for; null without a score"})
    event: str = field(metadata={"help": "the event that the model learns from"})
    version: str | None = field(metadata={"help": "of the fit that made it"})
    fitted_at: datetime | None = field(metadata={"help": "the instant of that fit"})
    inputs: tuple[Input, ...] = field(metadata={"help": "what made it, beside everyone"})
    beside: Beside | None = field(metadata={"help": "where it stands; null with fewer than five scores"})
    card: Card = field(metadata={"help": "what the model says, how, against what, and what it doesn't know"})


def score_reason(lane: Warehouse, viewer: Viewer, profile_id: int, model: ModelDefinition) -> ScoreReason:
    """Why `profile_id` has its score of an applied model; without a score only what the model is."""
    profile = people.locate(lane, viewer, profile_id)
    kind = MODELS.get(model.kind)
    fit = lane.one(_FIT, {"model": model.model})
    found = lane.one(_SCORE, {"model": model.model, "profile": profile})
    value, at, as_of = found or (None, None, None)
    inputs: tuple[Input, ...] = ()
    if found is not None and fit is not None:
        asked = {"profile": profile, "event": model.event, "as_of": as_of}
        features = lane.rows(_FEATURES.format(features=kind.features_over(model.amount)), asked)
        inputs = kind.explain(_without_id(features[0]), json.loads(fit[2])) if features else ()
    by_time = kind.score_type == "time"
    mine = at if by_time else value
    return ScoreReason(
        score_type="time" if by_time else "number",
        value=value,
        called=None if kind.called is None or value is None else kind.called(value),
        at=at,
        as_of=as_of,
        event=model.event,
        version=None if fit is None else fit[0],
        fitted_at=None if fit is None else fit[1],
        inputs=inputs,
        beside=None if mine is None else _beside(lane, viewer, model.model, mine, by_time=by_time),
        card=kind.card,
    )


def _beside(lane: Warehouse, viewer: Viewer, model: str, mine: Any, *, by_time: bool) -> Beside | None:
    theirs, bound = only_theirs(viewer)
    sql = _AMONG.format(score='scores."at"' if by_time else "scores.value", theirs=theirs)
    count, above, median = lane.query(sql, {**bound, "model": model, "mine": mine})[0]
    return None if count < FEWEST else Beside(people=count, above=above / count, median=median)


def _without_id(features: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in features.items() if name != "profile_id"}


_SCORE = """
select value, scores."at", as_of from scores where model = $model and profile_id = $profile
"""
_FIT = "select version, as_of, parameters from model_fits where model = $model"
_FEATURES = """
with changed as (select $profile::bigint as profile_id)
select * from ({features}) where profile_id = $profile
"""
_AMONG = """
select count(*), count(*) filter ({score} > $mine), quantile_disc({score}, 0.5)
from scores where model = $model and {score} is not null {theirs}
"""
