"""Object storage, and whatever else fsspec reaches: every object under an address that fits, each once.

kind: objects
address: s3://exports/orders/*.parquet
format: parquet                # by the object's name when left out
options: {}                    # of the format
storage: {key: env:S3_KEY, secret: env:S3_SECRET, endpoint_url: "https://oss-cn-hangzhou.aliyuncs.com"}

`memory://` and `file://` come with Spira; `s3://` needs `pip install 'spira[s3]'`, and others the
package that fsspec names. An object is copied to this machine while it is read, and known by its
content; that it changed is seen by its tag, its size or its time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from spira.collect.connectors.base import (
    Connector,
    OutOfReach,
    Part,
    Rows,
    Unreadable,
    connector,
    kind_of_file,
    open_connector,
)
from spira.collect.connectors.files import PIECE
from spira.storage import remote

_MARKS = ("ETag", "etag", "md5", "LastModified", "mtime", "created", "size")


@connector("objects")
@dataclass(frozen=True, slots=True, kw_only=True)
class Objects(Connector):
    """Everything under one address."""

    address: str
    format: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    storage: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if "://" not in self.address:
            raise ValueError("an `address` begins with its protocol, as in s3://bucket/folder/*.csv")

    def parts(self) -> Sequence[Part]:
        """The objects, by name."""
        with self._reached() as (system, path):
            found = system.glob(path, detail=True) if set("*?[") & set(path) else _listed(system, path)
        return [Part(name=name, mark=_mark(told)) for name, told in sorted(found.items()) if told.get("type") == "file"]

    def identity(self, part: Part) -> str:
        """The hash of the object's content."""
        digest = hashlib.sha256()
        with self._reached() as (system, _), system.open(part.name, "rb") as stream:
            while piece := stream.read(PIECE):
                digest.update(piece)
        return digest.hexdigest()

    def read(self, part: Part, after: str = "") -> Iterator[Rows]:
        """One object's rows, from a copy that is gone afterwards."""
        name = PurePosixPath(part.name).name
        kind = self.format or kind_of_file(name)
        with TemporaryDirectory(prefix="spira-import-") as folder:
            copy = Path(folder) / name
            with self._reached() as (system, _):
                system.get_file(part.name, str(copy))
            yield from open_connector(kind, {"path": str(copy), **self.options}).read(part, after)

    def _reached(self) -> AbstractContextManager[tuple[Any, str]]:
        return remote.reached(self.address, self.storage, verb="read", never=Unreadable, later=OutOfReach)


def _listed(system: Any, path: str) -> dict[str, Any]:
    """Everything below a path, or the one object that it names."""
    if system.isfile(path):
        told: dict[str, Any] = system.info(path)
        return {told["name"]: told}
    found: dict[str, Any] = system.find(path, detail=True)
    return found


def _mark(told: Mapping[str, Any]) -> str:
    return ":".join(str(told[name]) for name in _MARKS if told.get(name) is not None)
