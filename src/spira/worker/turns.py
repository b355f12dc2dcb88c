"""What each stage does in a turn: the adapters between the tuple of stages and the packages' functions.

Each takes the `Turn` and returns how many rows it changed.
"""

from __future__ import annotations

import logging
from functools import partial

from spira.collect import backfill, places
from spira.collect import load as loading
from spira.collect.identifier_rules import rules_of
from spira.engage import telling
from spira.engage.alerts import stage as alerting
from spira.engage.delivery import stage as delivering
from spira.engage.journeys import advance
from spira.engage.uses import uses
from spira.measure.metrics import compute as metering
from spira.measure.metrics.compute import Metric
from spira.segment import audiences as membership
from spira.segment import facts_copy, tag_points, tag_uses
from spira.segment import tags as tagging
from spira.segment.lineage import reading, texts_understood
from spira.segment.models import compute as modelling
from spira.unify import consent as consenting
from spira.unify import decisions, identity, restrictions
from spira.unify import profiles as profiling
from spira.worker.children import Children
from spira.worker.turn import Turn

_log = logging.getLogger("spira.worker")


def load(turn: Turn) -> int:
    """Stage 2: everything that the log holds and the warehouse does not; people as kinds and decisions say."""
    if turn.memory.kinds_of is not turn.applied:
        rules = rules_of(turn.applied.of("identifier"))
        identity.follow_kinds(turn.warehouse, rules, turn.keys, turn.memory.ties)
        turn.memory.kinds_of = turn.applied
    decisions.follow(turn.warehouse, turn.state, turn.memory.ties)
    done = loading.load(
        turn.warehouse,
        state=turn.state,
        vault=turn.vault,
        log=turn.log,
        apart=turn.apart,
        runner=turn.runner,
        plan=turn.plan,
        settings=turn.settings,
        clock=turn.clock,
        directory=turn.directory,
        scratch=turn.scratch,
        join=partial(identity.resolve, ties=turn.memory.ties),
        known=turn.memory.known,
    )
    if isinstance(turn.runner, Children):
        turn.runner.rest()
    backfill.step(turn.warehouse)
    for damage in done.damage:
        _log.error("the log is damaged and a part of it could not be loaded: %s", damage)
    places.keep(turn.warehouse)
    restrictions.follow(turn.warehouse, turn.state)
    return done.events


def profiles(turn: Turn) -> int:
    """Stage 3, first half: one row per person, and their traits."""
    return profiling.compute(turn.warehouse, as_of=turn.as_of, units=turn.units, full=turn.full).written


def consent(turn: Turn) -> int:
    """Stage 3, second half: permissions and suppressions."""
    done = consenting.compute(
        turn.warehouse,
        as_of=turn.as_of,
        full=turn.full,
        notices=turn.applied.of("notice"),
        more_words=turn.settings.consent.opt_out_words,
    )
    return done.granted + done.withdrawn


def tags(turn: Turn) -> int:
    """Stage 4."""
    done = tagging.compute(turn.warehouse, turn.applied, turn.catalog, turn.as_of, full=turn.full)
    if tag_points.note(turn.warehouse, as_of=turn.as_of, zone=turn.settings.workspace.zone, full=turn.full):
        _note_uses(turn)
    return done


def _note_uses(turn: Turn) -> None:
    """Write down which tags a definition reads; those that nothing uses for long can be found by it."""
    tags = {each.tag: each.value for each in tagging.worked_out(turn.applied)}
    conditions = membership.who_of(turn.applied)
    reads = reading(*texts_understood(tags, conditions, turn.catalog), uses(turn.applied, turn.catalog))
    read = {name for things in reads.values() for kind, name in things if kind == "tag"}
    tag_uses.follow(turn.state, tags, read, at=turn.as_of)


def models(turn: Turn) -> int:
    """Stage 5."""
    return modelling.compute(turn.warehouse, turn.applied, turn.as_of, full=turn.full)


def audiences(turn: Turn) -> int:
    """Stage 6."""
    moves = membership.compute(turn.warehouse, turn.applied, turn.catalog, turn.as_of, full=turn.full)
    return moves.entered + moves.left


def facts(turn: Turn) -> int:
    """Stage 6, second half: the copy from which apps are answered."""
    hidden = [each.tag for each in turn.applied.of("tag") if each.privacy == "sensitive"]
    return facts_copy.compute(turn.warehouse, turn.facts, turn.as_of, leave_out=hidden, full=turn.full)


def journeys(turn: Turn) -> int:
    """Stage 7."""
    return advance.advance(turn.warehouse, turn.applied, turn.catalog, turn.as_of)


def delivery(turn: Turn) -> int:
    """Stage 8: fold what is known, decide what is new, dispatch what may go."""
    return delivering.run(turn)


def metrics(turn: Turn) -> int:
    """Stage 11."""
    wanted = [Metric(definition=each.model, version=each.fingerprint) for each in turn.applied.definitions_of("metric")]
    zone = turn.settings.workspace.zone
    return metering.compute(turn.warehouse, wanted, as_of=turn.as_of, zone=zone, full=turn.full)


def alerts(turn: Turn) -> int:
    """Stage 12; recipients of personal data are told what they have to hear as well."""
    return alerting.run(turn) + telling.run(turn)
