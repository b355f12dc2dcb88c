"""Zones: what people tell of where they live, and what that says of their hours."""

from __future__ import annotations

import pytest

from spira.unify.zones import ONLY_ZONE, is_zone, zone_of


@pytest.mark.parametrize(
    ("traits", "zone"),
    [
        ({}, None),
        ({"time_zone": "Europe/Paris", "country": "CN"}, "Europe/Paris"),
        ({"timezone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ({"time_zone": "no/where", "timezone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ({"time_zone": None, "country": " cn "}, "Asia/Shanghai"),
        ({"country": "US"}, None),
        ({"time_zone": "../../etc/passwd"}, None),
        ({"time_zone": "Europe"}, None),
        ({"time_zone": "x" * 65}, None),
    ],
)
def test_a_zone_is_what_was_told_else_the_countrys_only_one(traits, zone):
    """A told zone is believed before the country; a country of several zones, and what is no zone, say nothing."""
    assert zone_of(traits) == zone


def test_the_only_zones_of_countries_are_zones():
    """Each zone in the list of countries is known."""
    assert all(map(is_zone, ONLY_ZONE.values()))
