"""Listing: what a list says of each person beside who they are, for a page of people at once.

Reads   `identifiers`, `moved`, `traits`, `tags`, when events were, and the vault's masks

Whoever calls has already left only people whom the viewer may see. Contact values come masked,
always: a list never shows one in clear.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlglot import exp

from spira.collect import places
from spira.kernel.viewer import Viewer
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import masks
from spira.unify.portrait import says
from spira.unify.subjects import OF_EACH

ORDER = "Order Completed"
CONTACTS = ("phone", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for beside what every list has: the last purchase, and the values of some tags."""

    orders: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a list says of one person."""

    phone: str | None = says("their telephone number, masked to its last four digits; none without one")
    email: str | None = says("their address of email, masked to its first letter; none without one")
    last_order_at: datetime | None = says("when they last bought something; none when it was not asked for")
    tags: Mapping[str, Any] = says("the values of the tags that were asked for")


def beside(
    warehouse: Warehouse, vault: Vault, viewer: Viewer, profiles: Sequence[int], wanted: Wanted
) -> Mapping[int, Beside]:
    """What a list says of each of `profiles`."""
    if not profiles:
        return {}
    asked = {"profiles": list(profiles)}
    found = warehouse.query(_CONTACTS, asked | {"contacts": list(CONTACTS)})
    contacts = {(who, kind): key for who, kind, key in found}
    shown = masks.seen(vault, viewer, contacts.values(), clear=False)
    orders: dict[int, datetime] = {}
    if wanted.orders:
        mine: dict[int, int] = dict(warehouse.query(_MINE, asked))
        for subject, at in places.last(warehouse, list(mine), ORDER).items():
            orders[mine[subject]] = max(at, orders.get(mine[subject], at))
    tags = _tags(warehouse, profiles, wanted.tags)
    return {
        who: Beside(
            phone=shown.get(contacts.get((who, "phone"), "")),
            email=shown.get(contacts.get((who, "email"), "")),
            last_order_at=orders.get(who),
            tags=tags.get(who, {}),
        )
        for who in profiles
    }


def contact_key(warehouse: Warehouse, profile: int, kind: str) -> str | None:
    """The vault's key of the address in use of one kind; None when the person has none."""
    asked = {"profiles": [profile], "contacts": [kind]}
    return next((key for _, _, key in warehouse.query(_CONTACTS, asked)), None)


def _tags(warehouse: Warehouse, profiles: Sequence[int], names: Sequence[str]) -> Mapping[int, Mapping[str, Any]]:
    """The values of those of the tags that have been worked out."""
    computed = warehouse.columns("tags")
    known = [name for name in dict.fromkeys(names) if name in computed]
    if not known:
        return {}
    query = exp.select("profile_id", *(exp.column(name, quoted=True) for name in known)).from_("tags")
    query = query.where("profile_id in (select unnest($profiles::bigint[]))", dialect="duckdb")
    found = warehouse.query(query.sql(dialect="duckdb"), {"profiles": list(profiles)})
    return {who: dict(zip(known, values, strict=True)) for who, *values in found}


# The address in use, chosen as the gate chooses it: the one told as a trait, else the newest.
_CONTACTS = f"""
with {OF_EACH}
select ours.profile_id, one.kind,
       arg_max(one.subject_key, (trait.vault_key is not null, one.first_seen, one.subject_id))
from ours join identifiers one using (subject_id)
left join traits trait
  on trait.profile_id = ours.profile_id and trait.name = one.kind and trait.vault_key = one.subject_key
where one.kind in (select unnest($contacts::varchar[]))
group by ours.profile_id, one.kind
"""
_MINE = f"with {OF_EACH} select subject_id, profile_id from ours"
