"""Shown: what came in, as it may be looked at: contact values, network addresses and keys are taken out.

Whatever stands under a name that tells or reaches a person is masked as a whole; in all other
texts e-mail addresses and telephone numbers are. A `name` is a person's, unless it stands in
something that is none (a product, a campaign). What can't be read as JSON is not shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from spira.collect.identifiers import CONTACT
from spira.collect.properties import clean
from spira.collect.tracking import CONTACT_TRAITS

MASKED = "***"
LONGEST = 20_000  # characters of one call; the rest is cut
PHONE = "[phone]"
_MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
_THINGS = frozenset({"campaign", "app", "library", "os", "device", "network", "products", "product", "items"})
_SECRET = frozenset({"writekey", "password", "token", "authorization", "secret"})
_CONTACT = frozenset(
    each.replace("_", "").lower()
    for each in (*CONTACT, *CONTACT_TRAITS, "mobile", "tel", "telephone", "phone_number", "useragent", "user_agent")
) | {"birthday", "addresskey", *_SECRET}


def without_contacts(value: Any, contact: frozenset[str] = frozenset()) -> Any:
    """A JSON value without what tells or reaches a person; `contact` has more names that do."""
    names = _CONTACT | {_plain(each) for each in contact}
    return json.loads(clean(json.dumps(_masked(value, names)).encode()) or "null")


def call_shown(body: bytes, contact: frozenset[str] = frozenset()) -> str | None:
    """A call's text as it may be shown, a line for each part; None for what is no JSON object."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    try:
        text = json.dumps(without_contacts(told, contact), ensure_ascii=False, indent=2)
    except RecursionError:
        return None
    return text if len(text) <= LONGEST else text[:LONGEST] + "\n…"


def _masked(value: Any, names: frozenset[str], parent: str = "") -> Any:
    if isinstance(value, Mapping):
        hidden = names - {"name"} if parent in _THINGS or value.get("type") in ("page", "screen") else names
        return {key: _part(key, part, names, hidden) for key, part in value.items()}
    if isinstance(value, list):
        return [_masked(each, names, parent) for each in value]
    return PHONE if type(value) is int and _MOBILE.fullmatch(str(value)) else value


def _part(key: str, part: Any, names: frozenset[str], hidden: frozenset[str]) -> Any:
    plain = _plain(key)
    return MASKED if part is not None and plain in hidden else _masked(part, names, plain)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
