"""Kept: why a webhook's body lies in quarantine, as its mapping said when it came."""

from __future__ import annotations

import msgspec

from spira.collect.calls import Fault
from spira.collect.envelope import VIA_HOOK, Accepted


class _Kept(msgspec.Struct):
    faults: list[str] = []


def is_kept(record: Accepted) -> bool:
    """Whether a record is a body that could not be mapped."""
    return record.via.startswith(VIA_HOOK)


def unmapped(record: Accepted) -> Fault:
    """The fault of a body that could not be mapped."""
    return Fault("unmapped", f"{record.via}: {'; '.join(msgspec.json.decode(record.body, type=_Kept).faults)}")
