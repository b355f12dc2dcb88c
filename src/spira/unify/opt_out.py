"""Opt-out words: which messages of people mean "stop", so that withdrawing is as easy as answering.

An event `Message Received` with the `channel` it came by and its `text` withdraws marketing by
that channel when the text is one of these words and nothing else. Whoever takes messages in (a
gateway's hook, a callback of WeChat, an import) says this one event; nothing else is needed.

The words are those that carriers and platforms told brands to print as of `AS_OF`; a workspace
adds its own under `consent.opt_out_words`. Telecom rules of China ask for an answer without
obstacles, the TCPA for "any reasonable means": a word is not refused for its case or punctuation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date

RECEIVED = "Message Received"
AS_OF = date(2026, 11, 22)
WORDS: Mapping[str, frozenset[str]] = {
    "zh-CN": frozenset({"TD", "T", "R", "退订", "退", "退订短信", "取消", "取消订阅", "拒收", "不要再发", "别发了"}),
    "en": frozenset(
        {"STOP", "STOP ALL", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPT OUT", "OPTOUT"}
    ),
}
_APART = re.compile(r"[\W_]+")


def words(more: Iterable[str] = ()) -> list[str]:
    """Every word that means "stop", as `plain` writes it; `more` are a workspace's own."""
    known = {word for each in WORDS.values() for word in each} | set(more)
    return sorted({plain(each) for each in known} - {""})


def plain(text: str) -> str:
    """A text as words are compared: full-width letters made narrow, capitals, and nothing but letters and digits."""
    return _APART.sub("", unicodedata.normalize("NFKC", text)).upper()


_NARROW = "".join(chr(code) for code in (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B)))
_WIDE = "".join(chr(ord(each) + 0xFEE0) for each in _NARROW)


def plain_sql(column: str) -> str:
    """The same as `plain` in SQL, for a column."""
    return rf"upper(regexp_replace(translate({column}, '{_WIDE}', '{_NARROW}'), '[^\p{{L}}\p{{N}}]+', '', 'g'))"
