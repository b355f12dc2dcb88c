"""The whole system as one tuple: what runs, in which order, what it reads and writes.

A stage talks to the next one through tables, never by a call. `refresh` runs stages 2 to 6
and `tick` stages 2 to 13; intake (1) and channels (9) act outside the turn: the first when
a client calls, the second inside dispatch. ARCHITECTURE.md and the console's System page
are drawn from this tuple, and a test holds each table to one writing stage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spira.worker import turns, upkeep
from spira.worker.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the pipeline.

    `run` returns how many rows it changed; None marks one that acts outside the turn. `refresh`
    stages run in a refresh as well as in a tick; `batches` says that progress is kept by batch,
    so that a lag can be told.
    """

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    run: Callable[[Turn], int] | None
    refresh: bool = False
    batches: bool = False


STAGES: tuple[Stage, ...] = (
    Stage(name="collect.intake", reads=("HTTP", "connectors", "receipts"), writes=("log",), run=None),
    Stage(
        name="collect.load",
        reads=("log",),
        writes=(
            "events",
            "order_lines",
            "trait_facts",
            "quarantine",
            "attempts",
            "carried",
            "undeclared",
            "personal",
            "backfills",
            "tallies",
            "log_damage",
            "loaded",
            "changes",
            "identifiers",
            "links",
            "moved",
            "overlay",
            "proven",
            "identity_age",
            "identity_kinds",
            "identity_blocked",
            "identity_ruled",
            "identity_conflicts",
            "restricted",
            "event_places",
            "event_runs",
            "event_merges",
        ),
        run=turns.load,
        refresh=True,
    ),
    Stage(
        name="unify.profiles",
        reads=("profile_events", "trait_facts", "identifiers", "moved", "changes"),
        writes=("profiles", "traits", "unit_codes", "households", "household_said", "household_changes"),
        run=turns.profiles,
        refresh=True,
        batches=True,
    ),
    Stage(
        name="unify.consent",
        reads=("profile_events", "links", "identifiers", "deliveries", "changes"),
        writes=("permissions", "consents", "suppressions"),
        run=turns.consent,
        refresh=True,
        batches=True,
    ),
    Stage(
        name="segment.tags",
        reads=("profile_events", "profiles", "traits", "moved", "changes"),
        writes=(
            "tags",
            "tag_cuts",
            "tag_inputs",
            "tag_program",
            "tag_changes",
            "tag_points",
            "tag_uses",
            "tag_stage",
            "tag_parts",
        ),
        run=turns.tags,
        refresh=True,
        batches=True,
    ),
    Stage(
        name="segment.models",
        reads=("profile_events", "tags", "changes"),
        writes=("scores", "score_changes", "model_fits"),
        run=turns.models,
        refresh=True,
        batches=True,
    ),
    Stage(
        name="segment.audiences",
        reads=("profile_events", "tags", "scores", "traits", "moved", "changes", "membership_changes"),
        writes=("members", "membership_changes", "member_edges", "audience_program"),
        run=turns.audiences,
        refresh=True,
        batches=True,
    ),
    Stage(
        name="segment.facts",
        reads=("profiles", "traits", "tags", "members", "permissions", "restricted", "changes"),
        writes=("facts_copied", "facts.sqlite"),
        run=turns.facts,
        refresh=True,
        batches=True,
    ),
    Stage(
        name="engage.journeys",
        reads=("membership_changes", "profile_events", "tags", "members", "moved"),
        writes=("enrolments", "enrolment_steps", "outbox", "journey_versions"),
        run=turns.journeys,
    ),
    Stage(
        name="engage.delivery",
        reads=("outbox", "enrolments", "permissions", "suppressions", "identifiers", "attempts", "profile_events"),
        writes=("deliveries", "cap_counters", "log"),
        run=turns.delivery,
    ),
    Stage(name="engage.channels", reads=("one outgoing message",), writes=("the world",), run=None),
    Stage(name="engage.receipts", reads=("provider callbacks",), writes=("log",), run=None),
    Stage(
        name="measure.metrics",
        reads=("profile_events", "overlay", "changes"),
        writes=("metric_points", "metric_versions", "metric_overlay"),
        run=turns.metrics,
        batches=True,
    ),
    Stage(
        name="engage.alerts",
        reads=("events", "tallies", "quarantine", "log_damage", "alerts"),
        writes=("alerts", "alert_notices", "alert_watch", "the operator"),
        run=turns.alerts,
    ),
    Stage(
        name="storage.upkeep",
        reads=("everything sealed", "retention"),
        writes=("retention_runs", "log_segments"),
        run=upkeep.run,
    ),
    Stage(
        name="unify.matching",
        reads=("trait_facts", "identifiers", "moved", "proven", "changes", "the vault"),
        writes=("match_candidates", "match_models", "match_runs"),
        run=None,
    ),
    Stage(
        name="engage.destinations",
        reads=("members", "permissions", "restricted", "traits", "tags", "identifiers", "the vault"),
        writes=("destination_people", "destination_rows", "places outside"),
        run=None,
    ),
)


def of_refresh() -> tuple[Stage, ...]:
    """Stages 2 to 6."""
    return tuple(stage for stage in STAGES if stage.refresh)


def of_tick() -> tuple[Stage, ...]:
    """Stages 2 to 13."""
    return tuple(stage for stage in STAGES if stage.run)
