"""What the columns of a table of people are: guessed from their names and values, or told.

A guess is made from the name first, then from the values; what says nothing about a person (row numbers, instants,
yes-or-no marks, free amounts) is left out. A column that only repeats another one is left out too, since matching
would count the same evidence twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import pyarrow as pa

from spira.kernel.errors import SpiraError

ColumnKind = Literal[
    "given_name",
    "family_name",
    "full_name",
    "birth_date",
    "phone",
    "email",
    "id_number",
    "address",
    "house_number",
    "postcode",
    "text",
    "category",
    "source",
    "ignore",
]
COLUMN_KINDS: tuple[str, ...] = get_args(ColumnKind)
_SAMPLE = 5_000
_FEW = 60  # values at most in a category
_NAMES: tuple[tuple[ColumnKind, str], ...] = (
    ("ignore", r"^(row|index|nr|no)$|^(created|updated|modified|registered|inserted)(_?at|_?on|_?date|_?time)?$"),
    (
        "full_name",
        r"full_?name|first_?and_?(sur|last)_?name|^(display|real|person|customer|client|member|contact)_?name$",
    ),
    ("email", r"e_?mail|邮箱|邮件|^mail$"),
    ("phone", r"phone|mobile|tele?$|^tel|cell|手机|电话|联系方式"),
    ("id_number", r"ssn|soc_?sec|social_?security|passport|national_?id|id_?card|tax_?(id|no)|nhs|身份证|证件"),
    ("text", r"birth_?(place|town|city)|place_?of_?birth|出生地|籍贯"),
    ("birth_date", r"birth_?(date|day)|date_?of_?birth|^dob|_dob$|^born|^bday|生日|出生"),
    ("postcode", r"post_?code|postal|^zip|_zip$|zip_?code|邮编|邮政"),
    ("house_number", r"(street|house|building)_?(no|nr|num|number)$|门牌"),
    ("category", r"^(gender|sex|state|province|region|country|nationality|title)$|性别|省份|^省$|国籍"),
    (
        "given_name",
        r"^(given|first|fore|christian)_?name|^(fname|forename|firstname|givenname)|_(first|given)_?name$|^名$|^名字$",
    ),
    ("family_name", r"sur_?name|^(last|family)_?name|^lname|_(last|family)_?name$|^姓$|姓氏"),
    (
        "text",
        r"place|city|town|suburb|county|locality|village|occupation|profession|company|employer|城市|职业|公司|区县",
    ),
    ("address", r"addr|street|residence|地址|住址"),
    ("full_name", r"^name$|姓名|名称|收件人|收货人|客户|_name$"),
)
_IDENTIFIER = re.compile(
    r"(^|_)(id|uuid|guid|key|rec|record|cluster|entity|index|row)(_|$)|编号|序号|id$", re.IGNORECASE
)
_DATE = re.compile(
    r"^(\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|(19|20)\d{6})([T ]\d\d:\d\d.*)?$"
)
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_PHONE = re.compile(r"^\+?[\d\s().-]{7,20}$")
_MOBILE = re.compile(r"^(\+?86)?1[3-9]\d{9}$")
_HAN_NAME = re.compile(r"^[\u3400-\u9fff]{2,4}$")
_HAN_ADDRESS = re.compile(r"[\u3400-\u9fff]{2,}(省|市|区|县|镇|乡|路|街|号|村)")


class BadColumns(SpiraError):
    """Columns that are mapped to what they can't be, or that are not there."""

    code = "E130"
    status = 422


def guess(table: pa.Table, *, told: Mapping[str, str] | None = None, truth: str | None = None) -> dict[str, ColumnKind]:
    """The kind of each column that says something about a person, in the table's order.

    `told` maps column names to kinds and wins; `truth` is left out. Raises BadColumns for unknown names or kinds,
    and when nothing is left to match on.
    """
    told = dict(told or {})
    for name, kind in told.items():
        if name not in table.column_names:
            raise BadColumns(f"there is no column `{name}`", help=f"the columns are {', '.join(table.column_names)}")
        if kind not in COLUMN_KINDS:
            raise BadColumns(f"`{kind}` is no kind of column", help=f"the kinds are {', '.join(COLUMN_KINDS)}")
    names = [name for name in table.column_names if name != truth]
    head = table.slice(0, table.num_rows)
    found = {name: told.get(name) or _guess_one(name, head.column(name)) for name in names}
    kept = {name: kind for name, kind in found.items() if kind != "ignore"}
    for name in _repeated(table, kept, frozenset(told)):
        del kept[name]
    if not set(kept.values()) - {"source", "category"}:
        raise BadColumns("no column was recognised as saying who a person is", help="name them: --map COLUMN=KIND")
    return kept  # type: ignore[return-value]


def texts(column: pa.ChunkedArray) -> list[str | None]:
    """The values as trimmed text; what is empty or stands for nothing is None. Whole floats lose their `.0`."""
    kind = column.type
    if pa.types.is_floating(kind):
        return [
            None if v is None or v != v else str(int(v)) if float(v).is_integer() else str(v)
            for v in column.to_pylist()
        ]
    return [_text(value) for value in column.to_pylist()]


_NOTHING = frozenset({"", "nan", "none", "null", "n/a", "na", "nil", "-", "--", "unknown", "无", "未知", "\\n"})


def _text(value: object) -> str | None:
    text = "" if value is None else str(value).strip()
    return None if text.lower() in _NOTHING else text


def _guess_one(name: str, column: pa.ChunkedArray) -> ColumnKind:
    plain = re.sub(r"[^0-9a-z\u3400-\u9fff]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()).strip("_")
    if pa.types.is_boolean(column.type) or pa.types.is_nested(column.type):
        return "ignore"
    step = max(1, len(column) // _SAMPLE)
    values = [v for v in texts(column.take(list(range(0, len(column), step)))) if v is not None]
    if not values or len(set(values)) == 1:
        return "ignore"
    by_name = next((kind for kind, pattern in _NAMES if re.search(pattern, plain)), None)
    if by_name is not None:
        return _fitting(by_name, values)
    if _IDENTIFIER.search(plain):
        return "ignore"
    return _by_values(values, column.type, distinct=len(set(values)))


def _fitting(kind: ColumnKind, values: Sequence[str]) -> ColumnKind:
    """A kind taken from the name, if the values can be it: `address_2` may hold a category, `state` long texts."""
    if kind in ("category", "text"):
        return "category" if len(set(values)) <= _FEW else "text"
    if kind == "email" and _share(values, _EMAIL) < 0.2:
        return "text"
    if kind == "address" and _share(values, _HAN_ADDRESS) < 0.3 and _share(values, re.compile(r"\d+\s+\D{3}")) < 0.3:
        return "text"
    return kind


def _by_values(values: Sequence[str], stored: pa.DataType, *, distinct: int) -> ColumnKind:
    if _share(values, _EMAIL) > 0.6:
        return "email"
    if pa.types.is_timestamp(stored):
        return "ignore"
    if pa.types.is_date(stored) or _share(values, _DATE) > 0.7:
        return "birth_date" if _old(values) else "ignore"
    if _share(values, _MOBILE) > 0.5:
        return "phone"
    if pa.types.is_floating(stored) or pa.types.is_integer(stored):
        return "ignore"
    if _share(values, _PHONE) > 0.8 and sum(map(len, values)) / len(values) >= 8:
        return "phone"
    if _share(values, _HAN_NAME) > 0.8 and distinct > _FEW:
        return "full_name"
    if _share(values, _HAN_ADDRESS) > 0.5:
        return "address"
    if distinct <= 3:
        return "ignore"  # a mark of the row, more likely than a fact about a person
    return "category" if distinct <= _FEW else "text"


def _share(values: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(1 for value in values if pattern.search(value)) / len(values)


def _old(values: Sequence[str]) -> bool:
    """Whether dates spread over decades, as birthdays do and days of sign-up do not."""
    years = sorted(int(found[0]) for value in values if (found := re.findall(r"(?:1[5-9]|20)\d\d", value)))
    return bool(years) and years[int(len(years) * 0.95)] - years[int(len(years) * 0.05)] >= 20


def _repeated(table: pa.Table, kinds: Mapping[str, str], told: frozenset[str]) -> list[str]:
    """Columns that say again what others say: a full name beside its parts, or a text that equals another column's."""
    dropped = []
    if {"given_name", "family_name"} <= set(kinds.values()):
        dropped = [name for name, kind in kinds.items() if kind == "full_name" and name not in told]
    step = max(1, table.num_rows // _SAMPLE)
    rows = list(range(0, table.num_rows, step))
    sample = {name: texts(table.column(name).take(rows)) for name in kinds if name not in dropped}
    names = list(sample)
    for place, later in enumerate(names):
        for earlier in names[:place]:
            if earlier in dropped or later in told:
                continue
            both = [(a, b) for a, b in zip(sample[earlier], sample[later], strict=True) if a and b]
            same = sum(1 for a, b in both if a.lower() == b.lower())
            if len(both) > len(rows) * 0.2 and same > 0.9 * len(both):
                dropped.append(later)
                break
    return dropped
