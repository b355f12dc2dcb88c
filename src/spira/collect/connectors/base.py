"""What a connector is: one kind of place that holds tables, in one file, with its options and its `read`.

A connector is a frozen dataclass registered under the name that definitions write as `kind:`.
Its fields are the options. `parts` says what there is to read now (a file is one part, a folder
has one for each file, a query is one that grows), and `read` yields a part's rows in an order
that is the same each time, each lot with the cursor to go on behind it.

What is read is only read: no connector writes, moves or deletes anything. A row that can't be
read is yielded as `Unread` with its number, and the others are read; a part that can't be read at
all is `Unreadable`, and one that can't be reached now is `OutOfReach`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from spira.kernel.errors import Retryable, SpiraError
from spira.kernel.options import options_of
from spira.kernel.registry import Registry

BATCH_ROWS = 20_000
Column = Any  # a pyarrow array, or a list of Python values where a column is of several kinds


class Unreadable(SpiraError):
    """What is to be imported can't be read as it was said: not that kind of file, no such table, wrong password."""

    code = "E401"
    status = 422


class OutOfReach(Retryable):
    """What is to be imported can't be reached now."""

    code = "E402"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something that is read from beginning to end. `mark` changes when it does, and costs little to know;
    one that `grows` is asked again and again for what came behind the last cursor."""

    name: str
    mark: str
    grows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A row that can't be read: its number, what stood there, and why not."""

    row: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some rows in order: columns by name, the number of each row as a person would count it, and the cursor
    behind them, from which `read` goes on. Values are texts, numbers, booleans, instants, lists or mappings."""

    columns: Mapping[str, Column]
    numbers: Sequence[int]
    cursor: str
    unread: tuple[Unread, ...] = ()

    def __len__(self) -> int:
        return len(self.numbers)


class Connector(ABC):
    """One kind of place to read from. `suffixes` are the endings of the files it knows, if it reads files."""

    suffixes: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def parts(self) -> Sequence[Part]:
        """What there is to read now, oldest first; OutOfReach when that can't be said."""

    @abstractmethod
    def identity(self, part: Part) -> str:
        """What the part is known by: the same for the same content wherever it lies."""

    @abstractmethod
    def read(self, part: Part, after: str = "") -> Iterator[Rows]:
        """The part's rows from its beginning, or from behind the cursor `after`."""


C = TypeVar("C", bound=type[Connector])
CONNECTORS: Registry[type[Connector]] = Registry("kind of connector")


def connector(name: str) -> Callable[[C], C]:
    """Register a connector: `@connector("csv")` above the dataclass."""

    def register(made: C) -> C:
        CONNECTORS.add(name, made)
        return made

    return register


def open_connector(kind: str, options: Mapping[str, Any]) -> Connector:
    """The connector of a kind with its options; Unreadable says which does not fit."""
    made = CONNECTORS.get(kind)
    try:
        return made(**options)
    except (TypeError, ValueError) as wrong:
        raise Unreadable(f"`{kind}` can't be opened: {wrong}", help=f"its options are {_listed(made)}") from None


def kind_of_file(name: str) -> str:
    """The kind of connector that reads files of this name; Unreadable when none does."""
    lower = name.lower().removesuffix(".gz")
    for kind, made in CONNECTORS.items():
        if lower.endswith(made.suffixes):
            return kind
    known = ", ".join(suffix for _, made in CONNECTORS.items() for suffix in made.suffixes)
    raise Unreadable(f"nothing reads files such as `{name}`", help=f"files end in one of: {known}; or name a format")


def _listed(made: type[Connector]) -> str:
    return ", ".join(f"`{name}`" for name in options_of(made)) or "none"
