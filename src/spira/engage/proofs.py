"""Proofs: a template as one person would get it, before anybody does, and as a test to one's own address.

Reads   `traits`, `tags`, `deliveries`, `profiles`, the vault; applied templates and journeys

A proof is of one of the viewer's people, or of nobody. Contact values in it are masked, unless the
role may see them and asks, which is audited by whoever calls. A test goes through the channel's own
code and leaves no trace among deliveries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import msgspec

from spira.definitions.apply import Applied
from spira.engage.channels.base import CHANNELS, OutgoingMessage, open_channel
from spira.engage.channels.definition import ChannelDefinition
from spira.engage.journeys.model import walk
from spira.engage.messages import GIVEN, TemplateDefinition, missing_languages, source_in
from spira.engage.render import BadTemplate, Rendered, render, wanted
from spira.engage.values import values_of
from spira.kernel.errors import Conflict
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import masks, personal
from spira.unify.people import locate

LONG_SUBJECT = 60
LARGE = 102_000  # bytes above which a large provider cuts a message short
TEST = "[Test] "


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """What every message may name of the workspace."""

    brand: str
    postal_address: str
    base_url: str

    def given(self, language: str) -> dict[str, str]:
        """The values that are not a person's; the unsubscribe link of a proof leads nowhere."""
        return {
            "brand": self.brand,
            "postal_address": self.postal_address,
            "public_url": self.base_url,
            "unsubscribe_url": f"{self.base_url}/u/proof",
            "preferences_url": f"{self.base_url}/u/proof",
            "language": language,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One name that the template asks for."""

    name: str = field(metadata={"help": "its name"})
    value: str | None = field(metadata={"help": "what this person has; masked unless asked for in clear"})
    given: bool = field(metadata={"help": "whether the workspace gives it, not the person"})
    missing: bool = field(metadata={"help": "whether this person has none, so that the place stays empty"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A template as one person would get it in one language."""

    language: str = field(metadata={"help": "the language"})
    person: str | None = field(metadata={"help": "whose values it has; None for nobody's"})
    clear: bool = field(metadata={"help": "whether contact values are in clear"})
    subject: str = field(metadata={"help": "the subject"})
    preview: str = field(metadata={"help": "the line that inboxes show after the subject"})
    text: str = field(metadata={"help": "the text version"})
    is_page: bool = field(metadata={"help": "whether there is an HTML version"})
    variables: tuple[Variable, ...] = field(metadata={"help": "what it asks for"})
    links: tuple[str, ...] = field(metadata={"help": "where it leads"})
    bytes: int = field(metadata={"help": "the size of what is sent"})
    warnings: tuple[str, ...] = field(metadata={"help": "what to look at before sending"})
    fault: str | None = field(metadata={"help": "why it can't be rendered, if it can't"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What proofs are made from, and for whom."""

    warehouse: Warehouse
    vault: Vault
    viewer: Viewer
    applied: Applied
    brand: Brand


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which proof: a template's, in a language, for a person or nobody, in clear or not."""

    template: str
    language: str
    person: int | None = None
    clear: bool = False


def proof(desk: Desk, asked: Asked) -> Proof:
    """The proof, with what it used and what to look at."""
    model, rendered, variables, fault = _render(desk, asked)
    page = rendered.html or rendered.text
    return Proof(
        language=asked.language,
        person=None if asked.person is None else show_profile(asked.person),
        clear=asked.clear and desk.viewer.unmasks,
        subject=rendered.subject,
        preview=_preview(model, desk.applied, asked.language, variables),
        text=rendered.text,
        is_page=bool(rendered.html),
        variables=variables,
        links=links_in(rendered.html) if rendered.html else (),
        bytes=len(page.encode()),
        warnings=tuple(_warnings(model, desk.applied, desk.brand, rendered, {each.name for each in variables})),
        fault=fault,
    )


def rendered_page(desk: Desk, asked: Asked) -> Rendered:
    """What the frame shows: the page alone."""
    return _render(desk, asked)[1]


def example(warehouse: Warehouse, viewer: Viewer, template: str) -> int | None:
    """Somebody of the viewer's people who got the template last, else whoever was seen last; None of nobody."""
    if not viewer.sees_people:
        return None
    found = warehouse.value(_EXAMPLE, {**bound_units(viewer), "template": template})
    return None if found is None else int(found)


def send_test(channel: ChannelDefinition, to: str, rendered: Rendered, *, name: str, at: datetime) -> str:
    """Send a proof to an address of staff through the channel's own code; what the provider calls it.

    Raises what the channel raises, and Conflict for a channel that does not write to addresses of e-mail.
    """
    identifier = CHANNELS.get(channel.kind).identifier
    if identifier != "email":
        raise Conflict(
            f"`{channel.channel}` writes to a `{identifier}`, and staff have only an e-mail address",
            help="try it with a person of your own: one who has such an identifier",
        )
    message = OutgoingMessage(
        delivery_id=name,
        address=to,
        subject=TEST + rendered.subject,
        text=rendered.text,
        html=rendered.html,
        at=at,
    )
    return open_channel(channel.kind, channel.options).send(message)


def links_in(page: str) -> tuple[str, ...]:
    """Where the links of a page lead, each once, in their order."""
    reader = _Links()
    reader.feed(page)
    reader.close()
    return tuple(dict.fromkeys(reader.found))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href")
        if tag == "a" and address:
            self.found.append(address)


def _render(desk: Desk, asked: Asked) -> tuple[TemplateDefinition, Rendered, tuple[Variable, ...], str | None]:
    definition = desk.applied.get("template", asked.template)
    model: TemplateDefinition = definition.model
    source = source_in(model, definition.companions, asked.language)
    try:
        names = wanted(source)
    except BadTemplate as fault:
        return model, Rendered(subject="", text=""), (), str(fault)
    own: Mapping[str, Any] = {}
    if asked.person is not None:
        profile = locate(desk.warehouse, desk.viewer, asked.person)

        def opening(keys: Iterable[str]) -> Mapping[str, str]:
            return masks.seen(desk.vault, desk.viewer, keys, clear=asked.clear)

        if not personal.refusing(
            desk.warehouse, [profile]
        ):  # who refused personal content is shown what they would get
            own = values_of(desk.warehouse, opening, [profile], names).get(profile, {})
    given = desk.brand.given(asked.language)
    variables = tuple(
        Variable(
            name=name,
            value=given.get(name) if name in GIVEN else None if own.get(name) is None else str(own[name]),
            given=name in GIVEN,
            missing=name not in GIVEN and own.get(name) is None,
        )
        for name in sorted(names)
    )
    try:
        return model, render(source, {**own, **given}), variables, None
    except BadTemplate as fault:
        return model, Rendered(subject="", text=""), variables, str(fault)


def _preview(model: TemplateDefinition, applied: Applied, language: str, variables: Iterable[Variable]) -> str:
    source = source_in(model, applied.get("template", model.template).companions, language)
    alone = msgspec.structs.replace(source, subject=source.preview, preview="", body="", form="text")
    try:
        return render(alone, {each.name: each.value for each in variables if each.value is not None}).subject
    except BadTemplate:
        return ""


def _warnings(
    model: TemplateDefinition, applied: Applied, brand: Brand, rendered: Rendered, names: set[str]
) -> Iterable[str]:
    if is_marketing(applied, model.template) and "unsubscribe_url" not in names:
        yield "no_unsubscribe"
    if is_marketing(applied, model.template) and ("postal_address" not in names or not brand.postal_address):
        yield "no_address"
    if len(rendered.subject) > LONG_SUBJECT:
        yield "long_subject"
    if missing_languages(model):
        yield "missing_language"
    if len(rendered.html.encode()) > LARGE:
        yield "large"


def is_marketing(applied: Applied, template: str) -> bool:
    """Whether a journey for marketing sends it; one that nobody sends yet is taken for marketing."""
    purposes = {
        journey.purpose
        for journey in applied.of("journey")
        for _, step in walk(journey.steps)
        if step.send is not None and step.send.template == template
    }
    return not purposes or "marketing" in purposes


_EXAMPLE = """
select p.profile_id
from profiles p left join (
  select profile_id, max(created_at) as told from deliveries where template = $template group by profile_id
) d on d.profile_id = p.profile_id
where ($units::bigint[] is null or list_contains($units::bigint[], p.unit_id))
order by d.told desc nulls last, p.last_seen desc, p.profile_id limit 1
"""
