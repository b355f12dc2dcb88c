"""Short links: addresses for posters, posts and guides' cards that say what led somebody here.

Reads   `short_links` (state)
Writes  `short_links` (state)   one row per link

A link carries a campaign, a touchpoint, a unit, a member of staff or a person who recommends. Where
it leads was stored when it was made and is nobody's to say afterwards: no address can be handed in
with a visit. One that ended or whose time is over leads nowhere. Codes are small letters and
digits without look-alikes, so that they can be typed from paper; their case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import sqlalchemy as sa

from spira.collect.arrivals import CODE
from spira.kernel.clock import Clock
from spira.kernel.errors import Conflict, NotFound, SpiraError
from spira.kernel.ids import new_id
from spira.storage.state import State, state_table

SHORT_LINKS = state_table(
    "short_links",
    sa.Column("code", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("target", sa.String(2_000), nullable=False),
    sa.Column("campaign", sa.String(100)),
    sa.Column("medium", sa.String(64)),
    sa.Column("touchpoint", sa.String(64)),
    sa.Column("unit_id", sa.Integer),
    sa.Column("staff_id", sa.String),
    sa.Column("referred_by", sa.String(15)),
    sa.Column("subject_key", sa.String(32), index=True),
    sa.Column("created_at", sa.DateTime, nullable=False),
    sa.Column("created_by", sa.String, nullable=False),
    sa.Column("expires_at", sa.DateTime),
    sa.Column("ended_at", sa.DateTime),
    stage="collect.links",
    person="subject_key",
    holds="which person recommends by a short link",
)
PREFIX = "/r/"
LONGEST_TARGET = 1_800  # what is appended must still fit what browsers take
_LENGTH = 7
RESERVED = frozenset({"new"})  # addresses of the console beside those of the links
_TRIES = 8
_SAFE = "%/:=&?~#+!$,;'@()*[]"
_BAD = re.compile(r"[\s\x00-\x1f\x7f\\<>\"^`{|}]")


class BadLink(SpiraError):
    """A link that can't be made: its target, its code or its words."""

    code = "E007"
    status = 422


class LinkOver(SpiraError):
    """A link that ended, or whose time is over."""

    code = "E004"
    status = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One short link."""

    code: str = field(metadata={"help": "what stands behind /r/"})
    name: str = field(metadata={"help": "what people call it"})
    target: str = field(metadata={"help": "where it leads"})
    campaign: str | None = field(default=None, metadata={"help": "the campaign it belongs to"})
    medium: str | None = field(default=None, metadata={"help": "what it stands on: poster, card, post…"})
    touchpoint: str | None = field(default=None, metadata={"help": "where brand and person meet by it"})
    unit_id: int | None = field(default=None, metadata={"help": "the unit it hangs in; its visitors belong there"})
    staff_id: str | None = field(default=None, metadata={"help": "the member of staff whose card it is"})
    referred_by: str | None = field(default=None, metadata={"help": "the person who recommends by it"})
    created_at: datetime = field(metadata={"help": "when it was made"})
    created_by: str = field(metadata={"help": "who made it"})
    expires_at: datetime | None = field(default=None, metadata={"help": "from when on it leads nowhere"})
    ended_at: datetime | None = field(default=None, metadata={"help": "when it was ended"})

    def leads(self, at: datetime) -> bool:
        """Whether it leads anywhere at an instant."""
        return self.ended_at is None and (self.expires_at is None or at < self.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """A link to make. `subject_key` is the key of the person who recommends, so that erasing them ends it."""

    target: str
    name: str = ""
    code: str = ""
    campaign: str | None = None
    medium: str | None = None
    touchpoint: str | None = None
    unit_id: int | None = None
    staff_id: str | None = None
    referred_by: str | None = None
    subject_key: str | None = None
    expires_at: datetime | None = None


def add(state: State, clock: Clock, new: NewLink, *, by: str, host: str = "") -> Link:
    """Make a link; `host` is this server's own, to which no link may lead back by another link."""
    now = clock.now()
    row = _checked(new, host=host, at=now) | {"created_at": now, "created_by": by}
    if new.code:
        row["code"] = checked_code(new.code)
        if not _insert(state, row):
            raise Conflict(f"there already is a link with the code `{row['code']}`", help="choose another code")
        return get(state, row["code"])
    for _ in range(_TRIES):
        row["code"] = new_id("")[1 : 1 + _LENGTH]
        if _insert(state, row):
            return get(state, row["code"])
    raise Conflict("no free code was found", help="try again, or choose a code yourself")


def change(state: State, clock: Clock, code: str, values: Mapping[str, Any], *, host: str = "") -> Link:
    """Give a link another name, target or time; what is printed goes on being good."""
    known = get(state, code)
    kept = {each.name: getattr(known, each.name) for each in fields(NewLink) if hasattr(known, each.name)}
    row = _checked(NewLink(**(kept | dict(values))), host=host, at=clock.now(), fresh="expires_at" in values)
    _update(state, code, {name: row[name] for name in ("name", "target", "expires_at")})
    return get(state, code)


def end(state: State, clock: Clock, code: str) -> Link:
    """Let a link lead nowhere from now on. What came by it stays."""
    if get(state, code).ended_at is None:
        _update(state, code, {"ended_at": clock.now()})
    return get(state, code)


def get(state: State, code: str) -> Link:
    """The link of a code, whatever its case; NotFound when there is none."""
    found = _select(state, SHORT_LINKS.c.code == code.lower()[:41])
    if not found:
        raise NotFound(f"there is no link `{code[:40]}`", help="the list of links has their codes")
    return found[0]


def leading(state: State, code: str, *, at: datetime) -> Link:
    """The link of a code that leads somewhere; LinkOver when its time is over."""
    link = get(state, code)
    if not link.leads(at):
        raise LinkOver("this link is no longer in use", help="ask whoever gave it to you")
    return link


def every(state: State, *, staff_id: str | None = None) -> list[Link]:
    """All links, or those of one member of staff; the newest first, those that ended too."""
    return _select(state, *([] if staff_id is None else [SHORT_LINKS.c.staff_id == staff_id]))


def checked_code(written: str) -> str:
    """A code as somebody chose it; BadLink for what can't be one."""
    code = written.strip().lower()
    if not re.fullmatch(CODE, code) or len(code) < 3:
        raise BadLink(f"`{written[:40]}` can't be a code", help="3 to 40 small letters, digits, `-` and `_`")
    if code in RESERVED:
        raise BadLink(
            f"no link can have the code `{code}`: the console has its own page at /links/{code}",
            help="choose another code",
        )
    return code


def checked_target(written: str, *, host: str = "") -> str:
    """Where a link may lead, ready for a header; BadLink for anything but a page of the web."""
    text = written.strip()
    try:
        parts = urlsplit(text)
        name = (
            (parts.hostname or "").encode("idna").decode() if not (parts.hostname or "").isascii() else parts.hostname
        )
        port = parts.port
    except (ValueError, UnicodeError):
        raise _bad_target(text) from None
    if parts.scheme.lower() not in ("http", "https") or not name or "@" in parts.netloc or _BAD.search(text):
        raise _bad_target(text)
    where = f"[{name}]" if ":" in name else name
    netloc = where if port is None else f"{where}:{port}"
    if host and netloc.lower() == host.lower() and parts.path.startswith(PREFIX):
        raise BadLink("a link can't lead to another link", help="give the page that the other one leads to")
    made = urlunsplit(
        (
            parts.scheme.lower(),
            netloc.lower(),
            quote(parts.path, safe=_SAFE),
            quote(parts.query, safe=_SAFE),
            quote(parts.fragment, safe=_SAFE),
        )
    )
    if len(made) > LONGEST_TARGET:
        raise BadLink(f"the target is longer than {LONGEST_TARGET} characters")
    return made


def _bad_target(text: str) -> BadLink:
    return BadLink(
        f"`{text[:80]}` is no page that a link can lead to", help="write an address such as https://shop.example/spring"
    )


def _checked(new: NewLink, *, host: str, at: datetime, fresh: bool = True) -> dict[str, Any]:
    """The row of a link, its code apart; BadLink for the first thing that is wrong."""
    row: dict[str, Any] = {each.name: getattr(new, each.name) for each in fields(NewLink) if each.name != "code"}
    row["target"] = checked_target(new.target, host=host)
    for name, longest in (("name", 120), ("campaign", 100), ("medium", 64), ("touchpoint", 64)):
        text = " ".join((row[name] or "").split())
        if len(text) > longest:
            raise BadLink(f"the {name} has more than {longest} characters")
        row[name] = text or None
    row["name"] = row["name"] or row["campaign"] or urlsplit(row["target"]).netloc[:120]
    if fresh and row["expires_at"] is not None and row["expires_at"] <= at:
        raise BadLink("the link would be over before it began", help="choose a day to come, or none")
    return row


def _insert(state: State, row: dict[str, Any]) -> bool:
    try:
        with state.write() as connection:
            connection.execute(sa.insert(SHORT_LINKS).values(row))
    except sa.exc.IntegrityError:
        return False
    return True


def _update(state: State, code: str, values: dict[str, Any]) -> None:
    with state.write() as connection:
        connection.execute(sa.update(SHORT_LINKS).where(SHORT_LINKS.c.code == code.lower()).values(values))


def _select(state: State, *conditions: sa.ColumnElement[bool]) -> list[Link]:
    columns = [SHORT_LINKS.c[each.name] for each in fields(Link)]
    order = (SHORT_LINKS.c.created_at.desc(), SHORT_LINKS.c.code)
    with state.read() as connection:
        rows = connection.execute(sa.select(*columns).where(*conditions).order_by(*order)).mappings().all()
    return [Link(**row) for row in rows]
