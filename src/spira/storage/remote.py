"""Remote: places that fsspec reaches, for imports that read there and destinations that write there.

An address names the place itself. fsspec knows places that only show another one (caches, archives, folders of
a storage, references), and what lies behind them may be this machine; `looks_through` tells them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import fsspec
from fsspec.archive import AbstractArchiveFileSystem
from fsspec.core import split_protocol
from fsspec.generic import GenericFileSystem
from fsspec.implementations.chained import ChainedFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.reference import ReferenceFileSystem

from spira.kernel.errors import Retryable, SpiraError
from spira.kernel.settings import secret

# Caches and folders of another place are chained ones.
_SHOWING = (
    LocalFileSystem,
    ChainedFileSystem,
    ReferenceFileSystem,
    GenericFileSystem,
    AbstractArchiveFileSystem,
)
LOCAL = frozenset({"file", "local"})
_HERE = frozenset({"asynclocal", "dask", "dvc", "git"})  # they read this machine too, by packages that may be missing
_EXTRAS = {"s3fs": "spira[s3]"}
# Packages whose faults of a network are no OSError; those of keys are told apart by their names.
_THEIRS = frozenset({"aiohttp", "azure", "botocore", "google", "httpx", "requests", "urllib3"})


def looks_through(address: str, storage: object = None, *, local: bool = False) -> bool:
    """Whether an address is of this machine, or of a place that shows another one, which may be this machine.

    `storage` are the options that go with it: a protocol among them would take the place of the address's own.
    With `local` a plain path of this machine passes (`file://`), for who holds it within folders of their own.
    What can't be imported is told when the place is opened.
    """
    if "::" in address or (isinstance(storage, Mapping) and "protocol" in storage):
        return True
    protocol = split_protocol(address)[0]  # none where fsspec takes it for a path, as in `c://x`
    if protocol is None or protocol in _HERE:
        return True
    if protocol in LOCAL:
        return not local
    try:
        return issubclass(fsspec.get_filesystem_class(protocol), _SHOWING)
    except (ImportError, ValueError):
        return False


@contextmanager
def reached(
    address: str, storage: Mapping[str, Any], *, verb: str, never: type[SpiraError], later: type[Retryable]
) -> Iterator[tuple[Any, str]]:
    """The file system and the path in it; what it says goes wrong meanwhile is told in our words.

    `verb` is what can't be done (`read`, `written to`); `never` is raised for what trying again does not mend,
    `later` for what may pass. Texts in `storage` as `env:NAME` are read from the environment.
    """
    told = {name: secret(value) if isinstance(value, str) else value for name, value in storage.items()}
    protocol = address.partition("://")[0]
    try:
        yield fsspec.core.url_to_fs(address, **told)
    except ImportError as missing:
        package = _EXTRAS.get(missing.name or "", missing.name or str(missing))
        raise never(f"`{protocol}://` needs a package: {missing}", help=f"pip install '{package}'") from None
    except ValueError as wrong:
        raise never(f"`{address}` can't be {verb}: {wrong}", help="see how fsspec writes it") from None
    except PermissionError as fault:
        help = "see the keys in `storage`, or whose folder it is"
        raise never(f"`{address}` may not be {verb}: {fault.strerror or fault}", help=help) from None
    except OSError as fault:
        help = "see that it is there; it is tried again by itself"
        raise later(f"`{address}` can't be {verb}: {fault.strerror or fault}", help=help) from None
    except Exception as fault:
        name = type(fault).__name__
        if type(fault).__module__.partition(".")[0] not in _THEIRS:
            raise
        if "Credential" in name:
            raise never(f"`{address}` may not be {verb}: {name}", help="see the keys in `storage`") from None
        help = "see that it is there; it is tried again by itself"
        raise later(f"`{address}` can't be {verb}: {name}", help=help) from None
