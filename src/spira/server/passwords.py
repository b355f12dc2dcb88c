"""Which passwords are good enough: long, not known to guessers, and not made of what everybody can see.

Reads   `passwords.txt.gz` (where it comes from: `passwords.NOTICE.txt`)

`check` says nothing of a good one and raises WeakPassword for any other. Length counts most; so
there are no rules about signs and digits, and what guessers try first is refused whatever is hung on
its end: a common password, one thing repeated, a walk over the keyboard, the name, the address, the brand.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from itertools import pairwise

from spira.server.errors import WeakPassword

MINIMUM, MAXIMUM = 12, 1_024
_SHORTEST_OWN = 4  # shorter names are in too many good sentences
_LONGEST_UNIT = 6
_HELP = "a short sentence that only you would write is easy to remember"
_ROWS = ("`1234567890-=", "qwertyuiop[]\\", "asdfghjkl;'", "zxcvbnm,./", "abcdefghijklmnopqrstuvwxyz",
         "1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "9ol.", "0p;/")  # fmt: skip
_NEXT = frozenset(pair for row in _ROWS for way in (row, row[::-1]) for pair in pairwise(way))


def check(password: str, *, own: Iterable[str] = ()) -> None:
    """WeakPassword for one that would be guessed; `own` is what stands beside it: name, address, brand."""
    if len(password) < MINIMUM:
        raise WeakPassword("short", f"a password has at least {MINIMUM} characters", help=_HELP)
    if len(password) > MAXIMUM:
        raise WeakPassword("long", f"a password has at most {MAXIMUM:,} characters", help="take a shorter one")
    said = password.casefold()
    core = re.sub(r"[\W\d_]+$", "", said)
    unit = _unit(core) if core else _unit(said)
    if {said, core, unit} & _common():
        raise WeakPassword("common", "this password is among the first that are tried", help=_HELP)
    if any(len(each) <= _LONGEST_UNIT or _walks(each) for each in {_unit(said), unit} if each not in (said, core)):
        raise WeakPassword("repeated", "a password that repeats one thing is guessed easily", help=_HELP)
    if _walks(said) or (len(core) >= MINIMUM // 2 and _walks(core)):
        raise WeakPassword("walk", "keys beside each other, or letters in order, are guessed easily", help=_HELP)
    if any(each in _squashed(said) for each in _parts(own)):
        raise WeakPassword("own", "a password can't have your name, your address or the brand in it", help=_HELP)


def _unit(text: str) -> str:
    """The shortest piece that `text` is a repetition of: itself, mostly; the last one may be cut short."""
    for length in range(1, len(text) // 2 + 1):
        if all(text[place] == text[place % length] for place in range(length, len(text))):
            return text[:length]
    return text


def _walks(text: str) -> bool:
    """Whether `text` is made of runs of four neighbours and more, on average."""
    runs = 1 + sum(pair not in _NEXT and pair[0] != pair[1] for pair in pairwise(text))
    return len(text) >= 4 * runs


def _parts(own: Iterable[str]) -> set[str]:
    pieces = {piece for each in own for piece in (*re.split(r"[\W_]+", each.partition("@")[0]), each)}
    return {short for each in pieces if len(short := _squashed(each.casefold())) >= _SHORTEST_OWN}


def _squashed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


@cache
def _common() -> frozenset[str]:
    packed = files("spira.server").joinpath("passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split())
