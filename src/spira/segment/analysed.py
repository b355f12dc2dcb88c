"""All tags and audiences understood together: each one's tree, type, faults and place in the order.

A tag may build on tags and an audience on audiences, so that the type of one waits for
those it uses. Two passes do it: the first finds who uses whom while every type is still
open, the second works the types out layer by layer. Nothing here knows of files or stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from spira.segment.conditions.catalog import Catalog, Type
from spira.segment.conditions.language import Analysis, analyse
from spira.segment.order import Order, order


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """Every tag and audience by name; `catalog` knows them all. One on a cycle keeps the open type `null`.

    `idle` tags are understood like others, by a catalog that has them; nothing else knows them.
    """

    catalog: Catalog
    tags: Mapping[str, Analysis]
    audiences: Mapping[str, Analysis]
    tag_order: Order
    audience_order: Order
    idle: frozenset[str] = frozenset()

    def active(self) -> Mapping[str, Analysis]:
        """The tags that are worked out."""
        return {name: each for name, each in self.tags.items() if name not in self.idle}


def analyse_all(
    base: Catalog, tags: Mapping[str, str], audiences: Mapping[str, str], *, idle: frozenset[str] = frozenset()
) -> Analysed:
    """Understand the texts of tags and audiences over what `base` knows: events, scores and traits.

    Tags that are `idle`, drafts and retired ones, may use others, and nothing but idle ones may use them.
    """
    types: dict[str, Type] = dict.fromkeys(tags, "null")
    opened = replace(base, tags=types, audiences=frozenset(audiences))
    found = {name: analyse_tag(text, opened) for name, text in tags.items()}
    tag_order = order({name: each.reads.tags for name, each in found.items()})
    for name in tag_order.flat():
        if found[name].reads.tags:
            found[name] = analyse_tag(tags[name], replace(opened, tags=types))
        types = types | {name: found[name].type or "null"}
    catalog = replace(
        opened,
        tags={name: kind for name, kind in types.items() if name not in idle},
        idle={name: types[name] for name in tags if name in idle},
    )
    for name, each in found.items():
        if name not in idle and each.reads.tags & idle:
            found[name] = analyse_tag(tags[name], catalog)
    conditions = {name: analyse(text, catalog, expect="boolean") for name, text in audiences.items()}
    return Analysed(
        catalog=catalog,
        tags={name: found[name] for name in tags},
        audiences=conditions,
        tag_order=tag_order,
        audience_order=order({name: each.reads.audiences for name, each in conditions.items()}),
        idle=idle,
    )


def analyse_tag(text: str, catalog: Catalog) -> Analysis:
    """A tag's value understood; ranks over the population are allowed in it."""
    return analyse(text, catalog, population=True)
