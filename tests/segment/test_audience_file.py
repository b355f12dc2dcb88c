"""The text of an audience's definition: what is written is what is read."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from tests.segment.conditions.expressions import condition

from spira.segment.audience_file import audience_text
from spira.segment.conditions.parser import parse
from spira.segment.conditions.printer import canonical


@given(condition("profile", depth=2))
def test_any_condition_is_read_as_it_was_written(who):
    """A condition made at random comes out of the file as the same tree."""
    read = YAML(typ="safe").load(audience_text("vip", who, labels={"zh-CN": "重要", "en": "VIP: the best"}))
    assert canonical(parse(read["who"])) == canonical(parse(who))
    assert read["label"] == {"zh-CN": "重要", "en": "VIP: the best"}


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40))
@example(":0")
def test_any_label_is_read_as_it_was_written(label):
    """Quotes, colons, emoji and brackets in a label are only text."""
    read = YAML(typ="safe").load(audience_text("vip", "city = 'a'", labels={"en": label}))
    assert read.get("label", {}).get("en", "") == label.strip()


def test_the_rest_of_an_old_text_stays():
    """Another condition leaves comments, owner and label as they were."""
    old = "# the good ones\naudience: vip\nlabel: VIP\nowner: ann  # asks daily\nwho: >\n  orders >= 3\n"
    made = audience_text("vip", "orders >= 5\nand city = 'a'", old=old)
    assert made == (
        "# the good ones\naudience: vip\nlabel: VIP\nowner: ann  # asks daily\n"
        "who: |\n  orders >= 5\n  and city = 'a'\n"
    )
