"""The kind `hook`: how a system's calls are proven, and what they become.

hook: forum
source: community
sign: {scheme: hmac, header: X-Discourse-Event-Signature, prefix: "sha256=", secret: "env:FORUM_SECRET"}
id: $headers.x-discourse-event-id
ignore: [{$headers.x-discourse-event-type: ping}]
events:
  - when: {$headers.x-discourse-event: post_created}
    event: Post Written
    user_id: {path: $.post.user_id, as: text, required: true}
    at: $.post.created_at
    properties: {topic_id: {path: $.post.topic_id, as: text}}

Every rule whose `when` holds makes a call; with `each` one for every item of an array. How values
are written, docs/reference/definitions.md says, and collect.hooks.paths.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from spira.collect.hooks.paths import BadPath, check_value, read_path
from spira.definitions.kinds import Kind, kind
from spira.definitions.model import DefinitionModel, Duration, Label, NameStr, fault

Scheme = Literal["hmac", "standard", "stripe", "token"]
Call = Literal["track", "identify", "page", "screen", "group", "alias"]


def _value(written: Any) -> Any:
    try:
        check_value(written)
    except BadPath as wrong:
        raise fault("D018", str(wrong), help="a path is written as $.order.id, $headers.x-event or @.sku") from None
    return written


def _path(written: str) -> str:
    try:
        read_path(written)
    except BadPath as wrong:
        raise fault("D018", str(wrong), help="write one as in $.order.lines") from None
    return written


def _when(written: Any) -> Any:
    for path, wanted in (written or {}).items() if isinstance(written, dict) else ():
        _path(str(path))
        if isinstance(wanted, dict) and (len(wanted) != 1 or not wanted.keys() <= {"exists", "not"}):
            raise fault("D018", f"`{path}` is compared in a way that is not known", help=_WHEN_HELP)
    return written


def _secrets(written: Any) -> Any:
    told = [written] if isinstance(written, str) else written
    for each in told if isinstance(told, list) else ():
        if not (isinstance(each, str) and each.startswith("env:") and len(each) > 4):
            raise fault("D018", "a secret does not stand in a file", help="write env:NAME, and set NAME")
    return told


_WHEN_HELP = "write a value, a list of values, {exists: true} or {not: value}"
Value = Annotated[Any, BeforeValidator(_value)]
PathStr = Annotated[str, AfterValidator(_path)]
When = Annotated[dict[str, Any], BeforeValidator(_when)]
Secrets = Annotated[list[str], BeforeValidator(_secrets, json_schema_input_type=str | list[str])]


class Signing(DefinitionModel):
    """How a call proves who made it."""

    scheme: Scheme = Field(
        description="`hmac` signs into a header, `standard` is Standard Webhooks, `stripe` puts time and signature "
        "into one header, `token` sends the secret itself."
    )
    secret: Secrets = Field(min_length=1, description="The secret, or several while one is exchanged, as env:NAME.")
    header: str = Field(
        default="", description="The header with the signature; `standard` and `stripe` have their own."
    )
    prefix: str = Field(default="", description="What stands before the signature, such as `sha256=`.")
    algorithm: Literal["sha256", "sha1", "sha512"] = Field(default="sha256", description="The hash of `hmac`.")
    encoding: Literal["hex", "base64"] = Field(default="hex", description="How the signature of `hmac` is written.")
    signed: str = Field(
        default="{body}",
        description="What `hmac` signs, made of {body}, {timestamp} and {id}, as in {timestamp}.{body}.",
    )
    timestamp: str = Field(default="", description="The header with the instant of the call, where there is one.")
    id: str = Field(default="", description="The header with the id of the call, where `signed` has {id}.")
    tolerance: Duration = Field(default="5 minutes", description="How far that instant may be from ours.")

    @model_validator(mode="after")
    def _headers_are_told(self) -> Signing:
        if self.scheme in ("hmac", "token") and not self.header:
            raise fault("D018", f"`{self.scheme}` needs `header`", help="name the header that the system sends")
        if "{body}" not in self.signed:
            raise fault("D018", "`signed` must have {body} in it", help="otherwise anybody can send another body")
        if "{timestamp}" in self.signed and not self.timestamp:
            raise fault("D018", "`signed` has {timestamp}, and no header is named for it", help="set `timestamp`")
        if "{id}" in self.signed and not self.id:
            raise fault("D018", "`signed` has {id}, and no header is named for it", help="set `id`")
        return self


class HookEvent(DefinitionModel):
    """One call that a webhook's call becomes."""

    when: When = Field(
        default={}, description="What must hold: a value, a list of values, {exists: …} or {not: …} by path."
    )
    each: PathStr | None = Field(default=None, description="An array: one call for each of its items, which is `@`.")
    call: Call = Field(default="track", description="What it becomes.")
    event: Value = Field(default=None, description="The event's name.")
    user_id: Value = Field(default=None, description="The person's id.")
    anonymous_id: Value = Field(default=None, description="A visitor's id.")
    previous_id: Value = Field(default=None, description="Of an alias: the other id.")
    group_id: Value = Field(default=None, description="Of a group: its id.")
    id: Value = Field(default=None, description="The message id, where it is another than the hook's.")
    at: Value = Field(default=None, description="When it happened: an instant, or seconds since 1970.")
    properties: dict[str, Value] = Field(default={}, description="The event's properties.")
    traits: dict[str, Value] = Field(default={}, description="The person's traits.")
    campaign: dict[Literal["name", "source", "medium", "term", "content"], Value] = Field(
        default={}, description="The campaign that led to it."
    )

    @model_validator(mode="after")
    def _is_a_call(self) -> HookEvent:
        if self.user_id is None and self.anonymous_id is None:
            raise fault("D018", "nobody is named", help="set `user_id` or `anonymous_id`")
        if self.call == "track" and self.event is None:
            raise fault("D018", "the event has no name", help="set `event`")
        return self


class HookDefinition(DefinitionModel):
    """Who may call, and what their calls become."""

    hook: NameStr = Field(description="The hook's name: it is called at /v1/hooks/NAME.")
    label: Label | None = Field(default=None, description="What people read.")
    description: Label | None = Field(default=None, description="One line more, for those who ask.")
    source: str = Field(min_length=1, max_length=64, description="The source that its events come through.")
    sign: Signing | Literal["none"] = Field(
        description="How calls are proven; `none` takes them from everybody who knows the address."
    )
    id: Value = Field(default=None, description="The call's id, by which the same call twice counts once.")
    ignore: list[When] = Field(default=[], description="Calls that are nothing, such as pings.")
    unmatched: Literal["quarantine", "ignore"] = Field(
        default="quarantine", description="What becomes of a call that no rule takes."
    )
    events: list[HookEvent] = Field(min_length=1, description="The rules; each that holds makes a call.")


HOOK = kind(Kind(name="hook", folder="hooks", model=HookDefinition))
