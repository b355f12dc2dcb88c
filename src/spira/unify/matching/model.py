"""The model: Splink over an in-memory engine, trained without labels, and the weights of all pairs looked at.

How unlike pairs agree by chance is measured on random pairs with a fixed seed. How often pairs of one person agree is
learned by expectation maximisation inside several blocks, each of which leaves out what it is blocked by. How many
pairs are of one person at all is then settled so that the model agrees with its own findings: the prior is moved
until it equals what the pairs' probabilities add up to.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as entry
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa

from spira.unify.matching import blocking
from spira.unify.matching.clean import Cleaned
from spira.unify.matching.comparisons import comparisons
from spira.unify.matching.needs import need
from spira.unify.matching.saved import CROWD, RAREST, Odds, Saved, built_in, is_number, mark, rarity

Common = dict[str, dict[int, float]]

FAINTEST = -6.0  # pairs below this weight (of about one in seventy) are forgotten
_RANDOM_PAIRS = 500_000
_SESSION_PAIRS = 1_000_000
_FEW = 2_000  # rows of which every pair is looked at
_RECORDS = "records"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs of row numbers with their weight, the log (base 2) of the odds that both are one person.

    Of a saved model, `levels` gives for each comparison the level of each pair: -1 missing, 0 unlike, and upwards to
    equal; and `bits` what each comparison adds to the weight.
    """

    left: np.ndarray[Any, np.dtype[np.int64]]
    right: np.ndarray[Any, np.dtype[np.int64]]
    weight: np.ndarray[Any, np.dtype[np.float64]]
    levels: dict[str, np.ndarray[Any, np.dtype[np.int8]]] = entry(default_factory=dict)
    bits: dict[str, np.ndarray[Any, np.dtype[np.float64]]] = entry(default_factory=dict)


NO_PAIRS = Pairs(left=np.zeros(0, np.int64), right=np.zeros(0, np.int64), weight=np.zeros(0))


class Matcher:
    """One table's model. Everything lies in an engine in memory, which `close` gives back."""

    def __init__(
        self,
        cleaned: Cleaned,
        *,
        seed: int = 1,
        memory: str = "4GB",
        threads: int = 2,
        exact: Collection[str] = (),
        asked: Sequence[Sequence[str]] = (),
    ) -> None:
        """`exact` are columns of which only equal values count, `asked` the columns of each key where keys are told."""
        self.cleaned = cleaned
        self.exact = exact
        self._asked = asked
        self._seed = seed
        duckdb = need("duckdb")
        self._connection = duckdb.connect(":memory:", config={"memory_limit": memory, "threads": threads})
        self._connection.execute("set temp_directory = ''")  # values of people are never written to a disk
        self._connection.execute("set enable_progress_bar = false")
        self.keys: list[blocking.Key] = []
        self.looked_up: list[str] = []
        self._only_fresh = False
        self._told: Mapping[str, Sequence[Odds]] = {}
        self.prior = 1e-5
        self._found = 0

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def train(self) -> None:
        """Choose the keys and learn the weights."""
        rows = self.cleaned.table.num_rows
        self.prepare()
        sessions, matches = self._sessions()
        self.prior = min(0.5, max(matches, 1) / max(rows * (rows - 1) / 2, 1))
        self._linker = self._open()
        training = self._linker.training
        training.estimate_u_using_random_sampling(
            max_pairs=_RANDOM_PAIRS, seed=self._seed, min_count_per_level=None, num_chunks=1
        )
        for rule in sessions:
            training.estimate_parameters_using_expectation_maximisation(rule, max_pairs=_SESSION_PAIRS)
        self._purify()

    def prepare(
        self, keys: Sequence[str] | None = None, fresh: np.ndarray[Any, np.dtype[np.bool_]] | None = None
    ) -> None:
        """Take the records in and choose their keys, or take those that are given (as SQL).

        With `fresh`, only pairs with a fresh record are looked at.
        """
        table = self.cleaned.table
        everyone = np.ones(table.num_rows, np.bool_) if fresh is None else fresh
        self._connection.register("given_records", table.append_column("fresh", pa.array(everyone)))
        self._connection.execute("create table plain as from given_records")
        self._connection.unregister("given_records")
        if keys is None:
            self.keys = self._chosen(table.num_rows)
            keys = [key.sql for key in self.keys]
        self.looked_up = list(keys)
        made = ["1 as everybody", *(f"{_key(sql)} as key_{place}" for place, sql in enumerate(keys))]
        self._connection.execute(f"create table {_RECORDS} as select *, {', '.join(made)} from plain")
        self._connection.execute("drop table plain")
        for place in range(len(keys)):
            self._forget_crowds(f"key_{place}")
        self._only_fresh = fresh is not None

    def _forget_crowds(self, key: str) -> None:
        """Let values of a key that too many records share bring nobody together."""
        crowds = self._connection.execute(
            f"select {key} from {_RECORDS} where {key} is not null group by {key} having count(*) > {blocking.MOST}"
        ).fetchall()
        if crowds:
            self._connection.execute(f"update {_RECORDS} set {key} = null where {key} in (select unnest(?))",
                                     [[value for (value,) in crowds]])  # fmt: skip

    def _chosen(self, rows: int) -> list[blocking.Key]:
        if self._asked:
            return blocking.asked(self.cleaned, self._asked)
        if rows <= _FEW:
            return []
        return blocking.choose(self._connection, "plain", self.cleaned, budget=max(4_000_000, 10 * rows))

    def _purify(self) -> None:
        """Take out of what random pairs agree in the share that are of one person: with many records per person it is
        most of it, and real agreements would weigh too little."""
        for comparison in self._linker._settings_obj.comparisons:  # Splink has no public way to set one probability
            for level in comparison.comparison_levels:
                if level.is_null_level or level.m_probability is None or level.u_probability is None:
                    continue
                same, chance = float(level.m_probability), float(level.u_probability)
                level.u_probability = max((chance - self.prior * same) / (1 - self.prior), chance / 20)

    def pairs(self) -> Pairs:
        """Every pair that a key finds and whose weight is not all too low."""
        made = self._linker.inference.predict(threshold_match_weight=FAINTEST)
        return self._read(made)

    def learned(self) -> dict[str, list[Odds]]:
        """The two probabilities of each level, as training left them; those of which it saw nothing as they are built
        in."""
        made = built_in(self.cleaned, self.exact)
        for comparison in self._linker._settings_obj.comparisons:  # no public way to read them one by one
            levels = [each for each in comparison.comparison_levels if not each.is_null_level]
            for place, level in enumerate(levels):
                same, chance = level.m_probability, level.u_probability
                if same is not None and chance is not None and is_number(same) and is_number(chance):
                    made[comparison.output_column_name][place] = (float(same), float(chance))
        return made

    def frequencies(self, key: bytes, levels: Mapping[str, Sequence[Odds]]) -> tuple[Common, dict[str, float]]:
        """How common the values are that at least `CROWD` records share, by their marks, and all others."""
        common, rare = {}, {}
        for each in comparisons(self.cleaned, self.exact):
            for place, level in enumerate(each["comparison_levels"][1:]):
                if (column := level.get("tf_adjustment_column")) is None:
                    continue
                rows = self._connection.execute(
                    f"select {column}, count(*) from {_RECORDS} where {column} is not null group by {column}"
                ).fetchall()
                total = sum(count for _, count in rows)
                common[column] = {
                    mark(key, column, value): count / total
                    for value, count in rows
                    if count >= CROWD and count > RAREST * total
                }
                rare[column] = rarity(total, levels[each["output_column_name"]][place][1])
        return common, rare

    def take(self, saved: Saved, key: bytes) -> None:
        """Weigh by a saved model from now on; the records must have been prepared with its keys."""
        self.prior, self._told = saved.prior, saved.levels
        self._linker = self._open(saved.levels, shown=True)
        for column, common in saved.common.items():
            values = [
                value
                for (value,) in self._connection.execute(
                    f"select distinct {column} from {_RECORDS} where {column} is not null"
                ).fetchall()
            ]
            shares = [common.get(mark(key, column, value), saved.rare[column]) for value in values]
            table = pa.table({column: pa.array(values, pa.string()), f"tf_{column}": pa.array(shares, pa.float64())})
            name = f"shares_{column}"
            self._connection.register("given_shares", table)
            self._connection.execute(f"create or replace table {name} as from given_shares")
            self._connection.unregister("given_shares")
            self._linker.table_management.register_term_frequency_lookup(self._api.register(name), column)

    def within(self, groups: np.ndarray[Any, Any]) -> Pairs:
        """All pairs of rows with the same group; a group of -1 is none. For what no key had found."""
        table = pa.table(
            {"unique_id": pa.array(range(len(groups)), pa.int64()), "grouped": pa.array(groups, pa.int64())}
        )
        self._connection.register("grouping", table)
        self._connection.execute(
            f"create or replace table grouped_records as select {_RECORDS}.*, nullif(grouped, -1) as grouped "
            f"from {_RECORDS} join grouping using (unique_id)"
        )
        self._connection.unregister("grouping")
        rule = need("splink").block_on("grouped")
        shown = self._api.register("grouped_records")
        made = self._linker.inference.predict_within(shown, blocking_rules_to_generate_predictions=[rule])
        return self._read(made)

    def _open(self, levels: Mapping[str, Sequence[Odds]] | None = None, *, shown: bool = False) -> Any:
        splink = need("splink")
        logging.getLogger("splink").setLevel(logging.ERROR)
        self._api = splink.DuckDBAPI(connection=self._connection)
        looked_up = [f"key_{place}" for place in range(len(self.looked_up))] or ["everybody"]
        rules: list[Any] = [splink.block_on(each) for each in looked_up]
        if self._only_fresh:
            rules = [f"l.{each} = r.{each} and (l.fresh or r.fresh)" for each in looked_up]
        settings = splink.SettingsCreator(
            link_type="dedupe_only",
            comparisons=self._compared(levels),
            blocking_rules_to_generate_predictions=rules,
            probability_two_random_records_match=self.prior,
            retain_matching_columns=False,
            retain_intermediate_calculation_columns=shown,
        )
        return splink.Linker(self._api.register(_RECORDS), settings, log_level=logging.ERROR)

    def _compared(self, levels: Mapping[str, Sequence[Odds]] | None) -> list[dict[str, Any]]:
        """The comparisons, with the two probabilities of each level where these are known."""
        compared = comparisons(self.cleaned, self.exact)
        if levels is None:
            return compared
        for each in compared:
            odds = levels[each["output_column_name"]]
            for level, (same, chance) in zip(each["comparison_levels"][1:], odds, strict=True):
                level["m_probability"], level["u_probability"] = same, chance
        return compared

    def _read(self, made: Any) -> Pairs:
        found = self._connection.sql(f"select * from {made.physical_name}").to_arrow_table()
        made.drop_table_from_database_and_remove_from_cache()
        bits = {name: _said(found, name) for name in self._told}
        levels = {name: _level(found.column(f"mw_{name}").to_numpy(), odds) for name, odds in self._told.items()}
        return Pairs(
            left=found.column("unique_id_l").to_numpy(),
            right=found.column("unique_id_r").to_numpy(),
            weight=found.column("match_weight").to_numpy(),
            levels=levels,
            bits=bits,
        )

    def _sessions(self) -> tuple[list[str], float]:
        """The blocks to learn in, and about how many pairs are of one person.

        Two columns that are equal together far more often than each by itself would make them are so because of
        people: the surplus counts pairs of one person, and the share of the surplus says how good a block is.
        """
        columns = _whole_columns(self.cleaned)
        rows = self.cleaned.table.num_rows
        total = max(rows * (rows - 1) / 2, 1)
        alone = dict(zip(columns, blocking.count_pairs(self._connection, _RECORDS, list(columns)), strict=True))
        tried = [(a, b) for a, b in combinations(columns, 2) if columns[a] != columns[b]]
        together = blocking.count_pairs(self._connection, _RECORDS, [f"{a} || '|' || {b}" for a, b in tried])
        ranked = []
        for (a, b), count in zip(tried, together, strict=True):
            surplus = count - alone[a] * alone[b] / total
            if 0 < count <= _SESSION_PAIRS and surplus > 20:
                ranked.append((surplus * surplus / count, (a, b), surplus))
        ranked.sort(reverse=True)
        return self._rules(ranked, columns, alone), 1.2 * max((surplus for _, _, surplus in ranked), default=rows / 10)

    def _rules(
        self, ranked: Sequence[tuple[float, tuple[str, str], float]], columns: dict[str, str], alone: dict[str, int]
    ) -> list[str]:
        """Blocks so that every field is learned in at least two of them, the best first."""
        learned = dict.fromkeys(set(columns.values()), 0)
        chosen: list[str] = []
        for _, pair, _ in ranked:
            fields = {columns[each] for each in pair}
            if len(chosen) >= 4 or all(count >= 2 for count in learned.values()):
                break
            if not any(learned[field] < 2 for field in set(learned) - fields):
                continue
            chosen.append(" and ".join(f"l.{each} = r.{each}" for each in pair))
            for field in set(learned) - fields:
                learned[field] += 1
        if not chosen and len(learned) > 1:  # nothing is equal together: each of the two best columns by itself
            best = sorted((name for name in columns if 0 < alone[name] <= _SESSION_PAIRS), key=lambda name: alone[name])
            chosen = [f"l.{each} = r.{each}" for each in best[:2]]
        return chosen


def _whole_columns(cleaned: Cleaned) -> dict[str, str]:
    """The columns that are compared for equality, each with its field."""
    have = set(cleaned.table.column_names)
    found = {each: each for each in ("given", "family") if each in have}
    for field in cleaned.fields:
        if field.kind == "address":
            found |= {f"{field.name}_rest": f"{field.name}_rest"} if f"{field.name}_rest" in have else {}
        elif field.name in have:
            found[field.name] = field.name
    return found


def _key(sql: str) -> str:
    """The key as a number, or nothing where any part of it is missing."""
    return f"case when ({sql}) is not null then hash({sql}) end"


def _level(said: np.ndarray[Any, Any], odds: Sequence[Odds]) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Which level a pair is at, by what the comparison says of it: Splink leaves the number itself out."""
    weights = np.array([0.0, *(np.log2(same / chance) for same, chance in reversed(odds))])
    order = np.argsort(weights, kind="stable")
    place = np.searchsorted(weights[order], said)
    below, above = np.maximum(place - 1, 0), np.minimum(place, len(weights) - 1)
    nearer = np.where(said - weights[order][below] < weights[order][above] - said, below, above)
    made: np.ndarray[Any, np.dtype[np.int8]] = (order[nearer] - 1).astype(np.int8)
    return made


def _said(found: pa.Table, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """What a comparison adds to the weight of each pair: that of its level, and of how common the value is."""
    made: np.ndarray[Any, np.dtype[np.float64]] = found.column(f"mw_{name}").to_numpy()
    if f"mw_tf_adj_{name}" in found.column_names:
        made = made + found.column(f"mw_tf_adj_{name}").to_numpy()
    return made


def settle(pairs: Pairs, prior: float, total: float) -> tuple[Pairs, float]:
    """Move the prior until it equals the share of pairs that the weights then call one person; the pairs so weighed."""
    bare = pairs.weight - np.log2(prior / (1 - prior))
    for _ in range(50):
        weight = bare + np.log2(prior / (1 - prior))
        expected = float(np.sum(probability(weight)))
        moved = min(0.5, max(expected, 1.0) / max(total, 1.0))
        if abs(np.log2(moved / prior)) < 0.01:
            break
        prior = moved
    weight = bare + np.log2(prior / (1 - prior))
    return replace(pairs, weight=weight), prior


def probability(weight: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The probability that a weight stands for."""
    made: np.ndarray[Any, np.dtype[np.float64]] = 1 / (1 + np.exp2(-np.clip(weight, -60, 60)))
    return made
