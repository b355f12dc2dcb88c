"""Unseal: one contact value of one person in clear, for a role that may see it.

Reads   `profiles`, `identifiers`, `moved`, `traits`, and the vault

A list stays masked; this opens a single value for whoever needs it to ring or to write, and the
caller is told first so that the showing is written down.
"""

from __future__ import annotations

from collections.abc import Callable

from spira.kernel.errors import NotAllowed, NotFound
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import people
from spira.unify.listing import CONTACTS, contact_key


def unseal(
    warehouse: Warehouse, vault: Vault, viewer: Viewer, profile_id: int, kind: str, *, on_show: Callable[[str], object]
) -> str:
    """The value in clear of the address in use; NotFound for a person whom the viewer may not see, or without one."""
    if not viewer.unmasks:
        raise NotAllowed("this role does not see addresses", help="ask a privacy officer")
    profile = people.locate(warehouse, viewer, profile_id)
    key = contact_key(warehouse, profile, kind) if kind in CONTACTS else None
    value = vault.open([key]).get(key) if key is not None else None
    if value is None:
        raise NotFound("this person has no such address", help=f"choose one of: {', '.join(CONTACTS)}")
    on_show(show_profile(profile))
    return value
