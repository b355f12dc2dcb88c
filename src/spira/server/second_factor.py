"""The second factor: codes of six digits that a telephone makes (TOTP, RFC 6238), and codes for when it is lost.

Reads   `second_factors`, `recovery_codes`
Writes  `second_factors`, `recovery_codes`, `half_sessions`

What makes the codes is sealed with the workspace's keys. A code counts in its half minute and in the
one before and after, and once: the step it belongs to must be later than the last one used. Recovery
codes are stored by hash and used up. Nothing is asked of somebody before they have confirmed a first code.
"""

from __future__ import annotations

import re
from base64 import b32encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa
from pyotp import TOTP

from spira.kernel.errors import Conflict
from spira.kernel.ids import new_secret
from spira.server import attempts
from spira.server.errors import NotSignedIn
from spira.server.secrets import digest, same
from spira.server.staff import Staff, get_staff
from spira.server.tables import HALF_SESSIONS, RECOVERY_CODES, SECOND_FACTORS, STAFF
from spira.storage.keys import Keys
from spira.storage.resealing import sealed_column
from spira.storage.sealing import seal, unseal
from spira.storage.state import State, upsert

STEP_SECONDS = 30
DRIFT = 1
RECOVERY_CODES_MADE = 10
HALF_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorView:
    """How it stands with somebody's second factor."""

    on: bool = field(metadata={"help": "whether a code is asked for at sign-in"})
    since: datetime | None = field(default=None, metadata={"help": "since when"})
    recovery_left: int = field(default=0, metadata={"help": "recovery codes that are not used up"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code that was typed. `origin` is where it came from; `allowed` how many failures are borne."""

    text: str
    origin: str
    allowed: int


def has_factor(state: State, staff_id: str) -> bool:
    """Whether a code is asked for when they sign in."""
    return view(state, staff_id).on


def view(state: State, staff_id: str) -> FactorView:
    """How it stands with somebody's second factor."""
    since = sa.select(SECOND_FACTORS.c.confirmed_at).where(SECOND_FACTORS.c.staff_id == staff_id)
    left = sa.select(sa.func.count()).where(RECOVERY_CODES.c.staff_id == staff_id)
    with state.read() as connection:
        confirmed = connection.execute(since).scalar()
        if confirmed is None:
            return FactorView(on=False)
        return FactorView(on=True, since=confirmed, recovery_left=connection.execute(left).scalar_one())


def begin(state: State, keys: Keys, staff_id: str, *, at: datetime) -> str:
    """The secret to enrol with; the same again within a quarter of an hour, so that a page can be reloaded."""
    if has_factor(state, staff_id):
        raise Conflict("there is a second factor already", help="turn it off first")
    with state.read() as connection:
        query = sa.select(SECOND_FACTORS).where(SECOND_FACTORS.c.staff_id == staff_id)
        row = connection.execute(query).mappings().first()
    if row and row["made_at"] > at - timedelta(minutes=15):
        return _opened(keys, staff_id, row["sealed"])
    secret = b32encode(sha256(new_secret().encode()).digest()[:20]).decode()
    made = {
        "staff_id": staff_id,
        "sealed": seal(keys, secret.encode(), context=_context(staff_id)),
        "made_at": at,
        "confirmed_at": None,
        "last_step": 0,
    }
    with state.write() as connection:
        upsert(connection, SECOND_FACTORS, [made])
    return secret


def address_of(secret: str, *, email: str, brand: str) -> str:
    """What the QR code says: an `otpauth:` address that telephones understand."""
    return TOTP(secret).provisioning_uri(name=email, issuer_name=brand)


def confirm(state: State, keys: Keys, staff_id: str, code: Code, *, at: datetime) -> tuple[str, ...]:
    """Turn the second factor on with a first code; ten recovery codes, told this once."""
    if has_factor(state, staff_id):
        raise Conflict("there is a second factor already", help="turn it off first")
    _guarded(state, keys, staff_id, code, at=at, recovery=False)
    with state.write() as connection:
        chosen = sa.update(SECOND_FACTORS).where(SECOND_FACTORS.c.staff_id == staff_id)
        connection.execute(chosen.values(confirmed_at=at))
    return new_recovery_codes(state, staff_id)


def new_recovery_codes(state: State, staff_id: str) -> tuple[str, ...]:
    """Ten fresh recovery codes; those before no longer work."""
    texts = [
        b32encode(sha256(new_secret().encode()).digest()[:10]).decode().lower() for _ in range(RECOVERY_CODES_MADE)
    ]
    rows = [{"code_hash": _recovery_hash(staff_id, each), "staff_id": staff_id} for each in texts]
    with state.write() as connection:
        connection.execute(sa.delete(RECOVERY_CODES).where(RECOVERY_CODES.c.staff_id == staff_id))
        connection.execute(sa.insert(RECOVERY_CODES), rows)
    return tuple("-".join(each[place : place + 4] for place in range(0, 16, 4)) for each in texts)


def check(state: State, keys: Keys, staff_id: str, code: Code, *, at: datetime) -> None:
    """Use a code, or a recovery code, up; NotSignedIn for a wrong one, TooManyAttempts after some."""
    _guarded(state, keys, staff_id, code, at=at, recovery=True)


def turn_off(state: State, staff_id: str) -> None:
    """No code is asked for any longer."""
    with state.write() as connection:
        for table in (SECOND_FACTORS, RECOVERY_CODES, HALF_SESSIONS):
            connection.execute(sa.delete(table).where(table.c.staff_id == staff_id))


def open_half(state: State, staff_id: str, *, at: datetime) -> str:
    """The secret of one who gave the right password and owes a code; good for ten minutes."""
    secret = new_secret()
    row = {"half_hash": digest(secret), "staff_id": staff_id, "expires_at": at + HALF_LIFE}
    with state.write() as connection:
        connection.execute(sa.delete(HALF_SESSIONS).where(HALF_SESSIONS.c.expires_at < at))
        connection.execute(sa.insert(HALF_SESSIONS).values(row))
    return secret


def staff_of_half(state: State, secret: str, *, at: datetime) -> Staff | None:
    """Who owes a code."""
    joined = HALF_SESSIONS.join(STAFF, STAFF.c.staff_id == HALF_SESSIONS.c.staff_id)
    query = sa.select(STAFF.c.staff_id).select_from(joined)
    good = (
        HALF_SESSIONS.c.half_hash == digest(secret),
        HALF_SESSIONS.c.expires_at >= at,
        STAFF.c.disabled_at.is_(None),
    )
    with state.read() as connection:
        found = connection.execute(query.where(*good)).scalar()
    return get_staff(state, found) if found else None


def close_half(state: State, secret: str) -> None:
    """The code was given."""
    with state.write() as connection:
        connection.execute(sa.delete(HALF_SESSIONS).where(HALF_SESSIONS.c.half_hash == digest(secret)))


def step_of(at: datetime) -> int:
    """The half minute an instant lies in."""
    return int(at.replace(tzinfo=UTC).timestamp()) // STEP_SECONDS


def matched(secret: str, text: str, *, at: datetime) -> int | None:
    """The step whose code `text` is, of the present one and its neighbours; None when it is none of theirs."""
    now, totp = step_of(at), TOTP(secret)
    near = [step for step in range(now - DRIFT, now + DRIFT + 1) if step >= 0]
    hits = [step for step in near if same(totp.generate_otp(step), text)]
    return hits[-1] if hits else None


def _guarded(state: State, keys: Keys, staff_id: str, code: Code, *, at: datetime, recovery: bool) -> None:
    whence = (f"code:{staff_id}", f"code from:{code.origin}")
    attempts.refuse_more(state, whence, allowed=code.allowed, at=at)
    text = re.sub(r"[\s-]", "", code.text).lower()
    if not (_used(state, keys, staff_id, text, at=at) or (recovery and _recovered(state, staff_id, text))):
        attempts.count(state, whence, at=at)
        raise NotSignedIn("the code is wrong, or was used already", help="wait for the next one, and type that")


def _used(state: State, keys: Keys, staff_id: str, text: str, *, at: datetime) -> bool:
    """Whether the code is good and not used; of two who send it at once, one succeeds."""
    with state.write() as connection:
        query = sa.select(SECOND_FACTORS).where(SECOND_FACTORS.c.staff_id == staff_id)
        row = connection.execute(query).mappings().first()
        step = matched(_opened(keys, staff_id, row["sealed"]), text, at=at) if row else None
        if step is None:
            return False
        later = sa.update(SECOND_FACTORS).where(
            SECOND_FACTORS.c.staff_id == staff_id, SECOND_FACTORS.c.last_step < step
        )
        return connection.execute(later.values(last_step=step)).rowcount == 1


def _recovered(state: State, staff_id: str, text: str) -> bool:
    with state.write() as connection:
        chosen = RECOVERY_CODES.c.code_hash == _recovery_hash(staff_id, text)
        return connection.execute(sa.delete(RECOVERY_CODES).where(chosen)).rowcount == 1


def _opened(keys: Keys, staff_id: str, sealed: bytes) -> str:
    return unseal(keys, sealed, context=_context(staff_id)).decode()


def _context(staff_id: str) -> bytes:
    return f"second_factors:{staff_id}".encode()


def _recovery_hash(staff_id: str, text: str) -> str:
    return digest(f"recovery:{staff_id}:{text}")


sealed_column(SECOND_FACTORS, "sealed", lambda row: _context(row["staff_id"]))
