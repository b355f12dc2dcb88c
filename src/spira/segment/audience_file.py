"""An audience's definition as the text of a file: made new, or the old text with another condition.

Comments and the other keys of the old text stay where they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString


def audience_text(name: str, who: str, *, labels: Mapping[str, str] | None = None, old: str = "") -> str:
    """The YAML of an audience whose condition is `who`; `old` is its text until now, empty for a new one."""
    yaml = YAML()
    yaml.width = 10_000
    yaml.allow_unicode = True
    written = yaml.load(old) if old.strip() else CommentedMap(audience=name)
    told = {language: text.strip() for language, text in (labels or {}).items() if text.strip()}
    if told:
        label = CommentedMap({language: _quoted(text) for language, text in told.items()})
        label.fa.set_flow_style()
        written["label"] = label
    lines = "\n".join(line.rstrip() for line in who.strip().replace("\r\n", "\n").split("\n"))
    written["who"] = LiteralScalarString(lines + "\n") if "\n" in lines or ": " in lines or " #" in lines else lines
    out = StringIO()
    yaml.dump(written, out)
    return out.getvalue()


def _quoted(text: str) -> str:
    """In quotation marks unless it begins as a word does: within braces `:0` would be read as a key's end."""
    return text if text[0].isalnum() else DoubleQuotedScalarString(text)
