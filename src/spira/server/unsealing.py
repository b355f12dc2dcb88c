"""Reasons: why somebody of the staff looks at a contact value, asked of the roles that the settings name."""

from __future__ import annotations

from spira.collect.personal import scrubbed
from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore
from spira.server.errors import Unacceptable

SHORTEST, LONGEST = 4, 300


def is_owed(core: AnyCore, viewer: Viewer) -> bool:
    """Whether the viewer has to say why before contact values are shown."""
    return viewer.unmasks and bool(viewer.roles & set(core.settings.security.reason_roles))


def given(core: AnyCore, viewer: Viewer, reason: str) -> dict[str, str]:
    """The reason as the audit keeps it, without addresses and numbers; Unacceptable where one is owed and missing."""
    text = written(reason, owed=is_owed(core, viewer), missing="say why the value is needed")
    return {"reason": text} if text else {}


def written(reason: str, *, owed: bool, missing: str) -> str:
    """A reason as it is kept, without addresses and numbers; Unacceptable says `missing` where one is owed and is."""
    text = scrubbed(" ".join(reason.split()), str)[:LONGEST]
    if owed and len(text) < SHORTEST:
        raise Unacceptable(missing, help="give a reason in a few words; it is written down")
    return text
