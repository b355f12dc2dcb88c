"""What things defined in the workspace are called on screen."""

from __future__ import annotations

from spira.kernel.i18n import choose
from spira.server.core import AnyCore


def label_of(core: AnyCore, kind: str, name: str, language: str) -> str:
    """The label of an applied definition, or its name when it has none or is no longer applied."""
    found = core.applied.find(kind, name)
    return choose(getattr(found.model, "label", None), language, default=name) if found else name
