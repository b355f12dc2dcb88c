from __future__ import annotations

import msgspec
import pyarrow.csv
import pytest
from click.testing import CliRunner

from spira.cli import identity
from spira.cli.main import main
from spira.kernel.jobs import InlineRunner
from spira.testing import dirty
from spira.unify.matching.columns import BadColumns
from spira.unify.matching.evaluate import EvaluateTask, Evaluation, evaluate, read_table
from spira.unify.matching.needs import MatchingMissing, need


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A small CSV file, and what `spira identity evaluate --json` says of it."""
    path = tmp_path_factory.mktemp("people") / "people.csv"
    table = dirty.western(240, seed=5, per_person=4).drop_columns(["gender", "birth_place"])
    pyarrow.csv.write_csv(table, path)
    ran = CliRunner().invoke(
        main, ["identity", "evaluate", str(path), "--truth", "person", "--map", "occupation=ignore", "--json"]
    )
    assert ran.exit_code == 0, ran.output
    return path, msgspec.json.decode(ran.stdout, type=Evaluation)


def test_an_evaluation_says_how_good_the_matching_is(judged):
    """Precision, recall, F1 and seconds, and what each column was taken for."""
    _, found = judged
    assert found.records == 240
    assert found.precision > 0.9
    assert found.f1 == pytest.approx(2 * found.precision * found.recall / (found.precision + found.recall), abs=1e-5)
    assert found.columns["dob"] == "birth_date"
    assert "person" not in found.columns


def test_mistakes_are_masked(judged):
    """No value longer than its first letter comes out."""
    _, found = judged
    shown = [
        text
        for each in [*found.joined_wrongly, *found.kept_apart_wrongly]
        for both in each.values.values()
        for text in both
    ]
    assert shown
    assert all(set(text[1:]) <= {"=", "*"} for text in shown)


def test_a_file_without_the_truth_says_what_columns_it_has(judged, tmp_path):
    """As does one that is no table at all."""
    path, _ = judged
    with pytest.raises(BadColumns, match="no column `who`"):
        InlineRunner().run(evaluate, EvaluateTask(path=str(path), truth="who"))
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no parquet")
    with pytest.raises(BadColumns, match=r"broken\.parquet"):
        read_table(broken)


def test_zeros_in_front_stay(tmp_path):
    """A CSV is read as text: 0123 is not 123."""
    path = tmp_path / "codes.csv"
    path.write_text("code,name\n0123,ann\n0456,bob\n", encoding="utf-8")
    assert read_table(path).to_pylist() == [{"code": "0123", "name": "ann"}, {"code": "0456", "name": "bob"}]


def test_a_plain_installation_says_what_to_install():
    """The libraries are an extra, and the fault names it."""
    with pytest.raises(MatchingMissing) as missing:
        need("no_such_library")
    assert missing.value.help == "pip install 'spira[identity]'"


def test_the_same_file_gives_the_same_figures_again(judged):
    """Chance has a seed; only the seconds differ."""
    path, found = judged
    again = InlineRunner().run(evaluate, EvaluateTask(path=str(path), truth="person", told={"occupation": "ignore"}))
    assert msgspec.structs.replace(again, seconds=0) == msgspec.structs.replace(found, seconds=0)


def test_the_command_tells_the_figures_in_words(judged, capsys):
    """Figures, columns, calibration and mistakes stand one below the other."""
    identity._print(judged[1])
    told = capsys.readouterr().out
    assert "precision" in told
    assert "first_name" in told
    assert "kept apart wrongly" in told


def test_a_mapping_without_a_column_is_a_wrong_call(judged):
    """It is refused before anything is read."""
    called = ["identity", "evaluate", str(judged[0]), "--truth", "person", "--map"]
    assert CliRunner().invoke(main, [*called, "full_name"]).exit_code == 2
