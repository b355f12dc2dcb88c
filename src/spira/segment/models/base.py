"""What a kind of model has to bring, and where kinds are found.

A model is fitted on everyone and scores each profile by itself. Its SQL sees only events
before `$as_of`, so a score never knows the future; a fit is kept with its version, so that
scoring again the changed profiles, or everyone, gives the same numbers until the next fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spira.kernel.registry import Registry
from spira.segment.conditions.catalog import Type
from spira.storage.warehouse import Row

Parameters = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a person should know of a model before trusting it, in both languages."""

    says: Mapping[str, str]
    method: Mapping[str, str]
    baseline: Mapping[str, str]
    limits: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One kind of model.

    `features` is SQL with the parameters `$event` and `$as_of`: one row a profile of the
    temporary table `changed`. `totals` is SQL over the temporary table `features` with one
    row, from which `fit` makes the parameters. `score` is SQL over `features` with those
    parameters by name: `profile_id`, `value` and `at`. A condition reads `at` when
    `score_type` is `time`, and `value` otherwise.
    """

    name: str
    score_type: Type
    features: str
    totals: str
    fit: Callable[[Row], Parameters]
    score: str
    card: Card


MODELS: Registry[Model] = Registry("kind of model")


def model(declared: Model) -> Model:
    """Register a kind of model."""
    return MODELS.add(declared.name, declared)
