"""Machines: what looks ahead of people, and what people really come with."""

from __future__ import annotations

import pytest

from spira.collect.machines import machine

WECHAT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "MicroMessenger/8.0.50(0x18003237) NetType/WIFI Language/zh_CN"
)
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
CUBOT = "Mozilla/5.0 (Linux; Android 12; CUBOT X50) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari"


@pytest.mark.parametrize("agent", [WECHAT, CHROME, f"{CHROME} Edg/126.0", "Mozilla/5.0 QQBrowser/13.0 MQQBrowser"])
def test_people_come_with_browsers(agent):
    """WeChat's browser and others are people."""
    assert machine("GET", {"user-agent": agent}) is None
    assert machine("GET", {"user-agent": agent, "sec-fetch-dest": "document", "sec-fetch-mode": "navigate"}) is None


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
        "facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "WhatsApp/2.23.20.0 A",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "TelegramBot (like TwitterBot)",
        "mpcrawler",
        "Mozilla/5.0 (Windows NT 6.1) BingPreview/1.0b",
        "Barracuda Sentinel (EE)",
        "curl/8.5.0",
        "python-requests/2.32",
        "Mozilla/5.0 HeadlessChrome/126.0 Safari/537.36",
    ],
)
def test_what_says_that_it_is_a_program_is_one(agent):
    """Crawlers, previews of chats, mail scanners and libraries are no visitors; nor is who says nothing."""
    assert machine("GET", {"user-agent": agent}) == "crawler"


def test_a_browser_that_looks_ahead_is_no_visit():
    """Prefetching, previews, images and HEAD are told apart from opening a page."""
    assert machine("HEAD", {"user-agent": CHROME}) == "head"
    for header in ({"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"}, {"x-moz": "prefetch"}):
        assert machine("GET", {"user-agent": CHROME, **header}) == "prefetch"
    assert machine("GET", {"user-agent": CHROME, "sec-fetch-dest": "image"}) == "prefetch"
