"""What is asked of a coverage, checked and brought to one form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import GeoError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_MINUTES = 15.0

DEFAULT_SPEED_M_PER_MIN = 66.7
"""4.0 km/h: about 1,000 m in 15 minutes, the outer distance of the 15-minute circle (GB 50180)."""

ELDERLY_SPEED_M_PER_MIN = 48.0
"""0.8 m/s, an older person's walk: an assumption, not taken from a standard."""


@dataclass(frozen=True)
class Question:
    """What is asked of the stations.

    Attributes
    ----------
    categories
        Categories wanted, in order.
    minutes
        Default walking time.
    category_minutes
        float64, shape (categories,).
    speeds
        Walking speeds in metres a minute; the first is the main one.
    """

    categories: tuple[str, ...]
    minutes: float
    category_minutes: NDArray[np.float64]
    speeds: tuple[float, ...]


def ask(
    labels: Sequence[str],
    *,
    minutes: float | Mapping[str, float],
    speeds: float | Sequence[float],
    categories: Sequence[str] | None,
    allow_new: bool = True,
) -> Question:
    """Check what is asked and bring it to one form.

    Parameters
    ----------
    labels
        Category of every station.
    minutes
        One time for all, or times by category; the key ``""`` is for all others, else `DEFAULT_MINUTES`.
    speeds
        One walking speed or several, metres a minute.
    categories
        Categories wanted, in this order; default those of the stations, sorted.
    allow_new
        False to refuse a category that no station has.

    Raises
    ------
    GeoError
        ``coverage-bad-minutes``, ``coverage-bad-speed``, ``coverage-unknown-category``.
    """
    known = tuple(sorted(set(labels)))
    wanted = known if categories is None else tuple(dict.fromkeys(categories))
    by_category = dict(minutes) if isinstance(minutes, Mapping) else {"": minutes}
    default = float(by_category.pop("", DEFAULT_MINUTES))
    strange = [name for name in by_category if name not in (*wanted, *known)]
    if not allow_new:
        strange += [name for name in wanted if name not in known]
    if strange:
        raise unknown_category(strange, known)
    for value in (default, *by_category.values()):
        _check_minutes(value)
    all_speeds = tuple(speeds) if isinstance(speeds, Sequence) else (speeds,)
    for speed in all_speeds or (math.nan,):
        _check_speed(speed)
    return Question(
        categories=wanted,
        minutes=default,
        category_minutes=np.array([by_category.get(name, default) for name in wanted], float),
        speeds=tuple(dict.fromkeys(float(speed) for speed in all_speeds)),
    )


def bad_method(method: str) -> GeoError:
    """Return the error for a method that does not exist."""
    return GeoError(
        "coverage-bad-method",
        f"没有计算方法“{method}”，可用：circle、network、detour。",
        f'There is no method "{method}"; use circle, network or detour.',
    )


def unknown_category(strange: Sequence[str], known: Sequence[str]) -> GeoError:
    """Return the error for categories that no station has, naming those there are."""
    zh, en = "、".join(strange), ", ".join(strange)
    return GeoError(
        "coverage-unknown-category",
        f"没有服务类别“{zh}”的站点。现有类别：{'、'.join(known)}。",
        f'No station is of the category "{en}". Categories: {", ".join(known)}.',
        ids=list(strange),
        layer="stations",
    )


def _check_minutes(minutes: float) -> None:
    if not (math.isfinite(minutes) and minutes > 0):
        raise GeoError(
            "coverage-bad-minutes",
            f"步行时间必须大于 0 分钟，当前为 {minutes}。",
            f"The walking time must be above 0 minutes; it is {minutes}.",
        )


def _check_speed(speed: float) -> None:
    if not (math.isfinite(speed) and speed > 0):
        raise GeoError(
            "coverage-bad-speed",
            f"步行速度必须大于 0 米/分钟，当前为 {speed}。",
            f"The walking speed must be above 0 metres a minute; it is {speed}.",
        )
