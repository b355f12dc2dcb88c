"""What addresses and forms name: a profile by its outside id, an instant as people write it."""

from __future__ import annotations

from datetime import datetime

from spira.kernel.clock import local, parse_instant, utc
from spira.kernel.errors import NotFound
from spira.kernel.ids import BadId, read_profile
from spira.server.core import AnyCore
from spira.server.errors import Unacceptable


def profile_of(shown_id: str) -> int:
    """The profile that an outside id names."""
    try:
        return read_profile(shown_id)
    except BadId:
        raise NotFound(f"there is no profile `{shown_id[:40]}`", help="search for the person") from None


def instant(core: AnyCore, written: str | None) -> datetime | None:
    """An instant as it is asked for; one without an offset is of the workspace's zone. Unacceptable if it is none."""
    if not written:
        return None
    try:
        told = datetime.fromisoformat(written)
        if told.tzinfo is not None:
            return parse_instant(written)
        offset = local(told, core.settings.workspace.zone).tzinfo
        return utc(told.replace(tzinfo=offset))
    except (ValueError, OverflowError):
        raise Unacceptable(
            f"`{written[:40]}` is no instant",
            help="write it as 2026-03-01T12:00:00Z, or 2026-03-01 12:00 in local time",
        ) from None
