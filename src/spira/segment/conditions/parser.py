"""The parser: a text into a tree whose every node knows its characters.

A text that does not parse gives exactly one fault, at the character where reading stopped;
a text that does is read again by the checker, which finds all its other faults.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from spira.segment.conditions.builder import Builder
from spira.segment.conditions.faults import SYNTAX, TOO_LARGE, Fault
from spira.segment.conditions.tree import Node, depth

LONGEST = 20_000
DEEPEST = 60
_WORDS = """
or and not in between like is null true false distinct filter where case when then else end
"""
_KEPT = frozenset({"null", "true", "false", "distinct"})
KEYWORDS = {word: word.upper() if word in _KEPT else f"_{word.upper()}" for word in _WORDS.split()}
_WIDE = dict(zip("，（）‘’“”＝＞＜。", ",()''''=><.", strict=True))


def parse(text: str) -> Node | Fault:
    """The tree of `text`, or the one fault that keeps it from being read."""
    if len(text) > LONGEST:
        message = f"this expression has {len(text)} characters; the longest that is read has {LONGEST}"
        return Fault(code=TOO_LARGE, message=message, start=0, end=len(text), help="split it into tags")
    try:
        raw = _grammar().parse(text)
    except UnexpectedInput as found:
        return _syntax(found, text)
    tree = cast("Node", Builder(text).transform(raw))
    if depth(tree) > DEEPEST:
        message = f"this expression is nested more than {DEEPEST} deep"
        return Fault(code=TOO_LARGE, message=message, start=0, end=len(text), help="split it into tags")
    return tree


@cache
def _grammar() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        grammar, parser="lalr", lexer="basic", propagate_positions=True, lexer_callbacks={"NAME": cast("Any", _keyword)}
    )


def _keyword(token: Token) -> Token:
    kind = KEYWORDS.get(token.lower())
    return token if kind is None else Token.new_borrow_pos(kind, token, token)


def _syntax(found: UnexpectedInput, text: str) -> Fault:
    if isinstance(found, UnexpectedCharacters):
        return _bad_character(text, found.pos_in_stream or 0)
    if isinstance(found, UnexpectedToken) and not isinstance(found, UnexpectedEOF) and found.token.type != "$END":
        start = found.token.start_pos or 0
        shown, wanted = str(found.token), _wanted(found)
        help = "write `=` to compare" if text[start - 1 : start + 1] == "==" else None
        message = f"`{shown}` was found where {wanted} was expected"
        return Fault(code=SYNTAX, message=message, start=start, end=start + len(shown), help=help)
    wanted = _wanted(found) if isinstance(found, UnexpectedToken) else "a value"
    message = f"the expression ends where {wanted} was expected"
    return Fault(code=SYNTAX, message=message, start=len(text), end=len(text))


def _bad_character(text: str, at: int) -> Fault:
    character = text[at]
    if character in "'\"":
        return Fault(code=SYNTAX, message="this text never ends", start=at, end=len(text), help=f"add `{character}`")
    near = _WIDE.get(character)
    help = f"write `{near}`, the narrow sign" if near else None
    message = f"`{character}` has no meaning here"
    return Fault(code=SYNTAX, message=message, start=at, end=at + 1, help=help)


def _wanted(found: UnexpectedToken) -> str:
    accepted = found.accepts or set()
    if "NAME" in accepted:
        return "a value, a name or a function"
    for token, said in (("RPAR", "`)` or an operator"), ("_THEN", "`then`"), ("_END", "`when`, `else` or `end`")):
        if token in accepted:
            return said
    if accepted == {"_AND"} or ("_AND" in accepted and "_OR" not in accepted):
        return "`and` and the upper bound"
    words = sorted(each.strip("_").lower() for each in accepted - {"$END"})
    return "an operator or the end" if "$END" in accepted else " or ".join(f"`{each}`" for each in words[:3])
