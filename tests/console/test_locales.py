from __future__ import annotations

import json
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

from spira.console.rail import RAIL
from spira.console.render import THEMES
from spira.kernel.i18n import LANGUAGES, catalogue
from spira.kernel.viewer import ROLES
from spira.worker.stages import STAGES

PACKAGE = files("spira.console")
DOCS = Path(__file__).parents[2] / "docs"
TEMPLATES = sorted(Path(str(PACKAGE)).joinpath("templates").rglob("*.html"))
CODE = sorted(Path(str(PACKAGE)).rglob("*.py"))


def sources() -> str:
    return "\n".join(place.read_text() for place in [*TEMPLATES, *CODE] if place.is_file())


def families(said: str) -> set[str]:
    """The beginnings under which pages look up names that come from data."""
    looked_up = re.findall(r"""(?:word|t)\(['"]([a-z_.]+?)\.?['"](?:,| ~)""", said)
    written = re.findall(r"""f"([a-z_]+)\.{""", said)
    # Macros that take a family and look a row's own word up in it.
    handed = re.findall(r"""(?:choice|negation)\(.*?, '([a-z_.]+)'\)""", said)
    return {*looked_up, *written, *handed}


def test_every_language_has_the_same_texts():
    """A text exists in both languages, with the same holes, and in neither is it empty."""
    chinese, english = (catalogue("spira.console", language) for language in LANGUAGES)
    assert set(chinese) == set(english)
    for key in english:
        assert chinese[key].strip()
        assert english[key].strip()
        holes = [set(re.findall(r"{(\w+)}", each[key])) for each in (chinese, english)]
        assert holes[0] == holes[1], key


def test_a_text_stands_in_one_file():
    """No two files of a language have the same key, and both languages have the same files."""
    names = []
    for language in LANGUAGES:
        places = sorted(Path(str(PACKAGE)).joinpath("locales", language).glob("*.json"))
        names.append([each.name for each in places])
        keys = Counter(key for each in places for key in json.loads(each.read_text(encoding="utf-8")))
        assert [key for key, count in keys.items() if count > 1] == []
    assert names[0] == names[1]


def test_no_text_is_missing():
    """Every key that a page names outright is written, and those made of the rail, roles, themes and stages are too."""
    texts = catalogue("spira.console", "en")
    named = set(re.findall(r"\bt\('([\w.]+\w)'", sources()))
    named |= {f"rail.{group.name}" for group in RAIL} | {
        f"rail.item.{item.name}" for group in RAIL for item in group.items
    }
    named |= {f"role.{role}" for role in ROLES} | {f"stage.{stage.name}" for stage in STAGES}
    named |= {f"frame.theme.{theme}" for theme in THEMES} | {f"frame.theme_short.{theme}" for theme in THEMES}
    assert len(named) > 150
    assert not named - set(texts)


def test_no_text_is_unused():
    """Every text is named by a page, or belongs to a family that a page looks names up in."""
    said = sources()
    known = families(said)
    unused = [
        key
        for key in catalogue("spira.console", "en")
        if f"'{key}'" not in said
        and f'"{key}"' not in said
        and not any(key.startswith(f"{prefix}.") for prefix in known)
    ]
    assert unused == []


def test_every_icon_in_use_is_in_the_sprite_and_none_lies_there_in_vain():
    """The sprite holds exactly the icons that pages show."""
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', PACKAGE.joinpath("static/icons.svg").read_text()))
    said = sources()
    asked = set(re.findall(r"""icon(?:=|\()['"]([\w-]+)['"]""", said))
    assert asked <= sprite
    assert [each for each in sorted(sprite) if f"'{each}'" not in said and f'"{each}"' not in said] == []


def test_what_a_table_holds_of_people_is_said_in_both_languages():
    """Every row of the data map has its text, in English as it stands there, and there is no other."""
    row = re.compile(r"^\| (?:state|warehouse) \| `(\w+)` \| (.+?) \| ", re.MULTILINE)
    mapped = dict(row.findall((DOCS / "reference" / "data-map.md").read_text(encoding="utf-8")))
    said = {key: text for key, text in catalogue("spira.console", "en").items() if key.startswith("holds.")}
    assert len(mapped) > 50
    assert said == {f"holds.{table}": holds for table, holds in mapped.items()}
