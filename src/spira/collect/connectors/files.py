"""What connectors of files share: opening, their identity, the encoding of texts, and names for columns.

A file is known by the SHA-256 of its content, so that the same file under another name, or put
there again, is the same. Texts are UTF-8, with or without the mark at the beginning, UTF-16 with
it, or else GB18030, which GBK and GB2312 are parts of.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from spira.collect.connectors.base import Connector, OutOfReach, Part, Rows, Unreadable

PIECE = 4 * 1024 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileConnector(Connector):
    """One file, which is one part. A name that ends in `.gz` is unpacked while it is read."""

    path: str

    def parts(self) -> Sequence[Part]:
        """The file."""
        return (part_of(Path(self.path)),)

    def identity(self, part: Part) -> str:  # noqa: ARG002  (a file has one part)
        """The hash of its content."""
        return content_hash(Path(self.path))

    def read(self, part: Part, after: str = "") -> Iterator[Rows]:  # noqa: ARG002
        """Its rows behind the row that `after` names."""
        if after and not after.isdecimal():
            raise Unreadable(f"`{after}` is no place in a file", help="begin the import again")
        yield from self.rows(int(after or 0))

    @abstractmethod
    def rows(self, after: int) -> Iterator[Rows]:
        """The rows behind row number `after`; cursors are numbers of rows."""


def part_of(path: Path) -> Part:
    """A file as a part; its mark is its size and the time of its last change."""
    try:
        told = path.stat()
    except OSError as fault:
        raise OutOfReach(f"`{path}` can't be read: {fault.strerror}", help="see that the file is there") from None
    if not path.is_file():
        raise Unreadable(f"`{path}` is no file", help="name a file; a folder is read by the connector `folder`")
    return Part(name=path.name, mark=f"{told.st_size}:{told.st_mtime_ns}")


def content_hash(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with opened(path, unpack=False) as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def opened(path: Path, *, unpack: bool = True) -> IO[bytes]:
    """The file for reading, unpacked where its name says that it is packed."""
    try:
        if unpack and path.name.lower().endswith(".gz"):
            return cast("IO[bytes]", gzip.open(path, "rb"))
        return path.open("rb")
    except OSError as fault:
        raise OutOfReach(f"`{path}` can't be read: {fault.strerror}", help="see that the file is there") from None


def encoding_of(path: Path) -> str:
    """How the text of a file is written; Unreadable when it is none of the encodings above."""
    with opened(path) as stream:
        head = stream.read(PIECE)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return name
        for name in ("utf-8", "gb18030"):
            if _is_written_in(name, head, stream):
                return name
            stream.seek(len(head))
    raise Unreadable(f"the text of `{path.name}` is neither UTF-8 nor GB18030", help="write `encoding:` in `read:`")


def _is_written_in(encoding: str, head: bytes, rest: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        piece = head
        while piece:
            decoder.decode(piece)
            piece = rest.read(PIECE)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def column_names(written: Iterable[object]) -> list[str]:
    """Names for columns as a head gives them: trimmed, one for each, `name (2)` for the second of a name."""
    names: list[str] = []
    for place, each in enumerate(written, start=1):
        name = str(each if each is not None else "").strip("\ufeff\u200b \t\r\n\u3000") or f"column {place}"
        found, number = name, 1
        while found in names:
            number += 1
            found = f"{name} ({number})"
        names.append(found)
    return names
