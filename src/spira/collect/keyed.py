"""Keyed: a request parted by the people its calls are about, for a log that keeps the order of a key.

A call's key is the HMAC of its `userId`, or else of its `anonymousId`. Calls of one person stay in one
record in their order; what names nobody, or is no call, stays together. What a record can't be parted
by (odd JSON) is kept whole.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence

import msgspec

from spira.collect.calls import BATCH, BadBody, Call, Fault, identity, pieces, read_request
from spira.collect.envelope import Accepted, decode, encode
from spira.storage.keys import Keys
from spira.storage.log_kafka import Keyed, Split

_WHOLE = msgspec.json.Decoder(dict[str, msgspec.Raw])


def by_person(keys: Keys) -> Split:
    """How records are parted in a workspace with these keys."""

    def split(records: Sequence[bytes]) -> Iterable[Keyed]:
        for raw in records:
            record = decode(raw)
            yield from _parts(record, raw, keys) if isinstance(record, Accepted) else [(None, [raw])]

    return split


def _parts(record: Accepted, raw: bytes, keys: Keys) -> Iterable[Keyed]:
    """One record for each person of a request."""
    try:
        calls = read_request(record.body, record.via).calls
        groups: dict[bytes | None, list[int]] = {}
        for index, call in enumerate(calls):
            groups.setdefault(_key(call, keys), []).append(index)
        if len(groups) < 2 or record.via != BATCH:
            return [(next(iter(groups), None), [raw])]
        whole = _WHOLE.decode(record.body.removeprefix(BOM_UTF8))
    except (BadBody, msgspec.MsgspecError):
        return [(None, [raw])]
    texts = pieces(record.body, record.via)
    return [(key, [encode(_with(record, whole, [texts[each] for each in own]))]) for key, own in groups.items()]


def _with(record: Accepted, whole: dict[str, msgspec.Raw], texts: Sequence[bytes]) -> Accepted:
    body = msgspec.json.encode({**whole, "batch": [msgspec.Raw(each) for each in texts]})
    return msgspec.structs.replace(record, body=body)


def _key(call: Call | Fault, keys: Keys) -> bytes | None:
    if isinstance(call, Call):
        for kind, written in (("user_id", call.user_id), ("anonymous_id", call.anonymous_id)):
            if (value := identity(written)) is not None:
                return keys.subject_key(kind, value).encode()
    return None
