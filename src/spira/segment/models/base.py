"""What a kind of model has to bring, and where kinds are found.

A model is fitted on everyone and scores each profile by itself. Its SQL sees only events
before `$as_of`, so a score never knows the future; a fit is kept with its version, so that
scoring again the changed profiles, or everyone, gives the same numbers until the next fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from spira.kernel.registry import Registry
from spira.segment.conditions.catalog import Type
from spira.storage import ddl
from spira.storage.warehouse import Row

Parameters = Mapping[str, float]
_AMOUNT = "{amount}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a person should know of a model before trusting it, in both languages."""

    says: Mapping[str, str]
    method: Mapping[str, str]
    baseline: Mapping[str, str]
    limits: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One thing that made a person's score, beside the same of everyone where there is such a thing."""

    name: str = field(metadata={"help": "which one"})
    label: Mapping[str, str] = field(metadata={"help": "what people call it, in both languages"})
    unit: Literal["time", "days", "count", "share", "number"] = field(metadata={"help": "how it is written"})
    value: float | datetime | None = field(metadata={"help": "the person's own; null where there is none"})
    everyone: float | None = field(default=None, metadata={"help": "what the model took everyone's to be"})


def as_they_are(features: Mapping[str, Any], parameters: Parameters) -> tuple[Input, ...]:
    """The features of a kind that explains nothing by itself, under the names of its SQL."""
    return tuple(
        Input(
            name=name,
            label={"zh-CN": name, "en": name},
            unit="time" if isinstance(value, datetime) else "number",
            value=value if value is None or isinstance(value, datetime) else float(value),
            everyone=parameters.get(name),
        )
        for name, value in features.items()
        if value is None or isinstance(value, int | float | datetime)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One kind of model.

    `features` is SQL with the parameters `$event` and `$as_of`: one row a profile of the
    temporary table `changed`. `totals` is SQL over the temporary table `features` with one
    row, from which `fit` makes the parameters. `score` is SQL over `features` with those
    parameters by name: `profile_id`, `value` and `at`. A condition reads `at` when
    `score_type` is `time`, and `value` otherwise. `explain` says what made the score of one
    person, from their row of `features` (without `profile_id`) and the parameters.

    Features that `{amount}` stands in sum a number that the definition's `amount` names, a property of the event.
    `called` says what people call a score, where numbers stand for names.
    """

    name: str
    score_type: Type
    features: str
    totals: str
    fit: Callable[[Row], Parameters]
    score: str
    card: Card
    explain: Callable[[Mapping[str, Any], Parameters], tuple[Input, ...]] = as_they_are
    called: Callable[[float], Mapping[str, str]] | None = None

    @property
    def takes_amount(self) -> bool:
        """Whether the features read a number of the event."""
        return _AMOUNT in self.features

    def features_over(self, amount: str) -> str:
        """The features, over the property `amount`."""
        return self.features.replace(_AMOUNT, ddl.quote(amount))


MODELS: Registry[Model] = Registry("kind of model")


def model(declared: Model) -> Model:
    """Register a kind of model."""
    return MODELS.add(declared.name, declared)
