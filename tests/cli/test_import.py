"""`spira import`: looking first, importing, rows at fault, a guess, and running it again."""

import pytest
from tests.collect.till import MAPPING

ROWS = """\
Order ID,Customer ID,Paid,Paid at
A1,u1,12.50,2026-01-01 10:00
A2,u2,eight,2026-01-02 10:00
A3,u1,8,2026-01-03 10:00
"""


@pytest.fixture
def till(applied, tmp_path, spira):
    """A file, a mapping beside it, and a shop with a source to import into."""
    spira("source", "add", "till", "--dir", applied)
    (tmp_path / "till.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "till.yaml").write_text(MAPPING, encoding="utf-8")
    return tmp_path


def imported(spira, till, applied, *more, file="till.csv"):
    return spira("import", till / file, "--source", "till", "--mapping", till / "till.yaml", "--dir", applied, *more)


def test_a_dry_run_shows_what_would_arrive_and_imports_nothing(spira, till, applied):
    """
    The first calls, and every fault by row and column; the log has nothing new.
    """
    ran = imported(spira, till, applied, "--dry-run")
    assert ran.code == 0
    assert "Order Completed" in ran.out
    assert "this is no number" in ran.out
    assert "3 rows → 2 calls; 1 rows at fault" in ran.out
    report = imported(spira, till, applied, "--dry-run", "--json").json
    assert report["first_faults"] == [{"row": 3, "column": "Paid", "value": "eight", "reason": "this is no number"}]
    assert spira("source", "list", "--dir", applied, "--json").json["sources"][0]["month"] == 0


def test_rows_are_imported_and_those_at_fault_kept_beside_the_file(spira, till, applied):
    """
    The file of faults has what is wrong first and all that stood in the row; mended, it is imported.
    """
    ran = imported(spira, till, applied, "--wait")
    assert ran.code == 0
    assert "3 rows → 2 calls, durable" in ran.out
    faults = till / "till.faults.csv"
    assert faults.read_text(encoding="utf-8-sig").splitlines() == [
        "row,column,fault,Order ID,Customer ID,Paid,Paid at,whole line,more",
        "3,Paid,this is no number,A2,u2,eight,2026-01-02 10:00,,",
    ]
    faults.write_text(faults.read_text(encoding="utf-8").replace("eight", "8"), encoding="utf-8")
    assert imported(spira, till, applied, "--wait", file="till.faults.csv").code == 0
    counted = spira("preview", "sum_of(revenue, 'Order Completed') >= 8", "--dir", applied, "--json").json
    assert counted["count"] == 2


def test_the_same_file_again_changes_nothing(spira, till, applied):
    """
    The answer is the import that there was.
    """
    one = imported(spira, till, applied, "--json").json
    two = imported(spira, till, applied, "--json").json
    assert two["import_id"] == one["import_id"]
    assert two["status"] == "done"
    assert two["rows"] == 3


def test_a_changed_file_brings_what_is_new_once(spira, till, applied):
    """
    Its old rows have the message ids they had.
    """
    imported(spira, till, applied)
    (till / "till.csv").write_text(ROWS + "A4,u3,9,2026-01-04 10:00\n", encoding="utf-8")
    imported(spira, till, applied, "--wait")
    counted = spira("preview", "count_of('Order Completed') >= 1", "--dir", applied, "--json").json
    assert counted["count"] == 2


def test_a_guess_is_a_mapping_to_begin_with(spira, till, applied):
    """
    What --guess prints reads the file it was made of.
    """
    ran = spira("import", till / "till.csv", "--guess")
    assert ran.code == 0
    (till / "guessed.yaml").write_text(ran.out, encoding="utf-8")
    ran = spira(
        "import", till / "till.csv", "--mapping", till / "guessed.yaml", "--dry-run", "--dir", applied, "--json"
    )
    assert ran.json["calls"] > 0


def test_a_mapping_with_faults_is_told_at_its_place(spira, till, applied):
    """
    File, line, the word that is wrong, and what is meant.
    """
    (till / "till.yaml").write_text(MAPPING.replace("revenue: paid", "revenue: payd"), encoding="utf-8")
    ran = imported(spira, till, applied)
    assert ran.code == 1
    assert "error[D601]" in ran.err
    assert "till.yaml:13" in ran.err
    assert "did you mean `paid`?" in ran.err


def test_a_source_that_is_not_there_is_told(spira, till, applied):
    """
    Nothing is imported under a name that nobody made.
    """
    ran = spira("import", till / "till.csv", "--source", "web", "--mapping", till / "till.yaml", "--dir", applied)
    assert ran.code == 1
    assert "there is no source called `web`" in ran.err


def test_without_source_and_mapping_the_call_is_wrong(spira, till, applied):
    """
    Exit code 2, with what is needed.
    """
    ran = spira("import", till / "till.csv", "--dir", applied)
    assert ran.code == 2
    assert "--guess prints a mapping" in ran.err


def test_a_broken_off_import_goes_on_where_it_was(spira, till, applied, monkeypatch):
    """
    Broken off after the first lot, the next run reads the rest, and the file of faults has each row once.
    """
    from spira.cli import import_
    from spira.collect.connectors import csv_file

    monkeypatch.setattr(csv_file, "BLOCK", 80)
    rows = "".join(f"B{number},u1,{'x' if number % 5 == 0 else 1},2026-01-01 10:00\n" for number in range(20))
    (till / "till.csv").write_text("Order ID,Customer ID,Paid,Paid at\n" + rows, encoding="utf-8")
    send, sent = import_._Run._send, []

    def breaking(self, at, lot):
        if len(sent) == 2:
            raise KeyboardInterrupt
        sent.append(lot.rows)
        send(self, at, lot)

    monkeypatch.setattr(import_._Run, "_send", breaking)
    assert imported(spira, till, applied).code != 0
    monkeypatch.setattr(import_._Run, "_send", send)
    told = imported(spira, till, applied, "--json").json
    assert (told["status"], told["rows"], told["faults"]) == ("done", 20, 4)
    lines = (till / "till.faults.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["2", "7", "12", "17"]
