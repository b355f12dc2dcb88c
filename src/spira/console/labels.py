"""What things defined in the workspace are called on screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from spira.console import formats
from spira.kernel.i18n import catalogue, choose
from spira.segment.tag_values import labels_of, written
from spira.server.core import AnyCore


def label_of(core: AnyCore, kind: str, name: str, language: str) -> str:
    """The label of an applied definition, or its name when it has none or is no longer applied."""
    found = core.applied.find(kind, name)
    return choose(getattr(found.model, "label", None), language, default=name) if found else name


def tag_value_words(core: AnyCore, language: str) -> Callable[[str, object], str]:
    """How a tag's value is said: by the label that its definition gives it, else as a value of its type."""
    workspace = core.settings.workspace

    def said(tag: str, value: object) -> str:
        if value is None:
            return formats.MISSING
        label = labels_of(core.applied, tag).get(written(value))
        if label is not None:
            return choose(label, language)
        if tag == "lifecycle":
            return catalogue("spira.console", language).get(f"lifecycle.{value}", str(value))
        if core.catalog.tags.get(tag) == "money":
            return formats.amount(float(str(value)), workspace.currency, language)
        return formats.value(value, language, workspace.zone)

    return said


def by_label(names: Iterable[str], labels: Mapping[str, str], language: str) -> list[str]:
    """Names in the order of what they are called, as a reader of the language looks for them."""
    return sorted(names, key=lambda name: place_of(labels.get(name, name), language))


def place_of(text: str, language: str) -> tuple[bytes | str, str]:
    """Where a text stands in a list: by letter, in Chinese by how its first characters are read."""
    plain = text.casefold()
    # The national standard has its 3,755 commonest characters in the order of their reading, after Latin letters.
    return (plain.encode("gb18030", "replace") if language == "zh-CN" else plain, text)
