"""Building: rows become the calls of a batch, as JSON, each with a message id that its row makes.

A call's message id is a keyed hash of the source, the event and the values of the key: the same row
gives the same id in every run and on every machine of the workspace, and tells nobody what the
key was. Identifies and consents are also hashed by what they say, so that a changed row is told again.

A row with a fault becomes nothing at all and is told with the reason; so do the other rows of its
order, since an order without one of its lines would be wrong.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from spira.collect.connectors.base import Rows, Unreadable
from spira.collect.connectors.files import column_names
from spira.collect.identifiers import normalise
from spira.collect.mapping.convert import Converted, convert
from spira.collect.mapping.model import CallDefinition, Constant, MappingDefinition, Value
from spira.collect.mapping.values import shown
from spira.kernel.diagnostics import did_you_mean
from spira.storage.keys import Keys

PURPOSE = "imports"
_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
CONSENTS = ("Consent Withdrawn", "Consent Given")
NOBODY = "the row says nobody: it has no id and no contact"
NO_TIME = "the row says no time at which it happened"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """What is wrong in one row: its number, the column of the table, the value there, and why."""

    row: int
    column: str
    value: str
    reason: str
    cells: Mapping[str, str] = field(default_factory=dict)
    subject_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What some rows became: the JSON of each call, the rows at fault, and how many rows no call is made of."""

    calls: list[bytes]
    faults: list[RowFault]
    skipped: int = 0


@dataclass(slots=True, kw_only=True)
class Table:
    """Rows whose columns were read: values by the mapping's names, and faults by place."""

    columns: Mapping[str, list[Any]]
    numbers: Sequence[int]
    faults: dict[int, RowFault]
    raw: Rows


class Builder:
    """One mapping at work for one source."""

    def __init__(self, mapping: MappingDefinition, *, source: str, keys: Keys, zone: str) -> None:
        self.mapping = mapping
        self._keys = keys
        self._zone = mapping.zone or zone
        self._hash = hashlib.blake2b(f"{source}\0".encode(), key=keys.derive(PURPOSE), digest_size=16)
        self._met: set[bytes] = set()
        self._found: tuple[tuple[str, ...], dict[str, str | None]] | None = None
        self._makers = [_Maker(each, self) for each in mapping.calls]

    def read(self, rows: Rows, only: Sequence[str] | None = None) -> Table:
        """The rows' columns, cleaned and typed; `only` some of them."""
        places = self.places(list(rows.columns))
        columns: dict[str, list[Any]] = {}
        faults: dict[int, RowFault] = {}
        for name, declared in self.mapping.columns.items():
            if only is not None and name not in only:
                continue
            where = places[name]
            if where is None:
                columns[name] = [declared.default] * len(rows)
                continue
            found: Converted = convert(rows.columns[where], declared, zone=self._zone, empty=self.mapping.empty)
            columns[name] = found.values
            for place, (value, reason) in found.faults.items():
                faults[place] = _also(faults.get(place), rows.numbers[place], where, (value, reason))
        return Table(columns=columns, numbers=rows.numbers, faults=faults, raw=rows)

    def build(self, table: Table, groups: Sequence[tuple[int, int]] | None = None) -> Built:
        """The calls of the rows; `groups` are the stretches of rows of one key, each row by itself without them."""
        spans = groups if groups is not None else [(at, at + 1) for at in range(len(table.numbers))]
        faults: list[RowFault] = []
        if table.faults:
            spans = [span for span in spans if not self._at_fault(table, span, faults)]
        made = list(zip(*(each.make(table.columns, spans) for each in self._makers), strict=True))
        calls: list[bytes] = []
        kept: list[tuple[int, int]] = []
        skipped = 0
        for span, told in zip(spans, made, strict=True):
            reason = next((each for each in told if isinstance(each, str)), None)
            if reason is not None:
                for at in range(*span):
                    told_of = RowFault(row=table.numbers[at], column="", value="", reason=reason)
                    faults.append(self.whole(told_of, table, at))
                continue
            kept.append(span)
            found = [each for each in told if isinstance(each, bytes)]
            skipped += 0 if found else span[1] - span[0]
            calls += found
        return Built(calls=[*self._introductions(table, kept), *calls], faults=faults, skipped=skipped)

    def places(self, names: Sequence[str]) -> dict[str, str | None]:
        """Which column of the table each column of the mapping is; Unreadable names one that is needed and missing."""
        key = tuple(names)
        if self._found is None or self._found[0] != key:
            self._found = key, _places(self.mapping, names)
        return self._found[1]

    def _at_fault(self, table: Table, span: tuple[int, int], faults: list[RowFault]) -> bool:
        wrong = [at for at in range(*span) if at in table.faults]
        if not wrong:
            return False
        for at in range(*span):
            fault = table.faults.get(at)
            told = fault or RowFault(
                row=table.numbers[at],
                column="",
                value="",
                reason=f"row {table.numbers[wrong[0]]} of the same key is at fault",
            )
            faults.append(self.whole(told, table, at))
        return True

    def whole(self, fault: RowFault, table: Table, at: int) -> RowFault:
        """The fault with all that stood in its row, and the key of whom the row is about, as far as it says."""
        about = ""
        for call in self.mapping.calls:
            for name, kind in ((call.user_id, "user_id"), (call.contact, "")):
                value = table.columns[name][at] if name and not about else None
                if name and value is not None:
                    kind = kind or self.mapping.columns[name].type
                    about = self._keys.subject_key(kind, normalise(kind, str(value)) or str(value))
        return replace(fault, cells=cells_of(table.raw, at), subject_key=about)

    def _introductions(self, table: Table, spans: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        """For people who are known by a contact alone: one identify each, which ties the made id to the contact."""
        for contact in dict.fromkeys(each.contact for each in self.mapping.calls if each.contact):
            kind = self.mapping.columns[contact].type
            for first, _ in spans:
                value = table.columns[contact][first]
                if value is None:
                    continue
                known = self.known_by(kind, value)
                mark = known.encode()
                if mark not in self._met:
                    self._met.add(mark)
                    told = {
                        "type": "identify",
                        "anonymousId": known,
                        "messageId": self.id_of(b"introduced", mark),
                        "traits": {kind: value},
                    }
                    yield _ENCODER.encode(told)

    def known_by(self, kind: str, value: str) -> str:
        """The made id of one who is known by a contact alone; it does not tell the contact."""
        return f"by_{kind}_{self.id_of(kind.encode(), value.encode())}"

    def id_of(self, *parts: bytes) -> str:
        """A keyed hash of the source and the parts."""
        digest = self._hash.copy()
        for part in parts:
            digest.update(b"%d:" % len(part))
            digest.update(part)
        return digest.hexdigest()


class _Maker:
    """One call of a mapping: made of each stretch of rows, or None where there is none, or a reason why it can't be."""

    def __init__(self, call: CallDefinition, builder: Builder) -> None:
        mapping = builder.mapping
        self._call = call
        self._id = builder.id_of
        self._known_by = builder.known_by
        self._key = list(call.key or mapping.key) or list(mapping.columns)
        self._once = (call.again or ("once" if call.call == "track" else "changed")) == "once"
        values = call.traits if call.call == "identify" else call.properties
        self._named = [(name, value) for name, value in values.items() if isinstance(value, str)]
        self._fixed = {name: value.value for name, value in values.items() if isinstance(value, Constant)}
        self._inside = "traits" if call.call == "identify" else "properties"
        self._name = (call.event or call.call).encode()
        self._contact = mapping.columns[call.contact].type if call.contact else ""
        self._wanted = {name: frozenset(map(_same, allowed)) for name, allowed in call.when.items()}
        self._shared = {"channel": mapping.touchpoint} if mapping.touchpoint else {}

    def make(self, table: Mapping[str, list[Any]], spans: Sequence[tuple[int, int]]) -> list[bytes | str | None]:
        """The call of each stretch."""
        call = self._call
        times = table[call.at] if call.at else None
        keys = [table[each] for each in self._key]
        pairs = [(name, table[column]) for name, column in self._named]
        tests = [(table[name], allowed) for name, allowed in self._wanted.items()]
        needs = [table[name] for name in ([call.given] if call.given else []) + call.needs]
        given = table[call.given] if call.given else None
        picky = bool(tests or needs)
        made: list[bytes | str | None] = []
        for at, end in spans:
            if picky and not _wants(tests, needs, at):
                made.append(None)
                continue
            told = self._who(table, at)
            if told is None:
                made.append(NOBODY)
                continue
            if given is not None:
                told["type"], told["event"] = "track", CONSENTS[bool(given[at])]
                told["properties"] = {"purpose": call.purpose, "channel": call.channel}
            else:
                inner = {name: column[at] for name, column in pairs if column[at] is not None}
                inner.update(self._fixed)
                if call.lines:
                    inner.update(_lines(call.lines, table, at, end))
                if not inner and call.call == "identify":
                    made.append(None)
                    continue
                told[self._inside] = inner
            if times is not None:
                if times[at] is None:
                    made.append(NO_TIME)
                    continue
                told["timestamp"] = times[at]
            about = _ENCODER.encode([column[at] for column in keys])
            body = _ENCODER.encode(told)
            number = self._id(self._name, about) if self._once else self._id(self._name, about, body)
            made.append(b'{"messageId":"%s",%s' % (number.encode(), body[1:]))
        return made

    def _who(self, table: Mapping[str, list[Any]], at: int) -> dict[str, Any] | None:
        """The beginning of a call: what it is, and whom it is about; None for nobody."""
        call = self._call
        told: dict[str, Any] = {"type": call.call, **self._shared}
        if call.event:
            told["event"] = call.event
        user = table[call.user_id][at] if call.user_id else None
        device = table[call.anonymous_id][at] if call.anonymous_id else None
        if user is None and device is None and call.contact and (value := table[call.contact][at]) is not None:
            device = self._known_by(self._contact, value)
        if user is not None:
            told["userId"] = user if isinstance(user, str) else str(user)
        if device is not None:
            told["anonymousId"] = device if isinstance(device, str) else str(device)
        return None if user is None and device is None else told


def _wants(tests: Sequence[tuple[list[Any], frozenset[Any]]], needs: Sequence[list[Any]], at: int) -> bool:
    """Whether a call is made of the row at all."""
    if any(_same(column[at]) not in allowed for column, allowed in tests):
        return False
    return not any(column[at] is None for column in needs)


def _also(before: RowFault | None, row: int, column: str, wrong: tuple[str, str]) -> RowFault:
    """One more fault of a row."""
    value, reason = wrong
    if before is None:
        return RowFault(row=row, column=column, value=value, reason=reason)
    return replace(before, column=f"{before.column}, {column}", reason=f"{before.reason}; {column}: {reason}")


def _lines(
    lines: Mapping[str, Mapping[str, Value]], table: Mapping[str, list[Any]], at: int, end: int
) -> dict[str, Any]:
    found = {}
    for array, fields in lines.items():
        found[array] = [
            {
                name: told
                for name, value in fields.items()
                if (told := table[value][row] if isinstance(value, str) else value.value) is not None
            }
            for row in range(at, end)
        ]
    return found


def _same(value: Any) -> Any:
    """A value for comparing with what a mapping writes: 1 and 1.0 and "1" are one."""
    if isinstance(value, bool) or value is None:
        return value
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def cells_of(rows: Rows, at: int) -> dict[str, str]:
    """All that stands in a row, as texts."""
    cells = {}
    for name, column in rows.columns.items():
        value = column[at]
        plain = value.as_py() if hasattr(value, "as_py") else value
        cells[name] = "" if plain is None else (plain if isinstance(plain, str) else shown(plain))
    return cells


def _places(mapping: MappingDefinition, names: Sequence[str]) -> dict[str, str | None]:
    there = {_plain(name): name for name in reversed(names)}
    found: dict[str, str | None] = {}
    missing: list[str] = []
    for name, declared in mapping.columns.items():
        wanted = declared.source or [name]
        place = next((there[_plain(each)] for each in wanted if _plain(each) in there), None)
        if place is None and (declared.required or name in mapping.key):
            missing.append(wanted[0])
        found[name] = place
    if missing:
        near = did_you_mean(missing[0], names)
        raise Unreadable(
            f"the table has no column `{missing[0]}`, which the mapping `{mapping.mapping}` needs",
            help=near or f"its columns are: {', '.join(names[:30])}",
        )
    if not any(found.values()):
        raise Unreadable(
            f"the table has none of the columns of the mapping `{mapping.mapping}`",
            help=f"its columns are: {', '.join(names[:30])}",
        )
    return found


def _plain(name: str) -> str:
    """A column's name for comparing: width, case and blanks do not matter."""
    return "".join(unicodedata.normalize("NFKC", column_names([name])[0]).casefold().split())
