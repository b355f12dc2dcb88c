"""The kind `channel`: where messages go out, when they may not, and how many a person may get.

channel: email
kind: email
host: 127.0.0.1
port: 1025
password: env:SMTP_PASSWORD
quiet_hours: "22:00-08:00"
caps: {marketing: 2 per 7 days}

Beside the fields here a channel has the options of its kind (docs/reference/channels.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator

import spira.engage.channels.email
import spira.engage.channels.webhook  # noqa: F401  (built-in channels register themselves)
from spira.definitions.kinds import Definition, Kind, World, kind
from spira.definitions.model import DefinitionModel, Label, NameStr, fault
from spira.definitions.options import Codes, check_options
from spira.engage.channels.base import CHANNELS, open_channel
from spira.kernel.diagnostics import Diagnostic, did_you_mean
from spira.kernel.durations import BadDuration, parse_duration
from spira.unify import recipients

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_CAP = re.compile(r"(\d+) per (.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `count` messages of a purpose in `days` days, today included."""

    purpose: str
    count: int
    days: int


class ChannelDefinition(DefinitionModel):
    """One channel. What is not a field here is an option of its kind."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    channel: NameStr = Field(description="The channel's name, by which journeys and templates know it.")
    kind: str = Field(description="What it is: email, webhook, or one that a plug-in adds. Consent is asked for by it.")
    label: Label | None = Field(default=None, description="What people read.")
    description: Label | None = Field(default=None, description="One line more, for those who ask.")
    recipient: str = Field(
        default="",
        description="Who carries its messages: a name of the record of processing (`rights.processors`); empty for us.",
    )
    quiet_hours: str | None = Field(
        default=None, description="Hours of the workspace's day in which nothing but transactional messages goes out."
    )
    caps: dict[Literal["marketing", "service", "transactional"], str] = Field(
        default={}, description="The most messages of a purpose that one person gets, as in 2 per 7 days."
    )
    household_caps: dict[Literal["marketing", "service", "transactional"], str] = Field(
        default={}, description="The most messages of a purpose that one household gets, all its people together."
    )
    secret: str | None = Field(
        default=None, description="Signs the receipts that the provider calls with; made by Spira when left out."
    )
    resend_unknown: bool = Field(
        default=False, description="Send a transactional message again when it is unknown whether it went out."
    )

    @field_validator("quiet_hours")
    @classmethod
    def _hours_are_readable(cls, hours: str | None) -> str | None:
        if hours is not None and not _HOURS.fullmatch(hours):
            raise fault("D431", f"`{hours}` are no hours", help='write as in "22:00-08:00"')
        return hours

    @field_validator("caps", "household_caps")
    @classmethod
    def _caps_are_readable(cls, caps: dict[str, str]) -> dict[str, str]:
        for purpose, cap in caps.items():
            read_cap(purpose, cap)
        return caps

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of its kind, as written."""
        return dict(self.model_extra or {})

    def quiet(self) -> tuple[time, time] | None:
        """When the quiet hours begin and end, or None."""
        if self.quiet_hours is None:
            return None
        begin, end = self.quiet_hours.split("-")
        return time.fromisoformat(begin), time.fromisoformat(end)

    def limits(self) -> list[Cap]:
        """The caps, read."""
        return [read_cap(purpose, text) for purpose, text in self.caps.items()]

    def household_limits(self) -> list[Cap]:
        """The caps of a whole household, read."""
        return [read_cap(purpose, text) for purpose, text in self.household_caps.items()]


def read_cap(purpose: str, text: str) -> Cap:
    """`2 per 7 days` as a cap; windows are whole days."""
    found = _CAP.fullmatch(text.strip())
    try:
        length = parse_duration(found.group(2) if found[2][:1].isdigit() else f"1 {found.group(2)}") if found else None
    except BadDuration:
        length = None
    if found is None or length is None or length.seconds or int(found.group(1)) == 0:
        raise fault("D432", f"`{text}` is not a cap", help="write as in 2 per 7 days; a cap counts whole days")
    return Cap(purpose=purpose, count=int(found.group(1)), days=length.days)


def check(definition: Definition, world: World) -> Iterable[Diagnostic]:
    """The kind must exist, every option must be one of its own and fit, and who carries it stand in the record."""
    yield from check_options(definition, CHANNELS, open_channel, Codes(kind="D433", option="D434", value="D435"))
    known = [each.name for each in recipients.every(world.settings.rights)]
    carrier = definition.model.recipient
    if carrier and carrier not in known:
        yield Diagnostic(
            code="D436",
            message=f"`{carrier}` stands in no record of processing",
            at=definition.node.at("recipient"),
            help=did_you_mean(carrier, known) or "add them to `rights.processors`",
        )


CHANNEL = kind(Kind(name="channel", folder="channels", model=ChannelDefinition, check=check))
