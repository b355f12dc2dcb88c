"""The kind `identifier`: what each kind of identifier is like, in a workspace's own words.

identifier: member_card
writing: upper
pattern: '[A-Z]{2}[0-9]{8}'
unique: true
traits: [member_card, card_number]
blocked: [XX00000000]

Every kind below is built in; a file of the same name changes what it says and leaves the rest. A file with
another name declares a kind of the workspace's own, which may take the values of one app or shop out of a kind that
is scoped (`of: wechat_openid`, `collection: wx1234`). What the rules do to people: unify.joining.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from pydantic import Field, field_validator

from spira.collect.identifiers import IDENTIFYING_TRAITS, NO_PHONE, Kind, Writing, written
from spira.definitions.kinds import Definition, World, kind
from spira.definitions.kinds import Kind as DefinitionKind
from spira.definitions.model import DefinitionModel, Label, NameStr, fault
from spira.kernel.diagnostics import Diagnostic

Privacy = Literal["contact", "opaque", "hash"]
Strength = Literal["strong", "shared"]
OWN = 500  # the rank of the first kind that a workspace declares itself, behind the built-in ones
EVERYWHERE = "users"  # what Segment's clients write as `collection` when nobody says otherwise
SHARED = 20  # how many may claim a value of a kind that is declared as shared
_NOBODY = frozenset(
    (
        *(
            "null",
            "NULL",
            "None",
            "none",
            "nil",
            "undefined",
            "unknown",
            "guest",
            "anonymous",
            "NaN",
            "nan",
            "n/a",
            "N/A",
        ),
        *("-1", "00000000-0000-0000-0000-000000000000", "[object Object]", "not_authenticated", "unidentified"),
        *("0" * places for places in range(1, 33)),
    )
)
_NO_DEVICE = frozenset((*map(str.lower, _NOBODY), "00:00:00:00:00:00", "02:00:00:00:00:00"))

# Whose word counts where two contradict each other, the most believable first; a kind of a workspace's own comes last.
_BELIEVED: tuple[Kind, ...] = (
    *("user_id", "wechat_unionid", "id_card", "member_card", "wechat_openid", "wecom_external_userid", "weibo_uid"),
    *("taobao_buyer", "jd_buyer", "douyin_buyer", "pdd_buyer", "email", "phone", "device_id", "anonymous_id", "visit"),
)


class IdentifierRule(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of identifier, ready to use. `rank` says whose word counts where two unique kinds disagree."""

    kind: str
    rank: int = OWN
    writing: Writing = "text"
    pattern: str | None = None
    privacy: Privacy = "opaque"
    strength: Strength = "strong"
    unique: bool = False
    per_person: int | None = None
    people: int = 1
    joins: int | None = None
    blocked: frozenset[str] = frozenset()
    traits: frozenset[str] = frozenset()
    scoped: bool = False
    of: str | None = None
    collection: str = ""

    def within(self, collection: str, value: str) -> str | None:
        """`value` of one collection (an app, a shop) where the kind's values are told apart by it."""
        normal = self.normalise(value)
        told = collection.strip()
        return f"{told}/{normal}" if normal and self.scoped and told and told != EVERYWHERE else normal

    def normalise(self, value: str) -> str | None:
        """`value` as its key is made of it; None for what can't be of this kind."""
        text = written(self.writing, value)
        if text is None or (self.pattern is not None and re.fullmatch(self.pattern, text) is None):
            return None
        return text


def _built_in() -> dict[str, IdentifierRule]:
    def rule(kind: Kind, writing: Writing = "text", **more: Any) -> IdentifierRule:
        return IdentifierRule(kind=kind, rank=_BELIEVED.index(kind), writing=writing, **more)

    def named(kind: Kind, writing: Writing = "text", **more: Any) -> IdentifierRule:
        return rule(kind, writing, traits=frozenset({kind}), privacy="contact", per_person=20, joins=1_000, **more)

    rules = [
        rule("user_id", unique=True, per_person=1, blocked=_NOBODY),
        rule("anonymous_id", strength="shared", people=20, joins=200, blocked=_NOBODY),
        rule("visit", "visit", strength="shared", people=20),
        rule("member_card", traits=frozenset({"member_card"}), per_person=20, joins=1_000, blocked=_NOBODY),
        named("email", "email", blocked=frozenset(["test@test.com", "a@a.com", "null@null.com", "no@no.com"])),
        named(
            "phone",
            "phone",
            blocked=frozenset(["+8613800138000", "+8613000000000", "+8618888888888", "+8613888888888", NO_PHONE]),
        ),
        rule("wechat_unionid", unique=True, per_person=1, privacy="contact", traits=frozenset({"wechat_unionid"})),
        named("wechat_openid", scoped=True),
        named("wecom_external_userid"),
        named("weibo_uid", "digits"),
        rule("device_id", "lower", strength="shared", people=20, joins=200, blocked=_NO_DEVICE),
        rule("id_card", "id_card", unique=True, per_person=1, privacy="hash", traits=frozenset({"id_card", "idCard"})),
        named("taobao_buyer"),
        named("jd_buyer"),
        named("douyin_buyer"),
        named("pdd_buyer"),
    ]
    return {each.kind: each for each in rules}


BUILT_IN: Mapping[str, IdentifierRule] = _built_in()


class IdentifierDefinition(DefinitionModel):
    """One kind of identifier: what it leaves out is as it is built in."""

    identifier: NameStr = Field(description="The kind's name, as calls give it in `externalIds`.")
    label: Label | None = Field(default=None, description="What staff read.")
    description: str = Field(default="", description="Where its values come from.")
    writing: Writing | None = Field(
        default=None, description="What makes two texts the same value: as they stand, in lower case, digits only…"
    )
    pattern: str | None = Field(
        default=None, description="A regular expression that the whole value must match, once it is written so."
    )
    privacy: Privacy | None = Field(
        default=None,
        description="`contact` seals values, `opaque` shows them to staff, `hash` keeps nothing but their hash.",
    )
    strength: Strength | None = Field(
        default=None,
        description="`strong` is one person's, and two who claim it are a conflict; `shared` may be several people's.",
    )
    unique: bool | None = Field(default=None, description="Whether two values are two people, whatever else is told.")
    per_person: int | None = Field(default=None, ge=1, description="How many values one person may have.")
    people: int | None = Field(default=None, ge=1, description="How many accounts may claim a value before it is told.")
    joins: int | None = Field(
        default=None, ge=2, description="Of how many other identifiers a value may be seen with before it joins none."
    )
    scoped: bool | None = Field(
        default=None,
        description="Whether a value is somebody only within the `collection` it is told with: an app, a shop.",
    )
    of: NameStr | None = Field(
        default=None, description="The scoped kind of which it takes the values of one `collection`; it is as that is."
    )
    collection: str = Field(default="", max_length=200, description="The app or shop whose values it takes, with `of`.")
    blocked: list[str] = Field(default_factory=list, description="Values that mean nobody, beside the built-in ones.")
    traits: list[NameStr] = Field(default_factory=list, description="Traits of identify calls that carry it.")

    @field_validator("pattern")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as wrong:
            raise fault(
                "D461", f"this is no regular expression: {wrong}", help="write one as Python reads it"
            ) from None
        return pattern


def rules_of(declared: Iterable[IdentifierDefinition] = ()) -> dict[str, IdentifierRule]:
    """Every kind there is, by its name: the built-in ones as they are declared, then the workspace's own."""
    rules = dict(BUILT_IN)
    by_name = sorted(declared, key=lambda one: one.identifier)
    ranks = {each.identifier: OWN + place for place, each in enumerate(by_name)}
    for each in sorted(by_name, key=lambda one: one.of is not None):  # a kind of one collection is as its whole is
        before = rules.get(each.identifier, IdentifierRule(kind=each.identifier, rank=ranks[each.identifier]))
        if each.of in rules:
            own = {"kind": each.identifier, "rank": before.rank, "scoped": False, "traits": before.traits}
            before = msgspec.structs.replace(rules[each.of], **own, of=each.of, collection=each.collection.strip())
        said = {name: getattr(each, name) for name in _SAID if getattr(each, name) is not None}
        rule = msgspec.structs.replace(before, **said)
        if each.strength is not None and each.people is None:
            rule = msgspec.structs.replace(rule, people=SHARED if rule.strength == "shared" else 1)
        if rule.unique:
            rule = msgspec.structs.replace(rule, per_person=1)
        more = frozenset(normal for text in each.blocked if (normal := rule.normalise(text)) is not None)
        rules[each.identifier] = msgspec.structs.replace(
            rule, blocked=before.blocked | more, traits=before.traits | frozenset(each.traits)
        )
    return rules


_SAID = ("writing", "pattern", "privacy", "strength", "unique", "per_person", "people", "joins", "scoped")


def carried(rules: Mapping[str, IdentifierRule]) -> dict[str, IdentifierRule]:
    """The kind that each identifying trait carries, by the trait's name."""
    return {trait: rule for rule in rules.values() for trait in sorted(rule.traits)}


class Kinds:
    """The kinds of a workspace, and of which of them a value is that was told with its collection, or that holds it."""

    def __init__(self, rules: Mapping[str, IdentifierRule]) -> None:
        self.rules = rules
        self._apart = {(each.of, each.collection): each for each in rules.values() if each.of}

    def read(self, kind: str, value: str, collection: str = "") -> tuple[IdentifierRule, str] | None:
        """The kind and the value as its key is made of it; None for no kind there is, and for what is no value of it.

        `wx1234/oX9…` of a scoped kind is the value `oX9…` of the collection `wx1234`.
        """
        rule = self.rules.get(kind)
        if rule is None:
            return None
        told, text = collection.strip(), value
        if rule.scoped and not told:
            app, slash, rest = value.strip().partition("/")
            if slash and (kind, app) in self._apart:
                told, text = app, rest
        apart = self._apart.get((kind, told))
        normal = rule.within(collection, value) if apart is None else apart.normalise(text)
        return None if normal is None else (apart or rule, normal)


def check(definition: Definition, world: World) -> Iterable[Diagnostic]:
    """What a file alone can't see: a trait that carries two kinds, whose collection a kind takes, what is fixed."""
    yield from _part(definition, world)
    model: IdentifierDefinition = definition.model
    others = {trait: rule.kind for rule in BUILT_IN.values() if rule.kind != model.identifier for trait in rule.traits}
    for each in world.of("identifier"):
        if each.name < definition.name:
            others |= dict.fromkeys(each.model.traits, each.name)
    for place, trait in enumerate(model.traits):
        if trait in others:
            yield Diagnostic(
                code="D462",
                message=f"the trait `{trait}` carries `{others[trait]}` already",
                at=definition.node.at("traits", place),
                help="one trait carries one kind of identifier: leave it to one of the two",
            )
    changed = [name for name in ("writing", "privacy", "unique") if getattr(model, name) is not None]
    if model.identifier in FIXED and changed:
        yield Diagnostic(
            code="D463",
            message=f"`{changed[0]}` of `{model.identifier}` can't be changed",
            at=definition.node.at(changed[0]),
            help="the ids by which calls name their subject, and addresses that are written to, are as they are",
        )


def _part(definition: Definition, world: World) -> Iterable[Diagnostic]:
    """A kind of one collection is of a scoped kind, names the collection, and is the only one that does."""
    model: IdentifierDefinition = definition.model
    if model.of is None and not model.collection:
        return
    kinds = rules_of(each.model for each in world.of("identifier"))
    whole = kinds.get(model.of or "")
    wrong = None
    if whole is None or not whole.scoped or whole.kind == model.identifier:
        wrong = (
            f"`{model.of}` is no kind whose values are told apart by a collection" if model.of else "`of` is missing"
        )
    elif not model.collection.strip():
        wrong = "`collection` is missing"
    elif any(
        (each.of, each.collection, each.kind < model.identifier) == (model.of, model.collection.strip(), True)
        for each in kinds.values()
    ):
        wrong = f"`{model.collection}` of `{model.of}` has a kind of its own already"
    if wrong is not None:
        yield Diagnostic(
            code="D464",
            message=wrong,
            at=definition.node.at("of" if model.of is not None else "collection"),
            help="write `of: wechat_openid` and `collection: wx1234…`, one kind for each app",
        )


# Kinds that the rest of the house stands on.
FIXED = frozenset({"user_id", "anonymous_id", "visit", *IDENTIFYING_TRAITS})
IDENTIFIER = kind(DefinitionKind(name="identifier", folder="identifiers", model=IdentifierDefinition, check=check))
