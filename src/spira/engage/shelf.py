"""The shelf: every applied template, what it is written for, which journeys send it, and how it does.

Reads   `deliveries`, `profiles`; applied templates and journeys

Numbers are of the viewer's people, over the last thirty days.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from spira.definitions.apply import Applied
from spira.definitions.model import Label
from spira.engage.journeys.facts import DAYS
from spira.engage.journeys.model import walk
from spira.engage.messages import languages, missing_languages
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateLine:
    """One template."""

    template: str = field(metadata={"help": "its name"})
    label: Label | None = field(metadata={"help": "what staff read"})
    channel: str = field(metadata={"help": "the channel it is written for"})
    languages: tuple[str, ...] = field(metadata={"help": "its languages; none when one text is for all"})
    missing: tuple[str, ...] = field(metadata={"help": "languages that it lacks"})
    journeys: tuple[str, ...] = field(metadata={"help": "the journeys that send it"})
    sent: int = field(metadata={"help": "sent in thirty days"})
    opened: int = field(metadata={"help": "of those, opened"})
    clicked: int = field(metadata={"help": "of those, clicked"})


def shelf(warehouse: Warehouse, applied: Applied, viewer: Viewer, *, as_of: datetime) -> tuple[TemplateLine, ...]:
    """Every applied template, in the order written."""
    bound = {**bound_units(viewer), "start": as_of - timedelta(days=DAYS)}
    numbers = {name: (sent, opened, clicked) for name, sent, opened, clicked in warehouse.query(_NUMBERS, bound)}
    users: dict[str, list[str]] = {}
    for journey in applied.of("journey"):
        for _, step in walk(journey.steps):
            if step.send is not None and journey.journey not in users.setdefault(step.send.template, []):
                users[step.send.template].append(journey.journey)
    lines = []
    for model in applied.of("template"):
        sent, opened, clicked = numbers.get(model.template, (0, 0, 0))
        lines.append(
            TemplateLine(
                template=model.template,
                label=model.label,
                channel=model.channel,
                languages=languages(model),
                missing=missing_languages(model),
                journeys=tuple(users.get(model.template, ())),
                sent=sent,
                opened=opened,
                clicked=clicked,
            )
        )
    return tuple(lines)


_NUMBERS = """
select template, count(sent_at), count(opened_at), count(clicked_at)
from deliveries join profiles using (profile_id)
where created_at >= $start and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by template
"""
