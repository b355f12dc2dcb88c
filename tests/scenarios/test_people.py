"""Who is who, as events tell it: joining, parting, sharing, and being forgotten."""

from __future__ import annotations

from datetime import datetime

from tests.scenarios.shop import shop

from spira.storage import audit
from spira.storage.audit_chain import examine
from spira.storage.log import BEGINNING
from spira.storage.tables import TABLES

JANUARY = datetime(2026, 1, 5, 10)


def test_what_was_done_before_signing_in_counts(tmp_path):
    """
    Orders from a device become its owner's when they sign in on it, in the tags too.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        corner.registers("ann")
        corner.orders("ann")
        corner.call(type="track", anonymousId="tablet", event="Order Completed", properties={"revenue": 5})
        corner.tick(minutes=1)
        assert bought(corner) == [1, 1]
        corner.call(type="identify", userId="ann", anonymousId="tablet", traits={})
        corner.tick(minutes=1)
        assert bought(corner) == [2]


def test_a_device_that_a_second_person_signs_in_on_is_nobodys(tmp_path):
    """
    Ann's tablet parts from her when Ben uses it as well; what she did signed in stays hers.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        corner.call(type="identify", userId="ann", anonymousId="tablet", traits={})
        corner.orders("ann")
        corner.call(type="track", anonymousId="tablet", event="Order Completed", properties={"revenue": 5})
        corner.tick(minutes=1)
        assert bought(corner) == [2]
        corner.call(type="identify", userId="ben", anonymousId="tablet", traits={})
        corner.tick(minutes=1)
        assert bought(corner) == [0, 1, 1]
        assert corner.profile("ann") != corner.profile("ben")


def test_a_shared_phone_joins_nobody(tmp_path):
    """
    Two accounts with one number stay two people, each with what they bought and what they agreed to.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        corner.registers("ann", phone="+8613800000001", consents=True)
        corner.registers("ben", phone="+8613800000001")
        for person in ("ann", "ben", "ben"):
            corner.orders(person)
        corner.tick(minutes=1)
        by_person = "select profile_id, orders_total from tags where orders_total > 0 order by profile_id"
        assert corner.core.lane().query(by_person) == [(corner.profile("ann"), 1), (corner.profile("ben"), 2)]
        corner.tick(days=31)
        assert corner.fates("ann") == [("we_miss_you", "sent", None)]
        assert corner.fates("ben") == [("we_miss_you", "withheld", "no_consent")]


def test_two_walks_of_one_person_become_one(tmp_path):
    """
    Who turns out to be one person in the middle of a journey goes on once, and gets each message once.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        corner.registers("ann", consents=True)
        corner.orders("ann")
        corner.call(type="track", anonymousId="tablet", event="Order Completed", properties={"revenue": 5})
        corner.tick(minutes=1)
        corner.tick(days=31)
        walks = "select state, count(*) from enrolments group by state order by state"
        assert corner.core.lane().query(walks) == [("active", 2)]
        corner.call(type="identify", userId="ann", anonymousId="tablet", traits={})
        corner.tick(days=1)
        assert corner.core.lane().query(walks) == [("active", 1), ("left", 1)]
        corner.tick(days=3)
        assert [mail.subject for mail in corner.mail("ann")] == ["Ann, it has been a while", "A gift"]


def test_who_is_erased_leaves_no_trace_and_may_return_as_a_stranger(tmp_path):
    """
    After erasing, no table, no sealed value, no record of the log and no row of the audit knows Ann; Ben stays whole.
    """
    with shop(tmp_path, at=JANUARY) as corner:
        for person in ("ann", "ben"):
            corner.registers(person, consents=True)
            corner.orders(person)
        corner.tick(minutes=1)
        corner.tick(days=31)
        corner.get(corner.mail("ann")[0].links[0])
        corner.core.tick()
        gone, keys = corner.profile("ann"), known_by(corner, "ann", "ann@example.com", "Ann")
        ben = rows_about(corner, corner.profile("ben"))

        receipt = corner.api("/api/erase", identifier="email:ann@example.com")

        assert {each["table"] for each in receipt["rows"]} >= {"records", "vault", "events", "deliveries", "enrolments"}
        corner.core.refresh()
        assert rows_about(corner, gone) == {}
        assert rows_about(corner, corner.profile("ben")) == ben
        assert corner.core.vault.open(keys) == {}
        log = b"".join(corner.core.log.read(BEGINNING, limit_bytes=1 << 24).records)
        assert (b"ben@example.com" in log, b"ann@example.com" in log, b'"ann"' in log) == (True, False, False)
        told = " ".join(f"{row.subject} {row.detail}" for row in audit.latest(corner.core.state))
        assert not [word for word in ("ann@", ":ann", "'ann'", "Ann") if word in told]
        assert examine(corner.core.state).whole

        corner.registers("ann")
        corner.orders("ann")
        corner.tick(minutes=1)
        assert corner.profile("ann") not in (None, gone)
        told = corner.core.lane().one("select orders_total from tags where profile_id = ?", [corner.profile("ann")])
        assert told == (1,)
        assert corner.fates("ann") == []


def bought(corner):
    """How many orders each person has, fewest first."""
    return [count for (count,) in corner.core.lane().query("select orders_total from tags order by 1")]


def known_by(corner, user, email, name):
    """The keys that a person's values are found by."""
    keys = corner.core.keys
    return [keys.subject_key("user_id", user), keys.subject_key("email", email), keys.subject_key("name", name)]


def rows_about(corner, profile):
    """How many rows of each table are about a profile or its subjects."""
    lane = corner.core.lane()
    subjects = [each for (each,) in lane.query(_SUBJECTS, [profile, profile])] or [profile]
    found = {}
    for name in TABLES:
        declared = TABLES.get(name)
        if declared.store == "warehouse" and declared.person in ("profile_id", "subject_id"):
            ids = [profile] if declared.person == "profile_id" else subjects
            found[name] = lane.value(f"select count(*) from {name} where list_contains(?, {declared.person})", [ids])
    return {name: count for name, count in found.items() if count}


_SUBJECTS = (
    "select subject_id from moved where profile_id = ? union select subject_id from identifiers where subject_id = ?"
)
