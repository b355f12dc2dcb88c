"""`/api/settings`: every setting with its meaning, and changing those that the console may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import get, post
from litestar.params import FromPath, JSONBody

from spira.kernel.errors import NotFound
from spira.kernel.settings import Settings
from spira.kernel.settings_file import SettingsView, described, is_live, rewrite, taken_up
from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.roles import ADMINISTER, whole
from spira.server.wire import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class NewValues:
    """What settings of a section are to be, by their names."""

    values: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What a change did."""

    changed: tuple[str, ...]
    at_next_start: tuple[str, ...]


def view(core: AnyCore) -> SettingsView:
    """Every setting."""
    return described(core.settings, core.directory)


def change(core: AnyCore, viewer: Viewer, section: str, values: Mapping[str, Any]) -> Changed:
    """Write settings of one section; what may change while the server runs holds from now on."""
    if section not in Settings.model_fields:
        raise NotFound(f"there is no section `{section}`", help="GET /api/settings lists them")
    with core.exclusive():
        written, changed = rewrite(core.directory, section, values)
        core.settings = taken_up(core.settings, written, section, changed)
    if changed:
        audit(core, viewer, "settings.change", section, names=list(changed))
    return Changed(changed=changed, at_next_start=tuple(each for each in changed if not is_live(section, each)))


@get("/api/settings", opt=whole(ADMINISTER), sync_to_thread=True)
def show_settings(core: Core) -> dict[str, Any]:
    """Every setting: its value, its default, what it is for, and what will hold from the next start."""
    return plain(view(core))  # type: ignore[no-any-return]


@post("/api/settings/{section:str}", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def change_settings(core: Core, viewer: Asking, section: FromPath[str], data: JSONBody[NewValues]) -> dict[str, Any]:
    """Change settings of `workspace`, `security` or `worker`; the answer says which wait for the next start."""
    return plain(change(core, viewer, section, data.values))  # type: ignore[no-any-return]


ROUTES = [show_settings, change_settings]
