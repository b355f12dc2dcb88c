"""Export: an audience's members as the rows of a sheet, for a purpose that is named.

Reads   `members`, `profiles`, `tags`, and what reach reads

For writing to people (marketing, service, transactional) only those leave whom the chosen kind of
channel may write to for that purpose. Names are masked always. An address is there only for a role
that may see it, on an explicit wish, and then only the one that the channel would use. Whoever
calls writes down that it was taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlglot import exp

from spira.collect import signal
from spira.engage import reach, sharing
from spira.engage.sheets import sheet
from spira.kernel.clock import iso
from spira.kernel.errors import Conflict, NotAllowed
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import masks, people

MOST = 100_000
LOT = 1_000
ANALYSIS = "analysis"
MESSAGING = ("marketing", "service", "transactional")
FOR_OTHERS = signal.PURPOSES
PURPOSES = (ANALYSIS, *MESSAGING, *FOR_OTHERS)
FIRST = ("id", "name", "unit", "since")
ADDRESS, MARK = "address", "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted: for which purpose and channel, with which tags, and whether with addresses."""

    audience: str
    purpose: str
    channel: str = ""
    tags: tuple[str, ...] = ()
    contacts: bool = False
    recipient: str = ""  # who else gets the list; empty for one that stays in the house
    mark: str = ""  # in each row of a list with addresses, so that a leak tells where it came from

    @property
    def columns(self) -> tuple[str, ...]:
        """The heads of the sheet."""
        return (*FIRST, *self.tags, *((ADDRESS, MARK) if self.contacts else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Who leaves: profile, since when, the address if one is wanted; `left_out` are beyond the most."""

    rows: tuple[tuple[int, datetime, str | None], ...]
    left_out: int


def checked(wish: Wish, viewer: Viewer, *, kinds: Sequence[str], tags: Iterable[str]) -> Wish:
    """The wish if it may be granted; Conflict or NotAllowed say why not."""
    if wish.purpose not in PURPOSES:
        raise Conflict("say what the list is for", help=f"choose one of: {', '.join(PURPOSES)}")
    if wish.purpose in MESSAGING and wish.channel not in kinds:
        raise Conflict("say by which channel people will be written to", help=f"choose one of: {', '.join(kinds)}")
    if wish.purpose in FOR_OTHERS and not wish.recipient:
        raise Conflict("say who gets the list", help="choose a recipient of the record of processing")
    unknown = sorted(set(wish.tags).difference(tags))
    if unknown:
        raise Conflict(f"there is no tag `{unknown[0]}` to add", help="choose among those that are applied")
    if wish.contacts and not viewer.unmasks:
        raise NotAllowed("this role does not see addresses", help="leave them out, or ask a privacy officer")
    if wish.contacts and wish.purpose not in MESSAGING:
        raise Conflict("addresses are only for writing to people", help="choose what they will be written to for")
    return wish


def may_leave(
    own: exp.Select, viewer: Viewer, purpose: str, channel: str, rules: reach.Rules, *, recipient: str = ""
) -> tuple[exp.Select, dict[str, Any]]:
    """Those of `own`, a select of `profile_id`, who may leave for a purpose, and the parameters that it takes.

    Every list and every destination asks by it. Columns: `profile_id`, and `address_key`, which is null but for
    writing to people. Whom the viewer does not see is not among them, nor who did not agree that their data goes abroad
    where `recipient` is.
    """
    if recipient in rules.asking:
        own = sharing.let_abroad(own, purpose)
    if purpose in MESSAGING:
        return reach.reachable(own), reach.bound(viewer, channel, purpose, rules)
    of = sharing.shareable(own, rules, purpose) if purpose in FOR_OTHERS else own
    scope = people.scope(viewer)
    if scope is not None:
        seen = exp.select("profiles.profile_id").from_("profiles").where(scope)
        of = of.where(exp.column("profile_id").isin(query=seen))
    return of.select(exp.alias_(exp.null(), "address_key")), {}


def chosen(lane: Warehouse, viewer: Viewer, wish: Wish, rules: reach.Rules) -> Chosen:
    """The members who leave, the latest first, at most `MOST`."""
    own = exp.select("profile_id").from_("members").where("audience = $audience", dialect="duckdb")
    of, bound = may_leave(own, viewer, wish.purpose, wish.channel, rules, recipient=wish.recipient)
    asked = {**bound, "audience": wish.audience, "most": MOST}
    found = lane.query(_CHOSEN.format(chosen=of.sql(dialect="duckdb")), asked)
    everyone = int(found[0][3]) if found else 0
    return Chosen(rows=tuple((row[0], row[1], row[2]) for row in found), left_out=everyone - len(found))


def lines(
    lane: Warehouse,
    vault: Vault,
    viewer: Viewer,
    wish: Wish,
    lot: Sequence[tuple[int, datetime, str | None]],
    *,
    units: Mapping[int, str],
) -> str:
    """A lot of the chosen as lines of CSV; without any, the line of heads."""
    if not lot:
        return sheet([wish.columns])
    shown = {row.id: row for row in people.rows(lane, vault, viewer, [profile for profile, _, _ in lot])}
    values = _values(lane, wish.tags, [profile for profile, _, _ in lot])
    keys = [key for _, _, key in lot] if wish.contacts else []
    addresses = masks.seen(vault, viewer, keys, clear=True)
    rows = []
    for profile, since, key in lot:
        person = shown.get(show_profile(profile))
        if person is None:
            continue
        unit = units.get(person.unit_id, "") if person.unit_id is not None else ""
        row = [person.id, person.name, unit, iso(since), *values.get(profile, ("",) * len(wish.tags))]
        rows.append([*row, addresses.get(key or "", ""), wish.mark] if wish.contacts else row)
    return sheet(rows)


def _values(lane: Warehouse, tags: Sequence[str], profiles: Sequence[int]) -> dict[int, tuple[object, ...]]:
    if not tags:
        return {}
    columns = [exp.column(name, quoted=True) for name in tags]
    select = exp.select("profile_id", *columns).from_("tags")
    select = select.where("profile_id in (select unnest($profiles::bigint[]))", dialect="duckdb")
    found = lane.query(select.sql(dialect="duckdb"), {"profiles": list(profiles)})
    return {row[0]: tuple(row[1:]) for row in found}


_CHOSEN = """
with leaving as ({chosen})
select profile_id, since, leaving.address_key, count(*) over () as everyone
from leaving join members using (profile_id) join profiles using (profile_id)
where members.audience = $audience
order by since desc, profile_id limit $most
"""
