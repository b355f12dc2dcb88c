"""The catalogue of a workspace: where each name comes from, and its type."""

from __future__ import annotations

from tests.segment import conftest as small

from spira.collect.tracking import OWN_TRAITS


def test_every_name_has_its_type(shop):
    """Types of tags follow from what they build on, in whatever order they are written."""
    shop.define(
        """
tag: class
value: case when spent > 100 then 'high' else city end
---
tag: spent
value: sum_of(revenue, 'Order Completed')
---
tag: half
value: ntile(spent, n => 2)
---
model: next_order
kind: next_order_date
---
audience: high
who: class = 'high'
"""
    )
    catalog = shop.catalog
    assert catalog.tags == {"class": "text", "spent": "money", "half": "integer"}
    assert catalog.scores == {"next_order": "time"}
    assert catalog.traits == {"city": "text", "age": "integer", **OWN_TRAITS}
    assert catalog.audiences == {"high"}
    assert catalog.zone == small.SETTINGS.workspace.zone
    assert catalog.events["Order Completed"].arrays["products"]["value"] == "money"


def test_what_spira_emits_is_known_without_a_plan(shop):
    """Receipts and consents can be asked about in any workspace."""
    shop.define("audience: openers\nwho: did('Email Opened')")
    assert {"Email Opened", "Consent Given", "Unsubscribed"} <= set(shop.catalog.events)


def test_contact_traits_are_in_no_condition(shop):
    """A sealed value has nothing to compare: e-mail and phone are no names of the language."""
    shop.define("audience: all_of_them\nwho: 'true'")
    assert {"email", "phone", "name"}.isdisjoint(shop.catalog.traits)
