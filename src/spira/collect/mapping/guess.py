"""A guess: the mapping that a table probably wants, from the names of its columns and its first values.

It is a beginning for a person to read and mend, never applied by itself. A table that one of the
shipped mappings knows is given that mapping; otherwise the columns are told apart by what they are
called and hold: who, when, how much, of which order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from spira.collect.connectors.base import Connector, Part, Rows, Unreadable
from spira.collect.mapping.convert import convert
from spira.collect.mapping.model import ColumnDefinition, ColumnType, shipped

SAMPLE = 1_000
_KNOWN_SHARE = 6  # how many of a shipped mapping's columns must be there
_PERSON = re.compile(
    r"^(user|customer|member|buyer|client)?_?(id|no|code|number|name)?$|用户|会员|客户|买家|顾客|openid|unionid|nick",
    re.IGNORECASE,
)
_IDS = (
    "user_id",
    "userid",
    "customer_id",
    "customerid",
    "member_id",
    "member_card",
    "会员号",
    "会员编号",
    "用户id",
    "客户编号",
)
_ORDER = re.compile(r"order|订单|basket|交易号|单号", re.IGNORECASE)
_MONEY = re.compile(r"amount|total|price|revenue|paid|金额|价|货款|实付|应付|消费", re.IGNORECASE)
_WHEN = re.compile(r"time|date|_at$|^at$|^ts$|时间|日期", re.IGNORECASE)
_EMAIL = re.compile(r"e-?mail|邮箱|电子邮件", re.IGNORECASE)
_PHONE = re.compile(r"phone|mobile|tel|手机|电话", re.IGNORECASE)
_NAMES = {
    "姓名": "name", "买家会员名": "buyer", "买家实际支付金额": "paid", "订单付款时间": "paid_at",
    "订单创建时间": "created_at", "城市": "city", "收货人": "receiver", "收货人姓名": "receiver",
    "邮箱": "email", "手机": "phone", "手机号": "phone", "电话": "phone",
    "省份": "province", "性别": "gender", "年龄": "age", "生日": "birthday",
    "订单编号": "order_id", "订单号": "order_id", "金额": "amount", "下单时间": "ordered_at",
    "付款时间": "paid_at", "注册时间": "registered_at", "会员号": "member_id", "会员编号": "member_id",
    "商品名称": "product", "数量": "quantity", "价格": "price", "店铺名称": "shop",
    "状态": "status", "订单状态": "status", "地址": "address",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessedColumn:
    """One column as it was understood."""

    name: str
    written: str
    type: ColumnType


def first_rows(connector: Connector, part: Part) -> Rows:
    """The first rows of a part; Unreadable when it has none."""
    for rows in connector.read(part):
        if len(rows):
            return rows
    raise Unreadable(f"`{part.name}` has no rows", help="see that its first row names the columns")


def guess(rows: Rows, name: str) -> str:
    """A mapping for these rows, as YAML."""
    known = _shipped(list(rows.columns))
    if known is not None:
        return known
    columns = [_column(written, column) for written, column in rows.columns.items()]
    return _written(_safe(name, "table"), _apart(columns))


def _shipped(names: Sequence[str]) -> str | None:
    there = {each.strip() for each in names}
    best, text = 0, None
    for model, said in shipped().values():
        found = sum(any(one in there for one in each.source) for each in model.columns.values())
        if found > best and found >= _KNOWN_SHARE:
            best, text = found, said
    return text


def _column(written: str, column: Any) -> GuessedColumn:
    sample = column[:SAMPLE] if not isinstance(column, pa.Array | pa.ChunkedArray) else column.slice(0, SAMPLE)
    return GuessedColumn(
        name=_safe(_NAMES.get(written, written), "column"), written=written, type=_type(written, sample)
    )


def _type(written: str, sample: Any) -> ColumnType:
    """What the values are: what their name says and half of them bear out, or else what all of them are."""
    if _EMAIL.search(written) and _reads(sample, "email", named=True):
        return "email"
    if _PHONE.search(written) and _reads(sample, "phone", named=True):
        return "phone"
    if _ORDER.search(written) and not _MONEY.search(written) and not _WHEN.search(written):
        return "text"
    if written.lower().replace(" ", "_") in _IDS or written.lower().endswith(("_id", "编号", "单号")):
        return "text"
    if _WHEN.search(written) and _reads(sample, "time", named=True):
        return "time"
    if _MONEY.search(written) and _reads(sample, "money", named=True):
        return "money"
    if _reads(sample, "integer"):
        return "integer"
    if _reads(sample, "number"):
        return "number"
    if _dated(sample) and _reads(sample, "time"):
        return "time"
    return "boolean" if _reads(sample, "boolean") else "text"


def _reads(sample: Any, type: ColumnType, *, named: bool = False) -> bool:
    """Whether the values can be read so: all of them, or half where the column's name says so."""
    found = convert(sample, ColumnDefinition(type=type), zone="UTC", empty=("null", "NULL", "-", "--"))
    good = sum(each is not None for each in found.values)
    return good > 0 and len(found.faults) <= (good if named else 0)


def _dated(sample: Any) -> bool:
    values = sample.to_pylist() if isinstance(sample, pa.Array | pa.ChunkedArray) else list(sample)
    first = next((each for each in values if each not in (None, "")), "")
    return not isinstance(first, str) or bool(re.match(r"\s*\d{4}[-/.年]\d", first))


def _apart(columns: Sequence[GuessedColumn]) -> list[GuessedColumn]:
    """No two of one name."""
    found: list[GuessedColumn] = []
    for each in columns:
        name, number = each.name, 1
        while any(name == one.name for one in found):
            number += 1
            name = f"{each.name}_{number}"
        found.append(GuessedColumn(name=name, written=each.written, type=each.type))
    return found


def _written(name: str, columns: Sequence[GuessedColumn]) -> str:
    user = _first(columns, _PERSON, ("text", "integer")) or None
    contact = next((each for each in columns if each.type in ("phone", "email")), None)
    order = _first(columns, _ORDER, ("text", "integer"))
    money = _first(columns, _MONEY, ("money", "number", "integer"))
    when = next((each for each in columns if each.type == "time"), None)
    who = f"user_id: {user.name}" if user else (f"contact: {contact.name}" if contact else "user_id: …  # who is it?")
    lines = [f"mapping: {name}", "columns:"]
    for each in columns:
        told = f"{{from: {_quoted(each.written)}, type: {each.type}}}" if each.written != each.name else each.type
        lines.append(f"  {each.name}: {told}")
    key = order or user or contact
    lines += [f"key: {key.name}"] if key else []
    lines.append("calls:")
    told_apart = {each.name for each in (order, money, when, user) if each}
    people = [each for each in columns if each.name not in told_apart and (contact or user)]
    if order and when:
        lines += ["  - call: track", f"    event: {'Order Completed' if money else 'Row Imported'}", f"    {who}"]
        lines += [f"    at: {when.name}", "    properties:"]
        for each in columns:
            if each not in (user, when) and each.type not in ("phone", "email"):
                lines.append(
                    f"      {'revenue' if each is money else 'order_id' if each is order else each.name}: {each.name}"
                )
        people = [
            each for each in people if each.type in ("phone", "email") or each.name in ("name", "receiver", "city")
        ]
    if people or not (order and when):
        lines += ["  - call: identify", f"    {who}", *([f"    at: {when.name}"] if when else []), "    traits:"]
        lines += [f"      {each.type if each is contact else each.name}: {each.name}" for each in people or columns]
    return "\n".join(lines) + "\n"


def _first(columns: Sequence[GuessedColumn], called: re.Pattern[str], types: Sequence[str]) -> GuessedColumn | None:
    named = [each for each in columns if each.type in types]
    exact = next((each for each in named if each.written.lower().replace(" ", "_") in _IDS), None)
    return (exact if called is _PERSON else None) or next((each for each in named if called.search(each.written)), None)


def _safe(written: str, otherwise: str) -> str:
    text = re.sub(r"[^a-z0-9]+", "_", re.sub(r"([a-z])([A-Z])", r"\1_\2", written).lower()).strip("_")
    return text if re.match(r"[a-z]", text) else f"{otherwise}_{text}".rstrip("_")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
