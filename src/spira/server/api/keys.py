"""`/api/keys`: which key seals now, what older ones still seal, and changing it without stopping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar import get, post

from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.roles import ADMINISTER, whole
from spira.server.wire import plain
from spira.storage import resealing
from spira.storage.keys import add_sealing_key
from spira.worker.upkeep import logs_of, old_segments


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysView:
    """The keys by number; never a key."""

    current: int = field(metadata={"help": "the number of the key that seals now"})
    older: tuple[int, ...] = field(metadata={"help": "the numbers of the keys before it, which old backups need"})
    waiting: Mapping[str, int] = field(
        metadata={"help": "how many values of each column, and segments of the log, an older key still seals"}
    )
    fingerprint: str = field(metadata={"help": "tells this workspace's keys from another's"})


def view(core: AnyCore) -> KeysView:
    """How the keys stand."""
    keys = core.keys
    return KeysView(
        current=keys.current,
        older=tuple(sorted(set(keys.sealing) - {keys.current})),
        waiting=_waiting(core),
        fingerprint=keys.fingerprint,
    )


def _waiting(core: AnyCore) -> dict[str, int]:
    old = sum(len(old_segments(each, core.keys.current)) for each in logs_of(core.directory))
    return resealing.waiting(core.state, core.keys) | ({"log": old} if old else {})


def rotate(core: AnyCore, viewer: Viewer) -> KeysView:
    """Seal with a new key from now on; the ticks to come seal the rest again, slice by slice."""
    with core.exclusive():
        core.keys.adopt(add_sealing_key(core.directory))
        audit(core, viewer, "keys.rotate", str(core.keys.current))
    return view(core)


@get("/api/keys", opt=whole(ADMINISTER), sync_to_thread=True)
def show_keys(core: Core) -> dict[str, Any]:
    """Which key seals now, and how many values older ones still seal."""
    return plain(view(core))  # type: ignore[no-any-return]


@post("/api/keys/rotate", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def rotate_keys(core: Core, viewer: Asking) -> dict[str, Any]:
    """Seal with a new key from now on; what older ones sealed stays readable, and is sealed again by and by."""
    return plain(rotate(core, viewer))  # type: ignore[no-any-return]


ROUTES = [show_keys, rotate_keys]
