"""What things defined in the workspace are called on screen."""

from __future__ import annotations

from collections.abc import Callable

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
