"""Masks: what of a sealed value the one who asks may see.

Reads   `vault`

There is one table of masks, here: the last four digits of a telephone number, the first letter
of anything else. Clear values are given only where the caller names who is to be told of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spira.kernel.viewer import Viewer
from spira.storage.vault import Mask, Vault

HIDDEN = "***"


def masked(mask: Mask) -> str:
    """A value as those may see it who may not see it."""
    if mask.last4 and mask.kind == "phone":
        return HIDDEN + mask.last4
    return mask.initial + HIDDEN


def seen(vault: Vault, viewer: Viewer, vault_keys: Iterable[str | None], *, clear: bool) -> Mapping[str, str]:
    """Each value as `viewer` sees it: in clear only when `clear` is asked for and the role allows it."""
    keys = {key for key in vault_keys if key is not None}
    if not keys:
        return {}
    if clear and viewer.unmasks:
        return vault.open(keys)
    return {key: masked(mask) for key, mask in vault.masks(keys).items()}
