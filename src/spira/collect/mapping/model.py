"""The kind `mapping`: how the rows of a table become identifies and events.

mapping: shop_orders
zone: Asia/Shanghai
read: {encoding: gb18030}
columns:
  order_id: {from: [订单编号, 订单号], required: true}
  buyer: {from: 买家会员名, prefix: "taobao:"}
  paid: {from: 买家实际支付金额, type: money}
  paid_at: {from: 订单付款时间, type: time}
key: order_id
calls:
  - call: track
    event: Order Completed
    user_id: buyer
    at: paid_at
    properties: {order_id: order_id, revenue: paid, currency: {value: CNY}}

`columns` gives names to what is in the table; everything below speaks of these names. Message ids
are made of the key's values, so that the same row read again is the same event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator

from spira.collect.connectors.base import CONNECTORS
from spira.definitions.decode import decode
from spira.definitions.kinds import Definition, Kind, World, kind
from spira.definitions.model import DefinitionModel, Label, NameStr, fault
from spira.definitions.source import Node, read_file
from spira.definitions.workspace import fingerprint
from spira.kernel.diagnostics import Diagnostic, did_you_mean
from spira.kernel.errors import DefinitionsInvalid, NotFound
from spira.kernel.options import options_of

ColumnType = Literal["text", "integer", "number", "money", "boolean", "time", "date", "phone", "email", "json"]
CallType = Literal["track", "identify", "consent"]
Scalar = str | int | float | bool
EMPTY = ("null", "NULL", "\\N")
FILE_OPTIONS = ("encoding", "delimiter", "sheet", "header")  # of `read`, besides `format`


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise fault("D603", f"`{name}` is not a time zone", help="write a name such as Asia/Shanghai or UTC") from None
    return name


def _several(written: Any) -> Any:
    return [written] if isinstance(written, str) else written


Names = Annotated[list[str], BeforeValidator(_several, json_schema_input_type=str | list[str])]


class ColumnDefinition(DefinitionModel):
    """One value of a row: where it stands, what it is, and how it is written there."""

    source: Names = Field(
        default=[], alias="from", description="The column's name in the table, or several it may have; its own name."
    )
    type: ColumnType = Field(default="text", description="What its values are.")
    format: str | None = Field(
        default=None, description="How times and dates are written, as in %d/%m/%Y %H:%M, unix or unix_ms."
    )
    zone: str | None = Field(default=None, description="The zone of its times, if another than the mapping's.")
    values: dict[str, Scalar] = Field(default={}, description="What each written value becomes.")
    other: Scalar | None = Field(
        default=None, description="What a value becomes that `values` lacks; `keep` keeps it. Otherwise it is a fault."
    )
    empty: Names = Field(default=[], description="Further texts that mean nothing.")
    default: Scalar | None = Field(default=None, description="What stands for nothing.")
    prefix: str = Field(default="", description="Put before every value, to tell whose ids they are.")
    masked: Literal["keep", "empty"] | None = Field(
        default=None, description="Whether a value with `*` in it is one; phone and email take it for nothing."
    )
    required: bool = Field(default=False, description="Whether a row without it is at fault.")
    clean: bool = Field(default=True, description='Take off blanks, ="…" and a leading apostrophe.')

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, name: str | None) -> str | None:
        return name if name is None else _zone(name)


def _spelt_out(written: Any) -> Any:
    return {"type": written} if isinstance(written, str) else written


Column = Annotated[ColumnDefinition, BeforeValidator(_spelt_out, json_schema_input_type=ColumnType | ColumnDefinition)]


class Constant(DefinitionModel):
    """A value that is the same for every row."""

    value: Scalar = Field(description="The value.")


Value = str | Constant


class CallDefinition(DefinitionModel):
    """One call that rows become. Texts are names of columns, unless it says otherwise."""

    call: CallType = Field(description="What it is: an event, traits of a person, or a consent.")
    event: str | None = Field(default=None, description="The event's name.")
    user_id: str | None = Field(default=None, description="The column of the person's id.")
    anonymous_id: str | None = Field(default=None, description="The column of a device's or visitor's id.")
    contact: str | None = Field(
        default=None, description="A column of the type phone or email by which the person is known without an id."
    )
    at: str | None = Field(default=None, description="The column of when it happened.")
    properties: dict[str, Value] = Field(default={}, description="The event's properties.")
    traits: dict[str, Value] = Field(default={}, description="The person's traits.")
    lines: dict[str, dict[str, Value]] = Field(
        default={}, description="Arrays with one line for each row of the same key, such as products."
    )
    purpose: str = Field(default="marketing", description="Of a consent: its purpose.")
    channel: str = Field(default="", description="Of a consent: its channel.")
    given: str | None = Field(default=None, description="Of a consent: the boolean column; nothing is no answer.")
    when: dict[
        str, Annotated[list[Scalar], BeforeValidator(lambda each: each if isinstance(each, list) else [each])]
    ] = Field(default={}, description="The call is made only of rows whose column has one of these values.")
    needs: Names = Field(default=[], description="The call is made only of rows that have a value in these columns.")
    key: Names = Field(default=[], description="The columns its message id is made of, if others than the mapping's.")
    again: Literal["once", "changed"] | None = Field(
        default=None,
        description="Whether the same key with other values is a new call; identifies and consents are, events not.",
    )


class MappingDefinition(DefinitionModel):
    """How one kind of table is read."""

    mapping: NameStr = Field(description="The mapping's name.")
    label: Label | None = Field(default=None, description="What people read.")
    description: Label | None = Field(default=None, description="Which tables it is for.")
    read: dict[str, str | int] = Field(
        default={}, description="How the file is read: format, encoding, delimiter, sheet, header."
    )
    zone: str | None = Field(default=None, description="The zone of times that name none; the workspace's.")
    empty: Names = Field(default=list(EMPTY), description="Texts that mean nothing in every column.")
    touchpoint: str | None = Field(default=None, description="Where it happened, if the source does not say.")
    columns: dict[NameStr, Column] = Field(description="The columns that are used, by the names used here.")
    key: Names = Field(default=[], description="The columns that name a row; all that are used when left out.")
    calls: list[CallDefinition] = Field(min_length=1, description="The calls that a row becomes.")

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, name: str | None) -> str | None:
        return name if name is None else _zone(name)

    @property
    def has_lines(self) -> bool:
        """Whether several rows become one call."""
        return any(each.lines for each in self.calls)


def check(definition: Definition, world: World) -> Iterable[Diagnostic]:  # noqa: ARG001  (the shape of a check)
    """What the model alone can't see: columns that are named and not there, and calls that lack something."""
    yield from faults_of(definition.model, definition.node)


def faults_of(model: MappingDefinition, node: Node) -> Iterator[Diagnostic]:
    """The faults of one mapping."""
    known = list(model.columns)
    for path, name in _mentions(model):
        if name not in model.columns:
            yield Diagnostic(
                code="D601",
                message=f"no column of the mapping is called `{name}`",
                at=node.at(*path),
                help=did_you_mean(name, known)
                or f"its columns are {', '.join(known)}; a text of your own is {{value: …}}",
            )
    options = {"format", *FILE_OPTIONS}
    for name in model.read:
        if name not in options:
            help = did_you_mean(name, options) or f"write one of {', '.join(sorted(options))}"
            yield Diagnostic(
                code="D602", message=f"`{name}` is no way of reading", at=node.key_at("read", name), help=help
            )
    wanted = model.read.get("format")
    if wanted is not None and str(wanted) not in CONNECTORS:
        near = did_you_mean(str(wanted), CONNECTORS)
        yield Diagnostic(code="D602", message=f"nothing reads `{wanted}`", at=node.at("read", "format"), help=near)
    for place, call in enumerate(model.calls):
        for message, help in _lacks(model, call):
            yield Diagnostic(code="D602", message=message, at=node.key_at("calls", place, "call"), help=help)


def _lacks(model: MappingDefinition, call: CallDefinition) -> Iterator[tuple[str, str]]:
    if not (call.user_id or call.anonymous_id or call.contact):
        yield f"the {call.call} says nobody", "write `user_id`, `anonymous_id` or `contact` with a column"
    if call.contact in model.columns and model.columns[call.contact].type not in ("phone", "email"):
        yield f"the column `{call.contact}` is no contact", "give it the type phone or email"
    if call.call == "track" and not (call.event and call.at):
        yield "a track needs `event` and `at`", "an event has a name, and happened at a time"
    if call.call == "identify" and not call.traits:
        yield "an identify needs `traits`", "write which columns are traits of the person"
    if call.call == "consent" and not (call.channel and call.given and call.at):
        yield "a consent needs `channel`, `given` and `at`", "a consent is for a channel, and was given or withdrawn"
    if call.call != "track" and (call.lines or call.properties):
        yield f"a {call.call} has no properties", "write `traits`, or make it a track"
    if call.lines and not (call.key or model.key):
        yield "lines need a `key`", "write the column that is the same in all rows of one order"


def _mentions(model: MappingDefinition) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every column that is named anywhere, with the place of its name."""
    for place, name in enumerate(model.key):
        yield ("key", place), name
    for place, call in enumerate(model.calls):
        at: tuple[str | int, ...] = ("calls", place)
        for option in ("user_id", "anonymous_id", "contact", "at", "given"):
            if (name := getattr(call, option)) is not None:
                yield (*at, option), name
        for option in ("needs", "key"):
            for number, name in enumerate(getattr(call, option)):
                yield (*at, option, number), name
        for name in call.when:
            yield (*at, "when", name), name
        groups: list[tuple[tuple[str | int, ...], Mapping[str, Value]]] = [
            (("properties",), call.properties),
            (("traits",), call.traits),
            *((("lines", array), fields) for array, fields in call.lines.items()),
        ]
        for option_path, values in groups:
            for name, value in values.items():
                if isinstance(value, str):
                    yield (*at, *option_path, name), value


MAPPING = kind(Kind(name="mapping", folder="mappings", model=MappingDefinition, check=check))


def read_mapping(text: str, path: PurePath) -> tuple[MappingDefinition | None, str, list[Diagnostic]]:
    """The mapping that a YAML text holds, the hash of what it says, and its faults."""
    found = read_file(path, text)
    faults = list(found.diagnostics)
    if faults or not found.documents:
        return None, "", faults
    node = found.documents[0]
    first = next(iter(node.children), None)
    if not isinstance(node.value, dict) or first != "mapping":
        wrong = Diagnostic(
            code="D010",
            message="this is no mapping",
            at=node.key_at(first) if first is not None else node.at(),
            help="begin with `mapping: name`",
        )
        return None, "", [wrong]
    model = decode(MAPPING, node)
    if not isinstance(model, MappingDefinition):
        return None, "", list(model if isinstance(model, list) else [])
    return model, fingerprint(node.value, {}), list(faults_of(model, node))


@cache
def shipped() -> Mapping[str, tuple[MappingDefinition, str]]:
    """The mappings that come with Spira, by name, each with its text."""
    found = {}
    for each in sorted(files("spira.collect.mapping").joinpath("shipped").iterdir(), key=lambda one: one.name):
        if each.name.endswith(".yaml"):
            text = each.read_text(encoding="utf-8")
            model, _, faults = read_mapping(text, PurePath(each.name))
            if model is None or faults:
                raise DefinitionsInvalid(f"the mapping {each.name} that comes with Spira has faults: {faults}")
            found[model.mapping] = model, text
    return found


def mapping_called(name: str, defined: Iterable[MappingDefinition]) -> MappingDefinition:
    """The mapping of a name: the workspace's own, or one that comes with Spira; NotFound says which there are."""
    own = {each.mapping: each for each in defined}
    if name in own:
        return own[name]
    if name in shipped():
        return shipped()[name][0]
    known = [*own, *shipped()]
    help = did_you_mean(name, known) or f"there are: {', '.join(known)}"
    raise NotFound(f"there is no mapping called `{name}`", help=help)


def reader_options(model: MappingDefinition, made: Any) -> dict[str, Any]:
    """What of `read:` the connector of a file knows as its options."""
    known = options_of(made)
    return {name: value for name, value in model.read.items() if name in known}
