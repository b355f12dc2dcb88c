"""Building: rows as calls, their message ids, lines of one order, people known by a contact, rows at fault."""

from pathlib import PurePath

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.collect.connectors import base
from spira.collect.connectors.base import Rows, Unreadable
from spira.collect.connectors.csv_file import Csv
from spira.collect.imports.reading import lots
from spira.collect.mapping import group
from spira.collect.mapping.build import Builder
from spira.collect.mapping.model import mapping_called, read_mapping
from spira.testing.states import fixed_keys

ORDERS = """
mapping: orders
zone: Asia/Shanghai
columns:
  id: {from: 订单, required: true}
  who: {from: 会员, prefix: "m:"}
  paid: {from: 实付, type: money}
  at: {from: 时间, type: time}
key: id
calls:
  - call: track
    event: Order Completed
    user_id: who
    at: at
    properties: {order_id: id, revenue: paid, currency: {value: CNY}}
"""
LINES = """
mapping: baskets
columns:
  id: {required: true}
  who: text
  at: time
  sku: text
  n: integer
key: id
calls:
  - call: track
    event: Order Completed
    user_id: who
    at: at
    properties: {order_id: id}
    lines: {products: {product_id: sku, quantity: n}}
"""


def mapping(text):
    model, _, faults = read_mapping(text, PurePath("m.yaml"))
    assert model is not None
    assert faults == []
    return model


def builder(text, source="shop"):
    return Builder(mapping(text), source=source, keys=fixed_keys(), zone="UTC")


def rows_of(**columns):
    count = len(next(iter(columns.values())))
    return Rows(columns=columns, numbers=range(2, count + 2), cursor=str(count + 1))


def built(text, source="shop", **columns):
    made = builder(text, source)
    return made.build(made.read(rows_of(**columns)))


def calls(found):
    return [msgspec.json.decode(each) for each in found.calls]


def imported(path, text, after=""):
    """Every call and every row at fault of a CSV file."""
    connector = Csv(path=str(path))
    found = list(lots(connector, connector.parts()[0], builder(text), after))
    made = [each for lot in found for body in lot.bodies for each in msgspec.json.decode(body)["batch"]]
    return made, [fault for lot in found for fault in lot.faults], [lot.cursor for lot in found]


def test_a_row_becomes_the_call_the_mapping_says():
    """
    Columns are found whatever width and case their names are in; values, constants and times are in their places.
    """
    found = built(ORDERS, **{" 订单": ['="19"'], "会员": ["王"], "实付": ["¥12.50"], "时间": ["2026-03-01 12:00:00"]})
    (call,) = calls(found)
    assert len(call.pop("messageId")) == 32
    assert call == {
        "type": "track",
        "event": "Order Completed",
        "userId": "m:王",
        "timestamp": "2026-03-01T04:00:00Z",
        "properties": {"order_id": "19", "revenue": 12.5, "currency": "CNY"},
    }


def test_the_same_row_has_the_same_message_id():
    """
    In another run and another file; through another source, or with another key, it has another one.
    """
    row = {"订单": ["19"], "会员": ["王"], "实付": ["1"], "时间": ["2026-03-01 12:00:00"]}
    ((one,), (two,), (other,)) = (
        calls(built(ORDERS, **row)),
        calls(built(ORDERS, **{**row, "实付": ["2"]})),
        calls(built(ORDERS, source="app", **row)),
    )
    assert one["messageId"] == two["messageId"] != other["messageId"]
    (another,) = calls(built(ORDERS, **{**row, "订单": ["20"]}))
    assert another["messageId"] != one["messageId"]


def test_the_key_can_not_be_read_out_of_a_message_id():
    """
    Ids are made with the workspace's key: who knows a telephone number can't find its id.
    """
    text = ORDERS.replace("key: id", "key: who")
    row = {"订单": ["19"], "会员": ["13800138000"], "实付": ["1"], "时间": ["2026-03-01 12:00:00"]}
    (ours,) = calls(built(text, **row))
    from spira.storage.keys import new_keys

    made = Builder(mapping(text), source="shop", keys=new_keys(), zone="UTC")
    (theirs,) = calls(made.build(made.read(rows_of(**row))))
    assert ours["messageId"] != theirs["messageId"]


IDENTIFY = """
mapping: members
columns: {card: text, city: text, joined: time}
key: card
calls:
  - {call: identify, user_id: card, at: joined, traits: {city: city}}
"""


def test_an_identify_that_says_something_new_is_a_new_call():
    """
    The same traits again are the same call; another city is another.
    """
    one, two, three = (
        calls(built(IDENTIFY, card=["1"], city=[city], joined=["2026-03-01"]))[0]["messageId"]
        for city in ("青岛", "青岛", "上海")
    )
    assert one == two != three


def test_an_identify_of_nothing_is_none():
    """
    A row whose traits are all empty says nothing of the person, and counts as left out.
    """
    found = built(IDENTIFY, card=["1"], city=[""], joined=["2026-03-01"])
    assert found.calls == []
    assert found.skipped == 1


CONSENTS = """
mapping: consents
columns: {card: text, mail: boolean, at: time}
key: card
calls:
  - {call: consent, user_id: card, at: at, channel: email, purpose: marketing, given: mail}
"""


def test_consents_are_given_and_withdrawn():
    """
    Yes is given, no is withdrawn, and nothing is no answer.
    """
    found = built(CONSENTS, card=["1", "2", "3"], mail=["是", "否", ""], at=["2026-03-01"] * 3)
    assert [(each["userId"], each["event"]) for each in calls(found)] == [
        ("1", "Consent Given"),
        ("2", "Consent Withdrawn"),
    ]
    assert calls(found)[0]["properties"] == {"purpose": "marketing", "channel": "email"}


CONTACT = """
mapping: tills
columns: {phone: phone, at: time, id: text}
key: id
calls:
  - {call: track, event: Order Completed, contact: phone, at: at, properties: {order_id: id}}
"""


def test_people_without_an_id_are_known_by_their_contact():
    """
    The id that is made does not tell the contact, and one identify ties the two together.
    """
    found = built(CONTACT, phone=["13800138000", "138 0013 8000"], at=["2026-03-01"] * 2, id=["1", "2"])
    introduced, one, two = calls(found)
    assert introduced["type"] == "identify"
    assert introduced["traits"] == {"phone": "+8613800138000"}
    assert introduced["anonymousId"] == one["anonymousId"] == two["anonymousId"]
    assert "13800138000" not in one["anonymousId"]
    assert one["messageId"] != two["messageId"]


def test_calls_are_made_only_of_rows_that_fit():
    """
    `when` compares, numbers by their value; `needs` asks for something being there.
    """
    text = ORDERS + '    when: {paid: [1, "2"]}\n    needs: [at]\n'
    row = {"订单": ["a", "b", "c", "d"], "会员": ["w"] * 4, "实付": ["1.0", "2", "3", "1"]}
    found = built(text, **row, 时间=["2026-03-01", "2026-03-01", "2026-03-01", ""])
    assert [each["properties"]["order_id"] for each in calls(found)] == ["a", "b"]
    assert found.skipped == 2
    assert found.faults == []


def test_a_row_at_fault_becomes_nothing_and_is_kept_whole():
    """
    Each fault names the row, the table's column, the value and the reason; the row's other cells are kept.
    """
    row = {"订单": ["a", "b", ""], "会员": ["w", "w", "w"], "实付": ["1", "x", "y"], "时间": ["2026-03-01"] * 3}
    found = built(ORDERS, **row)
    assert [each["properties"]["order_id"] for each in calls(found)] == ["a"]
    assert [(each.row, each.column, each.value) for each in found.faults] == [(3, "实付", "x"), (4, "订单, 实付", "")]
    assert found.faults[0].reason == "this is no number"
    assert found.faults[1].reason == "there is no value; 实付: this is no number"
    assert found.faults[0].cells == {"订单": "b", "会员": "w", "实付": "x", "时间": "2026-03-01"}
    assert found.faults[0].subject_key == fixed_keys().subject_key("user_id", "m:w")


def test_nobody_and_no_time_are_faults():
    """
    A call needs someone whom it is about, and a time at which it happened.
    """
    row = {"订单": ["a", "b"], "会员": ["", "w"], "实付": ["1", "1"], "时间": ["2026-03-01", ""]}
    found = built(ORDERS, **row)
    assert found.calls == []
    assert [each.reason for each in found.faults] == [
        "the row says nobody: it has no id and no contact",
        "the row says no time at which it happened",
    ]


def test_a_column_that_is_needed_and_missing_is_told():
    """
    With the nearest of the table's columns; other columns may be missing.
    """
    with pytest.raises(Unreadable, match="the table has no column `订单`") as fault:
        built(ORDERS, 订单号=["1"])
    assert fault.value.help == "did you mean `订单号`?"
    found = built(ORDERS, 订单=["1"], 会员=["w"], 时间=["2026-03-01"])
    assert calls(found)[0]["properties"] == {"order_id": "1", "currency": "CNY"}


def test_a_table_of_something_else_is_refused():
    """
    With none of the mapping's columns in it nothing is imported.
    """
    with pytest.raises(Unreadable, match="none of the columns"):
        built(IDENTIFY.replace("key: card\n", ""), x=["1"])


BASKETS = "id,who,at,sku,n\n"


def test_rows_of_one_order_are_one_call(tmp_path):
    """
    Each row is a line; the order's own values are those of its first row.
    """
    path = tmp_path / "b.csv"
    path.write_text(BASKETS + "1,w,2026-03-01,a,1\n1,w,2026-03-01,b,2\n2,v,2026-03-01,c,3\n", encoding="utf-8")
    found, faults, _ = imported(path, LINES)
    assert faults == []
    assert [each["properties"]["products"] for each in found] == [
        [{"product_id": "a", "quantity": 1}, {"product_id": "b", "quantity": 2}],
        [{"product_id": "c", "quantity": 3}],
    ]


def test_rows_of_one_order_that_lie_apart_are_one_call(tmp_path):
    """
    A table that is not sorted by the order is put in order first.
    """
    path = tmp_path / "b.csv"
    path.write_text(BASKETS + "1,w,2026-03-01,a,1\n2,v,2026-03-01,c,3\n1,w,2026-03-01,b,2\n", encoding="utf-8")
    found, faults, _ = imported(path, LINES)
    assert faults == []
    assert {each["properties"]["order_id"]: len(each["properties"]["products"]) for each in found} == {"1": 2, "2": 1}


def test_an_order_with_a_line_at_fault_is_not_half_imported(tmp_path):
    """
    All rows of that order are at fault, each saying which one is; the next order is imported.
    """
    path = tmp_path / "b.csv"
    path.write_text(BASKETS + "1,w,2026-03-01,a,1\n1,w,2026-03-01,b,x\n2,v,2026-03-01,c,3\n", encoding="utf-8")
    found, faults, _ = imported(path, LINES)
    assert [each["properties"]["order_id"] for each in found] == ["2"]
    assert [(each.row, each.reason) for each in faults] == [
        (2, "row 3 of the same key is at fault"),
        (3, "this is no number"),
    ]


@settings(max_examples=examples(60))
@given(
    keys=st.lists(st.integers(1, 5), min_size=1, max_size=30),
    lot=st.sampled_from([40, 90, 4096]),
    batch=st.integers(1, 4),
)
def test_however_an_import_is_cut_every_order_comes_once_and_whole(tmp_path_factory, keys, lot, batch):
    """
    In any order of rows and any size of lot, going on from any cursor gives exactly the calls that are left.
    """
    from spira.collect.connectors import csv_file

    path = tmp_path_factory.mktemp("lines") / "b.csv"
    lines = [f"{key},w,2026-03-01,s{place},1\n" for place, key in enumerate(keys)]
    path.write_text(BASKETS + "".join(lines), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_file, "BLOCK", lot)
        patch.setattr(group, "BATCH_ROWS", batch)
        patch.setattr(base, "BATCH_ROWS", batch)
        whole, faults, cursors = imported(path, LINES)
        rests = [imported(path, LINES, cursor)[0] for cursor in cursors]
    assert faults == []
    by_order = {}
    for place, key in enumerate(keys):
        by_order.setdefault(str(key), []).append(f"s{place}")
    assert {each["properties"]["order_id"]: [line["product_id"] for line in each["properties"]["products"]]
            for each in whole} == by_order  # fmt: skip
    assert len(whole) == len(by_order)
    for rest in rests:
        assert rest == whole[len(whole) - len(rest) :]
    assert [len(rest) for rest in rests] == sorted((len(rest) for rest in rests), reverse=True)
    assert rests[-1] == []


def test_of_arrow_columns_and_lists_the_same_is_built():
    """
    Whether a connector gives Arrow or Python values, and whether Arrow's are chunked, makes no difference.
    """
    row = {"订单": ["a", "b"], "会员": ["w", "v"], "实付": ["1", "2"], "时间": ["2026-03-01", "2026-03-02"]}
    plain = built(ORDERS, **row)
    arrow = built(ORDERS, **{name: pa.array(values) for name, values in row.items()})
    chunked = built(ORDERS, **{name: pa.chunked_array([values[:1], values[1:]]) for name, values in row.items()})
    assert plain.calls == arrow.calls == chunked.calls


TAOBAO = (
    "订单编号,买家会员名,买家实际支付金额,订单状态,联系手机,订单创建时间,订单付款时间,收货人姓名,订单备注,退款金额\r\n"
    '="193000000000000000001",小明,"1,234.50元","买家已付款，等待卖家发货",\'13800138000,2026-03-01 10:00:00,'
    '2026-03-01 10:05:00,王小明,"要发票\n谢谢",0.00\r\n'
    '="193000000000000000002",小红\t,12,交易关闭,138****1111,2026-03-01 11:00:00,,*红,null,\r\n'
    '="193000000000000000003",小明,30,交易成功,null,2026-03-02 10:00:00,2026-03-02 10:00:30,null,null,12.5\r\n'
)


def test_the_taobao_export_is_read_as_it_comes(tmp_path):
    """
    GBK, guarded ids, amounts with 元, apostrophes before numbers, tabs, masks, `null` and remarks of two lines.
    """
    path = tmp_path / "ExportOrderList.csv"
    path.write_bytes(TAOBAO.encode("gbk"))
    connector = Csv(path=str(path))
    made = Builder(mapping_called("taobao_orders", []), source="tmall", keys=fixed_keys(), zone="UTC")
    (lot,) = lots(connector, connector.parts()[0], made)
    assert lot.faults == []
    found = [each for body in lot.bodies for each in msgspec.json.decode(body)["batch"]]
    told = [(each.get("event"), each["userId"], each.get("properties", each.get("traits"))) for each in found]
    marks = {"currency": "CNY", "marketplace": "taobao"}
    order = {"order_id": "193000000000000000001", "revenue": 1234.5, "status": "paid"}
    assert told == [
        (None, "taobao:小明", {"phone": "+8613800138000", "name": "王小明"}),
        ("Order Completed", "taobao:小明", {**order, **marks}),
        ("Order Cancelled", "taobao:小红", {"order_id": "193000000000000000002", "revenue": 12.0, **marks}),
        (
            "Order Completed",
            "taobao:小明",
            {"order_id": "193000000000000000003", "revenue": 30.0, "status": "completed", **marks},
        ),
        ("Order Refunded", "taobao:小明", {"order_id": "193000000000000000003", "revenue": 12.5, **marks}),
    ]
    assert found[1]["timestamp"] == "2026-03-01T02:05:00Z"
    assert found[1]["channel"] == "marketplace"


def test_the_jd_export_joins_the_lines_of_an_order(tmp_path):
    """
    One row a product, the order's rows not always together, statuses in its own words.
    """
    path = tmp_path / "jd.csv"
    path.write_bytes(
        (
            "订单号,商品编号,商品名称,订购数量,京东价,应付金额,订单状态,下单时间,下单帐号\r\n"
            "JD1\t,100,净水器,1,¥1999.00,2099,等待出库,2026/3/1 9:00,u_1\r\n"
            "JD2\t,200,滤芯,1,100,100,(删除)等待付款,2026/3/1 9:30,u_2\r\n"
            "JD1\t,200,滤芯,1,100.00,2099,等待出库,2026/3/1 9:00,u_1\r\n"
        ).encode("gb18030")
    )
    connector = Csv(path=str(path))
    made = Builder(mapping_called("jd_orders", []), source="jd", keys=fixed_keys(), zone="UTC")
    (lot,) = lots(connector, connector.parts()[0], made)
    found = [each for body in lot.bodies for each in msgspec.json.decode(body)["batch"]]
    assert [each["event"] for each in found] == ["Order Completed", "Order Cancelled"]
    assert found[0]["userId"] == "jd:u_1"
    assert found[0]["properties"]["products"] == [
        {"product_id": "100", "name": "净水器", "quantity": 1, "price": 1999.0},
        {"product_id": "200", "name": "滤芯", "quantity": 1, "price": 100.0},
    ]
