"""What the models of definitions share: the base class, and the types of names, labels and durations.

A model is the schema of its kind: it decides what a file may say, draws the JSON Schema for
editors, and is what the rest of the house works with. A validator says what is wrong with
`fault(code, message)`, which puts the place there by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from spira.kernel.durations import BadDuration, parse_duration
from spira.kernel.i18n import LANGUAGES

NAME = r"[a-z][a-z0-9_]*"


class DefinitionModel(BaseModel):
    """A definition, or a part of one: strict, closed and frozen."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def fault(
    code: str,
    message: str,
    *,
    help: str | None = None,
    inside: tuple[int, int] | None = None,
    key: str | None = None,
) -> PydanticCustomError:
    """An error for a validator to raise; `inside` marks characters of the text at fault, `key` one key of a mapping."""
    context: dict[str, Any] = {"message": message, "help": help, "inside": inside, "key": key}
    return PydanticCustomError(code, "{message}", context)


def _name(text: str) -> str:
    if not re.fullmatch(NAME, text):
        raise fault(
            "D016",
            f"`{text}` can't be a name: a name has small letters, digits and `_`, and begins with a letter",
            help=_suggested(text),
        )
    return text


def _suggested(text: str) -> str | None:
    better = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return f"write `{better}`" if re.fullmatch(NAME, better) else None


def _duration(text: str) -> str:
    try:
        parse_duration(text)
    except BadDuration as wrong:
        raise fault("D014", str(wrong)) from None
    return text


def _label(value: Any) -> Any:
    if isinstance(value, str) and value.strip():
        return value
    if not isinstance(value, Mapping) or not value:
        raise fault("D017", "a label is a text, or a text for each language", help=_LABEL_HELP)
    for language, text in value.items():
        if language not in LANGUAGES:
            help = _COMMA_HELP if text is None else _LABEL_HELP
            raise fault("D017", f"`{language}` is not a language of labels", help=help, key=language)
        if not isinstance(text, str) or not text.strip():
            raise fault("D017", f"the label has no text for `{language}`", help=_LABEL_HELP, key=language)
    return dict(value)


_LABEL_HELP = "write one text, or {zh-CN: 标签, en: Label}"
_COMMA_HELP = "quote a text that has a comma in it, or write one text, or {zh-CN: 标签, en: Label}"

NameStr = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{NAME}$"})]
Duration = Annotated[str, AfterValidator(_duration), Field(json_schema_extra={"examples": ["30 days", "12 hours"]})]
Label = Annotated[str | dict[str, str], BeforeValidator(_label)]
