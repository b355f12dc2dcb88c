"""The kind `template`: what a message says, in each language, as Liquid within MJML, HTML or plain text.

template: we_miss_you
channel: email
subject: {zh-CN: "{{ name }}，好久不见", en: "{{ name }}, it has been a while"}
body: we_miss_you.mjml

The body lies in a file beside the definition; a language may have its own. Its ending says
what it is: `.mjml`, `.html`, or anything else for text. A template may name any tag and trait,
and `brand`, `postal_address`, `unsubscribe_url` and `preferences_url`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from spira.definitions.kinds import Definition, Kind, World, kind
from spira.definitions.model import DefinitionModel, Label, NameStr
from spira.engage.render import BadTemplate, Source, try_out, variables
from spira.kernel.diagnostics import Diagnostic, Span, did_you_mean
from spira.kernel.i18n import LANGUAGES, choose
from spira.segment.tags import idle_of

GIVEN = frozenset({"brand", "postal_address", "unsubscribe_url", "preferences_url", "public_url", "language"})


class TemplateDefinition(DefinitionModel):
    """One template."""

    template: NameStr = Field(description="The template's name.")
    label: Label | None = Field(default=None, description="What staff read.")
    channel: NameStr = Field(description="The channel it is written for.")
    subject: Label | None = Field(default=None, description="The subject, in Liquid; needed by e-mail.")
    preview: Label | None = Field(default=None, description="The line that inboxes show after the subject.")
    body: Label = Field(description="The file that holds the body, or one file for each language.")


def files(model: TemplateDefinition) -> tuple[str, ...]:
    """The body files that a template names."""
    return (model.body,) if isinstance(model.body, str) else tuple(dict.fromkeys(model.body.values()))


def languages(model: TemplateDefinition) -> tuple[str, ...]:
    """The languages that a template is written in; none when one text is for all."""
    written = {*_languages(model.subject), *_languages(model.body), *_languages(model.preview)}
    return tuple(each for each in LANGUAGES if each in written)


def missing_languages(model: TemplateDefinition) -> tuple[str, ...]:
    """The languages that a template written by language lacks in its subject or its body."""
    parts = [each for each in (model.subject, model.body) if isinstance(each, dict)]
    return tuple(language for language in LANGUAGES if any(language not in each for each in parts))


def source_in(model: TemplateDefinition, companions: Mapping[str, str], language: str) -> Source:
    """What the template says in `language`, ready to be rendered."""
    file = choose(model.body, language)
    return Source(
        name=model.template,
        subject=choose(model.subject, language),
        preview=choose(model.preview, language),
        body=companions.get(file, ""),
        form="mjml" if file.endswith(".mjml") else "html" if file.endswith((".html", ".htm")) else "text",
    )


def check(definition: Definition, world: World) -> Iterable[Diagnostic]:
    """Every body must read as Liquid and as MJML, in each language; an e-mail needs a subject."""
    model: TemplateDefinition = definition.model
    if model.subject is None and _is_email(model.channel, world):
        yield Diagnostic(code="D421", message="an e-mail needs a `subject`", at=definition.node.key_at("template"))
    languages = sorted({*_languages(model.subject), *_languages(model.body), *_languages(model.preview)}) or [""]
    seen: set[tuple[str, str]] = set()
    for language in languages:
        source = source_in(model, definition.companions, language)
        for part, text in (("subject", source.subject), ("preview", source.preview), ("body", source.body)):
            if (part, text) not in seen:
                seen.add((part, text))
                yield from _part(definition, world, source, part=part, language=language)


def _part(definition: Definition, world: World, source: Source, *, part: str, language: str) -> Iterable[Diagnostic]:
    path = (part, language) if isinstance(getattr(definition.model, part), dict) else (part,)
    at = definition.node.at(*path)
    try:
        try_out(source, part)
        named = variables(getattr(source, part))
    except BadTemplate as wrong:
        yield Diagnostic(code="D422", message=f"the {part} of `{source.name}` can't be rendered: {wrong}", at=at)
        return
    known = _known(world)
    for name in sorted(named - known) if known else ():
        yield Diagnostic(
            code="D423",
            message=f"`{name}` is neither a tag nor a trait",
            at=_within(definition, path, part, name) or at,
            help=did_you_mean(name, known),
        )


def _within(definition: Definition, path: tuple[str, ...], part: str, name: str) -> Span | None:
    """Where a name stands in the subject or preview; the body is another file."""
    text = definition.node.node(*path).value
    start = text.find(name) if part != "body" and isinstance(text, str) else -1
    return definition.node.inside(path, start, start + len(name)) if start >= 0 else None


def _known(world: World) -> frozenset[str]:
    """The names a template may use; none known means that there is no tracking plan to tell by."""
    plans = world.of("tracking")
    if not plans:
        return frozenset()
    traits = {name for each in plans for name in (getattr(each.model, "traits", None) or {})}
    idle = idle_of(each.model for each in world.of("tag"))
    return frozenset({*traits, *world.names("tag")}) - idle | GIVEN


def _is_email(channel: str, world: World) -> bool:
    found = world.get("channel", channel)
    return channel == "email" if found is None else found.model.kind == "email"


def _languages(label: Any) -> Iterable[str]:
    return label if isinstance(label, dict) else ()


TEMPLATE = kind(
    Kind(
        name="template",
        folder="templates",
        model=TemplateDefinition,
        check=check,
        references=lambda model: [("channel", model.channel)],
        text_fields=frozenset({"label", "subject", "preview", "body"}),
        companions=files,
        reserved=frozenset({"new"}),
    )
)
