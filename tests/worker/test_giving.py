"""Giving: destinations are told of their audiences, each person once, whoever is killed when."""

import hashlib
import shutil
from datetime import datetime, timedelta
from pathlib import PurePath
from types import SimpleNamespace

import msgspec
import pytest
import sqlalchemy as sa

from spira.engage.alerts import stage as alerting
from spira.engage.destinations import choosing, kept, tables
from spira.engage.reach import rules_of
from spira.kernel.errors import Conflict, NotAllowed
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import SYSTEM, Viewer
from spira.sandbox.receiver import receiving
from spira.server.api import destinations as api
from spira.server.errors import Unacceptable
from spira.testing.workspaces import SETTINGS as WORKSPACE
from spira.testing.workspaces import send, workspace
from spira.unify import erase, exports
from spira.worker.core import Core
from spira.worker.giving import Giving

NOON = datetime(2026, 6, 1, 12)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OFFICER = Viewer(staff_id="officer", name="O", roles=frozenset({"privacy_officer"}), language="en")
OPERATOR = Viewer(staff_id="operator", name="O", roles=frozenset({"operator"}), language="en")
AUDIENCE = "audience: loyal\nwho: did('Order Completed', within => '90 days')\n"
CRM = """\
destination: crm
kind: webhook
audience: loyal
url: {url}
secret: env:CRM_SECRET
{purpose}
fields: {{id: id, member: user_id, em: sha256(email), city: trait.city}}
batch: 2
"""
MARKETING = "purpose: marketing\nchannel: email"
ADS = "purpose: personalised_ads\nrecipient: Nimbus"
SETTINGS = WORKSPACE + '[rights]\nprocessors = ["Nimbus; advertising; CN"]\n'
LAKE = """\
destination: lake
kind: files
audience: loyal
address: lake
purpose: analysis
fields: {id: id, orders: tag.orders}
"""
TAG = "tag: orders\nvalue: count_of('Order Completed')\n"
PLAN = """\
tracking: shop
events:
  Order Completed: {properties: {order_id: text}}
traits:
  city: text
"""
PEOPLE = ("u1", "u2", "u3", "u4", "u5")


def said(user, event, at=NOON - timedelta(days=1), **properties):
    """A call as a shop makes it."""
    stamp = at.isoformat() + "Z"
    return {"type": "track", "userId": user, "event": event, "timestamp": stamp, "properties": properties}


def known(user, **traits):
    """Who somebody is."""
    stamp = (NOON - timedelta(days=2)).isoformat() + "Z"
    return {"type": "identify", "userId": user, "traits": traits, "timestamp": stamp}


def consented(user, purpose="marketing", channel="email", event="Consent Given", at=NOON - timedelta(days=1)):
    """A word about a purpose."""
    return said(user, event, at, purpose=purpose, channel=channel)


@pytest.fixture(scope="module")
def listening():
    """A system that takes audiences, for all tests of this module."""
    with receiving(SECRET) as made:
        yield made


@pytest.fixture
def receiver(listening, monkeypatch):
    """The same with nobody there."""
    monkeypatch.setenv("CRM_SECRET", SECRET)
    listening.forget()
    return listening


@pytest.fixture(scope="module")
def lived(tmp_path_factory, listening):
    """Five people with orders and addresses, of whom four allow marketing by e-mail; nobody has been told yet."""
    directory = tmp_path_factory.mktemp("giving") / "shop"
    files = {
        "spira.toml": SETTINGS,
        "tracking/shop.yaml": PLAN,
        "audiences/loyal.yaml": AUDIENCE,
        "tags/orders.yaml": TAG,
        "destinations/crm.yaml": CRM.format(url=listening.url, purpose=MARKETING),
        "destinations/lake.yaml": LAKE,
    }
    with workspace(directory, files, at=NOON) as core:
        send(core, [known(user, email=f" {user.upper()}@Example.com ", city="青岛") for user in PEOPLE])
        send(core, [said(user, "Order Completed", order_id=f"o-{user}") for user in PEOPLE])
        send(core, [consented(user) for user in PEOPLE[:4]])
        core.refresh()
    return directory


@pytest.fixture(scope="module")
def opened(tmp_path_factory, lived):
    """The workspace, open for all tests that leave its people as they are."""
    directory = tmp_path_factory.mktemp("opened") / "shop"
    shutil.copytree(lived, directory)
    with Core.open(directory, runner=InlineRunner()) as core:
        yield core


@pytest.fixture
def calm(opened, receiver):  # noqa: ARG001  (nobody is there from an earlier test)
    """The same, with no destination ever started."""
    with opened.state.write() as connection:
        for table in (tables.STATES, tables.RUNS, tables.BATCHES, exports.EXPORTS):
            connection.execute(sa.delete(table))
    with opened.exclusive():
        for table in (tables.DESTINATION_PEOPLE, tables.DESTINATION_ROWS):
            opened.worker_lane.execute(f"delete from {table.name}")
    return opened


@pytest.fixture
def house(tmp_path, lived, receiver):  # noqa: ARG001  (nobody is there from an earlier test)
    """The workspace, as if just opened."""
    shutil.copytree(lived, tmp_path / "shop")
    with Core.open(tmp_path / "shop", runner=InlineRunner()) as core:
        yield core


_PROFILE = """
select coalesce(moved.profile_id, subject_id) from identifiers left join moved using (subject_id)
where kind = 'user_id' and value = ?
"""


def word(core, user, purpose, *, granted):
    """What somebody allows, as stage 3 would have it."""
    with core.exclusive():
        lane = core.worker_lane
        profile = lane.value(_PROFILE, [user])
        lane.execute("delete from permissions where profile_id = ? and purpose = ?", [profile, purpose])
        told = {"profile": profile, "purpose": purpose, "granted": granted, "since": NOON}
        lane.execute(
            "insert into permissions by name select $profile as profile_id, $purpose as purpose, 'email' as channel,"
            " $granted as granted, $since as since",
            told,
        )


class Handing:
    """Does each job here, with its task as a child reads it."""

    def run(self, job, task):
        return job.run(msgspec.msgpack.decode(msgspec.msgpack.encode(task), type=job.task))


def give(core):
    """One look of the thread."""
    return Giving(core, runner=Handing()).look()


def started(core, name="crm", **more):
    """Start a destination, and give."""
    api.begin(core, OFFICER, name, reason="our newsletter", **more)
    return give(core)


def members(receiver):
    """Who is at the receiver, by user id."""
    return sorted(each["member"] for each in receiver.people.values())


def test_nobody_leaves_before_somebody_has_started_it(calm, receiver):
    """
    A definition that is applied gives nobody away; addresses are started by a privacy officer, with a reason.
    """
    assert give(calm) == 0
    with pytest.raises(NotAllowed):
        api.begin(calm, OPERATOR, "crm", reason="our newsletter")
    with pytest.raises(Unacceptable):
        api.begin(calm, OFFICER, "crm", reason="x")
    with pytest.raises(Conflict):
        api.ask(calm, OFFICER, "crm")
    assert api.view(calm, "crm").row.state == "waiting"
    assert receiver.calls == []


def test_those_who_allow_it_arrive_hashed_and_the_list_of_exports_says_so(calm, receiver):
    """
    An address leaves as the hash of its normal form, who allows nothing stays, and the mark is in each batch.
    """
    assert started(calm) == 2
    assert members(receiver) == ["u1", "u2", "u3", "u4"]
    hashed = {each["em"] for each in receiver.people.values()}
    assert hashlib.sha256(b"u1@example.com").hexdigest() in hashed
    assert {each["city"] for each in receiver.people.values()} == {"青岛"}
    (listed,) = exports.latest(calm.state, limit=10)
    assert (listed.what, listed.people, listed.in_clear, listed.reason) == (
        "destination",
        4,
        True,
        "crm: our newsletter",
    )
    assert {batch["mark"] for batch in receiver.batches} == {listed.export_id}
    (run,) = api.view(calm, "crm").runs
    assert (run.status, run.added, run.taken, run.batches) == ("done", 4, 4, 2)
    assert [each.number for each in api.run_view(calm, "crm", run.run_id).batches] == [1, 0]


def test_only_what_has_changed_is_told(house, receiver):
    """
    A second run tells of who came, who left and whose values changed; with no news it tells nothing.
    """
    started(house)
    api.ask(house, OFFICER, "crm")
    assert give(house) == 0
    send(house, [consented("u5"), known("u1", city="上海")])
    send(house, [consented("u2", event="Consent Withdrawn", at=NOON)])
    house.step_clock(NOON + timedelta(hours=1))
    house.refresh()
    api.ask(house, OFFICER, "crm")
    assert give(house) == 2
    assert members(receiver) == ["u1", "u3", "u4", "u5"]
    told = [(each["op"], each.get("city")) for batch in receiver.batches[2:] for each in batch["people"]]
    assert sorted(told, key=str) == [("added", "青岛"), ("changed", "上海"), ("removed", None)]


def test_only_what_fields_name_is_read_and_says_the_same(calm):
    """
    A destination of one field tells of the same people the same as one of all fields, each read by itself.
    """
    rules = rules_of(calm.settings, calm.clock.now())
    every = {
        "id": "id",
        "member": "user_id",
        "since": "since",
        "mail": "email",
        "em": "sha256(email)",
        "ph": "sha256(phone)",
        "city": "trait.city",
        "orders": "tag.orders",
    }
    whole = calm.applied.get("destination", "crm").model.model_copy(update={"fields": every})

    def columns(model):
        leaving, asked = choosing._leaving(calm.lane(), model, rules)
        names = ", ".join(f"f{place}" for place in range(len(model.fields)))
        found = calm.lane().query(f"select profile_id, {names} from ({leaving}) order by profile_id", asked)
        return {name: [(row[0], row[place]) for row in found] for place, name in enumerate(model.fields, 1)}

    told = columns(whole)
    assert [len(told[name]) for name in every] == [4] * len(every)
    assert {value for _, value in told["city"]} == {"青岛"}
    assert {value for _, value in told["ph"]} == {None}
    for name, written in every.items():
        assert columns(whole.model_copy(update={"fields": {name: written}})) == {name: told[name]}


def test_everyone_anew_is_everyone(calm, receiver):
    """
    After a receiver has lost its list, all are told again.
    """
    started(calm)
    receiver.people.clear()
    api.ask(calm, OFFICER, "crm", everyone=True)
    give(calm)
    assert members(receiver) == ["u1", "u2", "u3", "u4"]
    assert receiver.batches[-1]["everyone"]


@pytest.mark.parametrize("step", ["advance", "end"])
def test_killed_anywhere_it_goes_on_and_gives_nobody_twice(calm, receiver, monkeypatch, step):
    """
    The batch in hand is given again under the same id, what was taken before it is not.
    """

    def killed(*_, **__):
        raise KeyboardInterrupt

    api.begin(calm, OFFICER, "crm", reason="our newsletter")
    with monkeypatch.context() as dying:
        dying.setattr(kept, step, killed)
        with pytest.raises(KeyboardInterrupt):
            give(calm)
    give(calm)
    assert members(receiver) == ["u1", "u2", "u3", "u4"]
    assert len(receiver.batches) == 2
    ids = [batch_id for batch_id, _ in receiver.calls]
    assert len(set(ids)) == 2
    assert choosing.standing(calm.lane()) == {"crm": 4}
    assert api.view(calm, "crm").runs[0].status == "done"
    assert len(exports.latest(calm.state, limit=10)) == 1


def test_what_is_asked_for_while_a_run_is_worked_out_is_heard(calm, receiver, monkeypatch):
    """
    Only the wish that a look had heard is done by it, and a wish for everyone is not made smaller by a later one.
    """
    started(calm)
    found = choosing.difference

    def asked_meanwhile(*args, **more):
        api.ask(calm, OFFICER, "crm", everyone=True)
        return found(*args, **more)

    api.ask(calm, OFFICER, "crm")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(choosing, "difference", asked_meanwhile)
        assert give(calm) == 0
    api.ask(calm, OFFICER, "crm")
    assert kept.standing(calm.state, "crm").asked == "everyone"
    assert give(calm) == 2
    assert receiver.batches[-1]["everyone"]
    assert kept.standing(calm.state, "crm").asked == ""


def test_a_fault_in_spira_keeps_no_other_destination_waiting(calm, monkeypatch):
    """
    What a destination stumbles over is told on its page by its kind alone, and the others are given.
    """
    found = choosing.difference

    def broken(lane, model, *args, **more):
        if model.destination == "crm":
            raise RuntimeError("u1@example.com")
        return found(lane, model, *args, **more)

    for name in ("crm", "lake"):
        api.begin(calm, OFFICER, name, reason="our newsletter")
    monkeypatch.setattr(choosing, "difference", broken)
    assert give(calm) == 1
    row = api.view(calm, "crm").row
    assert (row.state, row.fault) == ("trouble", "a fault in Spira (RuntimeError); its log says more")
    assert api.view(calm, "lake").row.people == 5


def test_a_receiver_that_is_away_is_tried_again_later(house, receiver):
    """
    The run waits longer and longer with what went wrong, keeps no other destination waiting, and goes on by itself.
    """
    receiver.answers = [503]
    api.begin(house, OFFICER, "lake", reason="the lake")
    started(house)
    row = api.view(house, "crm").row
    assert (row.state, row.latest.done, row.latest.due_at) == ("trying", 0, NOON + timedelta(minutes=1))
    assert "503" in row.fault
    assert (house.directory / "exports" / "lake" / "lake").is_dir()
    assert give(house) == 0
    house.step_clock(NOON + timedelta(minutes=2))
    assert give(house) == 2
    assert members(receiver) == ["u1", "u2", "u3", "u4"]


def test_who_refuses_while_a_run_waits_does_not_leave(house, receiver):
    """
    Each batch asks again; whoever was kept back is told when they allow it once more.
    """
    receiver.answers = [503]
    started(house)
    word(house, "u1", "marketing", granted=False)
    house.step_clock(NOON + timedelta(minutes=2))
    give(house)
    assert members(receiver) == ["u2", "u3", "u4"]
    assert api.view(house, "crm").runs[0].withheld == 1
    assert choosing.standing(house.lane()) == {"crm": 3}


def test_who_was_kept_back_and_allows_it_before_the_retry_comes_with_the_next_run(house, receiver):
    """
    A batch that is tried again holds nobody whom it has kept back, whatever they say meanwhile.
    """
    receiver.answers = [503, 503]
    started(house)
    word(house, "u1", "marketing", granted=False)
    house.step_clock(NOON + timedelta(minutes=2))
    assert give(house) == 0
    word(house, "u1", "marketing", granted=True)
    house.step_clock(NOON + timedelta(minutes=10))
    assert give(house) == 2
    assert members(receiver) == ["u2", "u3", "u4"]
    (run,) = api.view(house, "crm").runs
    assert (run.status, run.taken, run.withheld) == ("done", 3, 1)
    api.ask(house, OFFICER, "crm")
    give(house)
    assert members(receiver) == ["u1", "u2", "u3", "u4"]


def test_others_get_those_who_said_yes_to_that(house, receiver):
    """
    To be shared with somebody else is a consent of its own; a change of what for waits for a new start.
    """
    started(house)
    house.apply(SYSTEM, edits={PurePath("destinations/crm.yaml"): CRM.format(url=receiver.url, purpose=ADS)})
    assert give(house) == 0
    assert api.view(house, "crm").row.state == "changed"
    word(house, "u3", "personalised_ads", granted=True)
    house.step_clock(NOON + timedelta(hours=1))
    started(house)
    assert members(receiver) == ["u3"]
    assert exports.latest(house.state, limit=1)[0].recipient == "Nimbus"


def test_more_than_may_leave_at_once_do_not(calm, receiver):
    """
    A run that would give away more addresses than it was started for gives none, and says so.
    """
    started(calm, most=3)
    row = api.view(calm, "crm").row
    assert (row.state, receiver.people) == ("trouble", {})
    assert "4 people would leave" in row.fault
    with pytest.raises(Unacceptable):
        api.begin(calm, OFFICER, "crm", reason="our newsletter", most=10**9)


def test_one_that_waits_for_a_person_is_an_alert_until_it_gives_again(calm):
    """
    The stage of the alerts tells it, its page says since when, and both end when it has been started for enough.
    """

    def alerted():
        turn = SimpleNamespace(
            applied=calm.applied, settings=calm.settings, state=calm.state, public_url="",
            warehouse=calm.worker_lane, as_of=calm.clock.now(),
        )  # fmt: skip
        with calm.exclusive():
            alerting.run(turn)
        return [each.alerted_at for each in api.listing(calm).destinations]

    started(calm, most=3)
    assert alerted() == [NOON, None]
    assert api.view(calm, "crm").row.alerted_at == NOON
    started(calm)
    assert alerted() == [None, None]


def test_who_is_erased_is_taken_back(house, receiver):
    """
    The next run calls an erased person back by the name they had there, and knows nothing of them afterwards.
    """
    started(house)
    with house.exclusive():
        erase.erase(house.stores(), "user_id:u1", actor="officer")
    assert members(receiver) == ["u1", "u2", "u3", "u4"]
    api.ask(house, OFFICER, "crm")
    give(house)
    assert members(receiver) == ["u2", "u3", "u4"]
    assert choosing.standing(house.lane()) == {"crm": 3}


def test_a_paused_destination_waits_and_goes_on(calm, receiver):
    """
    Pausing holds a run after the batch in hand.
    """
    api.begin(calm, OFFICER, "crm", reason="our newsletter")
    api.pause(calm, OPERATOR, "crm", paused=True)
    assert give(calm) == 0
    api.pause(calm, OPERATOR, "crm", paused=False)
    assert give(calm) == 2
    assert members(receiver) == ["u1", "u2", "u3", "u4"]


def test_a_destination_that_is_taken_out_is_forgotten(house):
    """
    Whom it had is not kept when nobody can be told any more.
    """
    started(house)
    house.apply(SYSTEM, edits={PurePath("destinations/crm.yaml"): None})
    give(house)
    assert choosing.standing(house.lane()) == {}


def test_a_test_reaches_the_place_and_gives_nobody(calm, receiver):
    """
    It says whether the place was reached, and why not.
    """
    assert api.try_out(calm, OPERATOR, "crm").reached
    receiver.answers = [401]
    tried = api.try_out(calm, OPERATOR, "crm")
    assert not tried.reached
    assert "401" in tried.fault
    assert receiver.people == {}
