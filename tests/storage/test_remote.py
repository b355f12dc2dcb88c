"""Remote: which addresses name a place itself, and what a place that can't be reached is told as."""

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.registry import known_implementations

from spira.kernel.errors import DestinationRefused, DestinationUnavailable
from spira.storage.remote import LOCAL, looks_through, reached

BEHIND = [
    "simplecache://x",
    "filecache://x",
    "blockcache://x",
    "cached://x",
    "dir://x",
    "reference://x",
    "generic://x",
    "zip://x",
    "tar://x",
    "git://x",
    "simplecache::s3://lake/x",
    "s3://lake/x::file:///etc",
    "c://x",
    "/etc",
]


@pytest.mark.parametrize("address", BEHIND)
def test_what_shows_another_place_is_seen_through(address):
    """
    Caches, archives, folders, references and chains may lead to this machine, whoever names them.
    """
    assert looks_through(address)
    assert looks_through(address, local=True)


@pytest.mark.parametrize("address", ["s3://lake/x", "gs://lake/x", "https://shop.example/x.csv", "memory://x"])
def test_a_place_of_its_own_is_none_of_those(address):
    """
    Storages pass, whether their packages are here or not; not with a protocol among their options.
    """
    assert not looks_through(address, {"key": "env:KEY"})
    assert looks_through(address, {"protocol": "file"})


@pytest.mark.parametrize("protocol", sorted(LOCAL))
def test_this_machine_is_only_for_who_holds_it_in_folders(protocol):
    """
    A plain path passes only where it was asked for.
    """
    assert looks_through(f"{protocol}:///etc")
    assert not looks_through(f"{protocol}:///etc", local=True)


def test_no_protocol_that_fsspec_can_open_here_leads_to_this_machine_unseen():
    """
    Of all that the installed version knows, whatever is or holds a local file system is told.
    """
    open_here = set()
    for protocol in known_implementations:
        try:
            made = fsspec.get_filesystem_class(protocol)
        except (ImportError, ValueError):
            continue
        if issubclass(made, LocalFileSystem) or made.__module__.rpartition(".")[2] in ("cached", "dirfs", "zip", "tar"):
            open_here.add(protocol)
    assert {"file", "local", "dir", "zip", "tar", "simplecache"} <= open_here
    assert [each for each in open_here if not looks_through(f"{each}://x")] == []


def theirs(name):
    """A fault of a storage's own package, which is no OSError."""
    return type(name, (Exception,), {"__module__": "botocore.exceptions"})("of bucket /home/ada")


@pytest.mark.parametrize(
    ("raised", "told", "help"),
    [
        (ImportError("Install s3fs", name="s3fs"), DestinationRefused, "spira[s3]"),
        (ValueError("no bucket"), DestinationRefused, "fsspec"),
        (PermissionError(13, "Permission denied", "/home/ada/lake"), DestinationRefused, "keys"),
        (OSError("connection reset"), DestinationUnavailable, "tried again"),
        (theirs("EndpointConnectionError"), DestinationUnavailable, "tried again"),
        (theirs("NoCredentialsError"), DestinationRefused, "keys"),
    ],
)
def test_what_goes_wrong_is_told_in_our_words(raised, told, help):
    """
    What never mends is told apart from what passes; paths of this machine are not told.
    """
    wanted = {"verb": "written to", "never": DestinationRefused, "later": DestinationUnavailable}
    with pytest.raises(told) as fault, reached("memory://lake", {}, **wanted):
        raise raised
    assert "/home" not in str(fault.value)
    assert "memory://" in str(fault.value)
    assert help in fault.value.help


def test_a_fault_of_ours_is_not_told_as_one_of_the_place():
    """
    What no storage raises is a fault in Spira or in a plug-in, and stays what it is.
    """
    wanted = {"verb": "read", "never": DestinationRefused, "later": DestinationUnavailable}
    with pytest.raises(KeyError), reached("memory://lake", {}, **wanted):
        raise KeyError("x")
    with pytest.raises(DestinationRefused, match="ours"), reached("memory://lake", {}, **wanted):
        raise DestinationRefused("ours")
