"""The first run: how far a new workspace has come, in five steps that are read from what is there.

Reads   `sources` (state), `events`, `permissions`, `deliveries`, and the applied definitions

A step is done when its facts say so, and for no other reason; nothing is ticked by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from spira.collect import sources
from spira.definitions.apply import Applied
from spira.storage.state import State
from spira.storage.warehouse import Warehouse

STEPS = ("source", "events", "known", "choosing", "reaching")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the first run."""

    name: str = field(metadata={"help": "source, events, known, choosing or reaching"})
    done: bool = field(metadata={"help": "whether the facts say that it is done"})
    counts: Mapping[str, int] = field(metadata={"help": "the facts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRun:
    """The five steps. `next` is the first that is not done."""

    as_of: datetime = field(metadata={"help": "the instant at which it was looked"})
    steps: tuple[Step, ...] = field(metadata={"help": "in the order they are taken"})
    done: int = field(metadata={"help": "how many are done"})
    next: str | None = field(metadata={"help": "the first that is not; none when all are"})
    sample: bool = field(metadata={"help": "whether sample data is in the workspace"})
    empty: bool = field(metadata={"help": "whether there is nothing yet, so that sample data may be put in"})


def first_run(
    warehouse: Warehouse, state: State, applied: Applied, *, as_of: datetime, sample: tuple[str, int]
) -> FirstRun:
    """How far the workspace has come; `sample` is the source that sample data comes through, and its whole number."""
    source, whole = sample
    known = [each for each in sources.every(state) if each.ended_at is None]
    events, sampled, people, consents, sent = warehouse.query(_FACTS, {"sample": source})[0]
    defined = {kind: len(applied.definitions_of(kind)) for kind in _KINDS}
    facts: dict[str, tuple[bool, dict[str, int]]] = {
        "source": (bool(known), {"sources": len(known)}),
        "events": (events > 0, {"events": events}),
        "known": (
            people > 0 and (consents > 0 or defined["tracking"] > 0),
            {"profiles": people, "consents": consents, "tracking": defined["tracking"]},
        ),
        "choosing": (
            defined["tag"] > 0 and defined["audience"] > 0,
            {"tags": defined["tag"], "audiences": defined["audience"]},
        ),
        "reaching": (
            defined["channel"] > 0 and (defined["journey"] > 0 or sent > 0),
            {"channels": defined["channel"], "journeys": defined["journey"], "sent": sent},
        ),
    }
    steps = tuple(Step(name=name, done=facts[name][0], counts=facts[name][1]) for name in STEPS)
    return FirstRun(
        as_of=as_of,
        steps=steps,
        done=sum(each.done for each in steps),
        next=next((each.name for each in steps if not each.done), None),
        sample=sampled > 0,
        empty=events == sampled < whole and (not applied.definitions or any(each.source == source for each in known)),
    )


_KINDS = ("tracking", "tag", "audience", "channel", "journey")
_FACTS = """
select
  (select count(*) from events),
  (select count(*) from events where source = $sample),
  (select count(*) from profiles),
  (select count(*) from permissions where granted),
  (select count(*) from deliveries where sent_at is not null)
"""
