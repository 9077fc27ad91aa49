"""Pools of plausible invented names; nothing here names a person or a real address."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ARTERIALS = _words(
    "人民路 建设大道 解放路 中山路 迎宾大道 和平路 新华路 长江路 文化路 东风大道 胜利路 "
    "黄河路 工农路 朝阳大道 环城路 友谊路 滨湖大道 科技大道 青年路 体育路 光明路 团结大道 "
    "南湖路 北苑路"
)

WORDS = _words(
    "桂花 梧桐 银杏 玉兰 海棠 芙蓉 紫薇 丁香 翠竹 青松 枫林 柳荫 荷塘 梅园 兰亭 菊香 "
    "望江 临湖 听泉 观澜 清溪 石桥 古井 鼓楼 书院 学府 文昌 崇文 明德 致远 仁和 永安 "
    "长宁 泰和 福兴 瑞祥 吉庆 安康 顺达 通达 振兴 富民 创业 勤俭 劳动 育才 求实 曙光 "
    "晨光 彩虹 凤凰 麒麟 金鹿 白鹭 锦江 秀水 碧波 金沙 玉泉 龙泉 云栖 松涛 竹溪 莲花 "
    "牡丹 月季 茉莉 杏林 桃源 榆树 槐荫 樱花"
)

COMMUNITIES = _words(
    "幸福 和平 光明 建设 新华 团结 胜利 友谊 朝阳 东风 向阳 前进 红星 永安 长宁 泰安 "
    "福源 瑞安 祥和 安康 康乐 仁和 德兴 文昌 学苑 书香 鼓楼 钟楼 石桥 古井 柳巷 桂苑 "
    "梧桐 银杏 玉兰 海棠 芙蓉 紫薇 丁香 翠竹 青松 枫桥 荷塘 梅园 兰亭 望江 临湖 清泉 "
    "南湖 北苑 东城 西园 金桥 银河 彩虹 凤凰 麒麟 白鹭 锦江 秀水 碧波 金沙 玉泉 云栖 "
    "松涛 竹溪 莲花 桃源 榆林 槐荫 樱花 杏林 晨光 曙光 振兴 富强 民主 文明 和谐 春晖 "
    "丰泽 丰乐 常青 万寿 天宁 龙泉 迎春 清河 滨江 站前"
)

SUBDISTRICTS = _words("城中街道 城东街道 河西街道 新桥街道 南湖街道 北苑街道 开源街道")

ESTATES = _words(
    "锦绣 阳光 碧水 金色 翡翠 香樟 橡树 水岸 江南 东方 世纪 时代 御景 盛世 丽景 鸿福 "
    "天和 万和 景泰 华庭 星河 云顶 蓝湾 紫金 润泽 嘉禾 雅致 逸品 中央 康桥 明珠 绿洲 "
    "春江 枫丹 泊林 半岛 观湖 领秀 名仕 书香 汇丰 恒泰 同景 润园 海悦 尚品"
)

ESTATE_ENDS = _words("花园 家园 华庭 名苑 雅苑 豪庭 府 公馆 新城 湾")

WORKPLACES = _words(
    "第一纺织厂 第二棉纺厂 轴承厂 化肥厂 机床厂 搪瓷厂 丝绸厂 印染厂 农机厂 造纸厂 粮食局 "
    "供销社 邮电局 物资局 商业局 航运公司 建筑公司 运输公司 自来水公司 百货公司 水泥厂 玻璃厂 "
    "仪表厂 食品厂 啤酒厂 钢铁厂 电机厂 橡胶厂 制药厂 第二中学"
)

NUMERALS = "一二三四五六七八九十"


def numeral(number: int) -> str:
    """Return 1 to 99 in Chinese numerals."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("十" if tens == 1 else NUMERALS[tens - 1] + "十")
    return head + (NUMERALS[ones - 1] if ones else "")


def shuffled(heads: Iterable[str], ends: Iterable[str], rng: np.random.Generator) -> list[str]:
    """Return every head with every ending, ending by ending, each time in a new order."""
    pool: list[str] = []
    heads = list(heads)
    for end in ends:
        pool += [heads[i] + end for i in rng.permutation(len(heads))]
    return list(dict.fromkeys(pool))


def street_names(rng: np.random.Generator) -> list[str]:
    """Names for streets, all different."""
    return shuffled(WORDS, ["路", "街", "东路", "西路", "南街", "北街", "中路"], rng)


def alley_names(rng: np.random.Generator) -> list[str]:
    """Names for alleys, all different."""
    ends = [
        "巷",
        "里",
        "弄",
        "胡同",
        *(f"{NUMERALS[i]}巷" for i in range(6)),
        *(f"{NUMERALS[i]}弄" for i in range(6)),
    ]
    return shuffled(WORDS, ends, rng)


def estate_names(rng: np.random.Generator) -> list[str]:
    """Names for estates built for sale, all different."""
    pool = [a + b for a, b in product(ESTATES, ESTATE_ENDS)]
    return [pool[i] for i in rng.permutation(len(pool))]


def village_names(rng: np.random.Generator) -> list[str]:
    """Names for older estates, all different."""
    return shuffled(WORDS, ["新村", "小区", "苑", "一村", "二村", "北村", "南村", "东村"], rng)


def workplace_names(rng: np.random.Generator) -> list[str]:
    """Names for the housing of a workplace, all different."""
    return shuffled(WORKPLACES, ["宿舍", "家属院", "东宿舍", "西宿舍", "二宿舍", "三宿舍"], rng)
