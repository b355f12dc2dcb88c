"""Dirty records of made-up people, with the truth: to try probable matching on.

Chinese records have a name (now and then in traditional characters or pinyin), a phone number, an e-mail address, a
date of birth and an address as people write it; Western ones a given and a family name, a date of birth, a town, a
post code and a job. Every error is drawn from a seed, so a table can be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英华玉萍红玲辉建国文志海峰浩宇轩梓涵子怡欣雨晨佳俊博雅"
    "思嘉诗琪梦瑶天一鑫鹏飞宁波晓东春梅雪莲凤云龙庆祥振兴德胜光荣学林成功立新永生金贵"
)
_PLACES = (
    "山东省青岛市市南区 山东省青岛市崂山区 山东省济南市历下区 广东省深圳市福田区 广东省深圳市南山区 "
    "广东省广州市天河区 北京市朝阳区 北京市海淀区 上海市浦东新区 上海市徐汇区 浙江省杭州市西湖区 "
    "江苏省南京市鼓楼区 四川省成都市武侯区 湖北省武汉市洪山区 陕西省西安市雁塔区 河南省郑州市金水区 "
    "湖南省长沙市岳麓区 福建省厦门市思明区 辽宁省大连市沙河口区 重庆市渝中区 天津市南开区 "
    "云南省昆明市五华区 安徽省合肥市蜀山区 广西壮族自治区南宁市青秀区"
).split()
_STREETS = (
    "中山 人民 解放 建设 和平 新华 文化 胜利 民主 友谊 长江 黄河 香港 南京 北京 上海 青年 光明 幸福 迎宾 "
    "滨海 科技 创业 学院 东海 华山"
).split()
_TOWNS = (
    "leeds york bath derby exeter oxford durham truro wells ely lincoln norwich preston ripon salford stoke dover luton"
).split()
_JOBS = "painter writer politician farmer engineer composer lawyer actor priest soldier teacher physician".split()
_FIRST = (
    "john william george thomas james robert henry edward charles joseph richard samuel david peter "
    "arthur walter frederick "
    "alexander daniel hugh mary elizabeth margaret anne jane sarah catherine alice emma florence charlotte ellen martha"
).split()
_ONSETS = "b br c ch d f fl g gr h j k l m n p pr r s sh st t th w wh".split()
_ENDS = (
    "ack ard ell er ett field ford ham ing land ley man mont more nell ock on ridge son ston ton ville well wood worth"
).split()


def chinese(
    records: int,
    *,
    seed: int,
    per_person: float = 1.6,
    surnames: tuple[Sequence[str], Sequence[float]] | None = None,
    given: tuple[Sequence[str], Sequence[float]] | None = None,
) -> pa.Table:
    """A table of `records` rows: name, phone, email, birth_date, address, and `person`, which is the truth.

    `surnames` and `given` (single characters) come with how common each is; a short list of our own stands in.
    """
    rng = np.random.default_rng(seed)
    owner = _owners(rng, records, per_person)
    people = int(owner.max()) + 1
    family = _drawn(rng, surnames or (list(_SURNAMES), [1 / (2 + place) for place in range(len(_SURNAMES))]), people)
    own = given or (list(_GIVEN), [1 / (9 + place) for place in range(len(_GIVEN))])
    first, second = _drawn(rng, own, people), _drawn(rng, own, people)
    single = rng.random(people) < 0.15
    names = [f + a + ("" if one else b) for f, a, b, one in zip(family, first, second, single, strict=True)]
    phones = [f"1{p}{n:09d}" for p, n in zip(rng.integers(3, 10, people), rng.integers(0, 10**9, people), strict=True)]
    users = rng.integers(10**7, 10**10, people)
    days = np.datetime64("1945-01-01") + rng.integers(0, 365 * 62, people).astype("timedelta64[D]")
    homes = _homes(rng, people)
    moved, changed = _homes(rng, people), rng.integers(0, 10**9, people)
    out: dict[str, list[Any]] = {name: [] for name in ("name", "phone", "email", "birth_date", "address")}
    luck = rng.random((records, 12))
    for row, person in enumerate(owner.tolist()):
        dice = luck[row]
        out["name"].append(_name_as_written(names[person], dice[0], rng))
        number = phones[person] if dice[1] > 0.08 else f"{phones[person][:2]}{changed[person]:09d}"
        out["phone"].append(None if dice[2] < 0.2 else typo(number, rng, digits=True) if dice[2] < 0.25 else number)
        mail = f"{users[person]}@qq.com" if person % 3 else f"{users[person] % 10**6}a@163.com"
        out["email"].append(None if dice[3] < 0.5 else typo(mail, rng) if dice[3] < 0.53 else mail)
        day = str(days[person]).replace("-", "")
        out["birth_date"].append(None if dice[4] < 0.3 else _day_as_written(day, dice[5], rng))
        home = homes[person] if dice[6] > 0.12 else moved[person]
        out["address"].append(None if dice[7] < 0.25 else _home_as_written(home, dice[8], rng))
    return pa.table({**out, "person": owner})


def western(records: int, *, seed: int, per_person: float = 8.0) -> pa.Table:
    """A table of `records` rows, many of each person: first_name, surname, dob, birth_place, postcode, gender,
    occupation, and `person`, which is the truth."""
    rng = np.random.default_rng(seed)
    owner = _owners(rng, records, per_person)
    people = int(owner.max()) + 1
    surnames = [a + b for a, b in zip(rng.choice(_ONSETS, 900), rng.choice(_ENDS, 900), strict=True)]
    common = (surnames, [1 / (20 + place) for place in range(len(surnames))])
    first, other = (_drawn(rng, (_FIRST, [1 / (6 + place) for place in range(len(_FIRST))]), people) for _ in range(2))
    family, married = _drawn(rng, common, people), _drawn(rng, common, people)
    days = [str(np.datetime64("1700-01-01") + int(each)) for each in rng.integers(0, 365 * 250, people)]
    towns = _drawn(rng, (_TOWNS, [1 / (4 + place) for place in range(len(_TOWNS))]), people)
    areas = rng.integers(1, 30, people)
    codes = [
        f"{t[:2]}{a} {i}{x}{y}"
        for t, a, i, x, y in zip(
            towns,
            areas,
            rng.integers(1, 9, people),
            rng.choice(list("abdefg"), people),
            rng.choice(list("hjlnpq"), people),
            strict=True,
        )
    ]
    jobs = _drawn(rng, (_JOBS, [1 / (3 + place) for place in range(len(_JOBS))]), people)
    names = ("first_name", "surname", "dob", "birth_place", "postcode", "gender", "occupation")
    out: dict[str, list[Any]] = {name: [] for name in names}
    luck = rng.random((records, 14))
    for row, person in enumerate(owner.tolist()):
        dice = luck[row]
        one = first[person] if dice[0] > 0.12 else other[person]
        out["first_name"].append(
            None if dice[1] < 0.03 else typo(one, rng) if dice[1] < 0.15 else one[:1] if dice[1] < 0.18 else one
        )
        last = family[person] if dice[2] > 0.06 else married[person]
        out["surname"].append(None if dice[3] < 0.03 else typo(last, rng) if dice[3] < 0.18 else last)
        day = days[person] if dice[4] > 0.15 else f"{days[person][:4]}-01-01"
        out["dob"].append(None if dice[5] < 0.15 else typo(day, rng, digits=True) if dice[5] < 0.25 else day)
        out["birth_place"].append(
            None if dice[6] < 0.3 else typo(towns[person], rng) if dice[6] < 0.38 else towns[person]
        )
        near = codes[person] if dice[7] > 0.15 else codes[int(rng.integers(0, people))]
        out["postcode"].append(None if dice[8] < 0.2 else typo(near, rng) if dice[8] < 0.27 else near)
        out["gender"].append(None if dice[9] < 0.3 else "female" if first[person] in _FIRST[20:] else "male")
        out["occupation"].append(None if dice[10] < 0.4 else jobs[person])
    return pa.table({**out, "person": owner})


def typo(text: str, rng: np.random.Generator, *, digits: bool = False) -> str:
    """A text with one character wrong, missing or doubled, or two neighbours exchanged; digits only become digits."""
    if len(text) < 3:
        return text
    place = int(rng.integers(1, len(text) - 1))
    drawn = "0123456789" if digits or text[place].isdigit() else "abcdefghijklmnopqrstuvwxyz"
    letter = drawn[int(rng.integers(0, len(drawn)))]
    ways: tuple[Callable[[], str], ...] = (
        lambda: text[:place] + letter + text[place + 1 :],
        lambda: text[:place] + text[place + 1] + text[place] + text[place + 2 :],
        lambda: text[:place] + text[place + 1 :],
        lambda: text[:place] + letter + text[place:],
    )
    return ways[int(rng.integers(0, 2 if digits else 4))]()


def _owners(rng: np.random.Generator, records: int, per_person: float) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Whose each record is: shuffled, some people once and some often."""
    counts = 1 + rng.poisson(per_person - 1, size=int(records / per_person * 1.3) + 10)
    owner = np.repeat(np.arange(len(counts)), counts)[:records]
    return rng.permutation(owner).astype(np.int64)


def _drawn(rng: np.random.Generator, weighed: tuple[Sequence[str], Sequence[float]], count: int) -> list[str]:
    values, weights = weighed
    share = np.asarray(weights, dtype=float)
    return [values[each] for each in rng.choice(len(values), count, p=share / share.sum())]


def _homes(rng: np.random.Generator, people: int) -> list[str]:
    place, street = rng.integers(0, len(_PLACES), people), rng.integers(0, len(_STREETS), people)
    numbers = [rng.integers(low, high, people) for low, high in ((1, 300), (1, 30), (101, 2900))]
    picked = zip(place, street, *numbers, strict=True)
    return [f"{_PLACES[a]}{_STREETS[b]}路{c}号{d}号楼{e}" for a, b, c, d, e in picked]


_TRADITIONAL = str.maketrans(
    "张刘陈杨赵黄吴孙罗梁郑谢韩冯萧邓许吕苏卢蒋贾叶阎钟谭邹陆顾龙万钱汤贺赖龚"
    "伟丽军艳杰华红辉国志龙庆兴荣学贵兰云凤晓东",
    "張劉陳楊趙黃吳孫羅梁鄭謝韓馮蕭鄧許呂蘇盧蔣賈葉閻鐘譚鄒陸顧龍萬錢湯賀賴龔"
    "偉麗軍艷傑華紅輝國志龍慶興榮學貴蘭雲鳳曉東",
)


def _name_as_written(name: str, dice: float, rng: np.random.Generator) -> str | None:
    if dice < 0.04:
        return None
    if dice < 0.10:
        return name.translate(_TRADITIONAL)
    if dice < 0.13:
        return name[:-1] + _GIVEN[int(rng.integers(0, len(_GIVEN)))]
    if dice < 0.16:
        return name + ("先生" if dice < 0.145 else "女士")
    if dice < 0.18:
        return name[0] + ("先生" if dice < 0.17 else "女士")
    return name


def _day_as_written(day: str, dice: float, rng: np.random.Generator) -> str:
    if dice < 0.03:
        day = day[:4] + day[6:] + day[4:6]
    elif dice < 0.07:
        day = typo(day, rng, digits=True)
    elif dice < 0.10:
        day = day[:4] + "0101"
    return (
        f"{day[:4]}-{day[4:6]}-{day[6:]}"
        if dice < 0.6
        else f"{day[:4]}年{day[4:6]}月{day[6:]}日"
        if dice < 0.8
        else day
    )


def _home_as_written(home: str, dice: float, rng: np.random.Generator) -> str:
    if dice < 0.25:
        home = home[home.index("省") + 1 :] if "省" in home else home
    elif dice < 0.40:
        home = home.replace("省", "").replace("市", "", 1)
    elif dice < 0.50:
        home = home.split("号楼")[0]
    if 0.45 < dice < 0.55:
        home = typo(home, rng, digits=True) if home[-2].isdigit() else home
    return home
