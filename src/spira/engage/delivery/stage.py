"""Stage 8 as the worker runs it: fold what is known, decide what is new, dispatch what may go.

The order is what makes it safe: whatever the log says was tried is known before anything is
sent, so that neither a crash nor a restored backup sends a message twice.
"""

from __future__ import annotations

from spira.engage.delivery import carriers
from spira.engage.delivery.dispatch import DeliveryTurn, dispatch
from spira.engage.delivery.fold import fold, fold_anew
from spira.engage.delivery.gate import decide


def run(turn: DeliveryTurn) -> int:
    """One tick of deliveries; how many rows changed."""
    folded = fold(turn.warehouse, turn.as_of)
    consent, channels = turn.settings.consent, turn.applied.of("channel")
    rights, zone = turn.settings.rights, turn.settings.workspace.zone
    decided = decide(
        turn.warehouse,
        channels,
        [each.name for each in turn.applied.definitions_of("template")],
        turn.as_of,
        zone=zone,
        personal=[each.journey for each in turn.applied.of("journey") if each.chooses_people],
        abroad=carriers.abroad(channels, rights),
        beyond=carriers.year_of(turn.state, rights, at=turn.as_of, zone=zone),
        ages=(consent.guardian_age, consent.marketing_age),
    )
    if decided.rows:
        folded += fold_anew(turn.warehouse)
    return folded + decided.rows + dispatch(turn)
