"""The audit's page: acts in words, found by filters, verified, and taken as a file."""

from __future__ import annotations

import csv
import io

import pytest
import sqlalchemy as sa

from spira.console.pages.audits import csv_of
from spira.server.api import privacy
from spira.storage import audit
from spira.storage.audit import AUDIT, AuditRow
from spira.testing.houses import NOON
from spira.testing.states import unguarded


@pytest.fixture
def ann(signed_in, core):
    """An administrator, with some acts to look at."""
    client = signed_in("ann", "administrator")
    client.cookies.set("spira_language", "en")
    for number in range(60):
        audit.record(core.state, core.clock, actor="local", action="clock.step", subject=f"step-{number}")
    audit.record(
        core.state, core.clock, actor="system", action="source.end", subject="<b>shop</b>", detail={"hours": 3}
    )
    return client


def test_acts_are_told_in_words_newest_first_page_by_page(ann):
    """Who did what, by name; hostile subjects are text; the next page begins where this one ends."""
    page = ann.get("/audit").text
    assert page.index("Ended a source") < page.index("Stepped the clock")
    assert "Spira itself" in page
    assert "&lt;b&gt;shop&lt;/b&gt;" in page
    assert "step-59" in page
    assert "step-5<" not in page
    before = page.split("before=")[1].split('"')[0]
    second = ann.get(f"/audit?before={before}").text
    assert "step-5<" in second
    assert "Signed in" in second
    assert "Ann</td>" in second


def test_acts_are_found_by_family_person_subject_and_day(ann, core):
    """Each filter leaves what fits, and keeps its choice in the form and in the file."""
    assert ann.get("/audit?family=source").text.count("<tr>") == 2
    assert ann.get("/audit?subject=step-7").text.count("<tr>") == 2
    assert ann.get("/audit?actor=system").text.count("<tr>") == 2
    assert "No act is like this" in ann.get("/audit?since=2030-01-01").text
    today = f"{core.clock.now():%Y-%m-%d}"
    assert ann.get(f"/audit?family=source&since={today}&until={today}").text.count("<tr>") == 2
    assert ann.get("/audit?since=soon").status_code == 422


def test_the_chain_is_verified_while_it_is_short_and_when_asked(ann, core, monkeypatch):
    """A whole chain is said to be; a changed row is named; a long one is looked through when somebody asks."""
    assert ">Whole<" in ann.get("/audit").text
    assert "The chain is whole" in ann.get("/audit?verify=true").text
    with core.state.write() as connection:
        unguarded(connection)
        connection.execute(sa.update(AUDIT).where(AUDIT.c.number == 9).values(subject="nothing"))
    page = ann.get("/audit").text
    assert "broken at row 9" in page
    assert "Row 9 was changed." in page
    assert ann.get("/api/audit").json()["first_bad_row"] == 9
    monkeypatch.setattr(privacy, "SHORT", 5)
    assert "Not verified" in ann.get("/audit").text
    assert ann.get("/api/audit?verify=false").json()["first_bad_row"] is None
    assert "broken at row 9" in ann.get("/audit?verify=true").text


def test_taking_the_audit_as_a_file_is_an_act_itself(ann, core):
    """The file has every act that is looked for, beyond the page; that it was taken stands in the audit."""
    token = ann.get("/audit").text.split('name="csrf" value="')[1].split('"')[0]
    answer = ann.post("/audit/export", data={"csrf": token, "family": "clock"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 60
    assert rows[0]["subject"] == "step-59"
    act = audit.latest(core.state, limit=1)[0]
    assert (act.action, act.detail) == ("audit.export", {"rows": 60, "family": "clock"})


def test_a_cell_is_no_formula():
    """What a spreadsheet would calculate is written as a text."""
    row = AuditRow(number=1, at=NOON, actor="=1+1", action="@x", subject="-2", detail={})
    assert csv_of([row]).splitlines()[1] == "1,2026-03-01T12:00:00.000Z,'=1+1,'@x,'-2,"


def test_the_audit_is_for_privacy_officers_and_administrators_of_the_whole(signed_in, core):
    """Nobody else reads it or takes it."""
    assert signed_in("olga", "operator").get("/audit").status_code == 403
    assert signed_in("pia", "privacy_officer", unit_id=core.units["A"]).get("/api/audit").status_code == 403
