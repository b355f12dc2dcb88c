"""How numbers, amounts, shares and instants read in each language.

Figures over 100,000 are told in 万 and 亿 in Chinese; never more than two decimals. Near
instants are told relative to now, and absolutely to whoever points at them.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from spira.kernel.clock import local

MISSING = "–"
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$"}
_WAN, _YI = 10_000, 100_000_000
_MANY = 100_000


def number(value: float | None, language: str, *, decimals: int = 0) -> str:
    """A count: `1,234`, and `12.35万` or `1.2亿` in Chinese when it is large."""
    if value is None:
        return MISSING
    if language == "zh-CN" and abs(value) > _MANY:
        scale, unit = (_YI, "亿") if abs(value) >= _YI else (_WAN, "万")
        return f"{value / scale:,.2f}".rstrip("0").rstrip(".") + unit
    return f"{value:,.{decimals}f}"


def about(value: float, language: str) -> str:
    """A count that is an estimate, in three figures at most: `18,700`, and `1.9万` in Chinese from ten thousand on."""
    if language == "zh-CN" and abs(value) >= _WAN:
        scale, unit = (_YI, "亿") if abs(value) >= _YI else (_WAN, "万")
        return f"{value / scale:,.{0 if abs(value) >= 100 * scale else 1}f}".removesuffix(".0") + unit
    digits = len(str(int(abs(value))))
    return f"{round(value, min(3 - digits, 0)):,.0f}"


def amount(value: float | None, currency: str, language: str) -> str:
    """An amount of money; cents only where they matter."""
    if value is None:
        return MISSING
    sign = "-" if value < 0 else ""
    decimals = 2 if abs(value) < 1_000 else 0
    return f"{sign}{_SYMBOLS.get(currency, currency + ' ')}{number(abs(value), language, decimals=decimals)}"


def share(value: float | None, *, decimals: int = 1) -> str:
    """A part of one as a percentage."""
    return MISSING if value is None else f"{value * 100:.{decimals}f}%"


def points(value: float | None) -> str:
    """A difference of two shares in percentage points, with its sign."""
    return MISSING if value is None else f"{value * 100:+.1f}".replace("-", "−")


def change(now: float | None, before: float | None) -> float | None:
    """How much more than before, as a part of it; None where there is nothing to compare with."""
    return None if now is None or not before else now / before - 1


def absolute(instant: datetime, language: str, zone: str) -> str:
    """The wall-clock time in the workspace's zone, to the minute."""
    there = local(instant, zone)
    if language == "zh-CN":
        return f"{there.year}年{there.month}月{there.day}日 {there:%H:%M}"
    return f"{there.day} {there:%b %Y, %H:%M}"


def day(instant: datetime, language: str, zone: str) -> str:
    """The day in the workspace's zone."""
    there = local(instant, zone)
    return f"{there.year}年{there.month}月{there.day}日" if language == "zh-CN" else f"{there.day} {there:%b %Y}"


def date_of(day: date, language: str) -> str:
    """A calendar day with its weekday."""
    if language == "zh-CN":
        return f"{day.year}年{day.month}月{day.day}日 星期{'一二三四五六日'[day.weekday()]}"
    return f"{day:%A}, {day.day} {day:%b %Y}"


def size(bytes: int) -> str:
    """A size on disk."""
    scaled = float(bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if scaled < 1024 or unit == "GB":
            break
        scaled /= 1024
    return f"{scaled:.0f} {unit}" if unit == "B" or scaled >= 100 else f"{scaled:.1f} {unit}"


def value(shown: object, language: str, zone: str) -> str:
    """A tag's value, of whatever kind it is."""
    if shown is None:
        return MISSING
    if isinstance(shown, bool):
        return ("是" if shown else "否") if language == "zh-CN" else ("yes" if shown else "no")
    if isinstance(shown, datetime):
        return day(shown, language, zone)
    if isinstance(shown, date):
        return date_of(shown, language)
    if isinstance(shown, (float, Decimal)):
        return number(float(shown), language, decimals=len(f"{float(shown):.2f}".rstrip("0").partition(".")[2]))
    return number(shown, language) if isinstance(shown, int) else str(shown)


def relative(instant: datetime, now: datetime, language: str, zone: str) -> str:
    """How long ago or how soon, while that is less than a week; the day otherwise."""
    gap = now - instant
    size, ahead = abs(gap), gap < timedelta(0)
    for least, one in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute")):
        if size >= timedelta(days=7):
            return day(instant, language, zone)
        if size >= least:
            return _said(int(size / least), one, ahead, language)
    return "刚刚" if language == "zh-CN" else "just now"


def seconds(value: float | None, language: str) -> str:
    """A length of time as people say it: milliseconds, seconds or minutes."""
    if value is None:
        return MISSING
    if value < 1:
        return f"{value * 1000:.0f} ms" if language == "en" else f"{value * 1000:.0f} 毫秒"
    if value < 120:
        return f"{value:.1f} s" if language == "en" else f"{value:.1f} 秒"
    if value < 7200:
        return f"{value / 60:.0f} min" if language == "en" else f"{value / 60:.0f} 分钟"
    return f"{value / 3600:.0f} h" if language == "en" else f"{value / 3600:.0f} 小时"


def _said(count: int, one: str, ahead: bool, language: str) -> str:
    if language == "zh-CN":
        word = {"day": "天", "hour": "小时", "minute": "分钟"}[one]
        return f"{count} {word}{'后' if ahead else '前'}"
    many = one if count == 1 else one + "s"
    return f"in {count} {many}" if ahead else f"{count} {many} ago"
