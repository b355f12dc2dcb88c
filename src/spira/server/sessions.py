"""Sessions, tokens and one-time links: how one who asks proves who they are.

Reads   `sessions`, `tokens`, `sign_in_links`, `sign_in_failures`, `staff`
Writes  `sessions`, `tokens`, `sign_in_links`, `sign_in_failures`

Only hashes are stored. A one-time link works once. Time here is the machine's, never the
workspace's clock: a demo that jumps sixty days must not sign anybody out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from spira.kernel.ids import new_secret
from spira.server.errors import NotSignedIn, TooManyAttempts
from spira.server.secrets import digest, password_matches
from spira.server.staff import Staff, by_email, get_staff
from spira.server.tables import SESSIONS, SIGN_IN_FAILURES, SIGN_IN_LINKS, STAFF, TOKENS
from spira.storage.state import State

LINK_LIFE = timedelta(days=3)
FAILURE_WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to sign in. `origin` is where it came from; `allowed` how many failures are borne."""

    email: str
    password: str
    origin: str
    allowed: int


def sign_in(state: State, attempt: Attempt, *, at: datetime) -> Staff:
    """The staff member whose password this is; failures are counted by origin and by address."""
    origins = (digest(f"from:{attempt.origin}"), digest(f"as:{attempt.email.strip().lower()}"))
    if any(_failures(state, origin, at) >= attempt.allowed for origin in origins):
        raise TooManyAttempts("too many failed sign-ins", help="wait fifteen minutes, or ask for a sign-in link")
    staff = by_email(state, attempt.email)
    if not password_matches(staff.password_hash if staff else None, attempt.password) or staff is None:
        with state.write() as connection:
            connection.execute(sa.delete(SIGN_IN_FAILURES).where(SIGN_IN_FAILURES.c.at < at - FAILURE_WINDOW))
            connection.execute(sa.insert(SIGN_IN_FAILURES), [{"origin": origin, "at": at} for origin in origins])
        raise NotSignedIn("the address or the password is wrong", help="try again, or ask for a sign-in link")
    return staff


def open_session(state: State, staff_id: str, *, at: datetime, hours: int) -> str:
    """A new session's secret; sessions that have ended are swept out on the way."""
    secret = new_secret()
    row = {
        "session_hash": digest(secret),
        "staff_id": staff_id,
        "created_at": at,
        "expires_at": at + timedelta(hours=hours),
    }
    with state.write() as connection:
        connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.expires_at < at))
        connection.execute(sa.insert(SESSIONS).values(row))
    return secret


def close_session(state: State, secret: str) -> None:
    """End one session."""
    with state.write() as connection:
        connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.session_hash == digest(secret)))


def staff_of_session(state: State, secret: str, *, at: datetime) -> Staff | None:
    """Whose session this is, unless it is over or their access has ended."""
    return _owner(state, SESSIONS, SESSIONS.c.session_hash == digest(secret), SESSIONS.c.expires_at >= at)


def make_token(state: State, staff_id: str, *, name: str, at: datetime) -> str:
    """A new API token of a staff member; it is shown once and stored by its hash."""
    secret = "spt_" + new_secret()
    row = {"token_hash": digest(secret), "staff_id": staff_id, "name": name, "created_at": at}
    with state.write() as connection:
        connection.execute(sa.insert(TOKENS).values(row))
    return secret


def staff_of_token(state: State, secret: str) -> Staff | None:
    """Whose token this is, unless their access has ended."""
    return _owner(state, TOKENS, TOKENS.c.token_hash == digest(secret))


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
    return _owner(state, SIGN_IN_LINKS, SIGN_IN_LINKS.c.link_hash == digest(secret), SIGN_IN_LINKS.c.expires_at >= at)


def use_link(state: State, secret: str, *, at: datetime) -> Staff:
    """Use a sign-in link up; of two who try at once, one succeeds."""
    staff = staff_of_link(state, secret, at=at)
    with state.write() as connection:
        used = connection.execute(sa.delete(SIGN_IN_LINKS).where(SIGN_IN_LINKS.c.link_hash == digest(secret)))
    if staff is None or used.rowcount != 1:
        raise NotSignedIn("this sign-in link is used up or too old", help="ask an administrator for a new one")
    return staff


def _owner(state: State, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> Staff | None:
    joined = table.join(STAFF, STAFF.c.staff_id == table.c.staff_id)
    query = sa.select(STAFF.c.staff_id).select_from(joined).where(*conditions, STAFF.c.disabled_at.is_(None))
    with state.read() as connection:
        found = connection.execute(query).scalar()
    return get_staff(state, found) if found else None


def _failures(state: State, origin: str, at: datetime) -> int:
    recent = sa.select(sa.func.count()).where(
        SIGN_IN_FAILURES.c.origin == origin, SIGN_IN_FAILURES.c.at >= at - FAILURE_WINDOW
    )
    with state.read() as connection:
        return int(connection.execute(recent).scalar_one())
