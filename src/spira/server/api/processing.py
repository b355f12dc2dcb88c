"""`/api/processing`: the record of processing: what personal data is handled here, what for, by whom, and how long.

It is drawn from what is in force (notices, journeys, channels, models, retention, the registry of tables) and from
three settings, so that it is never out of date. With it a protection impact assessment can be made: the same facts,
and what speaks for and against (PIPL 55 and 56, GDPR 30 and 35).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from litestar import get

from spira.engage.journeys.model import JourneyDefinition
from spira.server.core import AnyCore, Core, as_of
from spira.server.roles import ERASE, whole
from spira.server.wire import plain
from spira.unify import exports, retention
from spira.unify.data_map import held
from spira.unify.exports import Year
from spira.unify.notices import NoticeDefinition
from spira.unify.retention import Rule

# From so many people on an officer has to be named and told of (PIPL 52), and every two years audited.
OFFICER, AUDITED = 1_000_000, 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """A notice as people read it now, and how many versions there were."""

    notice: str = field(metadata={"help": "its name"})
    label: Mapping[str, str] | None = field(metadata={"help": "what staff read, by language"})
    version: int = field(metadata={"help": "the version that is shown"})
    versions: int = field(metadata={"help": "how many there ever were"})
    text: Mapping[str, str] = field(metadata={"help": "what people read, by language"})
    separate: bool = field(metadata={"help": "whether only a separate consent counts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeView:
    """One purpose."""

    purpose: str = field(metadata={"help": "what for"})
    basis: str = field(metadata={"help": "the legal basis: that of its notices, else consent for marketing"})
    notices: tuple[NoticeView, ...] = field(metadata={"help": "what people read when they are asked"})
    channels: tuple[str, ...] = field(metadata={"help": "the kinds of channels that it goes by"})
    journeys: tuple[str, ...] = field(metadata={"help": "the journeys that are for it"})
    choosing: tuple[str, ...] = field(metadata={"help": "those that choose people by what is known of them"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """Somebody else who handles personal data for us."""

    name: str = field(metadata={"help": "who"})
    task: str = field(metadata={"help": "what for"})
    country: str = field(metadata={"help": "where, as an ISO code"})
    abroad: bool = field(metadata={"help": "whether that is another country than where the data is kept"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldView:
    """What one table holds of people."""

    store: str = field(metadata={"help": "warehouse or state"})
    table: str = field(metadata={"help": "the table"})
    holds: str = field(metadata={"help": "what it holds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """The record."""

    as_of: datetime = field(metadata={"help": "the instant it speaks of"})
    brand: str = field(metadata={"help": "who is responsible"})
    contact: str = field(metadata={"help": "who answers for personal data"})
    country: str = field(metadata={"help": "where the data is kept"})
    people: int = field(metadata={"help": "how many people are known"})
    needs_officer: bool = field(metadata={"help": "whether they are so many that an officer has to be named"})
    needs_audit: bool = field(metadata={"help": "whether they are so many that an audit is due every two years"})
    purposes: tuple[PurposeView, ...] = field(metadata={"help": "what for"})
    models: tuple[str, ...] = field(metadata={"help": "the models that score people"})
    processors: tuple[Processor, ...] = field(metadata={"help": "who else handles it"})
    exported: tuple[Year, ...] = field(metadata={"help": "how many people were in lists that left, by year"})
    rules: tuple[Rule, ...] = field(metadata={"help": "how long what is kept; what has no rule is kept for good"})
    held: tuple[HeldView, ...] = field(metadata={"help": "what lies where"})


def view(core: AnyCore) -> Processing:
    """The record as of now."""
    settings, people = core.settings, int(core.lane().value("select count(*) from profiles"))
    return Processing(
        as_of=as_of(core),
        brand=settings.workspace.brand,
        contact=settings.rights.contact,
        country=settings.rights.country,
        people=people,
        needs_officer=people >= OFFICER,
        needs_audit=people >= AUDITED,
        purposes=_purposes(core),
        models=tuple(each.name for each in core.applied.definitions_of("model")),
        processors=tuple(_processor(each, settings.rights.country) for each in settings.rights.processors),
        exported=tuple(exports.years(core.state)),
        rules=retention.rules(settings.retention),
        held=tuple(HeldView(store=each.store, table=each.name, holds=each.holds or "") for each in held()),
    )


def _purposes(core: AnyCore) -> tuple[PurposeView, ...]:
    notices: list[NoticeDefinition] = core.applied.of("notice")
    journeys: list[JourneyDefinition] = core.applied.of("journey")
    names = sorted({each.purpose for each in notices} | {str(each.purpose) for each in journeys})
    return tuple(
        _purpose(
            name,
            [each for each in notices if each.purpose == name],
            [each for each in journeys if each.purpose == name],
        )
        for name in names
    )


def _purpose(name: str, notices: list[NoticeDefinition], journeys: list[JourneyDefinition]) -> PurposeView:
    return PurposeView(
        purpose=name,
        basis=notices[0].basis if notices else ("consent" if name == "marketing" else "contract"),
        notices=tuple(
            NoticeView(
                notice=each.notice,
                label=plain(each.label),
                version=each.current.version,
                versions=len(each.versions),
                text=plain(each.current.text),
                separate=each.separate,
            )
            for each in notices
        ),
        channels=tuple(sorted({channel for each in notices for channel in each.channels})),
        journeys=tuple(each.journey for each in journeys),
        choosing=tuple(each.journey for each in journeys if each.chooses_people),
    )


def _processor(written: str, country: str) -> Processor:
    name, task, where = (part.strip() for part in written.split(";"))
    return Processor(name=name, task=task, country=where, abroad=where != country)


@get("/api/processing", opt=whole(ERASE), sync_to_thread=True)
def show_processing(core: Core) -> dict[str, Any]:
    """The record of processing: purposes with their notices, who handles data, how long, what lies where."""
    return plain(view(core))  # type: ignore[no-any-return]


ROUTES = [show_processing]
