"""The connector of object storage: its contract in memory and on disk, patterns, and stores that need a package."""

import fsspec
import pytest
from tests.collect.connectors.test_csv_file import written

import spira.collect.connectors.builtin  # noqa: F401  (those that read each object)
from spira.collect.connectors.base import Unreadable
from spira.collect.connectors.objects import Objects
from spira.testing.connectors import ConnectorContract, StandInPlace, texts


@pytest.fixture
def memory():
    """The store in memory, empty before and after."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


class TestObjects(ConnectorContract):
    """The contract over a bucket in memory."""

    @pytest.fixture
    def place(self, memory):
        def put(table, spoil=False):
            text = written(table)
            memory.pipe_file(
                "/exports/t.csv", (text.replace("\r\n2,", "\r\nbroken\r\n2,", 1) if spoil else text).encode()
            )
            return Objects(address="memory://exports/*.csv")

        return StandInPlace(
            put=put, spoilt=lambda table: put(table, spoil=True), nowhere=Objects(address="nosuch://exports/x.csv")
        )


def test_files_on_this_machine_are_objects_too(tmp_path):
    """
    `file://` reads a folder; every object under the address is a part.
    """
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"id": 2}\n', encoding="utf-8")
    connector = Objects(address=f"file://{tmp_path}")
    assert [row["id"] for part in connector.parts() for row in texts(connector, part)] == ["1", "2"]


def test_one_object_is_one_part(memory):
    """
    An address without a pattern names one object.
    """
    memory.pipe_file("/exports/one.csv", b"id\n7\n")
    connector = Objects(address="memory://exports/one.csv")
    (part,) = connector.parts()
    assert texts(connector, part) == [{"id": "7"}]


def test_a_changed_object_has_another_mark(memory):
    """
    Written anew under its name it is noticed.
    """
    memory.pipe_file("/exports/one.csv", b"id\n7\n")
    connector = Objects(address="memory://exports/one.csv")
    (before,) = connector.parts()
    memory.pipe_file("/exports/one.csv", b"id\n8\n")
    (after,) = connector.parts()
    assert before.mark != after.mark
    assert connector.identity(before) == connector.identity(after)


def test_a_store_whose_package_is_missing_says_which(monkeypatch):
    """
    The help names what to install.
    """

    def missing(*_args, **_more):
        raise ImportError("Install s3fs to access S3", name="s3fs")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(Unreadable) as fault:
        Objects(address="s3://bucket/x.csv").parts()
    assert fault.value.help == "pip install 'spira[s3]'"


def test_secrets_are_read_from_the_environment(monkeypatch):
    """
    What `storage` names as env:NAME reaches the store, and is not shown.
    """
    told = {}

    def reached(_address, **options):
        told.update(options)
        return fsspec.filesystem("memory"), "/none"

    monkeypatch.setenv("SHOP_S3_SECRET", "s3cr3t")
    monkeypatch.setattr(fsspec.core, "url_to_fs", reached)
    connector = Objects(address="s3://bucket/*.csv", storage={"secret": "env:SHOP_S3_SECRET", "anon": False})
    connector.parts()
    assert told == {"secret": "s3cr3t", "anon": False}
    assert "SHOP_S3_SECRET" not in repr(connector)


def test_an_address_begins_with_its_protocol():
    """
    A bare path is none.
    """
    with pytest.raises(ValueError, match="begins with its protocol"):
        Objects(address="/data/x.csv")
