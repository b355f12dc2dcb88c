from __future__ import annotations

from pathlib import Path

from spira.server.reference import api_page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"


def test_the_reference_of_the_api_is_current(app):
    """The page says what the routes say; on a difference write `api_page(app)` into it."""
    assert PAGE.read_text(encoding="utf-8") == api_page(app)
