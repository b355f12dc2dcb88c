"""People: whom a call is about, and what it says of them, with every contact value sealed.

The subject of a call is its user id, or else its anonymous id. Whatever else identifies the
same person in the same call is linked to it. Traits of an identify call are facts; a contact
trait is known outside the vault only by its key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from spira.collect.calls import Call, fields, identity
from spira.collect.identifier_rules import IdentifierRule, Kinds, carried
from spira.collect.identifiers import kind_of_anonymous, normalise
from spira.collect.properties import clean_value
from spira.collect.tracking import Plan, PropertyType
from spira.collect.typed import TICKS, WrongType, is_null, read
from spira.storage.keys import Keys
from spira.storage.sealing import seal
from spira.storage.vault import SealedValue, seal_value

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MOBILE = re.compile(r"(?:\+?86)?1[3-9]\d{9}")
SAME_CALL = "same call"  # the rule by which two ids of one call are linked
QUARANTINE = b"quarantine"  # the context in which bodies of quarantine are sealed


EXTERNAL = b'"externalIds"'


class _ExternalId(msgspec.Struct):
    id: str | int | None = None
    type: str = ""
    collection: str | None = None


class _Externals(msgspec.Struct, rename="camel"):
    external_ids: list[_ExternalId] = []


_EXTERNAL = msgspec.json.Decoder(_Externals)


class Identifier(msgspec.Struct, frozen=True):
    """One identifier: its kind, its key, and its value where that may be shown."""

    kind: str
    key: str
    value: str | None


class Trait(msgspec.Struct, frozen=True):
    """One trait as it was told; `value` and `vault_key` are both None when it was told to be nothing."""

    name: str
    value: str | None = None
    vault_key: str | None = None
    personal: tuple[str, ...] = ()  # kinds of what was taken out of the value


class Person(msgspec.Struct, frozen=True):
    """Whom a call is about: its subject, what was linked to that and by which rule, and traits."""

    subject: Identifier | None = None
    linked: tuple[tuple[Identifier, str], ...] = ()
    traits: tuple[Trait, ...] = ()


class Sealer:
    """Makes keys of identifiers and seals values, each one once."""

    def __init__(self, keys: Keys, plan: Plan) -> None:
        self._keys = keys
        self._plan = plan
        self._carried = carried(plan.identifiers)
        self._kinds = Kinds(plan.identifiers)
        self._known: dict[tuple[str, str], str] = {}
        self._seen: dict[tuple[str, str], Identifier] = {}
        self.sealed: dict[str, SealedValue] = {}

    def key(self, kind: str, value: str) -> str:
        """The key of an identifier, whose value is normalised here."""
        return self._key(kind, normalise(kind, value) or value)

    def _key(self, kind: str, normal: str) -> str:
        found = self._known.get((kind, normal))
        if found is None:
            found = self._known[kind, normal] = self._keys.subject_key(kind, normal)
        return found

    def body(self, text: bytes) -> bytes:
        """The body of a refused call, sealed."""
        return seal(self._keys, text, context=QUARANTINE)

    def person(self, call: Call, *context_traits: msgspec.Raw) -> Person:
        """Whom the call is about; WrongType for a trait that is not what the plan says."""
        user = self.opaque("user_id", call.user_id)
        anonymous = self.opaque("anonymous_id", call.anonymous_id)
        subject = user or anonymous
        linked = [(anonymous, SAME_CALL)] if user and anonymous else []
        if call.type == "alias" and (previous := self.opaque("anonymous_id", call.previous_id)):
            linked.append((previous, "alias"))
        if EXTERNAL in bytes(call.context):
            linked += self._external(call.context)
        traits: list[Trait] = []
        if call.type == "identify":
            for name, raw in _merged((*reversed(context_traits), call.traits)).items():
                traits.append(self._trait(name, raw, linked))
        return Person(subject, tuple(linked), tuple(traits))

    def _external(self, context: msgspec.Raw) -> Iterator[tuple[Identifier, str]]:
        """The identifiers that a call carries in `context.externalIds`, of the kinds there are."""
        try:
            told = _EXTERNAL.decode(context).external_ids
        except (msgspec.MsgspecError, RecursionError):
            return
        for each in told:
            value = identity(each.id)
            found = None if value is None else self._kinds.read(each.type, value, each.collection or "")
            if found is not None:
                yield self._of_kind(*found), f"external id {found[0].kind}"

    def _of_kind(self, rule: IdentifierRule, normal: str) -> Identifier:
        """An identifier of a kind: sealed if it reaches somebody, and known by its hash alone if the kind says so."""
        if rule.privacy == "contact" or (rule.privacy == "opaque" and reaches(normal)):
            return Identifier(rule.kind, self._seal(rule.kind, normal), None)
        return Identifier(rule.kind, self._key(rule.kind, normal), normal if rule.privacy == "opaque" else None)

    def opaque(self, kind: str, written: Any) -> Identifier | None:
        """The identifier that an id means, None for nobody; WrongType where it can't be one."""
        value = identity(written)
        if value is None:
            return None
        if (seen := self._seen.get((kind, value))) is None:
            seen = self._seen[kind, value] = self._identifier(kind, value)
        return seen

    def _identifier(self, kind: str, value: str) -> Identifier:
        if kind == "anonymous_id":
            kind = kind_of_anonymous(value)
        normal = normalise(kind, value)
        if normal is None:
            raise WrongType(f"`{kind}` is longer than an identifier may be")
        if reaches(normal):
            return Identifier(kind, self._seal(kind, normal), None)
        return Identifier(kind, self._key(kind, normal), normal)

    def _trait(self, name: str, raw: msgspec.Raw, linked: list[tuple[Identifier, str]]) -> Trait:
        if is_null(raw) or bytes(raw) == b'""':
            return Trait(name)
        rule = self._carried.get(name)
        if rule is not None and (told := self._kinds.read(rule.kind, _plain(raw))) is not None:
            rule, normal = told
            found = self._of_kind(rule, normal)
            linked.append((found, f"trait {name}"))
            if rule.privacy == "opaque":
                return Trait(name, normal) if found.value is not None else Trait(name, None, found.key)
            return Trait(name, None, found.key) if rule.privacy == "contact" else Trait(name)
        if rule is not None and rule.privacy == "hash":
            return Trait(name)  # no such number, and not to be kept either
        if name in self._plan.contact:
            return Trait(name, None, self._seal(name, _plain(raw)))
        type = self._plan.traits.get(name)
        if type is not None:
            return Trait(name, _written(type, read(name, type, raw)))
        kinds: list[str] = []
        shown = clean_value(name, raw, kinds.append)
        return Trait(name, shown, personal=tuple(kinds))

    def _seal(self, kind: str, value: str) -> str:
        text = normalise(kind, value) or value
        key = self._key(kind, text)
        if key not in self.sealed:
            self.sealed[key] = seal_value(self._keys, kind, text, key=key)
        return key


def reaches(value: str) -> bool:
    """Whether what is told as an opaque id is an address after all; some name their users by them."""
    return normalise("email", value) is not None if "@" in value else _MOBILE.fullmatch(value) is not None


def _merged(parts: tuple[msgspec.Raw, ...]) -> dict[str, msgspec.Raw]:
    """Traits from the most general place to the most particular one."""
    found: dict[str, msgspec.Raw] = {}
    for part in parts:
        text = fields(part)
        if text is not None and text[:1] == b"{":
            try:
                found.update(_OBJECT.decode(text))
            except (msgspec.MsgspecError, RecursionError) as fault:
                raise WrongType(f"the traits can't be read: {fault}") from None
    return found


def _plain(raw: msgspec.Raw) -> str:
    """A text as it is; anything else as its JSON."""
    text = bytes(raw)
    return str(msgspec.json.decode(text)) if text[:1] == b'"' else text.decode()


def _written(type: PropertyType, value: Any) -> str:
    """A typed value as the text that the warehouse casts back."""
    if type == "money":
        return str(Decimal(value) / TICKS)
    if type == "boolean":
        return "true" if value else "false"
    return value.isoformat(sep=" ") if type == "time" else str(value)
