"""Where a session is: the browser and the system in plain words, and the network address without its last part."""

from __future__ import annotations

import ipaddress

# The first that is found counts: most browsers call themselves by others' names as well.
_BROWSERS = (
    ("MicroMessenger/", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-httpx/", "Python"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def agent_of(told: str) -> str | None:
    """The browser and the system that a user agent names, such as `Firefox · Linux`; None when it names neither."""
    found = [next((name for mark, name in names if mark in told), None) for names in (_BROWSERS, _SYSTEMS)]
    return " · ".join(each for each in found if each) or None


def coarse(origin: str) -> str | None:
    """A network address whose last part is hidden; None for what is none."""
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return ".".join([*str(address).split(".")[:3], "…"])
    return ":".join(address.exploded.split(":")[:3]) + ":…"
