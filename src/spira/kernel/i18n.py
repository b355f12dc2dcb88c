"""Languages: a text in each language a person may read, and the catalogues of labels.

zh-CN and en are complete by test. A `Label` is what definitions carry (`{zh-CN: 标签, en: Tag}`
or one plain text for both); a catalogue is a folder of JSON files of keys and texts, with `{name}`
holes: `locales/en/people.json` has the words of the pages about people. A key stands in one file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_LANGUAGE: Language = "zh-CN"
_OURS: dict[str, Language] = {"zh": "zh-CN", "en": "en"}


def negotiated(header: str) -> Language | None:
    """The language that a browser likes best of ours, by its Accept-Language; None when it likes none of them."""
    liked: list[tuple[float, int, Language]] = []
    for place, part in enumerate(header[:1_000].split(",")):
        name, _, weight = part.partition(";")
        ours = _OURS.get(name.strip().lower().partition("-")[0])
        if ours is not None and (value := _weight(weight)) > 0:
            liked.append((-value, place, ours))
    return min(liked)[2] if liked else None


def _weight(written: str) -> float:
    try:
        return float(written.strip().removeprefix("q=")) if written.strip() else 1.0
    except ValueError:
        return 0.0


def choose(label: str | Mapping[str, str] | None, language: str, *, default: str = "") -> str:
    """The label's text in `language`, or in any language it has, or `default`."""
    if label is None:
        return default
    if isinstance(label, str):
        return label
    return label.get(language) or next(iter(label.values()), default)


@cache
def catalogue(package: str, language: str) -> Mapping[str, str]:
    """The texts of `package` (such as `spira.console`) in `language`, from its `locales/` folder."""
    texts: dict[str, str] = {}
    for each in files(package).joinpath("locales", language).iterdir():
        if each.name.endswith(".json"):
            texts |= json.loads(each.read_text(encoding="utf-8"))
    return texts


def say(texts: Mapping[str, str], key: str, **holes: object) -> str:
    """The text under `key` with its holes filled; KeyError for a key nobody wrote.

    A text for one and for many is written `one thing | {count} things`; the hole `count` chooses.
    """
    text = texts[key]
    if " | " in text:
        one, many = text.split(" | ", 1)
        text = one if str(holes.get("count")) == "1" else many
    return text.format(**holes) if holes else text
