"""What a journey says: who enters, what they walk through, when they leave, and what counts as success.

journey: win_back
label: {zh-CN: 沉睡唤醒, en: Win back}
enter: {audience: lapsed, again: after 90 days}
goal: {did: Order Completed, within: 14 days}
exit: did('Order Completed', within => '1 day')
holdout: 10%
purpose: marketing
steps:
  - send: {channel: email, template: we_miss_you}
  - wait: 3 days
  - branch:
      - when: did('Order Completed', within => '3 days')
        steps: [exit]
      - else: [{send: {channel: email, template: a_gift}}]

A broadcast is a journey with one send.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from spira.definitions.model import DefinitionModel, Duration, Label, NameStr, fault
from spira.kernel.cron import BadSchedule, read_schedule
from spira.kernel.diagnostics import did_you_mean
from spira.kernel.durations import BadDuration, parse_duration

Purpose = Literal["marketing", "service", "transactional"]
NEVER, ALWAYS = "never", "always"
KINDS_OF_STEP = ("send", "wait", "until", "branch", "exit")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Enter(DefinitionModel):
    """What makes a person enter: an audience, an event, or the hour (with an audience, its members)."""

    audience: NameStr | None = Field(default=None, description="Its members now, and whoever enters it later.")
    existing: bool = Field(default=True, description="Whether those who already are in the audience enter at first.")
    event: str | None = Field(default=None, description="Whoever does this event enters.")
    key: str | None = Field(default=None, description="A property of the event: one enrolment for each value of it.")
    schedule: str | None = Field(default=None, description="Minute, hour, day, month, weekday, as cron writes them.")
    again: str = Field(default=NEVER, description="`never`, `always`, or `after 90 days`, counted from the last entry.")

    @field_validator("again")
    @classmethod
    def _again_is_known(cls, again: str) -> str:
        if again not in (NEVER, ALWAYS):
            try:
                parse_duration(again.removeprefix("after ") if again.startswith("after ") else "")
            except BadDuration:
                raise fault(
                    "D402", f"`{again}` is not a rule of re-entry", help="write never, always, or as in after 90 days"
                ) from None
        return again

    @field_validator("schedule")
    @classmethod
    def _schedule_is_readable(cls, schedule: str | None) -> str | None:
        if schedule is not None:
            try:
                read_schedule(schedule)
            except BadSchedule as wrong:
                raise fault("D403", str(wrong)) from None
        return schedule

    @model_validator(mode="after")
    def _one_way_in(self) -> Enter:
        if self.event is not None and (self.audience is not None or self.schedule is not None):
            raise fault("D404", "a journey is entered by an event or by an audience, not by both")
        if self.event is None and self.audience is None:
            raise fault("D404", "say who enters: an `audience` (with a `schedule` if you like) or an `event`")
        if self.key is not None and self.event is None:
            raise fault("D404", "`key` names a property of the `event`; an audience has none")
        return self


class Goal(DefinitionModel):
    """What counts as success: an event within a time after entering."""

    did: str = Field(description="The event.")
    within: Duration = Field(description="How long after entering it still counts.")


class Send(DefinitionModel):
    """One message to write."""

    channel: NameStr = Field(description="The channel it goes by.")
    template: NameStr = Field(description="What it says.")


class Until(DefinitionModel):
    """Wait for an event, at most so long, or for the next such hour of the day."""

    event: str | None = Field(default=None, description="Go on as soon as the person does this.")
    timeout: Duration | None = Field(default=None, description="Go on after this long in any case.")
    time: str | None = Field(default=None, description="Go on at this hour of the workspace's day, as in 10:00.")

    @model_validator(mode="after")
    def _event_or_time(self) -> Until:
        if (self.time is None) == (self.event is None):
            raise fault("D405", "wait until an `event` (with a `timeout`) or until an hour such as `10:00`")
        if self.event is not None and self.timeout is None:
            raise fault("D405", "an event may never come: say a `timeout`")
        if self.time is not None and not _CLOCK.fullmatch(self.time):
            raise fault("D405", f"`{self.time}` is not an hour of the day; write it as in 09:30")
        return self


class Arm(DefinitionModel):
    """One way on from a branch: `when` with its `steps`, or `else`."""

    when: str | None = Field(default=None, description="Who goes this way: a condition.")
    steps: list[Step] | None = Field(default=None, description="What happens on this way.")
    else_: list[Step] | None = Field(default=None, alias="else", description="What happens to everyone else.")

    @model_validator(mode="after")
    def _when_or_else(self) -> Arm:
        if (self.when is None) == (self.else_ is None):
            raise fault("D406", "a way is either `when` with `steps`, or `else`")
        if (self.when is None) != (self.steps is None):
            raise fault("D406", "`when` and `steps` belong together")
        return self


class Step(DefinitionModel):
    """One step. Exactly one of its fields is written; `exit` may stand alone."""

    send: Send | None = Field(default=None, description="Write to the person, if the gate lets it pass.")
    wait: Duration | None = Field(default=None, description="Wait for so long.")
    until: Annotated[Until | None, BeforeValidator(lambda written: _as_until(written))] = Field(
        default=None, description="Wait for an event or an hour of the day."
    )
    branch: list[Arm] | None = Field(default=None, min_length=1, description="Go the first way whose condition holds.")
    exit: Literal[True] | None = Field(default=None, description="Leave the journey.")

    @model_validator(mode="before")
    @classmethod
    def _exit_stands_alone(cls, written: Any) -> Any:
        if isinstance(written, str):
            if written != "exit":
                raise fault("D401", f"`{written}` is not a step by itself", help=did_you_mean(written, KINDS_OF_STEP))
            return {"exit": True}
        return written

    @model_validator(mode="after")
    def _one_kind(self) -> Step:
        if len(self.model_fields_set) != 1:
            raise fault("D401", "a step is one of send, wait, until, branch or exit")
        return self

    @property
    def kind(self) -> str:
        """Which field was written."""
        return next(iter(self.model_fields_set))


class JourneyDefinition(DefinitionModel):
    """One journey."""

    journey: NameStr = Field(description="The journey's name.")
    label: Label = Field(description="What people read.")
    description: Label | None = Field(default=None, description="One line more, for those who ask.")
    enter: Enter = Field(description="Who enters, and when.")
    goal: Goal | None = Field(default=None, description="What counts as success, for the held out too.")
    exit: str | None = Field(default=None, description="A condition; whoever meets it leaves at once.")
    holdout: str = Field(default="10%", description="The share that walks the journey and is not written to.")
    campaign: NameStr | None = Field(default=None, description="A label that groups journeys in reports.")
    purpose: Purpose = Field(default="marketing", description="What for: consent, quiet hours and caps depend on it.")
    personal: bool = Field(
        default=True,
        description="Whether the audience is chosen by what is known of people; with false whoever refused personal "
        "content gets its messages too.",
    )
    steps: list[Step] = Field(min_length=1, description="What happens, one after the other.")

    @property
    def chooses_people(self) -> bool:
        """Whether who enters is chosen by what is known of them, so that nobody enters who refused that."""
        return self.personal and self.enter.audience is not None

    @field_validator("holdout", mode="before")
    @classmethod
    def _holdout_is_a_share(cls, written: Any) -> str:
        return f"{_percent(written):g}%"

    @property
    def share_held_out(self) -> float:
        """The holdout as a number from 0 to 1."""
        return _percent(self.holdout) / 100


def again_after(rule: str) -> timedelta | None:
    """How long after the last entry a person may enter again; None for never."""
    if rule == NEVER:
        return None
    return timedelta(0) if rule == ALWAYS else parse_duration(rule.removeprefix("after "))


Path = tuple[str | int, ...]


def walk(steps: list[Step], path: Path = ("steps",)) -> Iterator[tuple[Path, Step]]:
    """Every step with its path in the definition, branches included, in the order written."""
    for place, step in enumerate(steps):
        here = (*path, place)
        yield here, step
        for number, arm in enumerate(step.branch or []):
            inner = ("steps", arm.steps) if arm.steps is not None else ("else", arm.else_ or [])
            yield from walk(inner[1], (*here, "branch", number, inner[0]))


def _as_until(written: Any) -> Any:
    return {"time": written} if isinstance(written, str) else written


def _percent(written: Any) -> float:
    text = str(written).strip()
    try:
        percent = float(text.removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not (text.endswith("%") or percent == 0) or not 0 <= percent <= 50:
        raise fault("D407", f"`{written}` is not a holdout", help="write a share from 0% to 50%, as in 10%")
    return percent
