"""The door: what intake asks before it keeps a request: whose wrong key this is, and which calls a source blocks.

Reads   `sources` (state), the tracking plan in force
Writes  `refusals` through `Refusals`

A source that blocks has each track call read by the plan while the client waits, so that the client
is told. Of what is refused here nothing is kept but counts and the shape of a sample.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from spira.collect.calls import BATCH, Call, Fault, Request, event_name, fields, remaining
from spira.collect.modes import judged, mode_of
from spira.collect.properties import Properties
from spira.collect.refusals import Refusals
from spira.collect.sources import Source, every
from spira.collect.tracking import OWN_EVENTS, Plan
from spira.collect.typed import json_type
from spira.kernel.clock import Clock
from spira.storage.state import State

_SHOWN = 7  # characters of a key that is not known: enough to tell which, too few to use
_MOST_NAMES = 40
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NO_PLAN = Plan(events=dict(OWN_EVENTS), traits={}, contact=frozenset())


class Door:
    """What intake asks. `plan` gives the tracking plan in force."""

    def __init__(self, state: State, clock: Clock, plan: Callable[[], Plan] = lambda: _NO_PLAN) -> None:
        self.refusals = Refusals(state, clock)
        self._state, self._clock, self._plan = state, clock, plan
        self._read: tuple[Plan, Properties] | None = None

    def blocks(self, source: Source) -> bool:
        """Whether the source refuses what nobody declared."""
        return mode_of(self._plan(), source.mode) == "block"

    def blocked(self, source: Source, request: Request) -> dict[int, Fault]:
        """The calls that the source blocks, by their index, with what is wrong with each; counted."""
        if not self.blocks(source):
            return {}
        plan = self._plan()
        if self._read is None or self._read[0] is not plan:
            self._read = (plan, Properties(plan))
        found = {}
        for index, call in enumerate(request.calls):
            if isinstance(call, Call) and call.type == "track":
                name = event_name(call)
                fault = judged(plan, self._read[1], "block", name, call)
                if isinstance(fault, Fault):
                    found[index] = fault
                    self.refusals.note(source.source, fault.reason, f"{name}: {fault.detail}", sample=_shape(call))
        return found

    def wrong_key(self, key: str | None) -> None:
        """Count a call whose key is good for no source: it has none, or an old one, or one that nobody knows."""
        if not key:
            self.refusals.note("", "no_key", "")
            return
        for each in every(self._state):
            if key in (each.write_key, each.previous_key):
                code = "ended_source" if each.ended_at is not None else "old_key"
                self.refusals.note(each.source, code, "")
                return
        start = key[:_SHOWN] if len(key) > 2 * _SHOWN else ""
        self.refusals.note("", "unknown_key", f"{start}…" if start.isascii() and start.isprintable() else "")

    def turned_away(self, source: Source | None, code: str) -> None:
        """Count a request that was refused as a whole: too large, no JSON, too much at once."""
        self.refusals.note(source.source if source else "", code, "")


def without(body: bytes, via: str, blocked: Collection[int]) -> bytes:
    """The body of a batch without the calls that are blocked; everything else as it came."""
    return remaining(body, blocked) if via == BATCH and blocked else body


def _shape(call: Call) -> str:
    """A call's properties by name and type."""
    text = fields(call.properties)
    try:
        told = _OBJECT.decode(text) if text else {}
    except (msgspec.MsgspecError, RecursionError):
        return "{}"
    names = list(told)[:_MOST_NAMES]
    return msgspec.json.encode({name[:60]: json_type(told[name]) for name in names}).decode()
