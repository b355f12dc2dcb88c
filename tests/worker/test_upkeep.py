"""Upkeep: keys are changed without stopping, what is over is deleted, and nothing personal lies anywhere in clear."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from spira.kernel.jobs import InlineRunner
from spira.kernel.settings import RetentionSettings
from spira.kernel.viewer import SYSTEM, Viewer
from spira.storage import frames, resealing
from spira.storage.files import RealFiles
from spira.storage.keys import add_sealing_key
from spira.storage.log import BEGINNING, segments
from spira.storage.sealing import key_number
from spira.storage.vault import VAULT
from spira.testing.workspaces import order, send, workspace
from spira.unify import erase, notes, retention, rights
from spira.worker.core import Core
from spira.worker.upkeep import old_segments

MARCH = datetime(2026, 3, 1)
PHONE, EMAIL, NAME, LOYALTY = "13912345678", "planted.ann@example.com", "Plantedname", "lp-55555501"
KIND = (
    "identifier: loyalty_no\nwriting: upper\nprivacy: contact\ntraits: [loyalty_no]\n"  # a kind of the workspace's own
)
PLANTED = [
    PHONE.encode(),
    EMAIL.encode(),
    b"planted.ann",
    NAME.encode(),
    LOYALTY.encode(),
    LOYALTY.upper().encode(),
    b"planted%2Eann",
    b"planted.ann%40example.com",
]
CALLS = [
    {
        "type": "identify",
        "userId": "7",
        "messageId": "i",
        "traits": {"email": EMAIL, "phone": PHONE, "name": NAME, "loyalty_no": LOYALTY},
    },
    {
        "type": "track",
        "userId": "7",
        "event": "Page Viewed",
        "messageId": "t",
        "properties": {"url": f"https://shop.example/?mail={EMAIL}&tel={PHONE}", "note": f"call {PHONE}"},
    },
    {"type": "track", "userId": "7", "event": "Order Completed", "messageId": "q", "properties": {"revenue": EMAIL}},
]
# It came before the kind was declared, so it tied nobody to anything.
MENTION = {"type": "track", "userId": "8", "event": "Seen", "messageId": "external",
           "context": {"externalIds": [{"type": "loyalty_no", "id": LOYALTY.upper()}]}}  # fmt: skip
STAFF = Viewer(staff_id="paula", name="Paula", roles=frozenset({"privacy_officer"}))


def everywhere(directory):
    """The bytes of every file of a workspace, its own definitions and keys apart."""
    return {path: path.read_bytes() for path in (directory / "data").rglob("*") if path.is_file()}


def traces(files):
    return [(path.name, word) for path, content in files.items() for word in PLANTED if word in content]


@pytest.fixture
def core(tmp_path, shop):
    with workspace(tmp_path / "shop", shop, at=MARCH) as opened:
        send(opened, [MENTION])
        opened.tick()
        (tmp_path / "shop" / "identifiers").mkdir()
        (tmp_path / "shop" / "identifiers" / "loyalty.yaml").write_text(KIND)
        opened.apply(SYSTEM)
        send(opened, [*CALLS, order("8", "2026-02-20T10:00:00Z", message_id="a", revenue=12.5)])
        opened.tick()
        profile = opened.lane().value("select subject_id from identifiers where value = '7'")
        said = f"rang from {PHONE}"
        notes.write(opened.state, opened.keys, opened.lane(), STAFF, profile_id=profile, text=said, at=MARCH)
        key = opened.keys.subject_key("user_id", "7")
        rights.file_request(
            opened.state,
            opened.keys,
            opened.clock,
            settings=opened.settings,
            right="access",
            subject_key=key,
            origin="staff",
            actor="paula",
            note=said,
        )
        yield opened


def sealed_with(core):
    """The numbers of the keys that anything is sealed with."""
    with core.state.read() as connection:
        found = {key_number(each) for each in connection.execute(sa.select(VAULT.c.sealed)).scalars()}
        for name in resealing.SEALED:
            declared = resealing.SEALED.get(name)
            column = declared.table.c[declared.column]
            rows = connection.execute(sa.select(column).where(column.is_not(None))).scalars()
            found |= {key_number(each) for each in rows}
    bodies = core.lane().query("select body from quarantine where body is not null")
    return found | {key_number(bytes(body)) for (body,) in bodies}


def readable(core):
    """What everybody may read while keys are changed."""
    profile = core.lane().value("select subject_id from identifiers where value = '7'")
    (note,) = notes.about(core.state, core.keys, core.lane(), STAFF, profile_id=profile)
    (request,) = rights.listed(core.state, limit=2)
    keys = [core.keys.subject_key("email", EMAIL), core.keys.subject_key("phone", f"+86{PHONE}")]
    opened = set(core.vault.open(keys).values())
    return note.text, rights.details_of(core.state, core.keys, request).note, opened


def test_keys_are_changed_without_stopping_and_a_kill_costs_nothing(core, tmp_path):
    """Everything stays readable in the middle of it and after a restart, and at the end nothing needs the old key."""
    before = readable(core)
    assert sealed_with(core) == {1}
    assert core.lane().value("select count(*) from quarantine") >= 1
    core.keys.adopt(add_sealing_key(core.directory))
    assert resealing.step(core.state, core.keys, limit=2) == 2
    assert sealed_with(core) == {1, 2}
    assert readable(core) == before
    core.close()
    with Core.open(tmp_path / "shop", runner=InlineRunner()) as again:
        again.tick()
        assert readable(again) == before
        for _ in range(3):
            again.tick()
        assert sealed_with(again) == {2}
        assert resealing.waiting(again.state, again.keys) == {}
        assert readable(again) == before
        assert again.runs["storage.upkeep"].rows == 0


def test_no_store_holds_a_planted_value_in_clear(core, tmp_path):
    """Telephone numbers, addresses and names that calls, URLs, notes and requests told lie in no file in clear."""
    core.backup(tmp_path / "shop" / "data" / "copy.spira")
    core.state.settle()
    files = everywhere(core.directory)
    assert len(files) >= 4
    assert traces(files) == []


def test_after_an_erasure_no_file_and_no_restored_backup_can_be_made_to_tell(core, tmp_path):
    """With the keys in hand, neither the stores nor a backup that was restored over them give a planted value.

    A number of a kind that the workspace declared leaves the calls of somebody else who told it, too.
    """
    backup = tmp_path / "before.spira"
    core.backup(backup)
    key = core.keys.subject_key("email", EMAIL)
    assert sum(LOYALTY.encode() in each.lower() for each in core.log.read(BEGINNING).records) == 2
    with core.exclusive():
        erase.erase(core.stores(), f"loyalty_no:{LOYALTY}", actor="paula")
    assert told(core) == []
    core.close()
    from spira.cli.restore import bring_back

    _, erased = bring_back(backup, core.directory)
    assert erased >= 4
    with Core.open(core.directory, runner=InlineRunner()) as again:
        again.tick()
        assert told(again) == []
        assert again.lane().value("select count(*) from identifiers where subject_key = ?", [key]) == 0
        assert again.lane().value("select count(*) from identifiers where value = '8'") == 1
        (request,) = rights.listed(again.state, limit=2) or (None,)
        assert request is None or rights.details_of(again.state, again.keys, request).note == ""
    assert traces(everywhere(core.directory)) == []


def told(core):
    """Every planted value that can be read with the keys: of the log, the vault, quarantine and every sealed column."""
    from spira.collect.people import QUARANTINE
    from spira.storage import sealing

    texts = list(core.log.read(BEGINNING, limit_bytes=1 << 24).records)
    with core.state.read() as connection:
        for name in resealing.SEALED:
            declared = resealing.SEALED.get(name)
            rows = connection.execute(sa.select(declared.table)).mappings().all()
            sealed = [(row[declared.column], declared.context(row)) for row in rows]
            texts += [sealing.unseal(core.keys, each, context=context) for each, context in sealed if each is not None]
    for part in ("body", "context"):
        for (body,) in core.lane().query(f"select {part} from quarantine where {part} is not null"):
            texts.append(sealing.unseal(core.keys, bytes(body), context=QUARANTINE))
    return [word for word in PLANTED for text in texts if word in text]


def test_what_is_over_is_deleted_once_a_day_in_slices_and_reported(core):
    """Events by their class, consents kept, messages by their purpose; tags follow, and the report has the rows."""
    send(
        core,
        [
            *(order("8", f"2025-0{month}-20T10:00:00Z", message_id=f"o{month}", revenue=1) for month in range(1, 6)),
            {"type": "track", "userId": "8", "event": "Consent Given", "timestamp": "2024-01-01T00:00:00Z",
             "messageId": "c", "properties": {"purpose": "marketing", "channel": "email"}},
            {"type": "track", "userId": "8", "event": "Seen", "timestamp": "2024-01-01T00:00:00Z", "messageId": "s"},
        ],
    )  # fmt: skip
    core.tick()
    count = "select event, count(*) from events where ts < '2026-01-01' group by event order by event"
    assert core.lane().query(count) == [("Consent Given", 1), ("Order Completed", 5), ("Seen", 1)]
    rules = RetentionSettings(events=["Order Completed: 365 days", "*: 100 days"], messages=["marketing: 30 days"])
    core.settings = core.settings.model_copy(update={"retention": rules})
    wanted = retention.rules(rules)
    assert retention.step(core.worker_lane, wanted, as_of=MARCH, day=MARCH.date(), limit=1) == 1
    for _ in range(3):
        core.tick()
    assert core.lane().query(count) == [("Consent Given", 1), ("Order Completed", 3)]
    total = core.lane().value("select orders_total from tags where orders_total > 0")
    assert total == 4
    runs = {(run.kind, run.name): run.rows for run in retention.latest(core.lane(), limit=9)}
    assert runs == {("event", "Order Completed"): 2, ("event", "*"): 1}
    core.step_clock(MARCH + timedelta(days=1))
    core.tick()
    assert core.lane().query(count) == [("Consent Given", 1), ("Order Completed", 3)]


@pytest.mark.parametrize("rule", ["Order Completed", "x: soon", ": 3 days", "x: 3 hours"])
def test_a_rule_without_a_name_or_a_length_is_refused(rule):
    """The settings say what to write."""
    with pytest.raises(ValueError, match="is no rule"):
        RetentionSettings(events=[rule])


def test_a_change_of_keys_seals_the_log_again_and_every_reader_knows_both(core, tmp_path):
    """In the middle all is read; a segment that was being written follows once it is loaded."""
    home = core.directory / "data" / "log"
    records = core.log.read(BEGINNING).records
    core.keys.adopt(add_sealing_key(core.directory))
    assert core.log.read(BEGINNING).records == records
    core.tick()  # ends the segment of the old key
    send(core, [order("8", "2026-02-21T10:00:00Z", message_id="b", revenue=1)])
    assert len({frames.key_number(RealFiles(), each.path) for each in segments(home)}) == 2
    records = core.log.read(BEGINNING).records
    for _ in range(3):
        core.tick()
    assert old_segments(home, core.keys.current) == []
    assert core.log.read(BEGINNING).records == records
    core.close()
    with Core.open(tmp_path / "shop", runner=InlineRunner()) as again:
        again.tick()
        assert again.lane().value("select count(*) from events where message_id in ('a', 'b')") == 2


def held(core):
    """What a warehouse holds of people and their events, whatever numbers they have in it.

    The kind that was declared late is left out: made again, its first mention counts as well.
    """
    lane = core.lane()
    return {
        "identifiers": sorted(lane.query("select kind, subject_key from identifiers")),
        "traits": sorted(lane.query('select name, value, vault_key, "at" from traits'), key=str),
        "told": sorted(lane.query("select name, value, vault_key, ts from trait_facts"), key=str),
        "events": sorted(lane.query("select message_id, event, ts, received_at from events")),
        "orders": sorted(lane.query("select message_id, revenue from events where event = 'Order Completed'"), key=str),
        "permissions": sorted(lane.query("select purpose, channel, granted, since from permissions")),
        "quarantine": sorted(lane.query("select message_id, reason from quarantine")),
        "people": sorted(
            lane.query("""
            select list(subject_key order by subject_key) from identifiers left join moved using (subject_id)
            where kind <> 'loyalty_no' group by coalesce(profile_id, subject_id)""")
        ),
    }


def test_the_log_forgets_what_was_said_and_a_warehouse_made_again_of_it_is_the_same(core, tmp_path):
    """Of what is over only who and when stay; consents, traits, who is who and what is refused are there again."""
    said = {"purpose": "marketing", "channel": "email"}
    send(
        core,
        [
            {"type": "track", "userId": "8", "event": "Seen", "properties": {"note": "secret words"}},
            {"type": "track", "userId": "8", "event": "Consent Given", "messageId": "c", "properties": said},
            {"type": "identify", "userId": "8", "anonymousId": "tablet", "traits": {"city": "Jinan"}, "messageId": "j"},
            {"type": "page", "anonymousId": "tablet", "properties": {"title": "hidden page"}, "messageId": "p",
             "context": {"userAgent": "a browser of somebody"}},
        ],
    )  # fmt: skip
    core.tick()
    core.log.roll()
    core.step_clock(MARCH + timedelta(days=40))
    send(core, [order("8", "2026-04-09T10:00:00Z", message_id="late", revenue=7)])
    rules = RetentionSettings(events=["Order Completed: 60 days", "*: 30 days"])
    core.settings = core.settings.model_copy(update={"retention": rules})
    for _ in range(5):
        core.tick()
    log = b"".join(core.log.read(BEGINNING).records)
    words = (b"secret words", b"hidden page", b"a browser", b'"purpose"', b"12.5", b"Jinan", b'"late"')
    assert [word in log for word in words] == [False, False, False, True, True, True, True]
    runs = {run.kind: run.rows for run in retention.latest(core.lane(), limit=9)}
    assert runs["log"] >= 3
    assert core.runs["storage.upkeep"].rows == 0
    before = held(core)
    core.close()
    (tmp_path / "shop" / "data" / "warehouse.duckdb").unlink()
    with Core.open(tmp_path / "shop", runner=InlineRunner()) as again:
        again.settings = again.settings.model_copy(update={"retention": rules})
        for _ in range(3):
            again.tick()
        assert held(again) == before
