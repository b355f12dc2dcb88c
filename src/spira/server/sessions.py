"""Sessions, tokens and one-time links: how one who asks proves who they are.

Reads   `sessions`, `tokens`, `sign_in_links`, `staff`
Writes  `sessions`, `tokens`, `sign_in_links`, when staff were last seen

Only hashes are stored; a session or token is named by the beginning of its hash. A one-time link
works once. When something was last used is written at most once a minute. Time here is the machine's, never the
workspace's clock: a demo that jumps sixty days must not sign anybody out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from spira.kernel.errors import NotFound
from spira.kernel.ids import new_secret
from spira.server import attempts
from spira.server.errors import NotSignedIn
from spira.server.secrets import digest, password_matches
from spira.server.staff import Staff, by_email, get_staff
from spira.server.tables import SESSIONS, SIGN_IN_LINKS, STAFF, TOKENS
from spira.storage.state import State
from spira.unify.facts import Scope

LINK_LIFE = timedelta(days=3)
SEEN_EVERY = timedelta(minutes=1)
_NAME = 16  # characters of a hash that name a session or a token


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to sign in. `origin` is where it came from; `allowed` how many failures are borne."""

    email: str
    password: str
    origin: str
    allowed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a session is used: browser and system, and the network address without its last part."""

    agent: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """One session of somebody."""

    id: str = field(metadata={"help": "names it; it opens nothing"})
    agent: str | None = field(metadata={"help": "browser and system"})
    origin: str | None = field(metadata={"help": "network address, its last part hidden"})
    created_at: datetime = field(metadata={"help": "when they signed in"})
    last_seen_at: datetime | None = field(metadata={"help": "when it was last used, to the minute"})
    expires_at: datetime = field(metadata={"help": "when it ends by itself"})
    this: bool = field(metadata={"help": "whether it is the one that asks"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """One API token of somebody."""

    id: str = field(metadata={"help": "names it; it opens nothing"})
    name: str = field(metadata={"help": "what its maker called it"})
    created_at: datetime = field(metadata={"help": "when it was made"})
    last_used_at: datetime | None = field(metadata={"help": "when it was last used, to the minute"})
    expires_at: datetime | None = field(metadata={"help": "when it ends by itself; none is never"})
    scope: Scope | None = field(
        metadata={"help": "the facts of people that are all it may read; none is no such bound"}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Whom a token acts for, what it is bound to, and until when it is good."""

    staff: Staff
    scope: Scope | None
    until: datetime | None


NOWHERE = Place()


def sign_in(state: State, attempt: Attempt, *, at: datetime) -> Staff:
    """The staff member whose password this is; failures are counted by origin and by address."""
    whence = (f"from:{attempt.origin}", f"as:{attempt.email.strip().lower()}")
    attempts.refuse_more(state, whence, allowed=attempt.allowed, at=at)
    staff = by_email(state, attempt.email)
    if not password_matches(staff.password_hash if staff else None, attempt.password) or staff is None:
        attempts.count(state, whence, at=at)
        raise NotSignedIn("the address or the password is wrong", help="try again, or ask for a sign-in link")
    return staff


def open_session(state: State, staff_id: str, *, at: datetime, hours: int, place: Place = NOWHERE) -> str:
    """A new session's secret; sessions that have ended are swept out on the way."""
    secret = new_secret()
    row = {
        "session_hash": digest(secret),
        "staff_id": staff_id,
        "created_at": at,
        "expires_at": at + timedelta(hours=hours),
        "agent": place.agent,
        "origin": place.origin,
        "last_seen_at": at,
    }
    with state.write() as connection:
        connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.expires_at < at))
        connection.execute(sa.insert(SESSIONS).values(row))
        connection.execute(sa.update(STAFF).where(STAFF.c.staff_id == staff_id).values(last_seen_at=at))
    return secret


def close_session(state: State, secret: str) -> None:
    """End one session."""
    with state.write() as connection:
        connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.session_hash == digest(secret)))


def close_others(state: State, staff_id: str, *, but: str | None) -> int:
    """End every session of somebody but the one with the secret `but`; how many ended."""
    kept = digest(but) if but else ""
    with state.write() as connection:
        mine = sa.delete(SESSIONS).where(SESSIONS.c.staff_id == staff_id, SESSIONS.c.session_hash != kept)
        return int(connection.execute(mine).rowcount)


def close_named(state: State, staff_id: str, name: str) -> None:
    """End one session of somebody by its name."""
    _drop(state, SESSIONS, SESSIONS.c.session_hash, staff_id, name)


def sessions_of(state: State, staff_id: str, *, at: datetime, this: str | None = None) -> tuple[SessionView, ...]:
    """Somebody's sessions, the latest first."""
    mine = sa.select(SESSIONS).where(SESSIONS.c.staff_id == staff_id, SESSIONS.c.expires_at >= at)
    with state.read() as connection:
        rows = connection.execute(mine.order_by(SESSIONS.c.created_at.desc())).mappings().all()
    mark = digest(this) if this else ""
    columns = ("agent", "origin", "created_at", "last_seen_at", "expires_at")
    return tuple(
        SessionView(id=_name(row["session_hash"]), this=row["session_hash"] == mark, **{c: row[c] for c in columns})
        for row in rows
    )


def staff_of_session(state: State, secret: str, *, at: datetime, idle_minutes: int = 0) -> Staff | None:
    """Whose session this is, unless it is over, was left alone for too long, or their access has ended."""
    mine = SESSIONS.c.session_hash == digest(secret)
    row = _owned(state, SESSIONS, SESSIONS.c.last_seen_at, mine, SESSIONS.c.expires_at >= at)
    if row is None:
        return None
    seen = row["last_seen_at"]
    if idle_minutes and seen is not None and at - seen > timedelta(minutes=idle_minutes):
        close_session(state, secret)
        return None
    if seen is None or at - seen >= SEEN_EVERY:
        with state.write() as connection:
            connection.execute(sa.update(SESSIONS).where(mine).values(last_seen_at=at))
            connection.execute(sa.update(STAFF).where(STAFF.c.staff_id == row["staff_id"]).values(last_seen_at=at))
    return get_staff(state, row["staff_id"])


def make_token(
    state: State, staff_id: str, *, name: str, at: datetime, days: int | None = None, scope: Scope | None = None
) -> str:
    """A new API token of a staff member, bound to the `scope` if there is one; shown once and stored by its hash."""
    secret = "spt_" + new_secret()
    row = {
        "token_hash": digest(secret),
        "staff_id": staff_id,
        "name": name,
        "created_at": at,
        "expires_at": None if days is None else at + timedelta(days=days),
        "scope": None if scope is None else msgspec.json.encode(scope).decode(),
    }
    with state.write() as connection:
        connection.execute(sa.insert(TOKENS).values(row))
    return secret


def tokens_of(state: State, staff_id: str) -> tuple[TokenView, ...]:
    """Somebody's API tokens, the latest first."""
    mine = sa.select(TOKENS).where(TOKENS.c.staff_id == staff_id).order_by(TOKENS.c.created_at.desc())
    with state.read() as connection:
        rows = connection.execute(mine).mappings().all()
    columns = ("name", "created_at", "last_used_at", "expires_at")
    return tuple(
        TokenView(id=_name(row["token_hash"]), scope=_scope(row["scope"]), **{c: row[c] for c in columns})
        for row in rows
    )


def revoke_token(state: State, staff_id: str, name: str) -> None:
    """End one token of somebody by its name."""
    _drop(state, TOKENS, TOKENS.c.token_hash, staff_id, name)


def staff_of_token(state: State, secret: str, *, at: datetime) -> Staff | None:
    """Whose token this is, unless it is over or their access has ended."""
    found = bearer(state, secret, at=at)
    return None if found is None else found.staff


def bearer(state: State, secret: str, *, at: datetime) -> Bearer | None:
    """Whom a token acts for, unless it is over or their access has ended."""
    mine = TOKENS.c.token_hash == digest(secret)
    good = sa.or_(TOKENS.c.expires_at.is_(None), TOKENS.c.expires_at >= at)
    row = _owned(state, TOKENS, TOKENS.c.last_used_at, mine, good, more=(TOKENS.c.scope, TOKENS.c.expires_at))
    if row is None:
        return None
    if row["last_used_at"] is None or at - row["last_used_at"] >= SEEN_EVERY:
        with state.write() as connection:
            connection.execute(sa.update(TOKENS).where(mine).values(last_used_at=at))
    return Bearer(staff=get_staff(state, row["staff_id"]), scope=_scope(row["scope"]), until=row["expires_at"])


def make_link(state: State, staff_id: str, *, at: datetime) -> str:
    """The secret of a new one-time sign-in link, good for three days; older ones of the same person end."""
    get_staff(state, staff_id)
    secret = new_secret()
    row = {"link_hash": digest(secret), "staff_id": staff_id, "created_at": at, "expires_at": at + LINK_LIFE}
    with state.write() as connection:
        connection.execute(sa.delete(SIGN_IN_LINKS).where(SIGN_IN_LINKS.c.staff_id == staff_id))
        connection.execute(sa.insert(SIGN_IN_LINKS).values(row))
    return secret


def staff_of_link(state: State, secret: str, *, at: datetime) -> Staff | None:
    """Whom a sign-in link is for, while it is good; looking does not use it up."""
    good = (SIGN_IN_LINKS.c.link_hash == digest(secret), SIGN_IN_LINKS.c.expires_at >= at)
    row = _owned(state, SIGN_IN_LINKS, SIGN_IN_LINKS.c.created_at, *good)
    return get_staff(state, row["staff_id"]) if row else None


def use_link(state: State, secret: str, *, at: datetime) -> Staff:
    """Use a sign-in link up; of two who try at once, one succeeds."""
    staff = staff_of_link(state, secret, at=at)
    with state.write() as connection:
        used = connection.execute(sa.delete(SIGN_IN_LINKS).where(SIGN_IN_LINKS.c.link_hash == digest(secret)))
    if staff is None or used.rowcount != 1:
        raise NotSignedIn("this sign-in link is used up or too old", help="ask an administrator for a new one")
    return staff


def _owned(
    state: State,
    table: sa.Table,
    column: sa.Column[datetime],
    *conditions: sa.ColumnElement[bool],
    more: Sequence[sa.Column[Any]] = (),
) -> sa.RowMapping | None:
    joined = table.join(STAFF, STAFF.c.staff_id == table.c.staff_id)
    query = (
        sa.select(STAFF.c.staff_id, column, *more).select_from(joined).where(*conditions, STAFF.c.disabled_at.is_(None))
    )
    with state.read() as connection:
        return connection.execute(query).mappings().first()


def _drop(state: State, table: sa.Table, column: sa.Column[str], staff_id: str, name: str) -> None:
    mine = (table.c.staff_id == staff_id, sa.func.substr(column, 1, _NAME) == name)
    with state.write() as connection:
        if connection.execute(sa.delete(table).where(*mine)).rowcount != 1:
            raise NotFound("it is over already", help="reload the page")


def _name(hashed: str) -> str:
    return hashed[:_NAME]


def _scope(told: str | None) -> Scope | None:
    return None if told is None else msgspec.json.decode(told, type=Scope)
