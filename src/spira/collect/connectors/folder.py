"""A folder that is watched: every file in it that fits, the oldest first, each once.

kind: folder
folder: drops/orders           # inside the workspace, or in one of `collect.import_folders`
files: "*.csv"                 # every file when left out
format: csv                    # by the file's ending when left out
options: {encoding: gb18030}   # of the format

A file whose size or time changed within the last seconds is left until the next look, since
somebody may be writing it; better still, write it under another name and rename it. A file is
known by its content: put there again, or under another name, it is not read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from spira.collect.connectors.base import (
    Connector,
    OutOfReach,
    Part,
    Rows,
    connector,
    kind_of_file,
    open_connector,
)
from spira.collect.connectors.files import content_hash, part_of
from spira.kernel.clock import RealClock

SETTLED_SECONDS = 2.0


@connector("folder")
@dataclass(frozen=True, slots=True, kw_only=True)
class Folder(Connector):
    """One folder."""

    folder: str
    files: str = "*"
    format: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    settled: float = SETTLED_SECONDS

    def parts(self) -> Sequence[Part]:
        """The files that nobody is writing, by the time of their last change."""
        folder = Path(self.folder)
        try:
            found = [each for each in folder.rglob("*") if each.is_file() and self._fits(each.relative_to(folder))]
            dated = sorted((each.stat().st_mtime, each) for each in found)
        except OSError as fault:
            raise OutOfReach(f"`{folder}` can't be read: {fault.strerror}", help="see that it is there") from None
        if not folder.is_dir():
            raise OutOfReach(f"there is no folder `{folder}`", help="make it, or name another")
        now = RealClock().now().replace(tzinfo=UTC).timestamp()  # the clock that files are dated by
        return [
            Part(name=each.relative_to(folder).as_posix(), mark=part_of(each).mark)
            for changed, each in dated
            if now - changed >= self.settled
        ]

    def identity(self, part: Part) -> str:
        """The hash of the file's content."""
        return content_hash(Path(self.folder) / part.name)

    def read(self, part: Part, after: str = "") -> Iterator[Rows]:
        """One file's rows."""
        reader = open_connector(
            self.format or kind_of_file(part.name), {"path": str(Path(self.folder) / part.name), **self.options}
        )
        yield from reader.read(part, after)

    def _fits(self, path: Path) -> bool:
        hidden = any(each.startswith(".") for each in path.parts)
        return not hidden and (fnmatch(path.as_posix(), self.files) or fnmatch(path.name, self.files))
