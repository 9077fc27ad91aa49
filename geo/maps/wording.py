"""Every word of the map page, in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Lang = Literal["zh", "en"]

WORDS: dict[str, tuple[str, str]] = {
    "title": ("网格划分方案", "Grid plan"),
    "grids": ("网格", "Grids"),
    "households": ("居民户数", "Households"),
    "persons": ("人口", "Persons"),
    "mean": ("平均规模", "Mean size"),
    "per-grid": ("户/网格", "per grid"),
    "in-band-share": ("达标网格", "In band"),
    "communities": ("社区", "Communities"),
    "community": ("社区", "Community"),
    "code": ("网格编码", "Grid code"),
    "name": ("名称", "Name"),
    "buildings": ("楼栋", "Buildings"),
    "deviation": ("与目标偏差", "Off target"),
    "band": ("是否达标", "In band"),
    "yes": ("达标", "Yes"),
    "above": ("偏多", "Above"),
    "below": ("偏少", "Below"),
    "layer-grids": ("网格", "Grids"),
    "layer-out": ("未达标网格", "Out-of-band grids"),
    "layer-communities": ("社区边界", "Community borders"),
    "layer-buildings": ("楼栋", "Buildings"),
    "layer-stations": ("服务站点", "Stations"),
    "layer-circles": ("服务圈", "Service circles"),
    "layer-isochrones": ("步行可达范围", "Walking reach"),
    "layer-reach": ("楼栋步行分钟", "Walking minutes"),
    "layer-gaps": ("未覆盖住户", "Uncovered households"),
    "legend": ("图例", "Legend"),
    "legend-grids": ("网格（颜色只为区分相邻网格）", "Grids (colours only tell neighbours apart)"),
    "legend-above": ("户数高于区间", "Households above the band"),
    "legend-below": ("户数低于区间", "Households below the band"),
    "legend-community": ("社区边界", "Community border"),
    "legend-range": ("楼栋户数", "Households in a building"),
    "legend-circle": ("服务圈范围（直线距离）", "Service circle (straight line)"),
    "legend-isochrone": ("步行可达范围（示意）", "Walking reach (a sketch)"),
    "legend-reach": ("楼栋步行分钟（所选类别）", "Walking minutes of a building (chosen category)"),
    "legend-gap": ("未覆盖住户（圆越大户数越多）", "Uncovered households (larger: more)"),
    "gaps-drawn": ("已绘制未覆盖楼栋", "Uncovered buildings drawn"),
    "search": ("查找网格", "Find a grid"),
    "search-hint": ("输入编码或名称", "Code or name"),
    "search-go": ("定位", "Go"),
    "search-none": ("没有找到：", "Not found: "),
    "search-many": ("匹配多个网格，请输入更多：", "Several grids match, type more: "),
    "search-found": ("已定位：", "Found: "),
    "service": ("服务类别", "Service category"),
    "service-all": ("全部类别", "All categories"),
    "covered": ("已覆盖", "Covered"),
    "radius": ("服务半径", "Radius"),
    "walk-limit": ("步行上限", "Walking limit"),
    "circle-claims": ("直线圆多算", "The circle over-claims"),
    "undecided": ("未接入路网", "Off the network"),
    "sketch-error": (
        "可达范围示意误差：圈内走不到 / 圈外走得到",
        "Sketch error: inside not reached / outside reached",
    ),
    "minutes": ("步行分钟", "Walking minutes"),
    "unit-min": ("分钟", "min"),
    "no-way": ("走不到", "no way"),
    "missing": ("缺少服务", "Out of reach"),
    "building": ("楼栋编号", "Building"),
    "station": ("站点", "Station"),
    "category": ("类别", "Category"),
    "grid": ("所属网格", "Grid"),
    "zoom-in": ("放大", "Zoom in"),
    "zoom-out": ("缩小", "Zoom out"),
    "list-mark": ("、", ", "),
    "unit-m": ("米", "m"),
    "unit-hh": ("户", "households"),
}


@dataclass(frozen=True)
class Wording:
    """Words of one language, with the other one at hand for the legend."""

    lang: Lang

    def __call__(self, key: str) -> str:
        """Return the word in this language."""
        return WORDS[key][0 if self.lang == "zh" else 1]

    def other(self, key: str) -> str:
        """Return the word in the other language."""
        return WORDS[key][1 if self.lang == "zh" else 0]

    @property
    def html_lang(self) -> str:
        """Value of the page's ``lang`` attribute."""
        return "zh-Hans" if self.lang == "zh" else "en"
