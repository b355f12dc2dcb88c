"""The System page: what is wrong with the house is an alarm there, in the reader's language."""

from __future__ import annotations

import pytest

from spira.collect.damage import Lost, note
from spira.testing.houses import NOON


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("A stretch of the log can't be read", "from byte 4,096, 2 KB", "the bytes are not what was written")),
        ("zh-CN", ("日志有 1 处读不出来", "自第 4,096 字节起，2 KB", "字节与写入时不一致")),
    ],
)
def test_damage_of_the_log_is_an_alarm(core, signed_in, language, said):
    """Whoever runs the workspace sees which file it is and where in it."""
    note(core.house.warehouse, [Lost(7, 4096, 2048, "damaged")], log="log-2", at=NOON, batch=3)
    client = signed_in("olga", "operator")
    page = client.get("/system", headers={"cookie": f"spira_language={language}"}).text
    alarm = page.split('role="alert"')[1].split("</div></div>")[0]
    assert "data/log-2/000000000007.log" in alarm
    for each in said:
        assert each in alarm


def test_without_damage_there_is_no_alarm(signed_in):
    """A page that always warns is not read."""
    assert 'role="alert"' not in signed_in("olga", "operator").get("/system").text
