"""Names of people as parts that can be compared: family and given name, written and in Latin letters.

Chinese names are split by the list of compound surnames and read with the readings that surnames have (单 is shan,
not dan); names of other scripts are read in Latin letters. `Surname, Given` is understood; a pinyin name with the
surname in front is turned; which order a record used is otherwise left to the comparison, which tries both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from spira.unify.matching.needs import need
from spira.unify.matching.nicknames import roots
from spira.unify.matching.text import HAN, fold, latin, syllables

COMPOUND = frozenset(
    "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 "
    "太叔 申屠 公孙 慕容 "
    "仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 "
    "拓跋 夹谷 轩辕 令狐 "
    "段干 百里 呼延 东郭 南门 羊舌 微生 公户 公玉 梁丘 左丘 东门 西门 第五 阿史那 爱新觉罗 叶赫那拉 纳兰 "
    "完颜 耶律 欧陽".split()
)
READINGS = {
    "单": "shan",
    "曾": "zeng",
    "解": "xie",
    "仇": "qiu",
    "查": "zha",
    "区": "ou",
    "朴": "piao",
    "任": "ren",
    "华": "hua",
    "盖": "ge",
    "乐": "yue",
    "覃": "qin",
    "翟": "zhai",
    "缪": "miao",
    "冼": "xian",
    "员": "yun",
    "秘": "bi",
    "种": "chong",
    "谌": "chen",
    "祭": "zhai",
    "黑": "he",
    "逄": "pang",
    "么": "yao",
    "召": "shao",
    "繁": "po",
    "车": "che",
    "折": "she",
    "句": "gou",
    "盛": "sheng",
    "牟": "mu",
    "柏": "bai",
    "薄": "bo",
    "尉": "wei",
    "宁": "ning",
    "葛": "ge",
    "燕": "yan",
    "应": "ying",
    "哈": "ha",
    "尹": "yin",
    "吕": "lv",
    "万俟": "mo qi",
    "尉迟": "yu chi",
    "长孙": "zhang sun",
    "澹台": "tan tai",
    "单于": "chan yu",
    "乐正": "yue zheng",
}
_HONORIFIC = re.compile(r"(先生|女士|小姐|太太|老师|同学|经理|总|阿姨|大哥|师傅)$")
_TITLE = re.compile(r"^(mr|mrs|ms|miss|dr|prof|sir|dame|lady|lord|rev|herr|frau|mme|sr|sra)\s+(?=\S)")
_SUFFIX = re.compile(r"\s+(jr|sr|ii|iii|iv|phd|md|esq)$")
_PARTICLES = frozenset(
    "van von de der den del della di da dos du la le el al bin ben ibn abu ter ten zu zur st".split()
)


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name: parts in Latin letters, and as they were written (folded); None where nothing is known."""

    given: str | None
    family: str | None
    given_written: str | None
    family_written: str | None


_NOBODY = Name(None, None, None, None)


def split(text: str) -> Name:
    """A whole name as its parts."""
    if HAN.search(text):
        return _chinese(text)
    before, comma, after = text.partition(",")
    if comma and after.strip() and not _SUFFIX.search(" " + fold(after)):
        return from_parts(after, before)
    folded = _SUFFIX.sub("", _TITLE.sub("", latin(text)))
    words = folded.split()
    if len(words) < 2:
        return Name(None, folded or None, None, folded or None)
    if len(words) <= 3 and words[0] in _pinyin_surnames() and all(map(_is_pinyin, words)):
        if words[-1] not in _pinyin_surnames() or len(words) == 3:
            words = [*words[1:], words[0]]
        return _made("".join(words[:-1]), words[-1])
    start = len(words) - 1
    while start > 1 and words[start - 1] in _PARTICLES:
        start -= 1
    return _made(" ".join(words[:start]), " ".join(words[start:]))


def from_parts(given: str | None, family: str | None) -> Name:
    """A name that came in two columns."""
    if given and family and HAN.search(given) and HAN.search(family):
        return _chinese(fold(family) + fold(given)) if len(given) + len(family) <= 4 else split(family + given)
    first, last = latin(given or ""), latin(family or "")
    first = _TITLE.sub("", first)
    return Name(first or None, last or None, fold(given or "") or None, fold(family or "") or None)


def root(given: str | None) -> str | None:
    """The name that a short form stands for: bob and rob are robert; any other name is its own first word."""
    if not given:
        return None
    first = given.split()[0]
    return min(roots(first))


def _made(given: str, family: str) -> Name:
    return Name(given or None, family or None, given or None, family or None)


def _chinese(text: str) -> Name:
    bare = _HONORIFIC.sub("", fold(text).replace(" ", ""))
    if not bare:
        return _NOBODY
    if len(bare) > 4 or not all(HAN.match(each) for each in bare):
        words = [" ".join(syllables(word)).replace(" ", "") for word in re.split(r"[·•・\s]+", text) if word]
        whole = bare
        return Name(" ".join(words[:-1]) or None, words[-1] if words else None, whole[:-1] or None, whole[-1:] or None)
    length = 2 if len(bare) > 2 and bare[:2] in COMPOUND else 1
    family, given = bare[:length], bare[length:]
    read = READINGS.get(family) or " ".join(syllables(family))
    return Name("".join(syllables(given)) or None, read.replace(" ", ""), given or None, family)


@cache
def _pinyin_surnames() -> frozenset[str]:
    return frozenset(
        "wang li zhang liu chen yang zhao huang zhou wu xu sun hu zhu gao lin he guo ma luo liang song zheng xie han "
        "tang feng yu dong xiao cheng cao yuan deng fu shen zeng peng lv lyu su lu jiang cai jia ding wei xue ye yan "
        "pan du dai xia zhong wang tian ren fan fang shi yao tan liao zou xiong jin hao kong bai cui kang mao qiu qin "
        "gu hou shao meng long wan duan lei qian yin li chang wu qiao he lai gong wen ouyang shan piao".split()
    )


@cache
def _is_pinyin(word: str) -> bool:
    """Whether a word is one or two pinyin syllables."""
    known = _pinyin_syllables()
    return word in known or any(word[:cut] in known and word[cut:] in known for cut in range(1, len(word)))


@cache
def _pinyin_syllables() -> frozenset[str]:
    seen = need("pypinyin.constants").PINYIN_DICT
    lazy = need("pypinyin").lazy_pinyin
    return frozenset(lazy(chr(code))[0] for code in range(0x4E00, 0x9FA6) if code in seen)
