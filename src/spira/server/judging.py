"""Judging: what the gate judges people by in this workspace, for views that tell its answer beforehand."""

from __future__ import annotations

from spira.engage.reach import Rules, rules_of
from spira.server.core import AnyCore, as_of


def now(core: AnyCore) -> Rules:
    """As the gate would judge a message now, caps included."""
    return rules_of(core.settings, as_of(core), core.applied.of("channel"))


def leaving(core: AnyCore) -> Rules:
    """As a list of people that leaves is judged, which is no message yet: no cap counts."""
    return rules_of(core.settings, as_of(core))
