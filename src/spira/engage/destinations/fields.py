"""Fields: what of a person leaves, as a definition writes it.

id                the profile, `p_…`
user_id           the brand's own id of the person
since             since when they are in the audience
email, phone      the address in clear
sha256(email)     its hash, as advertisers match by: trimmed and in lower case; a phone number in the form of E.164
trait.NAME        a clear trait
tag.NAME          a tag
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from spira.collect.identifiers import normalise

Part = Literal["id", "user_id", "since", "contact", "trait", "tag"]
CONTACTS = ("email", "phone")
PLAIN: tuple[Part, ...] = ("id", "user_id", "since")
_HASHED = re.compile(r"sha256\(\s*(\w+)\s*\)")
FORMS = "id, user_id, since, email, phone, sha256(email), sha256(phone), trait.NAME or tag.NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value that leaves: `called` is its name at the destination, `name` that of the contact, trait or tag."""

    called: str
    part: Part
    name: str = ""
    hashed: bool = False

    @property
    def is_contact(self) -> bool:
        """Whether it is an address, in clear or hashed."""
        return self.part == "contact"

    @property
    def is_key(self) -> bool:
        """Whether somebody who left can be named by it."""
        return self.part in ("id", "user_id") or self.hashed

    def shown(self, value: str | None) -> str | None:
        """A contact's value as it leaves."""
        if value is None or not self.hashed:
            return value
        written = normalise(self.name, value)
        return None if written is None else hashlib.sha256(written.encode()).hexdigest()


def read_field(called: str, written: str) -> Field | None:
    """One field of a definition; None for a text that is none."""
    text = written.strip()
    for part in PLAIN:
        if text == part:
            return Field(called=called, part=part)
    hashed = _HASHED.fullmatch(text)
    contact = hashed.group(1) if hashed else text
    if contact in CONTACTS:
        return Field(called=called, part="contact", name=contact, hashed=hashed is not None)
    kind, dot, name = text.partition(".")
    if dot and name and kind in ("trait", "tag"):
        return Field(called=called, part="trait" if kind == "trait" else "tag", name=name)
    return None
