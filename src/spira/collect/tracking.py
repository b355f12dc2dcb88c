"""The tracking plan: which events and traits are expected, and the type of each of their details.

Reads   `tracking/*.yaml`
Writes  `events`, `order_lines` and the other line tables: their typed columns, never their rows

Across all events one name has one meaning and one type, since each is one column. What is
declared is checked when it is loaded; what is not is kept as JSON beside it, so nothing is
lost before someone declares it. `Plan` is the whole as one Struct that children can be handed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, get_args

import msgspec
from pydantic import BeforeValidator, Field

from spira.collect import backfill, carried
from spira.collect.identifier_rules import IdentifierDefinition, IdentifierRule, rules_of
from spira.collect.tables import EVENTS, LINE_COLUMNS, ORDER_LINES
from spira.definitions.kinds import Definition, Kind, World, kind
from spira.definitions.model import DefinitionModel, Label, NameStr
from spira.kernel.diagnostics import Diagnostic
from spira.storage import ddl
from spira.storage.tables import TABLES, Column, table
from spira.storage.warehouse import Warehouse

PropertyType = Literal["text", "integer", "number", "money", "boolean", "time", "date"]
Mode = Literal["observe", "strict", "quarantine", "block"]  # what they mean: collect.modes
MODES: tuple[Mode, ...] = get_args(Mode)
SQL_TYPES: Mapping[str, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "money": "DECIMAL(18,4)",
    "boolean": "BOOLEAN",
    "time": "TIMESTAMP",
    "date": "DATE",
}
# Sealed whatever a plan says of them: they name or reach a person.
CONTACT_TRAITS = frozenset(
    [
        "email",
        "phone",
        "name",
        "first_name",
        "firstName",
        "last_name",
        "lastName",
        "full_name",
        "fullName",
        "username",
        "nickname",
        "address",
        "street",
        "ip",
        "wechat",
        "openid",
        "unionid",
        "id_number",
        "idNumber",
    ]
)


class EventPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What one event carries: properties, and arrays of lines with their fields."""

    properties: dict[str, PropertyType] = {}
    arrays: dict[str, dict[str, PropertyType]] = {}
    label: dict[str, str] | str | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is declared, the events that Spira knows by itself included."""

    events: dict[str, EventPlan]
    traits: dict[str, PropertyType]
    contact: frozenset[str]
    mode: Mode = "observe"
    identifiers: dict[str, IdentifierRule] = msgspec.field(default_factory=rules_of)

    def properties(self) -> dict[str, PropertyType]:
        """Every property of every event: the typed columns of `events`."""
        return {name: type for event in self.events.values() for name, type in event.properties.items()}

    def arrays(self) -> dict[str, dict[str, PropertyType]]:
        """Every array with the fields that any event gives it."""
        found: dict[str, dict[str, PropertyType]] = {}
        for event in self.events.values():
            for name, fields in event.arrays.items():
                found.setdefault(name, {}).update(fields)
        return found


_CONSENT: dict[str, PropertyType] = {
    "purpose": "text",
    "channel": "text",
    "legal_basis": "text",
    "notice": "text",
    "notice_version": "integer",
    "notice_hash": "text",
    "notice_language": "text",
    "consent_method": "text",
    "consent_proof": "text",
    "separate_consent": "boolean",
}
_RECEIPT: dict[str, PropertyType] = {
    "delivery_id": "integer",
    "channel": "text",
    "journey": "text",
    "template": "text",
    "address_key": "text",
}
_PAGE: dict[str, PropertyType] = dict.fromkeys(("path", "url", "title", "referrer", "search"), "text")
_VISIT: dict[str, PropertyType] = {"link": "text", "staff_id": "text", "referred_by": "text"}

# What Spira emits or understands by itself; a workspace need not declare it, and may add to it.
OWN_EVENTS: Mapping[str, EventPlan] = {
    "Consent Given": EventPlan(properties=_CONSENT, label={"zh-CN": "同意接收", "en": "Consent given"}),
    "Consent Withdrawn": EventPlan(properties=_CONSENT, label={"zh-CN": "撤回同意", "en": "Consent withdrawn"}),
    "Email Delivered": EventPlan(properties=_RECEIPT, label={"zh-CN": "邮件已送达", "en": "E-mail delivered"}),
    "Email Opened": EventPlan(
        properties={**_RECEIPT, "machine_open": "boolean"}, label={"zh-CN": "打开邮件", "en": "E-mail opened"}
    ),
    "Email Link Clicked": EventPlan(
        properties={**_RECEIPT, "link_id": "text", "link_url": "text"},
        label={"zh-CN": "点击邮件链接", "en": "E-mail link clicked"},
    ),
    "Email Bounced": EventPlan(
        properties={**_RECEIPT, "bounce_type": "text", "reason": "text"},
        label={"zh-CN": "邮件退回", "en": "E-mail bounced"},
    ),
    "Email Marked as Spam": EventPlan(properties=_RECEIPT, label={"zh-CN": "标为垃圾邮件", "en": "Marked as spam"}),
    "Unsubscribed": EventPlan(
        properties={**_RECEIPT, "purpose": "text", "list_id": "text"}, label={"zh-CN": "退订", "en": "Unsubscribed"}
    ),
    "Unsubscribe Reason Given": EventPlan(
        properties={**_RECEIPT, "reason": "text"}, label={"zh-CN": "说明退订原因", "en": "Reason for leaving given"}
    ),
    "Message Received": EventPlan(
        properties={"channel": "text", "text": "text"}, label={"zh-CN": "收到来信", "en": "Message received"}
    ),
    "Preferences Chosen": EventPlan(label={"zh-CN": "设定触达偏好", "en": "Preferences chosen"}),
    "Details Corrected": EventPlan(label={"zh-CN": "更正资料", "en": "Details corrected"}),
    "Tag Changed": EventPlan(
        properties=dict.fromkeys(("tag_name", "tag_value", "staff_id"), "text"),
        label={"zh-CN": "手动标签变更", "en": "Tag changed by hand"},
    ),
    "Household Changed": EventPlan(
        properties=dict.fromkeys(("household", "household_role", "staff_id"), "text"),
        label={"zh-CN": "家庭变更", "en": "Household changed"},
    ),
    "Language Chosen": EventPlan(label={"zh-CN": "选择语言", "en": "Language chosen"}),
    "Link Opened": EventPlan(properties=_VISIT, label={"zh-CN": "打开短链接", "en": "Link opened"}),
    "Link Previewed": EventPlan(properties=_VISIT, label={"zh-CN": "短链接被预读", "en": "Link read by a machine"}),
    "Identified": EventPlan(label={"zh-CN": "身份识别", "en": "Identified"}),
    "Page Viewed": EventPlan(properties=_PAGE, label={"zh-CN": "浏览页面", "en": "Page viewed"}),
    "Screen Viewed": EventPlan(label={"zh-CN": "浏览屏幕", "en": "Screen viewed"}),
}

# How far the traits of Spira's own events are to be believed, beside the sources' priorities: who asks for a
# correction by right is believed before every source. Others are 0.
OWN_PRIORITY: Mapping[str, int] = {"Details Corrected": 1_000_000}

# What staff say of a person: no act of theirs, so they were not seen by it.
STAFF_EVENTS: frozenset[str] = frozenset({"Tag Changed", "Household Changed"})

# What Spira itself computes of every person (unify.touches, unify.households); nobody else can tell it.
OWN_TRAITS: Mapping[str, PropertyType] = {
    f"{which}_touch_{part}": "time" if part == "at" else "text"
    for which in ("first", "last")
    for part in ("touchpoint", "campaign", "link", "at")
} | {"household_people": "integer", "household_roles": "text", "household_id": "text"}
OWN_TRAIT_LABELS: Mapping[str, Mapping[str, str]] = {
    "first_touch_touchpoint": {"zh-CN": "首次触点", "en": "First touch: touchpoint"},
    "first_touch_campaign": {"zh-CN": "首次触达活动", "en": "First touch: campaign"},
    "first_touch_link": {"zh-CN": "首次来源链接", "en": "First touch: link"},
    "first_touch_at": {"zh-CN": "首次触点时间", "en": "First touch: when"},
    "last_touch_touchpoint": {"zh-CN": "最近触点", "en": "Latest touch: touchpoint"},
    "last_touch_campaign": {"zh-CN": "最近触达活动", "en": "Latest touch: campaign"},
    "last_touch_link": {"zh-CN": "最近来源链接", "en": "Latest touch: link"},
    "last_touch_at": {"zh-CN": "最近触点时间", "en": "Latest touch: when"},
    "household_people": {"zh-CN": "家庭人数", "en": "Household: people"},
    "household_id": {"zh-CN": "家庭编号", "en": "Household: number"},
    "household_roles": {"zh-CN": "家庭角色", "en": "Household: roles"},
}


class EventDefinition(DefinitionModel):
    """One event: what people call it, and what it carries."""

    label: Label | None = Field(default=None, description="What people call the event.")
    description: str = Field(default="", description="When it happens.")
    properties: dict[NameStr, PropertyType] = Field(default_factory=dict, description="Its details and their types.")
    arrays: dict[NameStr, dict[NameStr, PropertyType]] = Field(
        default_factory=dict, description="Lists of lines, such as the products of an order, with their fields."
    )


class TraitDefinition(DefinitionModel):
    """One lasting attribute of a person."""

    type: PropertyType = Field(default="text", description="The type of its value.")
    privacy: Literal["contact", "clear"] = Field(default="clear", description="`contact` seals every value.")
    label: Label | None = Field(default=None, description="What people call it.")


def _spelt_out(written: Any) -> Any:
    return {"type": written} if isinstance(written, str) else written


Trait = Annotated[TraitDefinition, BeforeValidator(_spelt_out, json_schema_input_type=PropertyType | TraitDefinition)]


class TrackingDefinition(DefinitionModel):
    """A tracking plan, or a part of one: several files add up."""

    tracking: NameStr = Field(description="The name of this part.")
    mode: Mode = Field(
        default="observe",
        description="What is done with what no part declares, where a source does not say it: `observe` keeps it, "
        "`strict` quarantines undeclared events, `quarantine` undeclared events and properties, `block` refuses them. "
        "The strictest part counts.",
    )
    events: dict[str, EventDefinition] = Field(default_factory=dict, description="The events, by the name calls use.")
    traits: dict[str, Trait] = Field(default_factory=dict, description="The traits that identify calls carry.")


def plan_of(parts: Iterable[TrackingDefinition], kinds: Iterable[IdentifierDefinition] = ()) -> Plan:
    """All parts and the events Spira knows by itself, with the kinds of identifiers, as one plan."""
    mode: Mode = "observe"
    events, traits, contact = dict(OWN_EVENTS), dict(OWN_TRAITS), set(CONTACT_TRAITS)
    for part in parts:
        mode = max(mode, part.mode, key=MODES.index)
        for name, declared in part.events.items():
            events[name] = _joined(events.get(name, EventPlan()), declared)
        for name, trait in part.traits.items():
            traits[name] = trait.type
            if trait.privacy == "contact":
                contact.add(name)
    return Plan(events=events, traits=traits, contact=frozenset(contact), mode=mode, identifiers=rules_of(kinds))


def _joined(known: EventPlan, declared: EventDefinition) -> EventPlan:
    arrays = {name: dict(fields) for name, fields in known.arrays.items()}
    for name, fields in declared.arrays.items():
        arrays.setdefault(name, {}).update(fields)
    label = declared.label if declared.label is not None else known.label
    return EventPlan(properties={**known.properties, **declared.properties}, arrays=arrays, label=label)


def line_table(array: str) -> str:
    """The table that holds the lines of an array."""
    return "order_lines" if array == "products" else f"{array}_lines"


def reconcile(warehouse: Warehouse, plan: Plan, *, at_once: int = backfill.AT_ONCE) -> tuple[str, ...]:
    """Give each declared detail its column; the tables that changed. Nothing declared before is taken away.

    A column whose type was changed keeps the values that can be read as the new one. A detail
    declared late takes the values that were kept as JSON: now, or with more than `at_once` events
    in slices between the loader's batches.
    """
    changed = []
    with warehouse.transaction():
        carried.learn(warehouse, plan.properties())
        if _add_columns(warehouse, EVENTS.name, plan.properties(), at_once):
            changed.append(EVENTS.name)
        for array, fields in plan.arrays().items():
            name = line_table(array)
            fresh = not warehouse.columns(name)
            if fresh:
                warehouse.execute(ddl.create(ORDER_LINES, name=name))
            if name not in TABLES:
                table(replace(ORDER_LINES, name=name))
            if _add_columns(warehouse, name, fields, at_once) or fresh:
                changed.append(name)
    return tuple(changed)


def _add_columns(warehouse: Warehouse, table: str, wanted: Mapping[str, str], at_once: int) -> bool:
    known, types = warehouse.columns(table), {name: SQL_TYPES[type] for name, type in wanted.items()}
    fresh = [(name, sql_type) for name, sql_type in types.items() if name not in known]
    turned = [(name, to) for name, to in types.items() if name in known and known[name].replace(" ", "") != to]
    for name, sql_type in turned:
        warehouse.execute(_RETYPE.format(table=ddl.quote(table), column=ddl.quote(name), type=sql_type))
        backfill.retype(warehouse, table, name, sql_type)
    for name, sql_type in fresh:
        column = Column(name=name, type=sql_type)
        warehouse.execute(ddl.add_column(table, column, each_its_own=name in EACH_ITS_OWN and sql_type == "VARCHAR"))
    backfill.begin(warehouse, table, fresh, at_once=at_once)
    return bool(fresh or turned)


_RETYPE = "alter table {table} alter column {column} set data type {type} using try_cast({column} as {type})"

EACH_ITS_OWN = frozenset({"order_id", "checkout_id", "cart_id"})  # as the specification of commerce events names them
RESERVED = frozenset(column.name for column in EVENTS.columns)
RESERVED_FIELDS = frozenset(column.name for column in LINE_COLUMNS)


def check(definition: Definition, world: World) -> Iterator[Diagnostic]:
    """What a model alone can't see: names that are taken, and one name with two types."""
    part: TrackingDefinition = definition.model
    for event, declared in part.events.items():
        for name in declared.properties:
            if name in RESERVED:
                yield _taken(definition, name, ("events", event, "properties", name))
        for array, fields in declared.arrays.items():
            for name in fields:
                if name in RESERVED_FIELDS:
                    yield _taken(definition, name, ("events", event, "arrays", array, name))
    yield from _two_types(definition, world)


def _taken(definition: Definition, name: str, path: tuple[str, ...]) -> Diagnostic:
    return Diagnostic(
        code="D201",
        message=f"`{name}` is a column that every event has",
        at=definition.node.key_at(*path),
        help=f"give the property another name, such as `{name}_value`",
    )


Place = tuple[str, ...]


def _details(part: TrackingDefinition) -> Iterator[tuple[str, str, Place]]:
    """Each declared detail: the column it becomes, its type, and its place in the file."""
    for event, declared in part.events.items():
        for name, type in declared.properties.items():
            yield f"property `{name}`", type, ("events", event, "properties", name)
        for array, fields in declared.arrays.items():
            for name, type in fields.items():
                yield f"field `{array}.{name}`", type, ("events", event, "arrays", array, name)
    for name, trait in part.traits.items():
        yield f"trait `{name}`", trait.type, ("traits", name)


def _two_types(definition: Definition, world: World) -> Iterator[Diagnostic]:
    """Details of this part whose type differs from an earlier declaration, here or in another part."""
    own = [(f"property `{name}`", type) for each in OWN_EVENTS.values() for name, type in each.properties.items()]
    own += [(f"trait `{name}`", type) for name, type in OWN_TRAITS.items()]
    first: dict[str, tuple[str, Definition | None, Place]] = {detail: (type, None, ()) for detail, type in own}
    for each in world.of("tracking"):
        for detail, type, path in _details(each.model):
            known, where, place = first.setdefault(detail, (type, each, path))
            if known != type and each.name == definition.name:
                yield Diagnostic(
                    code="D202",
                    message=f"the {detail} is {type} here and {known} elsewhere; one name has one type",
                    at=definition.node.at(*path),
                    help=f"write `{known}`, or give it another name",
                    also=() if where is None else (("first declared at", where.node.at(*place)),),
                )


TRACKING = kind(Kind(name="tracking", folder="tracking", model=TrackingDefinition, check=check))
