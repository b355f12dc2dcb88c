"""How alike two written names are, word by word: of people or companies, in any script.

Each word of the one name is given to at most one word of the other, the best fitting first; what stays without a
partner counts against them by its length, less in a name that is longer altogether. Words that every company has
(Inc, GmbH, 有限公司) count for little, and words that are only nearly equal count as far as their letters agree.
"""

from __future__ import annotations

from functools import cache

from spira.unify.matching.nicknames import roots
from spira.unify.matching.text import HAN, fold, sound, syllables

ALIKE = 0.7  # from here two names are taken for one, unless the caller knows better (benchmarks/matching.py)
_STRICT = 2  # how fast a word that is only nearly equal loses
_CLASH = 0.82  # each name has a word that the other lacks: Frederik Richter, Frank Richter
_LEGAL = {
    each: kind
    for kind, words in {
        "llc": "llc l.l.c ooo sarl srl spzoo gmbh bv doo",
        "ltd": "ltd limited pty pte pvt private co company",
        "inc": "inc incorporated corp corporation",
        "plc": "plc pjsc pao jsc ojsc oao ao zao sa ag nv spa ab as asa oyj se",
        "stock": "aktiengesellschaft public open joint stock",
        "lp": "lp llp kg partnership",
    }.items()
    for each in words.split()
}
_TITLES = frozenset("mr mrs ms miss dr prof sir dame lord lady rev sheikh haji qari mullah maulvi".split())
_SONS = frozenset(("bin", "ibn", "ben"))
_SMALL = frozenset("al el bin ben ibn von van de der den da di la le the of and und for".split())


def alike(one: str, other: str) -> float:
    """From 0 (nothing in common) to 1 (the same name, whatever the order, the marks and the script)."""
    first, second = words(one), words(other)
    if not first or not second:
        return 0.0
    best = sorted(
        ((likeness(a, b), i, j) for i, a in enumerate(first) for j, b in enumerate(second)), key=lambda each: -each[0]
    )
    left, right = set(range(len(first))), set(range(len(second)))
    agreed = 0.0
    for score, i, j in best:
        if score < 0.6:
            break
        if i in left and j in right:
            left.discard(i)
            right.discard(j)
            agreed += score**_STRICT * (_weight(first[i]) + _weight(second[j]))
    whole = sum(map(_weight, first)) + sum(map(_weight, second))
    lone_left, lone_right = sum(_weight(first[i]) for i in left), sum(_weight(second[j]) for j in right)
    # A name that only has further words is nearer than two names that each have a word of their own.
    forgiven = 0.5 * abs(lone_left - lone_right) if min(lone_left, lone_right) == 0 and _enough(first, second) else 0.0
    apart = agreed / (whole - forgiven) if whole > forgiven else 0.0
    if any(map(_tells, (first[i] for i in left))) and any(map(_tells, (second[j] for j in right))):
        apart *= _CLASH
    return max(min(apart, 1.0), _joined(first, second))


def words(name: str) -> list[str]:
    """A name's words in Latin letters, without titles; initials that stand together are one word."""
    folded = fold(name.replace("&", " and ").replace(".", "" if _dotted(name) else " "))
    if HAN.search(folded):
        return [read for each in folded.replace(" ", "") for read in syllables(each)]
    made = [("".join(syllables(word))).lower() for word in folded.split()]
    return [word for word in made if word and word not in _TITLES] or made


@cache
def likeness(one: str, other: str) -> float:
    """How alike two words are: 1 equal, less by the edits that part them; short forms and initials are near."""
    if one == other:
        return 1.0
    if one in _SONS and other in _SONS:
        return 1.0
    if one in _LEGAL and other in _LEGAL:
        return 0.95 if _LEGAL[one] == _LEGAL[other] else 0.8
    if not roots(one).isdisjoint(roots(other)):
        return 0.95
    if any(each.isdigit() for each in one + other):
        return 0.0
    if min(len(one), len(other)) == 1:
        return 0.85 if one[0] == other[0] else 0.0
    far = distance(one, other)
    score = 1 - far / max(len(one), len(other))
    if sound(one) == sound(other) and len(one) > 3:
        score = max(score, 0.5 + score / 2)
    return score


def distance(one: str, other: str) -> int:
    """Letters to change, leave out, put in or exchange with their neighbour to make one word of the other."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


def _weight(word: str) -> float:
    if word in _LEGAL:
        return 0.5
    return 1.0 if word in _SMALL else 2.0 + len(word) ** 0.5 if len(word) > 1 else 1.5


def _tells(word: str) -> bool:
    """Whether a word without a partner speaks against: an initial does, a particle or a form of company does not."""
    return len(word) != 2 and word not in _LEGAL and word not in _SMALL


def _enough(first: list[str], second: list[str]) -> bool:
    """Whether the shorter name has two words that tell: one word is within too many names."""
    return min(sum(1 for each in name if each not in _LEGAL and len(each) > 1) for name in (first, second)) >= 2


def _joined(first: list[str], second: list[str]) -> float:
    """The likeness of both names without spaces, for words that were run together."""
    one, other = "".join(first), "".join(second)
    if one[:3] != other[:3] or any(each.isdigit() for each in one + other):
        return 0.0
    return max(0.0, 1 - 1.5 * distance(one, other) / max(len(one), len(other)))


def _dotted(name: str) -> bool:
    """Whether points only abbreviate, as in L.L.C. and U.S."""
    return all(len(part) <= 1 for word in name.split() if "." in word.strip(".") for part in word.strip(".").split("."))
