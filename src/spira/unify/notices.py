"""The kind `notice`: the text that people are shown when they are asked, with its versions.

notice: offers
purpose: marketing
channels: [email, sms]
expires: 730 days
versions:
  - version: 1
    text: {zh-CN: 我愿意收到优惠和新品消息。, en: I would like to hear of offers and new things.}
  - version: 2
    renew: true
    text: {zh-CN: 我愿意每周收到优惠和新品消息。, en: I would like to hear of offers and new things each week.}

A consent names the notice and its version (`Consent Given`: `notice`, `notice_version`), so that
years later it can be shown what was agreed to. Old versions stay in the file for that. A version
with `renew` asks again: what was agreed to before it does not count any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import pyarrow as pa
from pydantic import Field, field_validator

from spira.definitions.kinds import Definition, Kind, World, kind
from spira.definitions.model import DefinitionModel, Duration, Label, NameStr, fault
from spira.kernel.diagnostics import Diagnostic
from spira.kernel.durations import parse_duration
from spira.kernel.i18n import choose
from spira.unify.personal import ABROAD, EVERY

Basis = Literal["consent", "contract", "legal_duty", "vital_interest", "public_interest", "legitimate_interest"]
BASES: tuple[Basis, ...] = get_args(Basis)


class NoticeVersion(DefinitionModel):
    """One version of a notice."""

    version: int = Field(ge=1, le=100_000, description="Its number; the highest is the one that is shown.")
    text: Label = Field(description="What people read when they are asked, by language.")
    renew: bool = Field(
        default=False, description="Whether what was agreed to before this version does not count any more."
    )


class NoticeDefinition(DefinitionModel):
    """One notice."""

    notice: NameStr = Field(description="The notice's name.")
    label: Label | None = Field(default=None, description="What staff read.")
    description: Label | None = Field(default=None, description="One line more, for those who ask.")
    purpose: NameStr = Field(description="What for, as in marketing.")
    channels: list[NameStr] = Field(min_length=1, description="The kinds of channels that it is about.")
    basis: Basis = Field(default="consent", description="The legal basis on which the purpose rests.")
    separate: bool = Field(
        default=False, description="Whether only a separate consent counts, as the law asks for sensitive data."
    )
    expires: Duration | None = Field(default=None, description="After how long a consent does not count any more.")
    versions: list[NoticeVersion] = Field(min_length=1, description="All versions there ever were.")

    @field_validator("versions")
    @classmethod
    def _numbers_are_given_once(cls, versions: list[NoticeVersion]) -> list[NoticeVersion]:
        numbers = [each.version for each in versions]
        again = next((each for each in numbers if numbers.count(each) > 1), None)
        if again is not None:
            raise fault(
                "D451", f"version {again} is there twice", help="give each text a number of its own, and keep old ones"
            )
        return versions

    @property
    def current(self) -> NoticeVersion:
        """The version that people are shown now."""
        return max(self.versions, key=lambda each: each.version)

    @property
    def renewed_at(self) -> int:
        """The version below which a consent does not count; 0 for none."""
        return max((each.version for each in self.versions if each.renew), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A notice as one person is shown it, in one language."""

    notice: str
    version: int
    text: str
    language: str
    basis: str
    separate: bool

    @property
    def text_hash(self) -> str:
        """SHA-256 of the text, in hex; what a consent keeps as proof of the wording."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def shown(notices: Iterable[NoticeDefinition], purpose: str, channel: str, language: str) -> Shown | None:
    """The notice of a purpose on a channel in a language; None where nobody wrote one."""
    for each in notices:
        if each.purpose == purpose and channel in each.channels:
            return Shown(
                notice=each.notice,
                version=each.current.version,
                text=choose(each.current.text, language),
                language=language,
                basis=each.basis,
                separate=each.separate,
            )
    return None


def rules(notices: Sequence[NoticeDefinition]) -> pa.Table:
    """What notices ask of consents, by purpose and channel: the least version, a separate one, how long it lasts.

    That data goes abroad is agreed to separately whatever a notice says, and without any (PIPL 39).
    """
    rows: list[dict[str, object]] = [
        {
            "purpose": each.purpose,
            "channel": channel,
            "renewed_at": each.renewed_at,
            "separate": each.separate or each.purpose == ABROAD,
            "seconds": None if each.expires is None else int(parse_duration(each.expires).total_seconds()),
        }
        for each in notices
        for channel in each.channels
    ]
    if (ABROAD, EVERY) not in {(row["purpose"], row["channel"]) for row in rows}:
        rows.append({"purpose": ABROAD, "channel": EVERY, "renewed_at": 0, "separate": True, "seconds": None})
    return pa.Table.from_pylist(rows, schema=_RULES)


def check(definition: Definition, world: World) -> Iterable[Diagnostic]:
    """A purpose on a channel has one notice: with two, nobody could say which was agreed to."""
    model: NoticeDefinition = definition.model
    for place, channel in enumerate(model.channels):
        others = (
            each.name
            for each in world.of("notice")
            if each.name < model.notice and each.model.purpose == model.purpose and channel in each.model.channels
        )
        other = next(others, None)
        if other is not None:
            yield Diagnostic(
                code="D452",
                message=f"`{other}` is the notice of `{model.purpose}` by `{channel}` already",
                at=definition.node.at("channels", place),
                help="leave the channel to one of the two, or make one notice of both",
            )


_RULES = pa.schema(
    [
        ("purpose", pa.string()),
        ("channel", pa.string()),
        ("renewed_at", pa.int32()),
        ("separate", pa.bool_()),
        ("seconds", pa.int64()),
    ]
)

NOTICE = kind(Kind(name="notice", folder="notices", model=NoticeDefinition, check=check, reserved=frozenset({"new"})))
