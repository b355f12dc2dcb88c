"""Imports: the list, a file looked at before it is imported, one import with its rows at fault, and who may."""

from __future__ import annotations

import re

import pytest
from tests.collect.till import MAPPING

from spira.collect.imports import tables, uploads
from spira.collect.mapping.model import shipped
from spira.console.pages.imports import reasons
from spira.kernel.jobs import InlineRunner
from spira.storage import audit
from spira.worker.importing import Importing

HEAD = "Order ID,Customer ID,Paid,Paid at\n"
GOOD = HEAD + "A1,u1,12.50,2026-05-01 10:00\nA2,u2,8,2026-05-02 10:00\n"
BAD = HEAD + "A1,u1,12.50,2026-05-01 10:00\nA2,u2,eight,2026-05-02 10:00\n"


def hand_in(world, table, /, mapping="", name="till.csv", **more):
    return world.post(
        "/imports/new", files={"file": (name, table.encode())}, data={"source": "shop", "mapping": mapping, **more}
    )


def upload_of(page):
    return re.search(r'action="/imports/uploads/(up_\w+)/check"', page).group(1)


def carry_out(world):
    return Importing(world.core, runner=InlineRunner()).look()


def test_a_file_is_looked_at_before_anything_is_imported(fresh_world):
    """What it would become and what is wrong in which row and column is shown; nothing has come in."""
    before = fresh_world.core.log.end()
    page = hand_in(fresh_world, BAD)
    assert page.status_code == 200
    assert "Order Completed" in page.text
    assert "mapping: till" in page.text
    upload = upload_of(page.text)
    again = fresh_world.post(
        f"/imports/uploads/{upload}/check", data={"source": "shop", "mapping": "", "text": MAPPING}
    )
    assert "eight" in again.text
    assert "this is no number" in again.text
    assert fresh_world.core.log.end() == before
    assert tables.latest(fresh_world.core.state, limit=5) == []


def test_what_was_looked_at_is_imported_and_its_rows_at_fault_come_back(fresh_world):
    """After the button the page of the import follows it; its CSV of faults, mended, is imported like any file."""
    upload = upload_of(hand_in(fresh_world, BAD, text=MAPPING).text)
    answer = fresh_world.post(
        f"/imports/uploads/{upload}/start", data={"source": "shop", "text": MAPPING}, follow_redirects=False
    )
    assert answer.status_code == 303
    where = answer.headers["location"].partition("?")[0]
    assert "waiting" in fresh_world.get(where).text
    assert carry_out(fresh_world) == 1
    page = fresh_world.get(where)
    assert "this is no number" in page.text
    assert "done" in page.text
    faults = fresh_world.get(f"/api{where}/faults.csv")
    assert faults.headers["content-type"].startswith("text/csv")
    assert "attachment" in faults.headers["content-disposition"]
    mended = faults.text.replace("eight", "8")
    upload = upload_of(hand_in(fresh_world, mended, text=MAPPING, name="mended.csv").text)
    fresh_world.post(f"/imports/uploads/{upload}/start", data={"source": "shop", "text": MAPPING})
    carry_out(fresh_world)
    fresh_world.core.load()
    found = fresh_world.core.lane().query(
        "select order_id, revenue from events where order_id in ('A1', 'A2') order by 1"
    )
    assert [(order, float(revenue)) for order, revenue in found] == [("A1", 12.5), ("A2", 8.0)]
    told = [row.action for row in audit.latest(fresh_world.core.state, limit=20)]
    assert "import.start" in told
    assert "import.faults" in told


def test_the_same_file_again_is_known(fresh_world):
    """Nothing is imported twice, and the page says that it was imported before."""
    for told in ("import_started", "import_known"):
        upload = upload_of(hand_in(fresh_world, GOOD, text=MAPPING).text)
        answer = fresh_world.post(
            f"/imports/uploads/{upload}/start", data={"source": "shop", "text": MAPPING}, follow_redirects=False
        )
        assert answer.headers["location"].endswith(f"done={told}")
        carry_out(fresh_world)
    assert len(tables.latest(fresh_world.core.state, limit=5)) == 1
    with pytest.raises(Exception, match="the file is gone"):
        uploads.folder_of(fresh_world.core.directory, upload)


def test_a_shipped_mapping_is_offered_and_read(fresh_world):
    """A Taobao export is read by choosing it, in GBK, with the columns told that were found."""
    assert "Taobao and Tmall order export" in fresh_world.get("/imports/new").text
    text = (
        '订单编号,买家会员名,买家实际支付金额,订单状态,订单付款时间\r\n="19",小明,￥12,交易成功,2026-05-01 10:00:00\r\n'
    )
    page = fresh_world.post(
        "/imports/new",
        files={"file": ("ExportOrderList.csv", text.encode("gbk"))},
        data={"source": "shop", "mapping": "taobao_orders"},
    )
    assert page.status_code == 200
    assert "taobao:小明" in page.text


@pytest.mark.parametrize(
    ("form", "status", "says"),
    [
        ({"text": MAPPING.replace("paid: {", "paid: [")}, 400, "YAML"),
        ({"text": MAPPING.replace("user_id: member", "user_id: membr")}, 400, "did you mean"),
        ({"mapping": "nothing_like_it"}, 404, "there is no mapping"),
        ({"mapping": "taobao_orders"}, 422, "the table has no column"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_said_at_its_place(fresh_world, form, status, says):
    """The page keeps what was typed, and the fault names line and word."""
    page = hand_in(fresh_world, GOOD, **{"mapping": "", **form})
    assert page.status_code == status
    assert says in page.text


def test_without_a_file_or_with_one_that_nothing_reads_the_form_says_so(fresh_world):
    """The form is there again with the fault."""
    empty = fresh_world.post("/imports/new", data={"source": "shop", "mapping": ""})
    assert empty.status_code == 422
    assert "no file was chosen" in empty.text
    odd = hand_in(fresh_world, "x", name="picture.png")
    assert odd.status_code == 422
    assert "nothing reads files such as" in odd.text


def test_hostile_tables_are_only_text(fresh_world):
    """Markup in names and values is escaped wherever it is shown."""
    text = '<script>alert(1)</script>,Customer ID,at\n<img src=x>,"<b>u</b>",2026-05-01\n'
    page = hand_in(fresh_world, text, name="<svg onload=1>.csv")
    assert "<script>alert" not in page.text
    assert "<img src=x>" not in page.text
    assert "<svg onload" not in page.text


def test_a_schedule_is_shown_and_run_when_asked(fresh_world):
    """Its row says from where, by what, when; the button has it run."""
    (fresh_world.core.directory / "imports").mkdir()
    (fresh_world.core.directory / "drops").mkdir()
    (fresh_world.core.directory / "imports" / "nightly.yaml").write_text(
        "import: nightly\nsource: shop\nfrom: {kind: folder, folder: drops}\nmapping: jd_orders\nevery: 1 hour\n",
        encoding="utf-8",
    )
    from spira.kernel.viewer import SYSTEM

    fresh_world.core.apply(SYSTEM)
    page = fresh_world.get("/imports").text
    assert "nightly" in page
    assert "jd_orders" in page
    answer = fresh_world.post("/imports/scheduled/nightly/run", follow_redirects=False)
    assert answer.headers["location"] == "/imports?done=import_asked"
    assert fresh_world.get("/api/imports").json()["schedules"][0]["asked"] is True
    assert carry_out(fresh_world) == 1
    assert fresh_world.get("/api/imports").json()["schedules"][0]["last_at"] is not None
    assert fresh_world.post("/imports/scheduled/never/run").status_code == 404


def test_every_reason_is_said_in_chinese():
    """What the domain says of a row at fault has words; a column's name before it stays."""
    why = reasons("zh-CN")
    assert why("this is no number") == "不是数字"
    assert why("this is no number; 付款时间: this is no time that can be read (x)").startswith(
        "不是数字; 付款时间: 无法识别"
    )
    assert why("the row has 3 values, and the head names 9") == "该行有 3 个值，而表头有 9 列"
    assert why("something new") == "something new"


def test_what_comes_with_spira_is_whole():
    """The shipped mappings have no fault and are labelled in both languages."""
    assert set(shipped()) >= {"taobao_orders", "jd_orders"}
    assert all({"zh-CN", "en"} <= set(model.label) for model, _ in shipped().values())
