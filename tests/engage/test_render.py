from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.engage.delivery.handing import tracked
from spira.engage.links import Links, read
from spira.engage.render import BadTemplate, Rendered, Source, plain, render, variables, wanted

PAGE = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{ name | default: 'friend' }}</mj-text>"
    '<mj-button href="https://shop.example/?q={{ city | url_encode }}&amp;x=1">Come</mj-button>'
    '<mj-text><a href="{{ unsubscribe_url }}">Stop</a></mj-text></mj-column></mj-section></mj-body></mjml>'
)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=40))
def test_a_value_never_becomes_markup(name: str) -> None:
    """
    Whatever someone is called, the page has the same tags as for anyone else.
    """
    source = Source(name="t", subject="Hi {{ name }}", body=PAGE, form="mjml")
    page = render(source, {"name": name}).html
    assert page.count("<") == render(source, {"name": "x"}).html.count("<")


def test_the_subject_is_one_line() -> None:
    """
    A line break in a value makes no second header.
    """
    assert render(Source(name="t", subject="Hi {{ name }}", body=""), {"name": "a\r\nBcc: b"}).subject == "Hi a Bcc: b"


def test_a_missing_value_is_empty_or_its_default() -> None:
    """
    Nobody reads the name of a variable.
    """
    rendered = render(Source(name="t", subject="Hi {{ name }}", body=PAGE, form="mjml"), {})
    assert rendered.subject == "Hi"
    assert "Dear friend" in rendered.text
    assert "{{" not in rendered.html


def test_no_font_is_fetched_from_a_stranger() -> None:
    """
    Opening a message calls nobody but the brand.
    """
    assert "fonts.googleapis" not in render(Source(name="t", body=PAGE, form="mjml"), {}).html


def test_the_text_part_says_what_the_page_says() -> None:
    """
    Paragraphs are lines, links have their address behind them, styles and scripts are left out.
    """
    page = "<head><style>p{}</style></head><p>One</p><p>Two <a href='https://a.example/?x=1&amp;y=2'>here</a></p>"
    assert plain(page) == "One\n\nTwo here <https://a.example/?x=1&y=2>\n"


def test_every_link_but_unsubscribing_is_followed() -> None:
    """
    A click leads through us to the very address of the template; unsubscribing leads straight.
    """
    links = Links(key=b"k", base_url="http://t.example")
    values = {"unsubscribe_url": links.unsubscribe(7), "city": "青 岛"}
    page = tracked(render(Source(name="t", body=PAGE, form="mjml"), values), links, 7)
    assert links.unsubscribe(7) in page
    assert links.opened(7) in page
    token = page.split("http://t.example/c/")[1].split('"')[0]
    assert read(b"k", "c", token).target == "https://shop.example/?q=%E9%9D%92+%E5%B2%9B&x=1"
    assert "https://shop.example" not in page


def test_the_image_stands_at_the_end_where_there_is_no_body() -> None:
    """
    A bare page is a page too.
    """
    links = Links(key=b"k", base_url="http://t.example")
    assert tracked(Rendered(subject="", text="", html="<p>Hi</p>"), links, 1).startswith("<p>Hi</p><img ")


def test_the_names_a_template_asks_for_are_known() -> None:
    """
    Names it makes itself are not asked for.
    """
    assert variables("{% assign x = name %}{{ x }} {{ city | upcase }}") == {"name", "city"}
    assert wanted(Source(name="t", subject="{{ a }}", preview="{{ b }}", body="{{ c.d }}")) == {"a", "b", "c"}


@pytest.mark.parametrize("body", ["{{ name", "{% for x in (1..100000000) %}x{% endfor %}", "{% include 'passwd' %}"])
def test_a_template_that_is_broken_or_runs_on_is_refused(body: str) -> None:
    """
    Syntax, endless loops and other files: each is a fault of the template, told as one.
    """
    with pytest.raises(BadTemplate):
        render(Source(name="t", body=body), {})
