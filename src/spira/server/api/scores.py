"""`/api/profiles/…/scores`: why a person has the score that a model gives them."""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import get
from litestar.params import FromPath

from spira.definitions.model import Label
from spira.kernel.viewer import Viewer
from spira.segment.models.explain import ScoreReason, score_reason
from spira.server.api.asked import profile_of
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import PEOPLE
from spira.server.wire import plain
from spira.unify import people
from spira.unify.portrait import PersonRow, says


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreWhy:
    """Why one person has one score."""

    person: PersonRow = says("who it is about")
    model: str = says("the model's name")
    label: Label | None = says("what people call it")
    kind: str = says("the kind of model")
    reason: ScoreReason = says("what made the score, beside everyone")


def view(core: AnyCore, viewer: Viewer, shown_id: str, name: str) -> ScoreWhy:
    """The score of an applied model, taken apart for one person."""
    lane = core.lane()
    profile = people.locate(lane, viewer, profile_of(shown_id))
    (person,) = people.rows(lane, core.vault, viewer, [profile])
    model = core.applied.get("model", name).model
    reason = score_reason(lane, viewer, profile, model)
    return ScoreWhy(person=person, model=name, label=model.label, kind=model.kind, reason=reason)


@get("/api/profiles/{profile:str}/scores/{model:str}", opt={"roles": PEOPLE}, sync_to_thread=True)
def show_score(core: Core, viewer: Asking, profile: FromPath[str], model: FromPath[str]) -> dict[str, Any]:
    """Why a person has a score: what the model saw of them, beside everyone, and where they stand among others."""
    found: dict[str, Any] = plain(view(core, viewer, profile, model))
    return found


ROUTES = [show_score]
