"""Scores: what each applied model says of each profile.

Reads   `profile_events`   what the models learn from
        `changes`, `tag_changes`   whom a batch or a refresh has touched
Writes  `scores`           the latest score per profile and model
        `model_fits`       the parameters that a model was fitted to, with their version
        `score_changes`    whose scores a refresh has changed

A model is fitted on everyone when it is new, changed, or its fit has grown old; everyone is
then scored again. Between fits only the changed profiles are, and get what all would get.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from spira.definitions.apply import Applied
from spira.kernel.durations import parse_duration
from spira.segment.models.base import MODELS, Model, Parameters
from spira.segment.models.definition import ModelDefinition
from spira.storage import progress
from spira.storage.warehouse import Warehouse
from spira.unify import changed

STAGE = "segment.models"
TAGS_READ = "segment.models.tags"
AUDIENCES_READ = "segment.audiences.scores"


def compute(warehouse: Warehouse, applied: Applied, as_of: datetime, *, full: bool = False) -> int:
    """Make `scores` agree with the events before `as_of`; how many scores were worked out."""
    models: list[ModelDefinition] = [each for each in applied.of("model") if each.kind in MODELS]
    stale = {each.model for each in models if _is_stale(warehouse, each, as_of)}
    with warehouse.transaction():
        upto = _choose(warehouse, as_of, full=full or bool(stale))
        tags_upto = int(warehouse.value(_NEWEST_TAG_CHANGE))
        warehouse.execute(_START)
        for each in models:
            _score(warehouse, each, as_of, refit=each.model in stale)
        _write(warehouse, [each.model for each in models])
        progress.mark(warehouse, STAGE, upto, as_of)
        progress.mark(warehouse, TAGS_READ, tags_upto, as_of)
    return int(warehouse.value(_COUNT_DRAFT))


def _is_stale(warehouse: Warehouse, wanted: ModelDefinition, as_of: datetime) -> bool:
    fitted = warehouse.one(_FIT, {"model": wanted.model})
    if fitted is None or fitted[0] != _fingerprint(wanted):
        return True
    made: datetime = fitted[1]
    return as_of >= made + parse_duration(wanted.refit)


def _choose(warehouse: Warehouse, as_of: datetime, *, full: bool) -> int:
    """Changed profiles, and those with an event that lay ahead of the last run's `as_of`."""
    stood_at = progress.stood_at(warehouse, STAGE)
    upto = changed.choose(warehouse, STAGE, full=full)
    if full:
        warehouse.execute(_ADD_EVERY_ROW)
    elif stood_at is not None:
        warehouse.execute(_ADD_ARRIVED, {"before": stood_at, "as_of": as_of})
    return upto


def _score(warehouse: Warehouse, wanted: ModelDefinition, as_of: datetime, *, refit: bool) -> None:
    kind = MODELS.get(wanted.kind)
    warehouse.execute(_FEATURES + kind.features_over(wanted.amount), {"event": wanted.event, "as_of": as_of})
    parameters = _fitted(warehouse, wanted, kind, as_of) if refit else _known(warehouse, wanted)
    version = _version(wanted, parameters)
    found = {"model": wanted.model, "version": version, "as_of": as_of}
    warehouse.execute(_SCORED + kind.score, dict(parameters))
    warehouse.execute(_DRAFT, found)


def _fitted(warehouse: Warehouse, wanted: ModelDefinition, kind: Model, as_of: datetime) -> Parameters:
    totals = warehouse.one(kind.totals)
    parameters = kind.fit(totals or ())
    warehouse.execute(_FORGET_FIT, {"model": wanted.model})
    row = {
        "model": wanted.model,
        "version": _version(wanted, parameters),
        "fingerprint": _fingerprint(wanted),
        "as_of": as_of,
        "parameters": json.dumps(dict(parameters), sort_keys=True),
    }
    warehouse.execute(_KEEP_FIT, row)
    return parameters


def _known(warehouse: Warehouse, wanted: ModelDefinition) -> Parameters:
    found: Parameters = json.loads(warehouse.value(_PARAMETERS, {"model": wanted.model}))
    return found


def _fingerprint(wanted: ModelDefinition) -> str:
    kind = MODELS.get(wanted.kind)
    return _hash(wanted.kind, wanted.event, kind.features_over(wanted.amount), kind.totals, kind.score)


def _version(wanted: ModelDefinition, parameters: Parameters) -> str:
    return f"{wanted.kind}-{_hash(_fingerprint(wanted), json.dumps(dict(parameters), sort_keys=True))[:12]}"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _write(warehouse: Warehouse, models: list[str]) -> None:
    """Exchange the rows of the changed profiles, and take away those of models no longer applied."""
    kept = {"models": models}
    warehouse.execute(_NOTE_CHANGES, {**kept, "audiences": AUDIENCES_READ})
    warehouse.execute(_FORGET_READ_CHANGES, {"audiences": AUDIENCES_READ})
    warehouse.execute(_FORGET, kept)
    warehouse.execute(_FORGET_FITS, kept)
    warehouse.execute(_WRITE)


_NEWEST_TAG_CHANGE = "select coalesce(max(change), 0) from tag_changes"
_START = """
create or replace temp table scores_draft as select * from scores limit 0
"""
_FIT = "select fingerprint, as_of from model_fits where model = $model"
_PARAMETERS = "select parameters from model_fits where model = $model"
_FORGET_FIT = "delete from model_fits where model = $model"
_FORGET_FITS = "delete from model_fits where not list_contains($models::varchar[], model)"
_KEEP_FIT = """
insert into model_fits (model, version, fingerprint, as_of, parameters)
values ($model, $version, $fingerprint, $as_of, $parameters)
"""
_ADD_EVERY_ROW = """
insert into changed select distinct profile_id from scores where profile_id not in (select profile_id from changed)
"""
_ADD_ARRIVED = """
insert into changed
select distinct profile_id from profile_events
where ts >= $before and ts < $as_of and profile_id not in (select profile_id from changed)
"""
_FEATURES = "create or replace temp table features as "
_SCORED = "create or replace temp table scored as "
_DRAFT = """
insert into scores_draft by name
select profile_id, $model as model, $version as version, $as_of as as_of, value, "at"
from scored where profile_id in (select profile_id from profiles)
"""
# A change's number lies above all that its reader has seen, also when an erasure took the last ones away.
_NOTE_CHANGES = """
insert into score_changes by name
with before as (
  select profile_id, model, value, "at" from scores
  where profile_id in (select profile_id from changed) or not list_contains($models::varchar[], model)
),
after as (select profile_id, model, value, "at" from scores_draft),
different as (
  select profile_id from (from before except from after) union select profile_id from (from after except from before)
)
select profile_id, 1 + greatest(
         (select coalesce(max(change), 0) from score_changes),
         (select coalesce(max(batch), 0) from progress where stage = $audiences)) as change
from different order by profile_id
"""
_FORGET_READ_CHANGES = """
delete from score_changes
where change < (select max(change) from score_changes)
  and change <= (select coalesce(min(batch), 0) from progress where stage = $audiences)
"""
_FORGET = """
delete from scores
where profile_id in (select profile_id from changed) or not list_contains($models::varchar[], model)
"""
_WRITE = "insert into scores by name select * from scores_draft order by model, profile_id"
_COUNT_DRAFT = "select count(*) from scores_draft"
