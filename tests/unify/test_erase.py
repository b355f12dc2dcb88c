from __future__ import annotations

import json
from datetime import timedelta

import msgspec
import pytest

from spira.collect.envelope import Accepted, Attempt, Emitted, OwnEvent, Replayed, Result, decode, encode, made_id
from spira.collect.people import QUARANTINE
from spira.kernel.clock import FrozenClock
from spira.kernel.errors import NotFound
from spira.storage import log, sealing
from spira.storage.audit_chain import examine
from spira.storage.tables import TABLES
from spira.testing.houses import NOON, at
from spira.unify import consent, erase, profiles
from spira.unify.redact import Erased, redact

ANN, BO = "ann@example.com", "bo@example.com"
TIES = {"profile_id", "subject_id", "subject_key", "vault_key", "address_key"}


def call(user=None, anonymous=None, **more):
    ids = {"userId": user, "anonymousId": anonymous}
    return {**{name: value for name, value in ids.items() if value}, **more}


def accepted(*calls, minutes=0, **shared):
    body = json.dumps({"batch": calls, **shared}).encode()
    return Accepted("web", NOON + timedelta(minutes=minutes), "batch", body)


@pytest.fixture
def shop(desk, tmp_path):
    """Ann (1, with an address 2 and a browser 3) and Bo (4, with an address 5), in every store; a family address 6."""
    house, warehouse = desk.house, desk.house.warehouse
    for subject, kind, value in (
        (1, "user_id", "h-1"),
        (2, "email", ANN),
        (3, "anonymous_id", "browser-1"),
        (4, "user_id", "h-2"),
        (5, "email", BO),
        (6, "email", "family@example.com"),
    ):
        desk.subject(subject, kind, value)
    family = desk.keys.subject_key("email", "family@example.com")
    for user, email, address in ((1, 2, ANN), (4, 5, BO)):
        house.say(user, "Order Completed", hours=-2, store_id="A", revenue=12.5)
        house.say(user, "Consent Given", hours=-1, purpose="marketing", channel="email")
        house.tell(user, "email", None, hours=0, vault_key=desk.keys.subject_key("email", address))
        house.tell(user, "home_email", None, hours=0, vault_key=family)
        house.tell(user, "name", None, hours=0, vault_key=desk.sealed("name", f"Name {user}"))
        house.link(user, email)
        house.link(user, 6)
    house.say(3, "Page Viewed", hours=-3)
    house.say(1, "Email Bounced", hours=0, bounce_type="hard", address_key=desk.keys.subject_key("email", ANN))
    house.link(1, 3)
    house.load()
    for user, address in ((1, ANN), (4, BO)):
        key = desk.keys.subject_key("email", address)
        house.put("deliveries", delivery_id=user * 10, profile_id=user, address_key=key, state="sent")
        house.put("attempts", delivery_id=user * 10, phase="result", batch=1)
        house.line(1 if user == 1 else 6, user)
        warehouse.execute("insert into members values ('lapsed', ?, ?)", [user, at(0)])
        refused = call(f"h-{1 if user == 1 else 2}", type="identify", traits={"email": address})
        body = sealing.seal(desk.keys, json.dumps(refused).encode(), context=QUARANTINE)
        house.put(
            "quarantine", batch=1, item=user, body=body, subject_key=desk.keys.subject_key("user_id", refused["userId"])
        )
        house.put("quarantine", batch=1, item=user + 10, body=body)
    profiles.compute(warehouse, as_of=at(1), units=[(10, "A")])
    consent.compute(warehouse, as_of=at(1))
    with log.Log.open(tmp_path / "log", desk.keys) as writer:
        yield erase.Stores(
            warehouse=warehouse,
            state=desk.state,
            vault=desk.vault,
            keys=desk.keys,
            log=writer,
            log_directory=tmp_path / "log",
            clock=FrozenClock(at(2)),
            load=lambda: None,
        )


def records(stores):
    return [decode(each) for each in log.read(stores.log_directory, stores.keys, log.BEGINNING).records]


def everything(stores):
    """All that the warehouse holds, table by table, as text."""
    names = stores.warehouse.query("select table_name from duckdb_tables() where not temporary order by table_name")
    return {name: stores.warehouse.query(f'select * from "{name}"') for (name,) in names}


def test_an_erased_person_is_in_no_store(shop):
    """No table, no sealed value and no record of the log knows the person; the other one stays whole."""
    shop.log.append(
        [
            encode(
                accepted(
                    call("h-1", type="track", event="x"), call("h-2", type="track", event="y"), call(None, "browser-1")
                )
            )
        ]
    )
    mine = {
        shop.keys.subject_key(kind, value)
        for kind, value in (("user_id", "h-1"), ("email", ANN), ("anonymous_id", "browser-1"))
    }
    mine.add(shop.keys.subject_key("name", "Name 1"))
    before = {name: len(rows) for name, rows in everything(shop).items()}

    receipt = erase.erase(shop, f"email:{ANN}", actor="privacy")

    after = everything(shop)
    for name, rows in after.items():
        declared = [column for column in shop.warehouse.columns(name) if column in erase.CHOSEN]
        for column in declared:
            left = {row[0] for row in shop.warehouse.query(f'select "{column}" from "{name}"')}
            assert not left & ({1, 2, 3} if column.endswith(("profile_id", "subject_id", "other_id")) else mine), (
                name,
                column,
            )
        assert "h-1" not in repr(rows)
    assert shop.vault.open(mine) == {}
    shop.log.roll()
    text = b"".join(each.body for each in records(shop))
    assert b"h-2" in text
    assert b"h-1" not in text
    assert b"browser-1" not in text
    shown = {(row.store, row.table): row.rows for row in receipt.rows}
    for (store, name), rows in shown.items():
        if store == "warehouse":
            assert rows >= before[name] - len(after[name]) >= 1
    assert {name for name, rows in after.items() if len(rows) < before[name]} <= {name for _, name in shown}
    assert receipt.identifiers == 3
    for name in (
        "events",
        "order_lines",
        "traits",
        "permissions",
        "profiles",
        "members",
        "deliveries",
        "attempts",
        "quarantine",
    ):
        assert len(after[name]) == before[name] - shown["warehouse", name] > 0, name
    assert examine(shop.state).whole


def test_a_value_that_another_person_told_too_stays_theirs(shop):
    """The family's address stays readable for the other person, whose it now is."""
    erase.erase(shop, "user_id:h-1", actor="privacy")
    family = shop.keys.subject_key("email", "family@example.com")
    assert shop.vault.open([family]) == {family: "family@example.com"}
    assert shop.warehouse.query("select profile_id from moved where subject_id = 6") == [(4,)]
    assert shop.vault.open([shop.keys.subject_key("name", "Name 4")]) != {}


def test_erasing_again_or_nobody_finds_nothing(shop):
    """The second time, and for a person never seen, the receipt is empty, and the list knows them all the same."""
    erase.erase(shop, "user_id:h-1", actor="privacy")
    assert erase.erase(shop, "user_id:h-1", actor="privacy").rows == ()
    assert erase.erase(shop, "user_id:nobody", actor="privacy").rows == ()
    assert shop.keys.subject_key("user_id", "nobody") in {each.erased_key for each in erase.listed(shop.state)}


def test_what_is_no_identifier_is_refused(shop):
    """A text that is no `KIND:VALUE` is answered with what to write."""
    with pytest.raises(NotFound) as fault:
        erase.erase(shop, "h-1", actor="privacy")
    assert "KIND:VALUE" in str(fault.value.help)


def test_a_restored_person_is_erased_again_and_a_returned_one_is_not(shop):
    """Erasures newer than the backup are repeated up to their instant; those that the backup lists are left alone."""
    key = shop.keys.subject_key("user_id", "h-1")
    late = erase.Erasure(erased_key=key, erased_at=at(2))
    shop.log.append(
        [encode(accepted(call("h-1", type="track"))), encode(accepted(call("h-1", type="track"), minutes=300))]
    )
    assert erase.reapply(shop, [late]) == 1
    assert shop.warehouse.query("select count(*) from identifiers where subject_id = 1") == [(0,)]
    shop.log.roll()
    assert [each.received_at for each in records(shop)] == [NOON + timedelta(minutes=300)]
    assert erase.reapply(shop, [late]) == 0


def test_an_interrupted_erasure_is_taken_up_again(shop):
    """Killed after the list was written, the person is still there, and gone once it is resumed."""

    def killed(*_):
        raise KeyboardInterrupt

    shop.warehouse.execute("create temp table kept as select 1")
    forget, shop.vault.forget = shop.vault.forget, killed
    with pytest.raises(KeyboardInterrupt):
        erase.erase(shop, "user_id:h-1", actor="privacy")
    shop.vault.forget = forget
    assert shop.warehouse.query("select count(*) from identifiers where subject_id < 4") == [(3,)]
    assert erase.resume(shop) == 3
    assert shop.warehouse.query("select count(*) from identifiers where subject_id < 4") == [(0,)]
    assert erase.resume(shop) == 0


def test_every_profile_that_an_erasure_changed_is_named(shop):
    """The person who keeps the family's address is among the changed of a fresh batch."""
    shop.warehouse.execute(
        """insert into loaded by name select 'core' as log, 0 as segment, 0 as position, 1 as batch,
        ?::timestamp as "at", 9 as last_event, 6 as last_subject""",
        [at(0)],
    )
    erase.erase(shop, "user_id:h-1", actor="privacy")
    assert (4, 2) in shop.warehouse.query("select profile_id, batch from changes")


def test_what_is_left_of_a_batch_keeps_its_ids_and_its_numbers(shop):
    """A call that stays keeps its text, loses mentions of the erased, and is given the id it was loaded under."""
    theirs = call(
        "h-2", "browser-1", type="identify", traits={"email": ANN, "city": "Jinan"}, properties={"revenue": 1}
    )
    record = accepted(
        call("h-1", type="track", messageId="m1"), theirs, call("h-2", type="track", messageId="m2"), minutes=1
    )
    record = Accepted(
        record.source, record.received_at, record.via, record.body.replace(b'"revenue": 1', b'"revenue": 12.3400')
    )
    shop.log.append([encode(record)])
    erase.erase(shop, "user_id:h-1", actor="privacy")
    shop.log.roll()
    (left,) = records(shop)
    first, second = json.loads(left.body)["batch"]
    assert first == {
        "userId": "h-2",
        "type": "identify",
        "traits": {"city": "Jinan"},
        "properties": {"revenue": 12.34},
        "messageId": made_id(record, 1),
    }
    assert b"12.3400" in left.body
    assert second == {"userId": "h-2", "type": "track", "messageId": "m2"}


def test_own_events_and_attempts_of_the_person_leave_the_log(shop):
    """Receipts, attempts and results about the erased go; those about others stay."""
    own = [OwnEvent(message_id=f"r{subject}", event="Email Opened", at=at(0), subject_id=subject) for subject in (1, 4)]
    shop.log.append(
        [
            encode(Emitted(at(0), own)),
            encode(Emitted(at(0), [OwnEvent(message_id="r", event="Unsubscribed", at=at(0), user_id="h-1")])),
            encode(Attempt(10, at(0))),
            encode(Result(10, at(0), "failed", None, f"550 <{ANN}> unknown")),
            encode(Attempt(40, at(0))),
            b"no record",
        ]
    )
    erase.erase(shop, "user_id:h-1", actor="privacy")
    shop.log.roll()
    left = log.read(shop.log_directory, shop.keys, log.BEGINNING).records
    assert left == [encode(Emitted(at(0), own[1:])), encode(Attempt(40, at(0))), b"no record"]


def test_every_table_with_a_person_in_it_is_registered_with_one():
    """A table with a column that ties rows to people says which, and that column is one that erasing knows."""
    for name in TABLES:
        declared = TABLES.get(name)
        ties = TIES & {column.name for column in declared.columns}
        assert not ties or declared.person in ties | {"event_id"}, name
        assert declared.person is None or declared.person in erase.CHOSEN, name


def test_replayed_calls_of_the_person_leave_the_log_too(desk):
    """A call that was replayed out of quarantine is theirs like any other; a stranger's stays, without the mention."""
    keys = frozenset({desk.keys.subject_key("user_id", "h-1"), desk.keys.subject_key("email", ANN)})
    erased = Erased(keys=keys, subjects=frozenset({1}), deliveries=frozenset(), until=NOON + timedelta(hours=1))

    def left(request):
        raw = encode(Replayed(request, 1, 1, "m1", NOON, "staff"))
        fresh = redact(raw, erased, desk.keys)
        return fresh and decode(fresh).request

    own = OwnEvent(message_id="m1", event="Seen", at=NOON, subject_id=1)
    theirs = [
        accepted(call("h-1", messageId="m1")),
        Accepted("web", NOON, "track", json.dumps(call("h-1")).encode()),
        Accepted("spira", NOON, "own", msgspec.json.encode(own)),
        Accepted("spira", NOON, "record", encode(Emitted(NOON, [own]))),
    ]
    assert [left(each) for each in theirs] == [None] * 4
    strangers = [
        accepted(call("h-2", messageId="m1")),
        Accepted("spira", NOON, "own", msgspec.json.encode(msgspec.structs.replace(own, subject_id=4))),
        Accepted("spira", NOON, "record", b"no record"),
        accepted(call("h-1", messageId="m1"), minutes=120),
    ]
    assert [left(each) for each in strangers] == strangers
    mention = left(accepted(call("h-2", messageId="m1"), context={"traits": {"email": ANN}}))
    assert ANN.encode() not in mention.body
    assert b"h-2" in mention.body
