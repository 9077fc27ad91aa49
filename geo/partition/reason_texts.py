"""Why a grid is out of the band: one code and one sentence in each language per kind of reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geo.standards import Standard

UNPROVED = ("locked", "not-proved", "not-searched")
"""Codes of grids of which nobody proved that they must be out of the band."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a grid is out of the band, or why no band applies to it.

    Attributes
    ----------
    code
        ``"no-households"``, ``"dedicated"``; by the grid itself ``"unit-too-large"``, ``"compound-kept-whole"``,
        ``"hard-maximum"``, ``"cut-off"``; by the whole part ``"community-too-small"``, ``"part-too-small"``,
        ``"community-total-does-not-divide"``, ``"sizes-do-not-pack"``, ``"neighbours-do-not-pack"``; and one of
        `UNPROVED`.
    proved
        True when the grid is unavoidable: it would be out of the band in every plan, or every division of its part
        into as many grids has as many out of the band.
    zh, en
        One sentence each.
    """

    code: str
    proved: bool
    zh: str
    en: str


def no_households() -> Reason:
    """Say that nobody lives in the part."""
    return Reason(
        "no-households",
        proved=True,
        zh="该部分没有住户，单独成一个网格。",
        en="This part has no households; it is one grid of its own.",
    )


def dedicated() -> Reason:
    """Say that the standard settles the grid, so that no band applies."""
    return Reason(
        "dedicated",
        proved=True,
        zh="驻区单位、园区或商圈楼宇的专属网格，不按规模要求衡量。",
        en="A dedicated grid of an institution, a park or a business area: no size applies.",
    )


def too_large(size: int, standard: Standard, *, kept: bool) -> Reason:
    """Say that one unit is above the maximum by itself, with `kept` a compound of several buildings."""
    zh_unit, en_unit = _words(standard)
    if kept:
        return Reason(
            "compound-kept-whole",
            proved=True,
            zh=f"含一个{size}{zh_unit}的小区，超过上限{standard.max}{zh_unit}，按标准保持完整、不拆分。",
            en=f"Holds a compound of {size} {en_unit}, above the maximum of {standard.max}; the standard keeps it "
            "whole.",
        )
    return Reason(
        "unit-too-large",
        proved=True,
        zh=f"含一个{size}{zh_unit}的单元，仅此一项已超过上限{standard.max}{zh_unit}。",
        en=f"Holds one unit of {size} {en_unit}, by itself above the maximum of {standard.max}.",
    )


def beyond(size: int, unit: int, standard: Standard) -> Reason:
    """Say that a grid with a unit above the maximum is above the hard maximum, and why it must be."""
    zh_unit, en_unit = _words(standard)
    hard = standard.max if standard.hard_max is None else standard.hard_max
    return Reason(
        "hard-maximum",
        proved=True,
        zh=f"含一个{unit}{zh_unit}的单元，超过上限{standard.max}{zh_unit}；只与它相连的其余部分不足{standard.min}"
        f"{zh_unit}，不能单独成网格，只能并入，因此超过硬上限{hard}{zh_unit}（共{size}{zh_unit}）。",
        en=f"Holds a unit of {unit} {en_unit}, above the maximum of {standard.max}; what touches only this unit is "
        f"below the minimum of {standard.min} and has to go with it, so that it is above the hard maximum of "
        f"{hard}: {size} in all.",
    )


def cut_off(size: int, standard: Standard) -> Reason:
    """Say that no connected grid within the band can hold the unit of this size."""
    zh_unit, en_unit = _words(standard)
    return Reason(
        "cut-off",
        proved=True,
        zh=f"含一个{size}{zh_unit}的单元，它与相邻单元的任何连通组合都不在{standard.min}～{standard.max}{zh_unit}内。",
        en=f"Holds a unit of {size} {en_unit} that no connected grid of {standard.min} to {standard.max} can hold, "
        "by the sizes of its neighbours.",
    )


def too_small(total: int, standard: Standard, *, alone: bool) -> Reason:
    """Say that the community is below the minimum in all, or with `alone` unset this part of it."""
    zh_unit, en_unit = _words(standard)
    if alone:
        return Reason(
            "community-too-small",
            proved=True,
            zh=f"整个社区只有{total}{zh_unit}，低于下限{standard.min}{zh_unit}。",
            en=f"The whole community has {total} {en_unit}, below the minimum of {standard.min}.",
        )
    return Reason(
        "part-too-small",
        proved=True,
        zh=f"社区的这一部分与其他部分不相连，只有{total}{zh_unit}，低于下限{standard.min}{zh_unit}。",
        en=f"This part of the community touches no other part and has {total} {en_unit}, below the minimum of "
        f"{standard.min}.",
    )


def does_not_divide(total: int, standard: Standard) -> Reason:
    """Say that no number of grids in the band adds up to the total."""
    zh_unit, en_unit = _words(standard)
    return Reason(
        "community-total-does-not-divide",
        proved=True,
        zh=f"该社区（或其相连部分）共{total}{zh_unit}，无法划分为若干个{standard.min}～{standard.max}{zh_unit}的网格。",
        en=f"The community (or this connected part of it) has {total} {en_unit} in all, which no number of grids "
        f"of {standard.min} to {standard.max} adds up to.",
    )


def sizes_do_not_pack() -> Reason:
    """Say that the loads alone prove it."""
    return Reason(
        "sizes-do-not-pack",
        proved=True,
        zh="这些单元的规模决定了：即使不考虑连通，划分为同样多的网格也无法让更多网格落在范围内。",
        en="The sizes of the units decide it: even without contiguity no division into as many grids has more of "
        "them in the band.",
    )


def neighbours_do_not_pack() -> Reason:
    """Say that the loads and the adjacency prove it."""
    return Reason(
        "neighbours-do-not-pack",
        proved=True,
        zh="单元的规模和相邻关系决定了：任何连通的划分，在网格数相同时都无法让更多网格落在范围内。",
        en="The sizes of the units and which of them touch decide it: no connected division into as many grids has "
        "more of them in the band.",
    )


def locked(size: int, standard: Standard) -> Reason:
    """Say that the grid was locked before the search."""
    zh_unit, en_unit = _words(standard)
    return Reason(
        "locked",
        proved=False,
        zh=f"{size}{zh_unit}；该网格已锁定，本次未重新划分。",
        en=f"{size} {en_unit}; this grid was locked and not divided anew.",
    )


def not_proved(size: int, standard: Standard) -> Reason:
    """Say that the search found nothing better, and that nothing says there is not."""
    zh_unit, en_unit = _words(standard)
    side_zh, side_en = (
        ("低于下限", "below the minimum") if size < standard.min else ("高于上限", "above the maximum")
    )
    limit = standard.min if size < standard.min else standard.max
    return Reason(
        "not-proved",
        proved=False,
        zh=f"{size}{zh_unit}，{side_zh}{limit}{zh_unit}；未找到更好的连通划分，也未证明不可避免。",
        en=f"{size} {en_unit}, {side_en} of {limit}; none better was found, nor proved impossible.",
    )


def above_hard(size: int, standard: Standard) -> Reason:
    """Say that a grid of several units is above the hard maximum, and that nothing says it must be."""
    zh_unit, en_unit = _words(standard)
    hard = standard.max if standard.hard_max is None else standard.hard_max
    return Reason(
        "not-proved",
        proved=False,
        zh=f"由多个单元组成，共{size}{zh_unit}，高于硬上限{hard}{zh_unit}；未找到不增加超范围网格的连通划分，也未证明不可避免。",
        en=f"Several units of {size} {en_unit} together, above the hard maximum of {hard}; no connected division "
        "without it and with no more grids out of the band was found, nor proved impossible.",
    )


def _words(standard: Standard) -> tuple[str, str]:
    return ("户", "households") if standard.measure == "households" else ("人", "persons")
