"""Loading: every accepted event once, with its types, its people and its time."""

from __future__ import annotations

import json
import threading
import time
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collect.desk import NOON, track
from tests.examples import examples

from spira.collect import sources
from spira.collect.envelope import Attempt, OwnEvent, Result, encode
from spira.collect.load import position
from spira.kernel.jobs import InlineRunner
from spira.storage.sealing import unseal
from spira.unify import identity

TABLES = (
    "events",
    "order_lines",
    "trait_facts",
    "identifiers",
    "links",
    "moved",
    "changes",
    "attempts",
    "undeclared",
    "loaded",
)
ORDER = {
    "order_id": "o1",
    "revenue": 12.35,
    "currency": "CNY",
    "products": [
        {"product_id": "p1", "quantity": 2, "price": 5, "value": 10.0, "department": "净水"},
        {"product_id": "p2", "value": 2.35, "colour": "red"},
    ],
}


def everything(warehouse):
    """All rows of all tables; bodies of quarantine are sealed anew each time, so they are left out."""
    found = {name: warehouse.query(f"select * from {name} order by all") for name in TABLES}
    return found | {"quarantine": warehouse.query("select * exclude (body) from quarantine order by all")}


@pytest.mark.parametrize("told", ["ann@example.com", "13800001234", "+8613800001234"])
def test_a_user_id_that_is_an_address_is_sealed_like_one(desk, told):
    """Whoever names users by their addresses puts none into the warehouse; the vault has it, under the id's own key."""
    desk.batch({"type": "track", "event": "Seen", "userId": told, "messageId": "m1"})
    desk.load()

    [(kind, key, value)] = desk.rows("select kind, subject_key, value from identifiers")
    assert (kind, value) == ("user_id", None)
    assert desk.vault.open([key]) == {key: told}
    assert told not in repr(everything(desk.warehouse))


@pytest.mark.parametrize("told", ["1247", "ann@shop", "123456789012345678", "abc-13800001234"])
def test_an_opaque_id_stays_readable(desk, told):
    """An id that reaches nobody is shown as it is."""
    desk.batch({"type": "track", "event": "Seen", "userId": told, "messageId": "m1"})
    desk.load()

    assert desk.rows("select value from identifiers") == [(told,)]


def test_an_order_becomes_an_event_and_its_lines(desk):
    """Amounts are exact, what is not declared is kept as JSON beside, and lines are numbered from 1."""
    desk.batch(track(**ORDER, gift=True), context={"channel": "store", "campaign": {"name": "spring"}})
    desk.load()

    assert desk.rows("select order_id, revenue, currency, touchpoint, campaign, properties from events") == [
        ("o1", Decimal("12.3500"), "CNY", "store", "spring", '{"gift":true}')
    ]
    assert desk.rows("select line, product_id, quantity, price, value, department, properties from order_lines") == [
        (1, "p1", 2, Decimal(5), Decimal(10), "净水", None),
        (2, "p2", None, None, Decimal("2.3500"), None, '{"colour":"red"}'),
    ]
    assert desk.rows("select event, property, type, seen from undeclared") == [
        ("Order Completed", "gift", "boolean", 1)
    ]


def test_every_type_is_kept_as_what_it_is(desk):
    """A number, an integer, a truth, a date and an instant come back as they were sent."""
    desk.batch(
        track("Measured", weight=1.5, count=3.0, sure=False, due="2026-04-01", seen_at="2026-03-01T08:00:00+08:00")
    )
    desk.load()

    assert desk.rows("select weight, count, sure, due, seen_at from events") == [
        (1.5, 3, False, date(2026, 4, 1), datetime(2026, 3, 1))
    ]


@pytest.mark.parametrize(
    ("event", "wrong", "named"),
    [
        ("Measured", {"count": "3"}, "`count`"),
        ("Measured", {"count": 3.5}, "`count`"),
        ("Measured", {"count": 1e300}, "`count`"),
        ("Measured", {"weight": "heavy"}, "`weight`"),
        ("Measured", {"sure": 1}, "`sure`"),
        ("Measured", {"due": "soon"}, "`due`"),
        ("Measured", {"seen_at": 5}, "`seen_at`"),
        ("Order Completed", {"revenue": "12.35"}, "`revenue`"),
        ("Order Completed", {"revenue": 1e15}, "`revenue`"),
        ("Order Completed", {"order_id": 5}, "`order_id`"),
        ("Order Completed", {"products": {"product_id": "p"}}, "`products`"),
        ("Order Completed", {"products": [{"quantity": 1}, {"quantity": "2"}]}, "`products[1].quantity`"),
    ],
)
def test_a_wrong_type_goes_to_quarantine_and_is_named(desk, event, wrong, named):
    """The reason names the property; its value is in the sealed body only."""
    desk.batch(track(event, **wrong))

    done = desk.load()

    [(reason, detail)] = desk.refused()
    assert (done.events, done.quarantined) == (0, 1)
    assert reason == "wrong_type"
    assert named in detail
    body = desk.rows("select body from quarantine")[0][0]
    assert json.loads(unseal(desk.keys, body, context=b"quarantine"))["properties"] == wrong


def test_null_is_no_value_of_any_type(desk):
    """A client that sends null for what it does not know is not refused."""
    desk.batch(track(revenue=None, products=None, order_id=None))

    assert desk.load().events == 1


def test_a_strict_plan_refuses_what_it_does_not_declare(make_desk):
    """In a strict workspace an unknown event is quarantined, and Spira's own are known."""
    desk = make_desk(tracking={"tracking": "strict", "mode": "strict", "events": {"Seen": {}}})
    desk.batch(track("Dance", id="a"), track("Seen", id="b"), track("Consent Given", id="c", purpose="marketing"))

    assert desk.load().events == 2
    assert [reason for reason, _ in desk.refused()] == ["unknown_event"]


def test_a_message_id_is_taken_once(desk):
    """Twice in a batch, again in the next one, or later still: one event."""
    desk.batch(track(id="a", revenue=1), track(id="a", revenue=2), track(id="b"))
    first = desk.load()
    desk.batch(track(id="a", revenue=3, user="bob"), track(id="c"))
    second = desk.load()

    assert (first.events, first.duplicates) == (2, 1)
    assert (second.events, second.duplicates) == (1, 1)
    assert desk.rows("select message_id, revenue from events order by event_id") == [
        ("a", Decimal(1)),
        ("b", None),
        ("c", None),
    ]
    assert desk.rows("select count(*) from identifiers") == [(1,)]


def test_calls_without_a_message_id_are_told_apart_by_their_request(desk):
    """The same call in two requests is two events; read twice from the log it is one."""
    call = {"type": "track", "event": "Seen", "userId": "ann"}
    desk.batch(call)
    desk.clock.step(datetime(2026, 3, 1, 12, 1))
    desk.batch(call)
    desk.load()
    again = desk.fresh_warehouse()
    desk.load(again)

    assert desk.rows("select count(distinct message_id) from events") == [(2,)]
    assert everything(desk.warehouse) == everything(again)
    again.close()


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"timestamp": "2026-03-01T10:00:00Z"}, datetime(2026, 3, 1, 10)),
        ({"timestamp": "2026-03-01T10:00:00+08:00"}, datetime(2026, 3, 1, 2)),
        ({"timestamp": "2026-03-01T10:00:00Z", "sentAt": "2026-03-01T10:00:30Z"}, datetime(2026, 3, 1, 11, 59, 30)),
        (
            {"originalTimestamp": "2027-01-01T00:00:00Z", "sentAt": "2027-01-01T00:00:05Z"},
            datetime(2026, 3, 1, 11, 59, 55),
        ),
        ({}, NOON),
    ],
)
def test_a_clients_clock_is_corrected_where_it_shows(desk, times, expected):
    """`timestamp` alone is exact; with `sentAt` the client's error is taken off."""
    desk.batch({"type": "track", "event": "Seen", "userId": "ann", **times})
    desk.load()

    assert desk.rows("select ts from events") == [(expected,)]


def test_a_batch_shares_its_sent_at(desk):
    """Calls without `sentAt` take that of their batch."""
    desk.batch(track(at="2026-03-01T09:59:00Z"), sentAt="2026-03-01T10:00:00Z")
    desk.load()

    assert desk.rows("select ts from events") == [(datetime(2026, 3, 1, 11, 59),)]


def test_an_event_from_the_future_is_quarantined_until_it_is_sent_right(desk):
    """Its message id is still free for the corrected event."""
    desk.batch(track(id="a", at="2030-01-01T00:00:00Z"))
    desk.load()
    desk.batch(track(id="a"))

    assert desk.load().events == 1
    assert [reason for reason, _ in desk.refused()] == ["from_the_future"]


def test_who_did_it_is_linked_and_contact_values_are_sealed(desk):
    """One person by user id, anonymous id and address; the address is in the vault and nowhere else."""
    desk.batch(
        {
            "type": "identify",
            "userId": "ann",
            "anonymousId": "browser-1",
            "traits": {"email": " Ann@Example.com", "name": "安妮", "age": 30, "city": "青岛"},
            "context": {"traits": {"phone": "138 1234 5678", "age": 29}},
        }
    )
    desk.load()

    key = desk.keys.subject_key("email", "ann@example.com")
    assert desk.rows("select kind, value from identifiers order by subject_id") == [
        ("user_id", "ann"),
        ("anonymous_id", "browser-1"),
        ("phone", None),
        ("email", None),
    ]
    assert desk.rows("select rule from links order by other_id") == [
        ("same call",),
        ("trait phone",),
        ("trait email",),
    ]
    assert desk.rows("select count(distinct profile_id) from profile_events") == [(1,)]
    assert desk.rows("select name, value, vault_key is not null from trait_facts order by name") == [
        ("age", "30", False),
        ("city", "青岛", False),
        ("email", None, True),
        ("name", None, True),
        ("phone", None, True),
    ]
    assert desk.vault.open([key]) == {key: "ann@example.com"}
    assert (
        "安妮"
        in desk.vault.open(
            [row[0] for row in desk.rows("select vault_key from trait_facts where name = 'name'")]
        ).values()
    )


def test_no_contact_value_stays_in_clear(desk):
    """Addresses and telephone numbers in properties, lines, URLs and refused calls are not in the warehouse."""
    desk.batch(
        track(id="a", note="write to eve@example.com or 13812345678", email="eve@example.com", mobile=13812345678),
        track(id="b", order_id="eve@example.com", products=[{"product_id": "eve@example.com", "x": "eve@example.com"}]),
        {"type": "page", "userId": "u", "properties": {"url": "https://shop.example/?e=eve%40example.com"}},
        track(id="c", revenue="eve@example.com"),
        {
            "type": "identify",
            "userId": "u",
            "traits": {"backup": "eve@example.com", "address": {"street": "13812345678"}},
        },
    )
    desk.load()

    said = str(everything(desk.warehouse)) + str(desk.rows("select * from quarantine"))
    assert desk.rows("select count(*) from events") == [(4,)]
    assert "eve@" not in said
    assert "eve%40" not in said
    assert "13812345678" not in said


def test_an_alias_links_the_previous_id(desk):
    """What was done before signing in belongs to the one who signed in."""
    desk.batch(track(id="a", user=None) | {"anonymousId": "x"}, {"type": "alias", "previousId": "x", "userId": "ann"})
    desk.load()

    assert desk.rows("select rule from links") == [("alias",)]
    assert desk.rows("select count(distinct profile_id) from profile_events") == [(1,)]


def test_a_source_says_where_its_events_happen(desk):
    """Touchpoint, domain and priority of the source are on its rows."""
    till = sources.add(desk.state, desk.clock, "till", touchpoint="store", domain="private", priority=5)
    desk.post("/v1/identify", {"userId": "ann", "traits": {"city": "青岛"}}, key=till.write_key)
    desk.load()

    assert desk.rows("select source, touchpoint, domain, event from events") == [
        ("till", "store", "private", "Identified")
    ]
    assert desk.rows("select priority from trait_facts") == [(5,)]


def test_spiras_own_events_are_about_a_subject_and_come_once(desk):
    """An open said twice is one event of the person the mail went to."""
    desk.batch(track())
    desk.load()
    opened = OwnEvent(
        message_id="open-7",
        event="Email Opened",
        at=NOON,
        subject_id=1,
        properties={"delivery_id": 7, "channel": "email"},
    )
    desk.emit(opened, opened)
    desk.emit(
        opened,
        OwnEvent(message_id="x", event="Consent Given", at=NOON, user_id="ann", properties={"purpose": "marketing"}),
    )

    assert desk.load().events == 2
    assert desk.rows(
        "select event, source, subject_id, delivery_id, purpose from events where source = 'spira' order by 1 desc"
    ) == [
        ("Email Opened", "spira", 1, 7, None),
        ("Consent Given", "spira", 1, None, "marketing"),
    ]


def test_an_own_event_about_nobody_known_is_left_out(desk):
    """A receipt that arrives after its person was erased brings no one back."""
    desk.emit(OwnEvent(message_id="open-7", event="Email Opened", at=NOON, subject_id=99))

    assert desk.load().events == 0
    assert desk.rows("select count(*) from events") == [(0,)]


def test_attempts_and_results_become_rows(desk):
    """What the log says of deliveries is in `attempts`, in order."""
    desk.log.append([encode(Attempt(1, NOON)), encode(Result(1, NOON, "sent", "<id@host>"))])
    desk.load()

    assert desk.rows("select delivery_id, phase, outcome, provider_id from attempts order by phase") == [
        (1, "attempt", None, None),
        (1, "result", "sent", "<id@host>"),
    ]


def test_a_poisoned_record_does_not_stop_the_next(desk):
    """Bytes that are no record lie in quarantine, and what follows is loaded."""
    desk.log.append([b"\xc1 not a record", b"", b"[" * 100_000])
    desk.batch(track())

    done = desk.load()

    assert (done.events, done.quarantined) == (1, 3)
    assert {reason for reason, _ in desk.refused()} == {"malformed"}


def test_small_batches_give_the_same_rows_as_one(desk):
    """Where a batch ends changes nothing but its number."""
    for number in range(6):
        desk.batch(*(track(id=f"{number}-{each % 5}", user=each % 3, **ORDER) for each in range(7)))
    desk.load()
    small = desk.fresh_warehouse()
    done = desk.load(small, limit_bytes=1)

    columns = "event_id, message_id, subject_id, profile_id, ts, revenue"
    query = f"select {columns} from events order by event_id"
    assert done.batches > 1
    assert small.query(query) == desk.rows(query)
    assert small.query("select event_id, line, value from order_lines order by all") == desk.rows(
        "select event_id, line, value from order_lines order by all"
    )
    small.close()


def test_loading_nothing_costs_next_to_nothing(desk):
    """Without news a load is two small queries."""
    desk.batch(track())
    desk.load()
    best = min(_seconds(desk.load) for _ in range(5))

    assert best < 0.02
    assert position(desk.warehouse) == desk.log.end()


def _seconds(act):
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


class Cut(Exception):
    """The power went off."""


class Fragile:
    """A warehouse that dies at its n-th statement."""

    def __init__(self, warehouse, statements):
        self._warehouse, self.left = warehouse, statements

    def __getattr__(self, name):
        found = getattr(self._warehouse, name)
        if name not in ("query", "execute", "one", "value", "append"):
            return found

        def counted(*args, **kwargs):
            self.left -= 1
            if self.left < 0:
                raise Cut
            return found(*args, **kwargs)

        return counted


def _history(desk):
    """Two rounds with everything in them: orders, people, duplicates, refused calls, own events, attempts."""
    desk.batch(
        {"type": "identify", "messageId": "i", "userId": "ann", "anonymousId": "x", "traits": {"email": "a@b.cn"}},
        track(id="a", **ORDER, note="odd"),
        track(id="a", **ORDER),
        track(id="b", revenue="wrong"),
    )
    desk.log.append([encode(Attempt(1, NOON))])
    desk.emit(OwnEvent(message_id="o", event="Email Opened", at=NOON, user_id="ann", properties={"delivery_id": 1}))


def test_cut_between_any_two_statements_loading_ends_the_same(desk):
    """Killed at every statement in turn nothing is half there, and the load that runs through gives the same rows."""
    _history(desk)
    whole, cut = desk.fresh_warehouse(), desk.fresh_warehouse()
    desk.load(whole)
    nothing, cuts = everything(cut), 0
    while not cut.value("select count(*) from loaded"):
        try:
            desk.load(Fragile(cut, cuts))
        except Cut:
            assert everything(cut) == nothing
            cuts += 1

    assert cuts > 15
    assert everything(cut) == everything(whole)
    whole.close()
    cut.close()


@settings(max_examples=examples(4), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rounds=st.lists(
        st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=5),
        min_size=1,
        max_size=4,
    ),
    cuts=st.lists(st.integers(0, 40), max_size=4),
)
def test_loading_is_exactly_once_for_any_history_and_any_cuts(make_desk, rounds, cuts):
    """Whatever is sent, repeated and cut off, each message id is there once, as the first that came."""
    desk = make_desk()
    expected = {}
    for calls in rounds:
        for message, user, wrong in calls:
            if not wrong:
                expected.setdefault(f"m{message}", str(user))
        desk.batch(*(track(id=f"m{message}", user=user, revenue="x" if wrong else 1) for message, user, wrong in calls))
        if cuts:
            try:
                desk.load(Fragile(desk.warehouse, cuts.pop()), limit_bytes=1)
            except Cut:
                continue
    desk.load(limit_bytes=1)

    found = desk.rows("select message_id, value from events join identifiers using (subject_id)")
    assert sorted(found) == sorted(expected.items())
    assert desk.rows("select count(*) from quarantine") == [(sum(wrong for calls in rounds for _, _, wrong in calls),)]
    assert desk.rows("select count(*) - max(event_id) from events having count(*) > 0") in ([], [(0,)])


class Watched(InlineRunner):
    """A runner that says how many stretches it was given."""

    def __init__(self):
        self.begun = [threading.Event() for _ in range(3)]

    def run(self, job, task):
        next(each for each in self.begun if not each.is_set()).set()
        return super().run(job, task)


def test_a_stretch_is_decoded_while_the_one_before_is_taken_in(desk):
    """The second has begun before the first is in the warehouse, so that two processors have work."""
    runner, seen = Watched(), []

    def join(warehouse, batch):
        seen.append(runner.begun[min(batch, 2)].wait(10))
        identity.resolve(warehouse, batch)

    for number in range(3):
        desk.batch(track(id=f"m{number}"))
    assert desk.load(runner=runner, join=join, limit_bytes=1).events == 3
    assert seen == [True, True, True]
