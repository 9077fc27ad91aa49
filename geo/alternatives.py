"""Alternatives: several plans of one city, each by other weights of the same aims, and which are worth having."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.partition import Weights, score
from geo.search import Search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo.partition import Partition, Score
    from geo.standards import Standard
    from geo.units import Units


@dataclass(frozen=True, slots=True)
class Preset:
    """One choice of weights, with a name.

    Attributes
    ----------
    id
        Stable name, also that of the plan file.
    name_zh, name_en
        Shown to the planner.
    factors
        Multiples of the default weights, by the name of the weight in `geo.partition.Weights`; 1 where not named.
    why_zh, why_en
        What the plan is best at, and what it pays for that.
    """

    id: str
    name_zh: str
    name_en: str
    factors: Mapping[str, float]
    why_zh: str
    why_en: str

    @property
    def weights(self) -> Weights:
        """What the objective pays."""
        usual = Weights()
        return replace(usual, **{name: getattr(usual, name) * k for name, k in self.factors.items()})


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure by which plans are compared.

    Attributes
    ----------
    id
        Name of the column, a field of `geo.partition.Score`.
    name_zh, name_en
        Shown to the planner.
    higher
        True where more is better.
    share
        True for a share of 1, shown in percent.
    """

    id: str
    name_zh: str
    name_en: str
    higher: bool
    share: bool = False


BALANCED = Preset(
    "balanced",
    "户数均衡",
    "Balanced",
    {
        "tolerance": 1.5,  # most of all, grids within 10 % of target
        "even": 2.0,  # and the nearer the better
        "mean": 0.0,  # the target alone counts, not the community's own mean
        "compact": 0.3,  # shape counts little
        "border": 0.4,  # where borders run counts little
    },
    "各网格户数最接近目标；形状让位。",
    "Loads nearest to target; shape gives way.",
)
COMPACT = Preset(
    "compact",
    "形状紧凑",
    "Compact",
    {
        "compact": 6.0,  # roundness above all within the band
        "tolerance": 0.1,  # 10 % off target is fine
        "mean": 0.1,  # and off the community's mean
    },
    "网格形状最紧凑、边界最短；户数只求在区间内。",
    "The roundest grids with the shortest borders; loads only need to be in the band.",
)
ALONG_ROADS = Preset(
    "along-roads",
    "沿道路、保小区",
    "Along roads, compounds whole",
    {
        "split": 2.5,  # a compound that fits stays whole
        "border": 5.0,  # borders through blocks cost five times as much
        "compact": 0.3,  # shape follows the blocks
        "tolerance": 0.2,  # 10 % off target is fine
        "mean": 0.1,  # and off the community's mean
        "alley": 0.3,  # an alley is a good border
        "street": 0.0,  # a street costs nothing
        "arterial": 2.0,  # no grid should cross an arterial,
        "railway": 1.5,  # a railway
        "water": 1.5,  # or water
    },
    "边界尽量沿道路、河流和围墙，小区尽量不拆分；形状让位。",
    "Borders along roads, water and walls, compounds kept whole; shape gives way.",
)

PRESETS: tuple[Preset, ...] = (BALANCED, COMPACT, ALONG_ROADS)
"""The presets a planner gets without asking."""

MEASURES: tuple[Measure, ...] = (
    Measure("in_band", "区间内", "in band", higher=True, share=True),
    Measure("within_10", "±10 % 内", "within 10 %", higher=True, share=True),
    Measure("polsby_popper", "紧凑度", "compactness", higher=True),
    Measure("along_roads", "边界沿道路", "border along roads", higher=True, share=True),
    Measure("compounds_split", "拆分小区", "compounds split", higher=False),
    Measure("crossed_km", "跨越干道铁路河流（公里）", "barriers crossed (km)", higher=False),
)
"""What decides which alternatives are Pareto-optimal."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One plan of several: the preset, the partition and its figures."""

    preset: Preset
    partition: Partition
    score: Score


def alternatives(
    units: Units,
    standard: Standard,
    *,
    presets: Sequence[Preset] = PRESETS,
    search: Search | None = None,
    **options: Any,
) -> list[Alternative]:
    """Divide every community once for each preset.

    Parameters
    ----------
    units, standard
        As for `geo.partition.partition`; the same for every preset, so that only the weights differ.
    presets
        One alternative each, in this order.
    search
        How to run the engine. Its progress is told of units done, of all units times presets.
    options
        Further keywords of `geo.partition.partition`, e.g. ``start`` and ``pinned``, the same for every preset.

    Raises
    ------
    CancelledError
        When the search was cancelled.
    """
    search = search or Search()
    found = []
    for number, preset in enumerate(presets):
        parts = search.step(number, len(presets)).run(units, standard, weights=preset.weights, **options)
        found.append(Alternative(preset, parts, score(units, parts.grid_of_unit, standard)))
    return found


def score_table(found: Sequence[Alternative]) -> pd.DataFrame:
    """Return the figures of the alternatives side by side.

    Returns
    -------
    DataFrame, one row an alternative in the same order: ``id``, ``name_zh``, ``name_en``, ``grids`` (int64), one
    column per `MEASURES`, ``pareto`` (bool: no other is at least as good in all measures and better in one), and
    ``best_in`` (the ids of the measures it leads or shares the lead in, separated by semicolons).
    """
    table = pd.DataFrame(
        {
            "id": [one.preset.id for one in found],
            "name_zh": [one.preset.name_zh for one in found],
            "name_en": [one.preset.name_en for one in found],
            "grids": np.array([one.score.grids for one in found], np.int64),
            **{m.id: np.round([float(getattr(one.score, m.id)) for one in found], 6) for m in MEASURES},
        }
    )
    gains = gains_of(table)
    table["pareto"] = pareto_front(gains)
    leads = gains == gains.max(axis=0, initial=-np.inf)
    ids = np.array([m.id for m in MEASURES])
    table["best_in"] = [";".join(ids[row]) for row in leads]
    return table


def gains_of(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return the measures of a score table turned so that more is better, float64 (rows, measures)."""
    signs = np.array([1.0 if m.higher else -1.0 for m in MEASURES])
    return np.asarray(table[[m.id for m in MEASURES]].to_numpy(np.float64) * signs)


def pareto_front(gains: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which rows no other row dominates.

    Parameters
    ----------
    gains
        Shape (rows, measures), more is better. A row dominates another when it is at least as good in every
        measure and better in one; equal rows do not dominate each other.
    """
    no_worse = (gains[:, None, :] >= gains[None, :, :]).all(axis=2)
    better = (gains[:, None, :] > gains[None, :, :]).any(axis=2)
    return np.asarray(~(no_worse & better).any(axis=0), dtype=np.bool_)


def to_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the score table as JSON-ready records; ``best_in`` becomes a list."""
    records: list[dict[str, Any]] = []
    for row in table.to_dict("records"):
        named = {str(key): value for key, value in row.items()}
        named["best_in"] = [word for word in named["best_in"].split(";") if word]
        records.append(named)
    return records
