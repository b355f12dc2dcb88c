"""Staff: who may sign in, their roles, and the part of the organisation they see.

Reads   `staff`, `units`
Writes  `staff`

A `Viewer` is made here and nowhere else for a person: their roles, and their unit with all
units below it. Staff without a unit belong to the root and see every profile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from spira.kernel.errors import Conflict, NotFound
from spira.kernel.i18n import LANGUAGES
from spira.kernel.ids import new_id
from spira.kernel.viewer import ROLES, Role, Viewer
from spira.server import passwords
from spira.server.errors import Unacceptable
from spira.server.preferences import PREFERENCES
from spira.server.secrets import hash_password
from spira.server.tables import HALF_SESSIONS, RECOVERY_CODES, SECOND_FACTORS, SESSIONS, SIGN_IN_LINKS, STAFF, TOKENS
from spira.storage.state import State
from spira.unify import units


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """One who may sign in. `language` and `theme` are None until chosen."""

    staff_id: str
    email: str
    name: str
    roles: frozenset[Role]
    unit_id: int | None
    password_hash: str | None
    language: str | None
    theme: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStaff:
    """What is needed to let somebody in."""

    email: str
    name: str
    roles: tuple[Role, ...]
    unit_id: int | None = None


def add_staff(state: State, new: NewStaff, *, at: datetime) -> Staff:
    """Let somebody in; they can't sign in before they set a password through a one-time link."""
    _check(new)
    staff_id = new_id("stf")
    row = {
        "staff_id": staff_id,
        "email": new.email.strip().lower(),
        "name": new.name.strip(),
        "roles": " ".join(sorted(set(new.roles))),
        "unit_id": new.unit_id,
        "created_at": at,
    }
    try:
        with state.write() as connection:
            connection.execute(sa.insert(STAFF).values(row))
    except sa.exc.IntegrityError:
        raise Conflict(f"somebody signs in as `{new.email}` already", help="use another address") from None
    return get_staff(state, staff_id)


def get_staff(state: State, staff_id: str) -> Staff:
    """The staff member with an id."""
    found = _select(state, STAFF.c.staff_id == staff_id)
    if found is None:
        raise NotFound("there is no such staff member")
    return found


def by_email(state: State, email: str) -> Staff | None:
    """The staff member who signs in with `email`, unless their access has ended."""
    return _select(state, STAFF.c.email == email.strip().lower(), STAFF.c.disabled_at.is_(None))


def names(state: State) -> dict[str, str]:
    """What staff are called, by their ids; those whose access has ended as well."""
    with state.read() as connection:
        return {row.staff_id: row.name for row in connection.execute(sa.select(STAFF.c.staff_id, STAFF.c.name))}


def set_password(state: State, staff_id: str, password: str, *, brand: str = "", keep: str | None = None) -> None:
    """Store a new password and end every session of its owner but the one with the hash `keep`.

    WeakPassword says what is wrong with one that would be guessed.
    """
    owner = get_staff(state, staff_id)
    passwords.check(password, own=(owner.email, owner.name, brand))
    hashed = hash_password(password)
    with state.write() as connection:
        connection.execute(sa.update(STAFF).where(STAFF.c.staff_id == staff_id).values(password_hash=hashed))
        ended = sa.delete(SESSIONS).where(SESSIONS.c.staff_id == staff_id, SESSIONS.c.session_hash != (keep or ""))
        connection.execute(ended)


def change_staff(state: State, staff_id: str, new: NewStaff) -> Staff:
    """Give somebody another name, other roles or another unit; Conflict for the last administrator.

    Someone must be left who may administer: with the role, without a unit, and able to sign in.
    """
    _check(new)
    _leave_an_administrator(state, staff_id, administers="administrator" in new.roles and new.unit_id is None)
    values = {"name": new.name.strip(), "roles": " ".join(sorted(set(new.roles))), "unit_id": new.unit_id}
    with state.write() as connection:
        connection.execute(sa.update(STAFF).where(STAFF.c.staff_id == staff_id).values(values))
    return get_staff(state, staff_id)


def end_access(state: State, staff_id: str, *, at: datetime) -> None:
    """Let somebody in no longer; what proves them and what they preferred ends. Conflict for the last administrator."""
    _leave_an_administrator(state, staff_id, administers=False)
    with state.write() as connection:
        connection.execute(sa.update(STAFF).where(STAFF.c.staff_id == staff_id).values(disabled_at=at))
        for table in (SESSIONS, HALF_SESSIONS, TOKENS, SIGN_IN_LINKS, SECOND_FACTORS, RECOVERY_CODES, PREFERENCES):
            connection.execute(sa.delete(table).where(table.c.staff_id == staff_id))


def set_preferences(state: State, staff_id: str, *, language: str | None, theme: str | None) -> None:
    """Keep the language and the theme that somebody chose; None leaves one as it is."""
    chosen = {name: value for name, value in (("language", language), ("theme", theme)) if value is not None}
    if chosen:
        with state.write() as connection:
            connection.execute(sa.update(STAFF).where(STAFF.c.staff_id == staff_id).values(chosen))


def viewer_of(state: State, staff: Staff, *, language: str) -> Viewer:
    """The staff member as one who asks: their unit and all below it, or everything for the root."""
    below = None if staff.unit_id is None else units.below(state, staff.unit_id)
    return Viewer(
        staff_id=staff.staff_id,
        name=staff.name,
        roles=staff.roles,
        units=below,
        language=staff.language if staff.language in LANGUAGES else language,
    )


def roles_of(names: Iterable[str]) -> tuple[Role, ...]:
    """Roles by name; Unacceptable for a word that is none."""
    known = {role: role for role in ROLES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Unacceptable(f"`{unknown[0]}` is not a role", help=f"roles are: {', '.join(ROLES)}")
    return tuple(known[name] for name in names if name in known)


def _leave_an_administrator(state: State, staff_id: str, *, administers: bool) -> None:
    able = sa.select(STAFF.c.staff_id, STAFF.c.roles).where(
        STAFF.c.disabled_at.is_(None), STAFF.c.unit_id.is_(None), STAFF.c.password_hash.is_not(None)
    )
    with state.read() as connection:
        rows = connection.execute(able).all()
    administrators = {row.staff_id for row in rows if "administrator" in row.roles.split()}
    if not administers and administrators == {staff_id}:
        raise Conflict(
            "this is the last administrator of the whole brand", help="make somebody else an administrator first"
        )


def _check(new: NewStaff) -> None:
    if "@" not in new.email or not new.name.strip():
        raise Unacceptable("staff need a name and an e-mail address to sign in with")
    if not new.roles:
        raise Unacceptable("staff need at least one role", help=f"roles are: {', '.join(ROLES)}")


def _select(state: State, *conditions: sa.ColumnElement[bool]) -> Staff | None:
    with state.read() as connection:
        row = connection.execute(sa.select(STAFF).where(*conditions)).mappings().first()
    if row is None:
        return None
    return Staff(
        staff_id=row["staff_id"],
        email=row["email"],
        name=row["name"],
        roles=frozenset(roles_of(row["roles"].split())),
        unit_id=row["unit_id"],
        password_hash=row["password_hash"],
        language=row["language"],
        theme=row["theme"],
    )
