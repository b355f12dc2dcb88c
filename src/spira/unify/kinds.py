"""Kinds of identifiers: which are sealed, and which tell persons apart.

The one way in which each is written is `collect.identifiers.normalise`. A contact kind's values
are sealed; an opaque kind's are kept and shown in clear. Two different values of a unique kind
are two different people, unless a person says otherwise (unify.decisions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from spira.collect import identifiers
from spira.collect.identifier_rules import BUILT_IN, IdentifierRule, Kinds
from spira.kernel.registry import Registry

USER_ID = "user_id"
VISIT = "visit"
# What people type without a kind; every other is named with its kind.
_BARE = frozenset({"user_id", "anonymous_id", "visit", *identifiers.IDENTIFYING_TRAITS})


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierKind:
    """One kind. `normalise` gives None for text that can't be an identifier of it."""

    name: str
    contact: bool
    unique: bool
    normalise: Callable[[str], str | None]


KINDS: Registry[IdentifierKind] = Registry("kind of identifier")
for _name in identifiers.KINDS:
    KINDS.add(
        _name,
        IdentifierKind(
            name=_name,
            contact=BUILT_IN[_name].privacy != "opaque",
            unique=BUILT_IN[_name].unique,
            normalise=partial(identifiers.normalise, _name),
        ),
    )


def is_contact(kind: str) -> bool:
    """Whether values of `kind` are personal; what is no known kind is taken to be."""
    return kind not in KINDS or KINDS.get(kind).contact


def split_identifier(text: str, rules: Mapping[str, IdentifierRule] = BUILT_IN) -> tuple[str, str] | None:
    """`kind:value` as its two parts, the value normalised; None when it is no identifier of a kind in `rules`."""
    kind, colon, value = text.strip().partition(":")
    if not colon or kind not in rules:
        return None
    found = Kinds(rules).read(kind, value)
    return None if found is None else (found[0].kind, found[1])


def guesses(text: str) -> list[tuple[str, str]]:
    """What a bare text may be: each kind that could be written so, with the value as that kind writes it."""
    written = ((kind.name, kind.normalise(text)) for name, kind in KINDS.items() if name in _BARE)
    return [(kind, value) for kind, value in written if value is not None]
