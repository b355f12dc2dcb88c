"""Manual tags: what staff say of a person by hand, as events that a tag folds.

Writes  the log   `Tag Changed`, one for each person and act

A definition says `manual: flag` or `manual: choice` and has no expression; the one it stands for is made
here: the last value that staff gave. So a manual tag is a tag like any other, in conditions, in previews,
in reasons, and on every engine; it goes with its events when profiles are merged, parted or erased. A change
shows after the next refresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from spira.collect.envelope import OwnEvent
from spira.definitions.model import Label, fault
from spira.kernel.errors import Conflict
from spira.kernel.ids import new_id

Manual = Literal["flag", "choice"]
EVENT = "Tag Changed"
YES, NONE = "yes", "-"
_SAID = f"last_of(tag_value, '{EVENT}', tag_name = '{{tag}}')"


def expression(tag: str, manual: str) -> str:
    """What a manual tag stands for in the language."""
    said = _SAID.format(tag=tag)
    return f"coalesce({said} = '{YES}', false)" if manual == "flag" else f"nullif({said}, '{NONE}')"


def folded(told: Any) -> Any:
    """A tag as it was written, with the expression that `manual` stands for; a fault where both are there."""
    if not isinstance(told, Mapping) or told.get("manual") not in ("flag", "choice"):
        return told
    if "value" in told:
        raise fault("D336", "a tag is set by hand or worked out, not both", help="take out `value` or `manual`")
    values = told.get("values") or {}
    if told["manual"] == "choice" and (not values or NONE in values):
        raise fault(
            "D336",
            f"a choice needs the `values` that staff can choose among, and `{NONE}` is not one of them",
            help="write `values:` with a label for each, or `manual: flag`",
        )
    return {**told, "value": expression(str(told.get("tag", "")), told["manual"])}


def either(schema: dict[str, Any]) -> None:
    """Say in a tag's JSON Schema that `manual` stands in for `value`."""
    schema["required"] = [name for name in schema["required"] if name != "value"]
    schema["oneOf"] = [{"required": ["value"]}, {"required": ["manual"]}]


def chosen(manual: str, values: Mapping[str, Label], value: str | None) -> str:
    """A value as the event carries it, none to take the tag away; Conflict for one that can't be chosen."""
    if value is None:
        return NONE
    allowed = [YES] if manual == "flag" else list(values)
    if value not in allowed:
        raise Conflict(f"`{value[:40]}` is no value of this tag", help=f"choose one of: {', '.join(allowed)}")
    return value


def changes(profiles: Iterable[int], tag: str, value: str, *, staff_id: str, at: datetime) -> Sequence[OwnEvent]:
    """The events that give people a value: each act is one, so that the same can be said again later.

    They lie just before `at`, so that a refresh as of `at` already counts them.
    """
    told = {"tag_name": tag, "tag_value": value, "staff_id": staff_id}
    return [
        OwnEvent(
            message_id=new_id("tag"), event=EVENT, at=at - timedelta(milliseconds=1), subject_id=each, properties=told
        )
        for each in profiles
    ]
