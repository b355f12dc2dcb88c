"""Calls: what came to each hook of late, and why it was refused.

Reads   `hook_calls`   (state)
Writes  `hook_calls`   one row per hook: its latest calls and how many were answered how, sealed

What was accepted is in the log and what could not be mapped in quarantine; this is for whoever sets
a hook up and wonders why nothing arrives. It holds no body, and what is written no word of one: why
a call could not be mapped may quote it, and stands in quarantine, where erasing finds it. A thread
writes what is new every few seconds, so a call costs no write; a crash loses these seconds.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from spira.collect.writing import Writing
from spira.kernel.errors import StorageDamaged
from spira.storage.keys import Keys
from spira.storage.resealing import sealed_column
from spira.storage.sealing import seal, unseal
from spira.storage.state import State, state_table, upsert

LATEST = 50
SEEN = 50_000  # nonces that are remembered
KEPT = timedelta(days=90)  # after which the calls of a hook that is silent are forgotten
WRITE_EVERY = 5.0  # seconds
_log = logging.getLogger("spira.collect")

HOOK_CALLS = state_table(
    "hook_calls",
    sa.Column("hook", sa.String(100), primary_key=True),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    stage="collect.intake",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookCall:
    """One call of a hook, as it was answered."""

    number: int = field(metadata={"help": "its number among the hook's calls"})
    at: datetime = field(metadata={"help": "when it came"})
    status: int = field(metadata={"help": "what was answered"})
    code: str = field(metadata={"help": "ok, ignored, duplicate, quarantined, bad_signature, stale…"})
    detail: str = field(metadata={"help": "why, in words"})
    events: int = field(metadata={"help": "how many calls it became"})
    size: int = field(metadata={"help": "how many bytes its body had"})


@dataclass(slots=True)
class _OfHook:
    """What is remembered of one hook: the latest calls, newest first, and how all were answered."""

    latest: deque[HookCall] = field(default_factory=lambda: deque(maxlen=LATEST))
    codes: Counter[str] = field(default_factory=Counter)


class _Written(msgspec.Struct):
    latest: list[HookCall]
    codes: dict[str, int]


class HookCalls:
    """The latest calls by hook, how they were answered, and the nonces that were seen.

    With a state and the keys it remembers the calls from one start to the next; `close` writes what is left.
    """

    def __init__(self, state: State | None = None, keys: Keys | None = None) -> None:
        self._lock, self._flushing = threading.Lock(), threading.Lock()
        self._seen: dict[tuple[str, str], datetime] = {}
        self._store = (state, keys) if state is not None and keys is not None else None
        self._hooks: dict[str, _OfHook] = _read(*self._store) if self._store else {}
        self._new: set[str] = set()
        self._writing = Writing(
            self.flush,
            lambda: bool(self._new),
            self._lock,
            every=WRITE_EVERY,
            name="hook-calls",
            failed="calls of hooks could not be written down",
        )

    def note(self, hook: str, *, at: datetime, status: int, code: str, detail: str, events: int, size: int) -> None:
        """Write one down."""
        with self._lock:
            known = self._hooks.setdefault(hook, _OfHook())
            known.codes[code] += 1
            number = known.codes.total()
            known.latest.appendleft(
                HookCall(number=number, at=at, status=status, code=code, detail=detail, events=events, size=size)
            )
            self._new.add(hook)
            if self._store:
                self._writing.begin()

    def latest(self, hook: str) -> tuple[HookCall, ...]:
        """The latest calls of a hook, newest first."""
        with self._lock:
            return tuple(self._hooks[hook].latest) if hook in self._hooks else ()

    def codes(self, hook: str) -> dict[str, int]:
        """How a hook's calls were answered, by code."""
        with self._lock:
            return dict(sorted(self._hooks[hook].codes.items())) if hook in self._hooks else {}

    def was_seen(self, hook: str, nonce: str, *, at: datetime) -> bool:
        """Whether a proven call came before, within the time for which it would be good."""
        with self._lock:
            until = self._seen.get((hook, nonce))
        return until is not None and at < until

    def remember(self, hook: str, nonce: str, *, until: datetime) -> None:
        """Keep a nonce; when there are too many, the oldest are forgotten, for which message ids stand in."""
        with self._lock:
            self._seen[hook, nonce] = until
            while len(self._seen) > SEEN:
                del self._seen[next(iter(self._seen))]

    def flush(self) -> None:
        """Write the hooks that were called."""
        with self._flushing:
            with self._lock:
                names, self._new = self._new, set()
                told = {name: _shown(self._hooks[name]) for name in names}
            if told and self._store:
                try:
                    _keep(*self._store, told)
                except BaseException:
                    with self._lock:
                        self._new |= names
                    raise

    def close(self) -> None:
        """Wait for the writing thread, and write the rest."""
        self._writing.close()


def _shown(known: _OfHook) -> _Written:
    """What may be written: of a call that could not be mapped only that it could not."""
    latest = [replace(each, detail="") if each.code == "quarantined" else each for each in known.latest]
    return _Written(latest=latest, codes=dict(known.codes))


def _keep(state: State, keys: Keys, told: dict[str, _Written]) -> None:
    rows = [
        {
            "hook": name,
            "at": each.latest[0].at,
            "sealed": seal(keys, msgspec.json.encode(each), context=_context(name)),
        }
        for name, each in told.items()
    ]
    newest = max(each.latest[0].at for each in told.values())
    with state.write() as connection:
        upsert(connection, HOOK_CALLS, rows)
        connection.execute(sa.delete(HOOK_CALLS).where(HOOK_CALLS.c.at < newest - KEPT))


def _read(state: State, keys: Keys) -> dict[str, _OfHook]:
    """What was written; a row that can't be opened is no reason not to start."""
    found = {}
    with state.read() as connection:
        rows = connection.execute(sa.select(HOOK_CALLS)).all()
    for row in rows:
        try:
            told = msgspec.json.decode(unseal(keys, row.sealed, context=_context(row.hook)), type=_Written)
        except (StorageDamaged, msgspec.MsgspecError) as fault:
            _log.warning("the latest calls of the hook %s can't be read: %s", row.hook, fault)
            continue
        found[row.hook] = _OfHook(latest=deque(told.latest, maxlen=LATEST), codes=Counter(told.codes))
    return found


def _context(hook: str) -> bytes:
    return f"hook_calls:{hook}".encode()


sealed_column(HOOK_CALLS, "sealed", lambda row: _context(row["hook"]))
