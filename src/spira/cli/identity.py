"""`spira identity`: how well records that no identifier joins are recognised as one person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from spira.cli.identities import COMMANDS
from spira.cli.matching import COMMANDS as MATCHING
from spira.cli.options import json_option, table, working, workspace_option

if TYPE_CHECKING:
    from spira.unify.matching.evaluate import Evaluation, Mistake


@click.group("identity")
def identity() -> None:
    """Who is who: conflicts and what staff decide of them; how well records are recognised as one person."""


for _each in (*COMMANDS, *MATCHING):
    identity.add_command(_each)


@identity.command("evaluate")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--truth", required=True, metavar="COLUMN", help="The column that says which person a record is of.")
@click.option("--map", "told", multiple=True, metavar="COLUMN=KIND", help="What a column is, where the guess is wrong.")
@click.option("--one-per-source", is_flag=True, help="Each source (a column mapped to `source`) lists a person once.")
@click.option("--at", "least", type=click.FloatRange(0.01, 0.999), default=0.5, show_default=True,
              help="The probability from which two records are one person.")  # fmt: skip
@click.option("--worst", type=click.IntRange(0, 100), default=5, show_default=True, help="How many mistakes to show.")
@click.option("--show-values", is_flag=True, help="Show the values in mistakes instead of masks.")
@workspace_option
@json_option
def evaluate(
    *, file: Path, truth: str, told: tuple[str, ...], one_per_source: bool, least: float, worst: int,
    show_values: bool, directory: Path, as_json: bool,
) -> None:  # fmt: skip
    """Match the records of FILE (CSV or Parquet) and compare with the truth: pairwise precision and recall."""
    from spira.kernel.jobs import InlineRunner
    from spira.unify.matching import evaluate as matching

    task = matching.EvaluateTask(
        path=str(file), truth=truth, told=_told(told), threshold=matching.weight_of(least),
        one_per_source=one_per_source, worst=worst, masked=not show_values, memory=_memory(directory),
    )  # fmt: skip
    with working("matching"):
        found = InlineRunner().run(matching.evaluate, task)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False))
    else:
        _print(found)


def _told(pairs: tuple[str, ...]) -> dict[str, str]:
    told = dict(pair.rpartition("=")[::2] for pair in pairs)
    if "" in told:
        raise click.BadParameter("write it as COLUMN=KIND, as in --map cust_nm=full_name", param_hint="--map")
    return told


def _memory(directory: Path) -> str:
    """The workspace's budget of memory, where the directory is one."""
    from spira.kernel.settings import FILE, load_settings

    return load_settings(directory).storage.memory if (directory / FILE).exists() else "4GB"


def _print(found: Evaluation) -> None:
    click.echo(f"precision {found.precision:.4f}   recall {found.recall:.4f}   F1 {found.f1:.4f}")
    click.echo(f"{found.records:,} records: {found.people:,} people found, {found.true_people:,} in truth; "
               f"{found.seconds:.1f} s")  # fmt: skip
    click.secho("\nwhat each column was taken for", bold=True)
    table(["column", "kind"], list(found.columns.items()))
    click.secho("is a probability what it says?", bold=True)
    table(["from", "to", "pairs", "expected", "true"], [list(each.values()) for each in found.calibration])
    for title, mistakes in (("joined wrongly, the surest first", found.joined_wrongly),
                            ("kept apart wrongly, the nearest first", found.kept_apart_wrongly)):  # fmt: skip
        if mistakes:
            click.secho(title, bold=True)
            table(["rows", "weight", *found.columns], [_row(each) for each in mistakes])


def _row(mistake: Mistake) -> list[object]:
    both = [left if left == right else f"{left} ≠ {right}" for left, right in mistake.values.values()]
    return [f"{mistake.rows[0]}, {mistake.rows[1]}", mistake.weight, *both]
