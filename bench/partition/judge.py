"""One row of figures for an assignment, whoever made it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from geo.partition import ceiling, score


@dataclass(frozen=True)
class Row:
    """An engine's figures, or why there are none; or a bound on some of them that holds for every engine."""

    title: str
    note: str = ""
    cost: dict | None = None
    figures: dict | None = None
    bound: bool = False


def best_possible(instance):
    """Return the row of proved ceilings: no plan that keeps these units whole, connected or not, is above them."""
    start = time.process_time()
    best = ceiling(instance.units, instance.standard())
    figures = {name: getattr(best, name) for name in ("in_band", "within_10", "within_20")}
    return Row("proved ceiling", cost={"cpu_s": time.process_time() - start}, figures=figures, bound=True)


def judge(instance, label, *, asked):
    """Return the figures of `geo.partition.score`, with grids that are missing counted as misses.

    Parameters
    ----------
    label
        Grid of each unit.
    asked
        Grids asked for in each part, or None when the engine chose them itself.

    Returns
    -------
    dict
        The fields of `Score`, and ``missing``: grids asked for that have no unit, and grids without households
        in parts that have some. Shares are of the grids asked for.
    """
    units, standard = instance.units, instance.standard()
    figures = score(units, label, standard).to_dict()
    loads, means, missing = [], [], 0
    made = [
        np.bincount(np.unique(label[p.rows], return_inverse=True)[1], weights=p.load) for p in instance.parts
    ]
    count = (
        [len(m) for m in made]
        if asked is None
        else [max(a, len(m)) for a, m in zip(asked, made, strict=True)]
    )
    community = [int(units.community[p.rows[0]]) for p in instance.parts]
    total, grids = {}, {}
    for c, load, k in zip(community, made, count, strict=True):
        total[c] = total.get(c, 0.0) + load.sum()
        grids[c] = grids.get(c, 0) + k
    for c, load, k in zip(community, made, count, strict=True):
        loads.append(np.pad(load, (0, k - len(load))))
        means.append(np.full(k, max(total[c] / grids[c], 1.0)))
        missing += int((loads[-1] == 0).sum()) if load.sum() > 0 else k - len(load)
    load, mean = np.concatenate(loads), np.concatenate(means)
    figures["grids"] = len(load)
    figures["missing"] = missing
    figures["in_band"] = float(((load >= standard.min) & (load <= standard.max)).mean())
    for name, base in (("", standard.target), ("_of_mean", mean)):
        off = np.abs(load / base - 1.0)
        for percent in (10, 20):
            figures[f"within_{percent}{name}"] = float((off <= percent / 100 + 1e-9).mean())
    return figures
