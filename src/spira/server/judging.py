"""Judging: what the gate judges people by in this workspace, for views that tell its answer beforehand."""

from __future__ import annotations

from spira.engage.reach import Rules
from spira.server.core import AnyCore, as_of


def now(core: AnyCore) -> Rules:
    """As the gate would judge a message now, caps included."""
    consent = core.settings.consent
    return Rules(
        as_of=as_of(core),
        zone=core.settings.workspace.zone,
        ages=(consent.guardian_age, consent.marketing_age),
        channels=tuple(core.applied.of("channel")),
    )


def leaving(core: AnyCore) -> Rules:
    """As a list of people that leaves is judged, which is no message yet: no cap counts."""
    rules = now(core)
    return Rules(as_of=rules.as_of, zone=rules.zone, ages=rules.ages)
