"""The way in: a text and a catalog give a checked tree, or every fault with its place.

`analyse` never raises for what a person wrote. What it returns is what every other part
of the house works with: the lowering, the console's builder, plans and lineage.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from spira.segment.conditions.agreement import a, condition
from spira.segment.conditions.catalog import NUMERIC, Catalog, Type
from spira.segment.conditions.checker import check
from spira.segment.conditions.faults import WRONG_RESULT, Fault
from spira.segment.conditions.notes import Notes, Reads
from spira.segment.conditions.parser import parse
from spira.segment.conditions.printer import canonical
from spira.segment.conditions.tree import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """A text understood: its tree with types, what it reads, and what is wrong with it.

    `tree` is None when the text does not parse; `type` is None when it has faults.
    `condition` says that null at the top counts as false.
    """

    text: str
    tree: Node | None
    type: Type | None
    faults: tuple[Fault, ...]
    reads: Reads
    condition: bool = False


def analyse(text: str, catalog: Catalog, *, expect: Type | None = None, population: bool = False) -> Analysis:
    """Read and check `text`. `expect="boolean"` asks for a condition; `population` marks a tag's value."""
    is_condition = expect == "boolean"
    found = parse(text)
    if isinstance(found, Fault):
        return Analysis(text=text, tree=None, type=None, faults=(found,), reads=Reads(), condition=is_condition)
    notes = Notes(catalog=catalog, aggregates=population or not is_condition, population=population)
    tree = check(found, None, notes)
    if is_condition:
        condition(tree, notes)
    elif expect is not None:
        _expected(tree, expect, notes)
    faults = tuple(sorted(notes.faults, key=lambda each: (each.start, each.end, each.code)))
    kind = None if faults else tree.type
    return Analysis(text=text, tree=tree, type=kind, faults=faults, reads=notes.reads(), condition=is_condition)


def fingerprint(analysis: Analysis) -> str:
    """A stable name for what an expression says: spaces, comments and brackets do not change it."""
    said = analysis.text if analysis.tree is None else canonical(analysis.tree)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _expected(tree: Node, expect: Type, notes: Notes) -> None:
    fits = tree.type in (None, "null", expect) or (expect == "number" and tree.type in NUMERIC)
    if not fits and not (expect == "money" and tree.type == "integer"):
        notes.fault(WRONG_RESULT, tree, f"{a(expect)} is expected here, and this is {a(tree.type)}")
