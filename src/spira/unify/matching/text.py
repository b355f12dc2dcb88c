"""Text brought to one form: case, width, marks, traditional characters, and other scripts to Latin letters."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

from spira.unify.matching.needs import need

HAN = re.compile(r"[\u3400-\u9fff]")
_PLAIN = re.compile(r"[\u3400-\u9fff0-9a-z]+")
_NOT_WORD = re.compile(r"[^\w]+|_+")


def fold(text: str) -> str:
    """Lower case, one width, no marks on letters, words parted by single spaces; Chinese in simplified characters.

    An apostrophe parts nothing: O'Neil and ONeil are one word.
    """
    if text.isascii():
        return _NOT_WORD.sub(" ", text.lower().replace("'", "")).strip()
    wide = unicodedata.normalize("NFKC", text).casefold()
    if HAN.search(wide):
        wide = simplified(wide)
        if _PLAIN.fullmatch(wide):
            return wide
    bare = "".join(each for each in unicodedata.normalize("NFKD", wide) if not unicodedata.combining(each))
    joined = re.sub("['’ʼ‘`´]", "", unicodedata.normalize("NFC", bare))
    return _NOT_WORD.sub(" ", joined).strip()


def simplified(text: str) -> str:
    """Chinese in simplified characters."""
    converted: str = _opencc().convert(text)
    return converted


def latin(text: str) -> str:
    """Folded text in Latin letters: Chinese as pinyin without tones, a space between words that had one."""
    folded = fold(text)
    if folded.isascii():
        return folded
    return _NOT_WORD.sub(" ", "".join(map(_letter, folded)).lower()).strip()


def syllables(text: str) -> list[str]:
    """Chinese characters one by one as pinyin; whatever is not Chinese as it reads in Latin letters."""
    return [_letter(each) for each in text]


@cache
def _letter(character: str) -> str:
    if character.isascii():
        return character
    if HAN.match(character):
        read: str = (
            need("pypinyin").lazy_pinyin(character, errors="ignore")[:1] and need("pypinyin").lazy_pinyin(character)[0]
        )
        return read
    written: str = need("anyascii").anyascii(character)
    return re.sub(r"[^A-Za-z0-9 ]", "", written).lower()


@cache
def _opencc() -> Any:
    return need("opencc").OpenCC("t2s")


def sound(word: str) -> str:
    """What is left of a Latin word when spelling varies: the first letter and the consonants, alike ones as one."""
    if not word:
        return ""
    alike = _ALIKE_PAIRS.sub(lambda found: _PAIRS[found.group()], word.replace(" ", ""))
    rest = alike[1:].translate(_CONSONANTS)
    out = [alike[:1].translate(_FIRST)]
    out += [each for place, each in enumerate(rest) if each != " " and each != (rest[place - 1] if place else "")]
    return "".join(out)[:5]


_PAIRS = {"ph": "f", "ck": "k", "sch": "s", "sh": "s", "th": "t", "wh": "w", "kn": "n", "wr": "r", "gh": "g"}
_ALIKE_PAIRS = re.compile("|".join(sorted(_PAIRS, key=len, reverse=True)))
_CONSONANTS = str.maketrans(
    {
        **dict.fromkeys("aeiouyhw", " "),
        **dict.fromkeys("cqkgxjsz", "s"),
        **dict.fromkeys("dt", "t"),
        **dict.fromkeys("bpfv", "p"),
        **dict.fromkeys("mn", "n"),
        **dict.fromkeys("lr", "l"),
    }
)
_FIRST = str.maketrans("cqz", "kks")
