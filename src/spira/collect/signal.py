"""Signal: Global Privacy Control, the browser's own word that nothing of its person may be sold or shared.

A browser that sends `Sec-GPC: 1` opts its person out of two purposes: `sale_or_sharing`, and `personalised_ads`.
The word becomes a `Consent Withdrawn` for the identifier that a call names, beside the call itself and as durable.
It is said once for an identifier, by a message id that is made of it: who later agrees to a purpose, knowing of
the signal, is not refused again by the next page they look at (CCPA regulations, section 7025).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from spira.collect.calls import BATCH, Call, Fault, identity
from spira.collect.envelope import Accepted, OwnEvent
from spira.collect.identifiers import VISIT

HEADER = b"sec-gpc"
SALE, ADS = "sale_or_sharing", "personalised_ads"
PURPOSES = (SALE, ADS)
EVERY = "all"  # the channel of a word that is about no single channel
METHOD = "gpc"
_WITHDRAWN = "Consent Withdrawn"
_MOST_KEPT = 100_000  # identifiers whose word this process remembers to have written
Named = tuple[str, str]  # the call's name of the identifier, and its value


class Signals:
    """Whose words this process has written already; forgetting one costs a record that says nothing new."""

    def __init__(self) -> None:
        self._said: OrderedDict[tuple[str, Named], None] = OrderedDict()

    def record(self, source: str, calls: Sequence[Call | Fault], at: datetime) -> tuple[Accepted, list[Named]] | None:
        """The record that opts out whoever is named by the calls for the first time; None when nobody is."""
        fresh = [each for each in named(calls) if (source, each) not in self._said]
        if not fresh:
            return None
        told = [_call(each, purpose) for each in fresh for purpose in PURPOSES]
        return Accepted(source, at, BATCH, msgspec.json.encode({"batch": told})), fresh

    def said(self, source: str, people: Iterable[Named]) -> None:
        """Their words are durable."""
        for each in people:
            self._said[source, each] = None
        while len(self._said) > _MOST_KEPT:
            self._said.popitem(last=False)


def is_on(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request carries the signal: `1` and nothing else, as its specification says."""
    return headers.get(HEADER, b"").strip() == b"1"


def named(calls: Sequence[Call | Fault]) -> list[Named]:
    """Whom calls are about, each once: by their own id where one is told, else by their browser's."""
    found: dict[Named, None] = {}
    for call in calls:
        if isinstance(call, Call):
            user, anonymous = identity(call.user_id), identity(call.anonymous_id)
            if user is not None:
                found["userId", user] = None
            elif anonymous is not None and not VISIT.fullmatch(anonymous):  # one opening of a link is no person
                found["anonymousId", anonymous] = None
    return list(found)


def own_events(subject_id: int, at: datetime, touchpoint: str) -> list[OwnEvent]:
    """The same words of a subject that is known by its number, as a public page hears them."""
    return [
        OwnEvent(
            message_id=f"{METHOD}-{purpose}-{subject_id}",
            event=_WITHDRAWN,
            at=at,
            subject_id=subject_id,
            touchpoint=touchpoint,
            properties=_properties(purpose),
        )
        for purpose in PURPOSES
    ]


def _call(whom: Named, purpose: str) -> dict[str, object]:
    name, value = whom
    mark = hashlib.sha256(f"{name}\0{value}".encode()).hexdigest()[:32]
    return {
        "type": "track",
        "event": _WITHDRAWN,
        "messageId": f"{METHOD}-{purpose}-{mark}",
        name: value,
        "properties": _properties(purpose),
    }


def _properties(purpose: str) -> dict[str, str]:
    return {"purpose": purpose, "channel": EVERY, "consent_method": METHOD, "consent_proof": "Sec-GPC: 1"}
