"""Importing: what is due is read in a child's way, appended, and remembered; each row once whatever happens."""

import os
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from spira.collect import sources
from spira.collect.imports import tables, uploads
from spira.collect.imports.tables import Schedule
from spira.collect.mapping.model import mapping_called
from spira.kernel.errors import LogUnavailable, NotFound
from spira.kernel.jobs import InlineRunner
from spira.testing.states import fixed_keys
from spira.testing.workspaces import SOURCE, workspace
from spira.worker import importing
from spira.worker.importing import Importing

MARCH = datetime(2026, 3, 1)
TRACKING = """
tracking: shop
events:
  Order Completed: {properties: {order_id: text, revenue: money}}
"""
MAPPING = """
mapping: orders
columns:
  id: {required: true}
  who: text
  paid: money
  at: time
key: id
calls:
  - call: track
    event: Order Completed
    user_id: who
    at: at
    properties: {order_id: id, revenue: paid}
"""
IMPORT = """
import: nightly
source: shop
from: {kind: folder, folder: drops}
mapping: orders
every: 1 hour
"""
FILES = {"tracking/shop.yaml": TRACKING, "mappings/orders.yaml": MAPPING, "imports/nightly.yaml": IMPORT}
HEAD = "id,who,paid,at\n"


@pytest.fixture
def core(tmp_path):
    """A workspace with a mapping, an import of a folder, and the folder."""
    (tmp_path / "ws" / "drops").mkdir(parents=True)
    with workspace(tmp_path / "ws", FILES, at=MARCH) as made:
        yield made


@pytest.fixture
def importer(core):
    """The thread's work, done when asked for."""
    return Importing(core, runner=InlineRunner())


def drop(core, name, text, folder="drops"):
    path = core.directory / folder / name
    path.write_text(text, encoding="utf-8")
    long_ago = datetime(2020, 1, 1).timestamp()
    os.utime(path, (long_ago, long_ago))
    return path


def ask(core, name="nightly"):
    known = tables.schedules(core.state).get(name, Schedule(name=name))
    tables.keep_schedule(core.state, Schedule(name=name, last_at=known.last_at, next_at=known.next_at, asked=True))


def orders(core):
    core.load()
    return core.lane().query("select order_id, revenue, source from events order by order_id")


def test_files_of_a_folder_are_imported_once(core, importer):
    """
    Each file's rows become events; looking again, or finding the same file under another name, changes nothing.
    """
    drop(core, "a.csv", HEAD + "1,w,10,2026-02-01\n2,v,20.5,2026-02-02\n")
    ask(core)
    assert importer.look() == 1
    assert [(row[0], float(row[1]), row[2]) for row in orders(core)] == [("1", 10.0, SOURCE), ("2", 20.5, SOURCE)]
    drop(core, "copy.csv", HEAD + "1,w,10,2026-02-01\n2,v,20.5,2026-02-02\n")
    drop(core, "b.csv", HEAD + "3,w,30,2026-02-03\n")
    ask(core)
    importer.look()
    assert [row[0] for row in orders(core)] == ["1", "2", "3"]
    done = {each.part: each for each in tables.latest(core.state, limit=10)}
    assert {name: (each.status, each.rows, each.calls) for name, each in done.items()} == {
        "a.csv": ("done", 2, 2),
        "b.csv": ("done", 1, 1),
    }


def test_with_a_manual_clock_only_what_was_asked_for_runs(core, importer):
    """
    A demo's time stands still, so nothing is due by itself; the next run is told all the same.
    """
    drop(core, "a.csv", HEAD + "1,w,10,2026-02-01\n")
    assert importer.look() == 0
    ask(core)
    assert importer.look() == 1
    kept = tables.schedules(core.state)["nightly"]
    assert (kept.last_at, kept.next_at, kept.asked) == (MARCH, MARCH + timedelta(hours=1), False)


def test_rows_at_fault_are_kept_sealed_and_can_be_read_by_whoever_mends_them(core, importer):
    """
    The other rows are imported; what stood in the bad one lies sealed, tied to whom it is about.
    """
    drop(core, "a.csv", HEAD + "1,w,10,2026-02-01\n2,secret-person,ten,2026-02-02\n")
    ask(core)
    importer.look()
    (done,) = tables.latest(core.state, limit=10)
    assert (done.rows, done.calls, done.faults) == (2, 1, 1)
    (fault,) = tables.faults_of(core.state, done.import_id, limit=10)
    assert (fault.row, fault.column, fault.reason, fault.cells) == (3, "paid", "this is no number", {})
    (opened,) = tables.opened_faults(core.state, core.keys, done.import_id)
    assert opened.cells["who"] == "secret-person"
    with core.state.read() as connection:
        row = connection.execute(sa.select(tables.FAULTS)).mappings().one()
    assert b"secret-person" not in row["sealed"]
    assert row["subject_key"] == core.keys.subject_key("user_id", "secret-person")


def test_erasing_a_person_takes_their_rows_at_fault(core, importer):
    """
    Erase reaches what could not be imported.
    """
    from spira.unify import erase

    drop(core, "a.csv", HEAD + "1,gone,10,2026-02-01\n2,gone,ten,2026-02-02\n3,stays,ten,2026-02-02\n")
    ask(core)
    importer.look()
    core.refresh()
    with core.exclusive():
        erase.erase(core.stores(), "user_id:gone", actor="system")
    (done,) = tables.latest(core.state, limit=10)
    assert [each.row for each in tables.faults_of(core.state, done.import_id, limit=10)] == [4]


def test_rows_at_fault_are_let_go_after_thirty_days(core, importer):
    """
    They are personal, and not kept for ever.
    """
    drop(core, "a.csv", HEAD + "2,w,ten,2026-02-02\n")
    ask(core)
    importer.look()
    core.step_clock(MARCH + timedelta(days=31))
    assert tables.let_go(core.state, core.clock) == 1


def test_a_bad_file_does_not_keep_the_others_out(core, importer):
    """
    It fails with the reason, for the page; the next file is imported; mended, it is taken up.
    """
    drop(core, "a.csv", "nothing,of,it\n1,2,3\n")
    drop(core, "b.csv", HEAD + "1,w,10,2026-02-01\n")
    ask(core)
    importer.look()
    told = {each.part: each for each in tables.latest(core.state, limit=10)}
    assert told["a.csv"].status == "failed"
    assert "the table has no column `id`" in told["a.csv"].fault
    assert told["b.csv"].status == "done"
    assert "the table has no column `id`" in tables.schedules(core.state)["nightly"].fault
    drop(core, "a.csv", HEAD + "7,w,10,2026-02-01\n")
    ask(core)
    importer.look()
    assert tables.schedules(core.state)["nightly"].fault is None
    assert [row[0] for row in orders(core)] == ["1", "7"]


def test_too_many_faults_stop_an_import_before_anything_is_lost(core, importer, monkeypatch):
    """
    A mapping that does not fit is told as such, and the lot is not imported by halves.
    """
    monkeypatch.setattr(tables, "MOST_FAULTS", 2)
    drop(core, "a.csv", HEAD + "1,w,10,2026-02-01\n" + "2,w,ten,2026-02-02\n" * 3)
    ask(core)
    importer.look()
    (failed,) = tables.latest(core.state, limit=10)
    assert (failed.status, failed.rows, failed.cursor) == ("failed", 0, "")
    assert orders(core) == []


def test_an_import_that_was_killed_goes_on_and_counts_once(core, importer, monkeypatch):
    """
    Killed after a lot was appended and before its cursor was kept, it appends that lot again; the events are one.
    """
    monkeypatch.setattr("spira.collect.imports.jobs.LOT_ROWS", 2)
    monkeypatch.setattr("spira.collect.connectors.csv_file.BLOCK", 60)
    rows = "".join(f"{number},w,10,2026-02-01\n" for number in range(1, 11))
    drop(core, "a.csv", HEAD + rows)
    kept = tables.advance
    calls = []

    def killed(*args, **more):
        calls.append(more["cursor"])
        if len(calls) == 2:
            raise KeyboardInterrupt
        kept(*args, **more)

    monkeypatch.setattr(tables, "advance", killed)
    ask(core)
    with pytest.raises(KeyboardInterrupt):
        importer.look()
    monkeypatch.setattr(tables, "advance", kept)
    (half,) = tables.latest(core.state, limit=10)
    assert half.status == "running"
    assert 0 < half.rows < 10
    importer.look()
    (done,) = tables.latest(core.state, limit=10)
    assert (done.status, done.rows, done.import_id) == ("done", 10, half.import_id)
    assert len(orders(core)) == 10
    assert core.lane().query("select count(*) from quarantine") == [(0,)]


def test_a_log_that_is_full_is_tried_again(core, importer, monkeypatch):
    """
    What could not be appended moves no cursor, and the import goes on when there is room.
    """
    drop(core, "a.csv", HEAD + "1,w,10,2026-02-01\n")
    append = core.log.append

    def full(_records):
        raise LogUnavailable("the disk is full")

    monkeypatch.setattr(core.log, "append", full)
    ask(core)
    importer.look()
    (waits,) = tables.latest(core.state, limit=10)
    assert (waits.status, waits.rows) == ("waiting", 0)
    assert "the disk is full" in tables.schedules(core.state)["nightly"].fault
    monkeypatch.setattr(core.log, "append", append)
    ask(core)
    importer.look()
    assert [row[0] for row in orders(core)] == ["1"]


def test_an_import_waits_while_loading_is_behind(core, importer, monkeypatch):
    """
    Clients go first: it appends only when the backlog is small again.
    """
    backlog = iter([importing.BACKLOG_BYTES + 1, importing.BACKLOG_BYTES + 1, 0, 0, 0])
    waited = []
    monkeypatch.setattr(core, "backlog", lambda: next(backlog))
    monkeypatch.setattr(importer._stopping, "wait", lambda seconds: waited.append(seconds) or False)
    drop(core, "a.csv", HEAD + "1,w,10,2026-02-01\n")
    ask(core)
    importer.look()
    assert len(waited) == 2
    assert [row[0] for row in orders(core)] == ["1"]


def test_a_query_goes_on_by_its_cursor(tmp_path):
    """
    Each run reads what is new of a table, and the rows so far are counted together.
    """
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'ws' / 'shop.db'}")
    wanted = IMPORT.replace(
        "{kind: folder, folder: drops}", "{kind: sql, url: 'sqlite:///shop.db', table: orders, cursor: id}"
    )
    (tmp_path / "ws").mkdir()
    with workspace(tmp_path / "ws", {**FILES, "imports/nightly.yaml": wanted}, at=MARCH) as core:
        with engine.begin() as connection:
            connection.execute(sa.text("create table orders (id integer, who text, paid real, at text)"))
            connection.execute(
                sa.text("insert into orders values (1, 'w', 10, '2026-02-01'), (2, 'v', 20, '2026-02-02')")
            )
        importer = Importing(core, runner=InlineRunner())
        for _ in range(2):
            ask(core)
            importer.look()
        with engine.begin() as connection:
            connection.execute(sa.text("insert into orders values (3, 'w', 30, '2026-02-03')"))
        ask(core)
        importer.look()
        (told,) = tables.latest(core.state, limit=10)
        assert (told.status, told.rows, told.calls) == ("done", 3, 3)
        assert [row[0] for row in orders(core)] == ["1", "2", "3"]
    engine.dispose()


def test_files_outside_the_workspace_are_not_read(tmp_path):
    """
    A definition can't name the machine's other files, nor what the workspace keeps to itself.
    """
    for number, place in enumerate(("/etc", "../elsewhere", "data")):
        text = IMPORT.replace("folder: drops", f"folder: {place}")
        with workspace(tmp_path / f"ws{number}", {**FILES, "imports/nightly.yaml": text}, at=MARCH) as core:
            ask(core)
            Importing(core, runner=InlineRunner()).look()
            assert "may not be read by an import" in tables.schedules(core.state)["nightly"].fault


def test_a_source_that_is_not_there_is_told(tmp_path):
    """
    The page says so; nothing is imported under a name that nobody made.
    """
    text = IMPORT.replace("source: shop", "source: nobody")
    (tmp_path / "ws" / "drops").mkdir(parents=True)
    with workspace(tmp_path / "ws", {**FILES, "imports/nightly.yaml": text}, at=MARCH) as core:
        drop(core, "a.csv", HEAD + "1,w,10,2026-02-01\n")
        ask(core)
        Importing(core, runner=InlineRunner()).look()
        assert "there is no source called `nobody`" in tables.schedules(core.state)["nightly"].fault


def hand_in(core, text, name="orders.csv"):
    """An upload with its mapping, ready to be imported."""
    upload = uploads.keep(core.directory, core.keys, name, [text.encode()])
    folder = uploads.folder_of(core.directory, upload)
    uploads.use_mapping(folder, mapping_called("orders", core.applied.of("mapping")))
    what = tables.Beginning(
        source=SOURCE,
        mapping="orders",
        fingerprint="f",
        kind="upload",
        part=name,
        identity=upload,
        actor="root",
        mark=upload,
    )
    return tables.begin(core.state, core.clock, what, status="waiting"), folder


def test_an_uploaded_file_is_gone_when_it_was_imported(core, importer):
    """
    It holds personal values, and is not kept longer than needed; nobody else can read it meanwhile.
    """
    begun, folder = hand_in(core, HEAD + "1,w,10,2026-02-01\n")
    assert folder.stat().st_mode & 0o077 == 0
    assert uploads.file_of(folder).stat().st_mode & 0o077 == 0
    assert b"2026-02-01" not in uploads.file_of(folder).read_bytes()
    assert importer.look() == 1
    assert tables.get(core.state, begun.import_id).status == "done"
    assert not folder.exists()
    assert list((core.paths.scratch / "uploads").iterdir()) == []
    assert [row[0] for row in orders(core)] == ["1"]


def test_an_upload_that_fails_stays_to_be_tried_again(core, importer):
    """
    Its file is there still, and its page says what is wrong.
    """
    begun, folder = hand_in(core, "other,columns\n1,2\n")
    importer.look()
    told = tables.get(core.state, begun.import_id)
    assert told.status == "failed"
    assert "no column `id`" in told.fault
    assert folder.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "a/b\\c.csv", "", "mapping.json", "x\0.csv"])
def test_a_files_name_leads_nowhere_else(tmp_path, name):
    """
    Whatever a browser calls it, it lies in its own folder.
    """
    upload = uploads.keep(tmp_path, fixed_keys(), name, [b"x"])
    folder = uploads.folder_of(tmp_path, upload)
    assert uploads.file_of(folder).parent == folder


@pytest.mark.parametrize("upload", ["../x", "up_0000000000000000", "", "up_.."])
def test_an_upload_is_named_by_its_id_alone(tmp_path, upload):
    """
    A path is no id.
    """
    with pytest.raises(NotFound):
        uploads.folder_of(tmp_path, upload)


def test_a_stopped_importer_ends_between_two_lots(core, importer, monkeypatch):
    """
    What is durable is kept, the rest comes with the next start.
    """
    monkeypatch.setattr("spira.collect.imports.jobs.LOT_ROWS", 1)
    monkeypatch.setattr("spira.collect.connectors.csv_file.BLOCK", 60)
    drop(core, "a.csv", HEAD + "".join(f"{number},w,10,2026-02-01\n" for number in range(1, 9)))
    kept = tables.advance

    def then_stop(*args, **more):
        kept(*args, **more)
        importer._stopping.set()

    monkeypatch.setattr(tables, "advance", then_stop)
    ask(core)
    importer.look()
    (half,) = tables.latest(core.state, limit=10)
    assert half.status == "running"
    assert sources.get(core.state, SOURCE)
    ask(core)
    Importing(core, runner=InlineRunner()).look()
    assert len(orders(core)) == 8
