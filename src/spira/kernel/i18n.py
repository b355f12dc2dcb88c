"""Languages: a text in each language a person may read, and the catalogues of labels.

zh-CN and en are complete by test. A `Label` is what definitions carry (`{zh-CN: 标签, en: Tag}`
or one plain text for both); a catalogue is a JSON file of keys and texts, with `{name}` holes.
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
    text = files(package).joinpath("locales", f"{language}.json").read_text(encoding="utf-8")
    texts: dict[str, str] = json.loads(text)
    return texts


def say(texts: Mapping[str, str], key: str, **holes: object) -> str:
    """The text under `key` with its holes filled; KeyError for a key nobody wrote."""
    text = texts[key]
    return text.format(**holes) if holes else text
