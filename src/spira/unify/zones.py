"""Zones: in which time zone a person lives, as far as that is known.

The rule, which the gate and the pages share: the trait `time_zone` (or `timezone`, as Segment's clients call it),
where it is a zone of the IANA list; else the one zone of the country in the trait `country`, where that country has
a single one; else nothing is known, and the workspace's zone stands in.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo

TOLD = ("time_zone", "timezone")
COUNTRY = "country"
LONGEST = 64  # characters of a zone's name; anything longer is none
# Countries with one zone, by their ISO code; where there are several a country says nothing.
ONLY_ZONE = {
    "AE": "Asia/Dubai",
    "AT": "Europe/Vienna",
    "BE": "Europe/Brussels",
    "BG": "Europe/Sofia",
    "CH": "Europe/Zurich",
    "CN": "Asia/Shanghai",
    "CZ": "Europe/Prague",
    "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen",
    "EG": "Africa/Cairo",
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "GR": "Europe/Athens",
    "HK": "Asia/Hong_Kong",
    "HU": "Europe/Budapest",
    "IE": "Europe/Dublin",
    "IL": "Asia/Jerusalem",
    "IN": "Asia/Kolkata",
    "IT": "Europe/Rome",
    "JP": "Asia/Tokyo",
    "KE": "Africa/Nairobi",
    "KR": "Asia/Seoul",
    "MO": "Asia/Macau",
    "NG": "Africa/Lagos",
    "NL": "Europe/Amsterdam",
    "NO": "Europe/Oslo",
    "PH": "Asia/Manila",
    "PK": "Asia/Karachi",
    "PL": "Europe/Warsaw",
    "RO": "Europe/Bucharest",
    "SA": "Asia/Riyadh",
    "SE": "Europe/Stockholm",
    "SG": "Asia/Singapore",
    "TH": "Asia/Bangkok",
    "TR": "Europe/Istanbul",
    "TW": "Asia/Taipei",
    "VN": "Asia/Ho_Chi_Minh",
    "ZA": "Africa/Johannesburg",
}


def zone_of(traits: Mapping[str, str | None]) -> str | None:
    """The zone that traits by name tell of; None when they tell of none."""
    told = (traits.get(name) for name in TOLD)
    return next((each for each in told if each and is_zone(each)), None) or ONLY_ZONE.get(
        (traits.get(COUNTRY) or "").strip().upper()
    )


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Whether a text from outside is the name of a zone."""
    if not 0 < len(name) <= LONGEST:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, or a text that would be another file
        return False
    return True
