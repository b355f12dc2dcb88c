"""The System page: what is wrong with the house is an alarm there, in the reader's language."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from pathlib import PurePath

import pytest

from spira.collect.damage import Lost, note
from spira.definitions.apply import Applied
from spira.definitions.workspace import read_definitions
from spira.engage.alerts import kept
from spira.kernel.settings import AlertsSettings
from spira.testing.houses import NOON
from spira.worker.collectors import CollectorReport

LAKE = "destination: lake\nkind: files\naudience: loyal\naddress: lake\npurpose: analysis\nfields: {id: id}\n"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("A stretch of the log can't be read", "from byte 4,096, 2.0 KB", "the bytes are not what was written")),
        ("zh-CN", ("日志有 1 处读不出来", "自第 4,096 字节起，2.0 KB", "字节与写入时不一致")),
    ],
)
def test_damage_of_the_log_is_an_alarm(core, signed_in, language, said):
    """Whoever runs the workspace sees which file it is and where in it."""
    note(core.house.warehouse, [Lost(7, 4096, 2048, "damaged")], log="log-2", at=NOON, batch=3)
    client = signed_in("olga", "operator")
    client.cookies.set("spira_language", language)
    page = unescape(client.get("/system").text)
    alarm = page.split('role="alert"')[1].split("</div></div>")[0]
    assert "data/log-2/000000000007.log" in alarm
    for each in said:
        assert each in alarm


def test_without_damage_there_is_no_alarm(signed_in):
    """A page that always warns is not read."""
    assert 'role="alert"' not in signed_in("olga", "operator").get("/system").text


def test_collectors_are_listed_with_what_waits_in_each(core, signed_in):
    """One that runs, one that is being replaced, and a log that was left behind are told apart."""
    told = core.report
    how = (
        CollectorReport(log="log-1", pid=4711, starts=1, backlog_bytes=2048),
        CollectorReport(log="log-2", pid=None, starts=9, backlog_bytes=0),
        CollectorReport(log="log-3", pid=None, starts=0, backlog_bytes=4096),
    )
    core.report = lambda: replace(told(), collectors=how)
    page = signed_in("olga", "operator").get("/system", headers={"cookie": "spira_language=en"}).text
    rows = page.split('id="collectors"')[1].split("<tbody>")[1].split("</tr>")[:3]
    for row, said in zip(
        rows, (("data/log-1", "Running", "4711"), ("data/log-2", "Failed"), ("data/log-3", "Not run")), strict=True
    ):
        assert all(each in row for each in said)


def test_alerts_are_shown_with_who_was_told_and_can_be_tested(core, signed_in, form_token):
    """Whoever connects sources sees what lasts, what is over and how telling went; others see nothing of it."""
    found = [kept.Trouble(kind="silent", subject="shop", detail={}), kept.Trouble(kind="stuck", subject="x", detail={})]
    kept.settle(core.state, found, kinds=("silent", "stuck"), ways=("email",), at=NOON)
    kept.settle(core.state, found[:1], kinds=("silent", "stuck"), ways=("email",), at=NOON)
    kept.mark(core.state, "email", kept.due(core.state, "email", at=NOON)[:1], at=NOON, fault="nobody answers")
    client = signed_in("dana", "data_engineer")
    client.cookies.set("spira_language", "en")
    panel = client.get("/system").text.split('id="alerts"')[1].split("</section>")[0]
    assert "Nobody is told" in panel
    for each in ("Silent source", "Standstill", "lasts", "nobody answers", "tried once"):
        assert each in panel
    alerts = client.get("/api/alerts").json()
    assert (alerts["lasting"], [each["kind"] for each in alerts["alerts"]]) == (1, ["silent", "stuck"])
    refused = client.post("/system/alerts/test", data={"csrf": form_token("/account")})
    assert (refused.status_code, "no way of telling" in unescape(refused.text)) == (409, True)
    core.settings = core.settings.model_copy(update={"alerts": AlertsSettings(email=["ops@shop.example"])})
    tested = client.post("/system/alerts/test", data={"csrf": form_token("/account")})
    assert "not taken by e-mail: there is no e-mail channel" in unescape(tested.text)
    assert 'id="alerts"' not in signed_in("olga", "operator").get("/system").text


@pytest.mark.parametrize(("language", "said"), [("en", "Alert since"), ("zh-CN", "起告警")])
def test_a_destination_that_fails_is_an_alert_on_its_pages_too(core, signed_in, language, said):
    """The list of alerts leads to it, and the list of destinations and its own page say since when."""
    read = read_definitions([(PurePath("destinations/lake.yaml"), LAKE)], core.settings)
    core.applied = Applied(generation=1, definitions=read.definitions)
    found = [kept.Trouble(kind="destination", subject="lake", detail={"tries": 5})]
    kept.settle(core.state, found, kinds=("destination",), ways=(), at=NOON)
    client = signed_in("olga", "administrator")
    client.cookies.set("spira_language", language)
    assert 'href="/destinations/lake"' in client.get("/system").text.split('id="alerts"')[1]
    for page in ("/destinations", "/destinations/lake"):
        assert said in client.get(page).text
    kept.settle(core.state, [], kinds=("destination",), ways=(), at=NOON)
    assert said not in client.get("/destinations").text
