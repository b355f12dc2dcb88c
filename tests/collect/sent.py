"""What clients may send, drawn at random: calls of every kind, plain ones, odd ones and wrong ones."""

from __future__ import annotations

from hypothesis import strategies as st

SOURCES = ("shop", "till", "gate", "bare")
SOURCE = st.sampled_from(SOURCES)
TEXTS = st.sampled_from(
    [
        "",
        "tea",
        "x" * 1100,
        "Ann",
        "a\nb",
        "a % b",
        "2026-03-01",
        "2026-03-01T10:00:00Z",
        "ann@shop.example",
        "13812345678",
    ]
) | st.text(max_size=8)
NUMBERS = st.one_of(
    st.integers(-3, 9),
    st.sampled_from([2**63, -(2**63), 2**64, 1.5, 0.00005, 12345678.00015, 1e15, 19.99, 3.0]),
    st.floats(-1e6, 1e6).map(lambda value: round(value, 3)),
)
VALUES = st.one_of(st.none(), TEXTS, NUMBERS, st.booleans(), st.lists(TEXTS | NUMBERS, max_size=2))
LINES = st.lists(
    st.fixed_dictionaries({}, optional={"sku": TEXTS, "price": NUMBERS, "count": NUMBERS, "more": VALUES}), max_size=3
)
PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "sku": TEXTS | VALUES,
        "price": NUMBERS | VALUES,
        "count": st.integers(0, 9) | VALUES,
        "score": NUMBERS,
        "gift": st.booleans() | VALUES,
        "when": st.just("2026-03-01T10:00:00+08:00") | TEXTS,
        "day": st.just("2026-03-01") | TEXTS,
        "products": LINES | VALUES,
        "size": VALUES,
        "phone": VALUES,
        "colour %": VALUES,
        "things": LINES,
        "name": TEXTS,
    },
)
IDS = st.sampled_from(
    [None, "u1", "u2", "  u1 ", "null", "", "ann@shop.example", 7, 7.0, "x" * 600, "visit_" + "0" * 16]
)
TIMES = st.sampled_from(
    [
        None,
        "",
        "2026-03-01T10:00:00Z",
        "2026-03-01T10:00:00.123Z",
        "2026-03-01T10:00:00.1234567Z",
        "2026-03-01T10:00:00",
        "2026-03-01 18:00:00+0800",
        "2026-03-01",
        "yesterday",
        "2027-03-01T10:00:00Z",
        "0001-01-01T00:00:00+10:00",
    ]
)
CAMPAIGNS = st.sampled_from([None, {}, {"name": "spring", "source": "news"}, {"name": 7}, {"name": ""}, "spring"])
PAGES = st.sampled_from(
    [
        {"url": "https://shop.example/tea"},
        {"url": "https://shop.example/?spira_link=door&spira_visit=visit_0123456789abcdef"},
        {"search": "?spira_link=door"},
        {"path": "/" + "[" * 70},
    ]
)
CONTEXTS = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "campaign": CAMPAIGNS,
        "channel": st.sampled_from(["browser", "mobile", "shop", 3, None, ""]),
        "sessionId": st.sampled_from(["s1", "", 5, 5.5, None, True]),
        "page": PAGES,
        "traits": st.fixed_dictionaries({}, optional={"email": TEXTS, "points": VALUES, "plan": VALUES}),
    },
)
CALLS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["track", "track", "track", "page", "screen", "identify", "group", "alias", "odd"]),
        "messageId": st.sampled_from(
            [f"message-of-a-client-{number}" for number in range(4)] + ["m1", " m2 ", "", "null", 5]
        ),
    },
    optional={
        "event": st.sampled_from(["Seen", "Left", "Undeclared", " Seen ", "", None]),
        "userId": IDS,
        "anonymousId": IDS,
        "timestamp": TIMES,
        "originalTimestamp": TIMES,
        "sentAt": TIMES,
        "channel": st.sampled_from(["browser", "till", None, 4]),
        "name": TEXTS | st.none(),
        "category": TEXTS,
        "properties": PROPERTIES | st.sampled_from([None, [], "text"]),
        "traits": st.fixed_dictionaries({}, optional={"email": TEXTS, "points": VALUES, "plan": VALUES}) | st.none(),
        "context": CONTEXTS | st.just([1]),
        "groupId": IDS,
        "previousId": IDS,
    },
)
BATCHES = st.fixed_dictionaries({"batch": st.lists(CALLS, max_size=5)}, optional={"sentAt": TIMES, "context": CONTEXTS})
RECORDS = st.tuples(SOURCE, st.just("batch"), BATCHES) | st.tuples(
    SOURCE, st.sampled_from(["track", "page", "identify", "alias"]), CALLS
)
