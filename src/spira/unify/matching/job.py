"""The child's part of a run: records come in sealed, are opened in its memory only, and leave as ids and weights.

Reads   two Arrow files of its parent, the vault (state), the workspace's keys
        the sealed forms of the last run (`unify.matching.forms`)
Writes  one Arrow file with the pairs, and the forms again where they are worn

No value of a person is in what it writes but sealed, and the engine that compares has no disk.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from spira.kernel.ids import new_id
from spira.kernel.jobs import job
from spira.storage.keys import Keys, load_keys
from spira.storage.state import State, open_engine
from spira.storage.vault import Vault
from spira.unify.matching import forms
from spira.unify.matching.clean import Cleaned, clean
from spira.unify.matching.comparisons import comparisons, kinds_of, labels
from spira.unify.matching.fields import written
from spira.unify.matching.model import NO_PAIRS, Matcher, Pairs, settle
from spira.unify.matching.saved import FEW, Saved, built_in, prior_of
from spira.unify.matching.text import HAN

PURPOSE = "matching"  # of the key by which values are marked
_LOT = 100_000  # values that are opened at a time


class MatchTask(msgspec.Struct, kw_only=True):
    """One run. `told` and `units` are files: what each unit (a person by evidence alone) was told, and who there is.

    `columns` are names with their kinds, `least` the weight from which a pair is kept. Without `saved` a model is
    learned; with `everyone` all pairs are looked at, else those with a changed unit. `forms` is where the sealed forms
    of the last run lie, and `forms_out` where those of this one are to, for the parent to put in their place.
    """

    keys: str
    state: str
    told: str
    units: str
    out: str
    columns: list[tuple[str, str]]
    exact: list[str] = []
    asked: list[list[str]] = []
    least: float
    saved: Saved | None = None
    everyone: bool = True
    memory: str = "4GB"
    threads: int = 2
    forms: str = ""
    forms_out: str = ""


class Matched(msgspec.Struct, kw_only=True):
    """What came of it: the model that was used, and how many records and pairs there were."""

    saved: Saved
    records: int
    changed: int
    pairs: int
    seconds: float
    cleaned: int = 0  # how many records were opened and cleaned; of the others the form was known


@job("unify.matching.match", task=MatchTask, result=Matched)
def match(task: MatchTask) -> Matched:
    """Match the people of a workspace with one another."""
    started = time.perf_counter()
    keys = load_keys(Path(task.keys))
    units = _read(task.units)
    secret = keys.derive(PURPOSE)
    cleaned, places = _cleaned(task, keys, units)
    changed = units["changed"].to_numpy()
    matcher = Matcher(
        cleaned, memory=task.memory, threads=task.threads, exact=tuple(task.exact), asked=tuple(task.asked)
    )
    try:
        if task.saved is None:
            saved, pairs = _learned(matcher, secret)
        elif not comparisons(cleaned, task.exact):
            saved, pairs = task.saved, NO_PAIRS
        else:
            saved = task.saved
            matcher.prepare(saved.keys, None if task.everyone else changed)
            matcher.take(saved, secret)
            pairs = matcher.pairs()
    finally:
        matcher.close()
    kept = _weighed(pairs, saved) >= task.least
    _write(task.out, units, pairs, kept, saved, cleaned, tuple(task.exact))
    if task.forms_out and forms.is_worn(places):
        forms.write(Path(task.forms_out), keys, _mark(task, saved), units, cleaned.table)
    return Matched(
        saved=saved,
        records=units.num_rows,
        changed=int(changed.sum()),
        pairs=int(kept.sum()),
        seconds=round(time.perf_counter() - started, 3),
        cleaned=units.num_rows if places is None else int((places < 0).sum()),
    )


def _cleaned(
    task: MatchTask, keys: Keys, units: pa.Table
) -> tuple[Cleaned, np.ndarray[Any, np.dtype[np.int64]] | None]:
    """The records in their forms, and where those lie that the last run had made already; None without such."""
    kinds, rows = dict(task.columns), units.num_rows
    if task.saved is None:
        with _vault(task.state, keys) as vault:
            records = _records(task, vault, np.ones(rows, np.bool_))
        return clean(records, {name: kinds[name] for name in _filled(records)}), None
    known = forms.read(Path(task.forms), keys, _mark(task, task.saved)) if task.forms else None
    places = None if known is None else known.places(units)
    fresh = np.ones(rows, np.bool_) if places is None else places < 0
    with _vault(task.state, keys) as vault:
        records = _records(task, vault, fresh)
    made = clean(records, {name: kinds[name] for name in task.saved.columns}, shape=task.saved.shape)
    if known is None or places is None:
        return made, None
    both = pa.concat_tables([known.table, made.table.drop_columns(["unique_id"]).select(known.table.column_names)])
    order = np.where(fresh, known.base.size + np.cumsum(fresh) - 1, places)
    whole = both.take(pa.array(order)).add_column(0, "unique_id", pa.array(np.arange(rows), pa.int64()))
    return replace(made, table=whole), places


def _mark(task: MatchTask, saved: Saved) -> str:
    kinds = dict(task.columns)
    return forms.mark_of({name: kinds[name] for name in saved.columns}, saved.shape)


def _filled(records: pa.Table) -> list[str]:
    """The columns in which anybody has a value."""
    return [name for name in records.column_names if records[name].null_count < records.num_rows]


def _learned(matcher: Matcher, secret: bytes) -> tuple[Saved, Pairs]:
    """A model of these records, or the built-in one where they are too few; and the pairs it finds."""
    rows = matcher.cleaned.table.num_rows
    comparable = bool(comparisons(matcher.cleaned, matcher.exact))
    learned = rows >= FEW and comparable
    if not learned:
        matcher.prepare()
        levels, prior = built_in(matcher.cleaned, matcher.exact), prior_of(rows)
    else:
        matcher.train()
        levels, prior = matcher.learned(), matcher.prior
    common, rare = matcher.frequencies(secret, levels)
    saved = Saved(
        version=new_id("mod"),
        records=rows,
        learned=learned,
        columns=[column for field in matcher.cleaned.fields for column in field.columns],
        shape=matcher.cleaned.shape,
        keys=matcher.looked_up,
        prior=prior,
        levels=levels,
        common=common,
        rare=rare,
    )
    if not comparable:
        return saved, NO_PAIRS
    matcher.take(saved, secret)
    pairs = matcher.pairs()
    if saved.learned:
        _, prior = settle(pairs, prior, rows * (rows - 1) / 2)
        saved = msgspec.structs.replace(saved, prior=prior)
    return saved, pairs


def _weighed(pairs: Pairs, saved: Saved) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The weights by the model's own share of pairs of one person, always summed in the same order."""
    weight = np.full(len(pairs.left), np.log2(saved.prior / (1 - saved.prior)))
    for name in sorted(pairs.bits):
        weight = weight + pairs.bits[name]
    return weight


def _write(
    out: str,
    units: pa.Table,
    pairs: Pairs,
    kept: np.ndarray[Any, np.dtype[np.bool_]],
    saved: Saved,
    cleaned: Cleaned,
    exact: Sequence[str],
) -> None:
    """The pairs that are kept, by the identifiers of their units, each pair's smaller one first."""
    end = units["end_id"].to_numpy()
    one, two = end[pairs.left[kept]], end[pairs.right[kept]]
    made = pa.table(
        {
            "subject_id": pa.array(np.minimum(one, two), pa.int64()),
            "other_id": pa.array(np.maximum(one, two), pa.int64()),
            "weight": pa.array(np.round(_weighed(pairs, saved)[kept], 6), pa.float64()),
            "fields": pa.array(_fields(pairs, kept, cleaned, exact), pa.string()),
        }
    )
    with pa.OSFile(out, "wb") as sink, pa.ipc.new_file(sink, made.schema) as writer:
        writer.write_table(made)


def _fields(
    pairs: Pairs, kept: np.ndarray[Any, np.dtype[np.bool_]], cleaned: Cleaned, exact: Sequence[str]
) -> list[str]:
    """What each comparison said of each pair, as JSON: what it is about, the level's name (none: missing) and bits."""
    compared = {each["output_column_name"]: labels(each) for each in comparisons(cleaned, exact)}
    columns = {field.name: field.columns[0] for field in cleaned.fields}
    columns |= {part: columns["name"] for part in ("given", "family") if any(f.kind == "name" for f in cleaned.fields)}
    about = kinds_of(cleaned)
    told = []
    for name, levels in compared.items():
        owner = columns.get(name) or columns.get(name.rpartition("_")[0]) or name
        told.append((owner, about[name], levels, pairs.levels[name][kept].tolist(), pairs.bits[name][kept].tolist()))
    return [
        written(
            [
                (owner, kind, None if level[at] < 0 else words[level[at]], round(bits[at], 2))
                for owner, kind, words, level, bits in told
            ]
        )
        for at in range(int(kept.sum()))
    ]


def _records(task: MatchTask, vault: Vault, wanted: np.ndarray[Any, np.dtype[np.bool_]]) -> pa.Table:
    """A table with a row for each wanted unit and a column of texts for each that is compared."""
    told, rows = _read(task.told), int(wanted.sum())
    if rows < wanted.size:
        row_of = np.cumsum(wanted) - 1
        told = told.filter(pa.array(wanted[told["unit"].to_numpy()]))
        told = told.set_column(told.column_names.index("unit"), "unit", pa.array(row_of[told["unit"].to_numpy()]))
    at, column = told["unit"].to_numpy(), told["place"].to_numpy()
    value, key = told["value"].to_pylist(), told["vault_key"].to_pylist()
    opened: dict[str, str] = {}
    sealed = [each for each in key if each is not None]
    for start in range(0, len(sealed), _LOT):
        opened |= vault.open(sealed[start : start + _LOT])
    made: list[list[str | None]] = [[None] * rows for _ in task.columns]
    for place, row in enumerate(zip(at.tolist(), column.tolist(), strict=True)):
        text = value[place]
        made[row[1]][row[0]] = opened.get(key[place]) if text is None else text
    whole = {name: texts for (name, _), texts in zip(task.columns, made, strict=True)}
    named = {kind: name for name, kind in task.columns if kind in ("full_name", "given_name", "family_name")}
    joined = task.saved is not None and named.get("full_name") in task.saved.columns
    if "full_name" in named and (joined or any(whole[named["full_name"]])):
        _join_names(whole, named)
    return pa.table({name: pa.array(texts, pa.string()) for name, texts in whole.items()})


def _join_names(whole: dict[str, list[str | None]], named: Mapping[str, str]) -> None:
    """Where some told their name in one piece, let those who told it in two have one piece as well."""
    nobody: list[str | None] = [None] * len(whole[named["full_name"]])
    given, family = (
        whole.pop(named[kind], nobody) if kind in named else nobody for kind in ("given_name", "family_name")
    )
    for at, (full, first, last) in enumerate(zip(whole[named["full_name"]], given, family, strict=True)):
        if full is None and (first or last):
            parts = (last, first) if HAN.search(f"{first}{last}") else (first, last)
            whole[named["full_name"]][at] = ("" if HAN.search(f"{first}{last}") else " ").join(filter(None, parts))


def _read(path: str) -> pa.Table:
    with pa.memory_map(path) as source:
        return pa.ipc.open_file(source).read_all()


@contextmanager
def _vault(where: str, keys: Keys) -> Iterator[Vault]:
    with State(open_engine(where)) as state:
        yield Vault(state, keys)


def model_of(saved: bytes) -> Saved:
    """A model as the warehouse has it."""
    return msgspec.msgpack.decode(saved, type=Saved)
