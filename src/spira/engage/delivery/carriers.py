"""Carriers: who carries a channel's messages for us, which of them abroad, and whose data they get by it.

Reads   the settings `rights.processors` and `rights.abroad_people`, `identifiers`
Writes  `shared_people` (state)   whose data went to whom in which calendar year, as for lists (`unify.recipients`)

A channel may name a recipient of the record of processing, its provider. Where data is kept in China and the provider
is abroad, its messages need a consent of their own (PIPL 39): marketing needs the person's word for it, other messages
stop at their refusal, and what a contract needs, `transactional`, is neither asked about nor counted, as the rules of
2024 on data that leaves the country have it. Who is not counted yet gets nothing from abroad when as many people as may
were written to this year; whoever was counted costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from spira.engage.channels.definition import ChannelDefinition
from spira.kernel.clock import local
from spira.kernel.settings import RightsSettings
from spira.storage.state import State
from spira.storage.warehouse import Warehouse
from spira.unify import recipients

NO_LIST = ""  # in the place of a list's mark: a provider knows an address, and has no list to look it up in
UNASKED = "transactional"


def abroad(channels: Iterable[ChannelDefinition], rights: RightsSettings) -> frozenset[str]:
    """The names of the channels whose messages need a consent of their own to go abroad."""
    names = asking(rights)
    return frozenset(each.channel for each in channels if each.recipient in names)


def asking(rights: RightsSettings) -> frozenset[str]:
    """The names of the recipients to whom data goes only with a consent of its own."""
    return frozenset(each.name for each in recipients.every(rights) if each.asks)


def year_of(
    state: State, rights: RightsSettings, *, at: datetime, zone: str
) -> Callable[[Sequence[str]], frozenset[str]]:
    """What answers which people, by their keys and the first ones first, no longer fit into the year of an instant."""

    def beyond(keys: Sequence[str]) -> frozenset[str]:
        return recipients.beyond(state, rights, keys, at=at, zone=zone)

    return beyond


def note(
    state: State,
    warehouse: Warehouse,
    channel: ChannelDefinition,
    rights: RightsSettings,
    people: Sequence[int],
    *,
    at: datetime,
    zone: str,
) -> None:
    """Write down whose data the provider of a channel is about to get; `people` are profiles. Twice is once."""
    to = next((each for each in recipients.every(rights) if each.name == channel.recipient), None)
    if to is None or not people:
        return
    keys = sorted(key for (key,) in warehouse.query(_KEYS, {"people": list(people)}))
    with state.write() as connection:
        recipients.note(connection, to, keys, year=local(at, zone).year, export_id=NO_LIST, sensitive=False)


_KEYS = "select subject_key from identifiers where list_contains($people::bigint[], subject_id)"
