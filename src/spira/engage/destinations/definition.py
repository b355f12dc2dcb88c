"""The kind `destination`: which audience is told to whom, what of its people leaves, and what for.

destination: loyal_to_crm
audience: loyal
kind: webhook
url: https://crm.example/spira
secret: env:CRM_SECRET
purpose: marketing
channel: email
recipient: Nimbus CRM
fields: {id: id, email: sha256(email), city: trait.city}
every: 15 minutes

Beside the fields here a destination has the options of its kind (docs/reference/destinations.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

import spira.engage.destinations.files
import spira.engage.destinations.webhook  # noqa: F401  (built-in destinations register themselves)
from spira.collect.tracking import plan_of
from spira.definitions.kinds import Definition, Kind, World, kind
from spira.definitions.model import DefinitionModel, Duration, Label, NameStr, fault
from spira.definitions.options import Codes, check_options
from spira.definitions.workspace import fingerprint
from spira.engage.audience_export import FOR_OTHERS, MESSAGING
from spira.engage.destinations import fields as parts
from spira.engage.destinations.base import DESTINATIONS, open_destination
from spira.kernel.diagnostics import Diagnostic, did_you_mean
from spira.storage import remote
from spira.unify import recipients

Purpose = Literal["analysis", "marketing", "service", "transactional", "sale_or_sharing", "personalised_ads"]
FOLDER = "exports"
_NOT_OF_WHAT_LEAVES = {"label", "description", "owner", "every", "paused"}


class DestinationDefinition(DefinitionModel):
    """One destination. What is not a field here is an option of its kind."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    destination: NameStr = Field(description="The destination's name.")
    label: Label | None = Field(default=None, description="What people read.")
    description: Label | None = Field(default=None, description="One line more, for those who ask.")
    owner: str = Field(default="", description="Who answers for it.")
    kind: str = Field(description="What it is: webhook, files, or one that a plug-in adds.")
    audience: NameStr = Field(description="Whose members it is told of.")
    purpose: Purpose = Field(description="What the people are given for; for all but analysis their consent counts.")
    channel: str = Field(
        default="", description="The kind of channel whose consent counts, as in email; not for analysis."
    )
    recipient: str = Field(
        default="",
        description="Who else gets them: a name of the record of processing (`rights.processors`); empty for us.",
    )
    fields: dict[NameStr, str] = Field(
        min_length=1, description=f"What leaves, by the names that the destination uses: {parts.FORMS}."
    )
    every: Duration = Field(default="15 minutes", description="How often it is looked at for changes.")
    paused: bool = Field(default=False, description="Whether it waits until somebody takes this out.")

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of its kind, as written."""
        return dict(self.model_extra or {})

    @property
    def leaving(self) -> tuple[parts.Field, ...]:
        """The fields, read."""
        found = (parts.read_field(called, written) for called, written in self.fields.items())
        return tuple(each for each in found if each is not None)

    @property
    def has_contacts(self) -> bool:
        """Whether addresses leave, in clear or hashed."""
        return any(each.is_contact for each in self.leaving)

    @property
    def print(self) -> str:
        """Another text whenever it is about other people, other values or another place."""
        return fingerprint(self.model_dump(mode="json", exclude=_NOT_OF_WHAT_LEAVES), {})

    @model_validator(mode="after")
    def _may_leave(self) -> DestinationDefinition:
        for called, written in self.fields.items():
            if parts.read_field(called, written) is None:
                raise fault("D483", f"`{written}` is nothing that can leave", help=f"write {parts.FORMS}")
        if not any(each.is_key for each in self.leaving):
            raise fault(
                "D483",
                "nobody who left the audience could be named by these fields",
                help="add id, user_id, sha256(email) or sha256(phone)",
            )
        if self.purpose in MESSAGING and not self.channel:
            raise fault("D484", f"`{self.purpose}` needs a `channel`", help="say whose consent counts, as in email")
        if self.purpose not in MESSAGING and self.channel:
            raise fault("D484", "a channel's consent is only for writing to people", help="leave `channel` out")
        if self.purpose in FOR_OTHERS and not self.recipient:
            raise fault("D484", f"`{self.purpose}` needs a `recipient`", help="name one of the record of processing")
        if any(each.is_contact and not _may_hold(self.purpose, each) for each in self.leaving):
            raise fault(
                "D484",
                f"these addresses don't leave for `{self.purpose}`",
                help="for others only hashes leave, for analysis none; leave them out, or name another purpose",
            )
        return self


def _may_hold(purpose: str, field: parts.Field) -> bool:
    return purpose in MESSAGING or (purpose in FOR_OTHERS and field.hashed)


def check(definition: Definition, world: World) -> Iterable[Diagnostic]:
    """The kind must exist, every option must be one of its own and fit; traits must be clear, tags not sensitive."""
    yield from _values(definition, world)
    model, node = definition.model, definition.node
    known = [each.name for each in recipients.every(world.settings.rights)]
    if model.recipient and model.recipient not in known:
        yield Diagnostic(
            code="D484",
            message=f"`{model.recipient}` stands in no record of processing",
            at=node.at("recipient"),
            help=did_you_mean(model.recipient, known) or "add them to `rights.processors`",
        )
    codes = Codes(kind="D481", option="D482", value="D482")
    yield from check_options(definition, DESTINATIONS, _opened, codes)


def _opened(kind: str, options: Mapping[str, Any]) -> None:
    open_destination(kind, options)
    placed(options, Path())


def _values(definition: Definition, world: World) -> Iterable[Diagnostic]:
    """Traits and tags that leave must be known, and be of those that ever may."""
    plan = world.memo("destinations.plan", lambda: plan_of([each.model for each in world.of("tracking")]))
    for each in definition.model.leaving:
        at = definition.node.at("fields", each.called)
        if each.part == "trait" and each.name in plan.contact:
            yield Diagnostic(code="D483", message=f"the trait `{each.name}` is sealed, and never leaves so", at=at)
        elif each.part == "trait" and each.name not in plan.traits:
            message, known = f"there is no trait called `{each.name}`", sorted(set(plan.traits) - plan.contact)
            yield Diagnostic(code="D483", message=message, at=at, help=did_you_mean(each.name, known))
        elif each.part == "tag":
            found = world.get("tag", each.name)
            if found is not None and found.model.privacy == "sensitive":
                yield Diagnostic(code="D483", message=f"the tag `{each.name}` is sensitive, and never leaves", at=at)
            if found is not None and found.model.status != "applied":
                message = f"the tag `{each.name}` is {_STATUS[found.model.status]}, and has no values to give"
                yield Diagnostic(code="D483", message=message, at=at, help="take it out, or apply the tag again")


_STATUS = {"draft": "a draft", "retired": "retired"}


def _references(model: DestinationDefinition) -> Iterable[tuple[str, str]]:
    yield "audience", model.audience
    for each in model.leaving:
        if each.part == "tag":
            yield "tag", each.name


DESTINATION = kind(
    Kind(name="destination", folder="destinations", model=DestinationDefinition, check=check, references=_references)
)


def placed(options: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """The options with an address that is a folder made whole; ValueError for one outside the folder of exports.

    Whoever may write a definition can't have files written elsewhere on the machine.
    """
    made = dict(options)
    address = made.get("address")
    if not isinstance(address, str):
        return made
    storage, folder = made.get("storage"), "://" not in address
    if remote.looks_through(f"file://{address}" if folder else address, storage, local=folder):
        raise ValueError(f"`{address}` is no place for files; name a folder, which lies in `{FOLDER}`, or a storage")
    if folder:
        home = (directory / FOLDER).resolve()
        whole = (home / address).resolve()
        if not whole.is_relative_to(home):
            raise ValueError(f"`{address}` lies outside the workspace's folder `{FOLDER}`")
        made["address"] = str(whole)
    return made
