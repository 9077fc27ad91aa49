"""The siting problem: demand, candidate sites, existing stations, and what is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from geo.errors import GeoError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.siting.rows import SparseRows

Model = Literal["lscp", "mclp", "pmedian"]

MODELS: tuple[Model, ...] = get_args(Model)

UNIT_M = 0.01
"""Distances of the p-median are rounded to this, so that its sums are exact."""


@dataclass(frozen=True)
class SitingProblem:
    """Where to open new stations, given the ones there are.

    Every site opened houses a station of each category asked for, so that a pair (demand row, category) is covered
    when an existing station of that category or any opened site is in reach. With w[i, k] the weight of a pair,
    R(i) the candidates in reach of demand row i, and only pairs that no existing station covers in the sums:

    ``lscp``
        minimise ``sum_j x[j]`` such that ``sum of x[j] over R(i) >= 1`` for every row with weight and with R(i) not
        empty (Toregas and others 1971). What nobody can cover is reported, not hidden.
    ``mclp``
        maximise ``sum_ik w[i, k] z[i]`` such that ``z[i] <= sum of x[j] over R(i)``, ``sum_j x[j] <= p``
        (Church and ReVelle 1974). With a capacity Q, households are handed out: maximise ``sum_ij f[i, j]`` such
        that ``sum_j f[i, j] <= w[i]``, ``sum_i f[i, j] <= Q x[j]``; homes of one building may go to different
        sites, and existing stations serve whatever they reach.
    ``pmedian``
        minimise ``sum_ik w[i, k] min(d[i, existing k], min d[i, j] over open j, penalty)``, ``sum_j x[j] <= p``
        (ReVelle and Swain 1970). A pair with nothing in reach counts `penalty_m`.

    Attributes
    ----------
    model
        One of `MODELS`.
    weight
        int64, shape (demand, categories): households.
    reach
        Candidates by demand, metres; only pairs within the walking limit.
    existing_m
        float64, shape (demand, categories): metres to the nearest existing station within the limit, else inf.
    limit_m
        The walking limit, metres.
    p
        Most sites to open; not used by ``lscp``.
    capacity
        Most households a new site serves; ``mclp`` with one category only.
    penalty_m
        Metres that a household without any station in reach counts in the p-median; at least the limit; by default
        twice the limit.

    Raises
    ------
    GeoError
        ``siting-unknown-model``, ``siting-no-candidates``, ``siting-no-demand``, ``siting-bad-p``,
        ``siting-negative-demand``, ``siting-capacity``, ``siting-penalty``.
    ValueError
        If the shapes do not fit each other.
    """

    model: Model
    weight: NDArray[np.int64]
    reach: SparseRows
    existing_m: NDArray[np.float64]
    limit_m: float
    p: int = 1
    capacity: int | None = None
    penalty_m: float | None = None

    def __post_init__(self) -> None:
        shape = (self.reach.n_columns, self.weight.shape[1] if self.weight.ndim == 2 else -1)
        if self.weight.shape != shape or self.existing_m.shape != shape:
            raise ValueError(f"weight {self.weight.shape}, existing_m {self.existing_m.shape}, not {shape}")
        for check in (_check_model, _check_rows, _check_p, _check_capacity, _check_penalty):
            check(self)

    @property
    def penalty(self) -> float:
        """Metres that a household with nothing in reach counts in the p-median."""
        return 2.0 * self.limit_m if self.penalty_m is None else float(self.penalty_m)

    @property
    def wanting(self) -> NDArray[np.int64]:
        """int64, shape (demand,): weight that no existing station covers, over all categories."""
        return np.where(np.isfinite(self.existing_m), 0, self.weight).sum(axis=1)


def _check_model(problem: SitingProblem) -> None:
    if problem.model not in MODELS:
        known = "、".join(MODELS)
        raise GeoError(
            "siting-unknown-model",
            f"没有选址模型“{problem.model}”，可用的有：{known}。",
            f'There is no siting model "{problem.model}"; use one of {", ".join(MODELS)}.',
        )


def _check_rows(problem: SitingProblem) -> None:
    if not problem.reach.n:
        raise GeoError(
            "siting-no-candidates",
            "没有候选站址，无法选址。请加入 candidates 图层，或改用楼栋、空单元作候选。",
            "There are no candidate sites. Add a candidates layer, or take buildings or empty cells as candidates.",
            layer="candidates",
        )
    if not len(problem.weight):
        raise GeoError(
            "siting-no-demand",
            "没有任何需求（楼栋），无法选址。请检查 buildings 图层。",
            "There is no demand to site for. Check the buildings layer.",
            layer="buildings",
        )
    rows = np.flatnonzero((problem.weight < 0).any(axis=1))
    if len(rows):
        raise GeoError(
            "siting-negative-demand",
            f"{len(rows)} 行需求的户数小于 0，首先是第 {rows[0] + 1} 行。请改正户数。",
            f"{len(rows)} rows of demand are below 0, the first is row {rows[0] + 1}. Correct the households.",
            layer="buildings",
            row=int(rows[0]) + 1,
        )


def _check_p(problem: SitingProblem) -> None:
    if problem.model != "lscp" and problem.p < 1:
        raise GeoError(
            "siting-bad-p",
            f"新建站点数 p 应为正整数，当前为 {problem.p}。",
            f"The number of new stations p must be 1 or more; it is {problem.p}.",
        )


def _check_capacity(problem: SitingProblem) -> None:
    if problem.capacity is None:
        return
    if problem.capacity < 1:
        zh = f"站点容量应为正整数，当前为 {problem.capacity}。"
        en = f"The capacity of a station must be 1 or more households; it is {problem.capacity}."
    elif problem.model != "mclp" or problem.weight.shape[1] != 1:
        zh = "容量只用于 mclp 模型且一次一个服务类别。请去掉容量，或改用 mclp 并只选一个类别。"
        en = "A capacity goes with the model mclp and one category. Leave it out, or use mclp with one category."
    else:
        return
    raise GeoError("siting-capacity", zh, en)


def _check_penalty(problem: SitingProblem) -> None:
    if problem.penalty_m is None or (
        math.isfinite(problem.penalty_m) and problem.penalty_m >= problem.limit_m
    ):
        return
    raise GeoError(
        "siting-penalty",
        f"无站可达的计算距离应不小于步行上限 {problem.limit_m:.0f} 米，当前为 {problem.penalty_m}。",
        f"The penalty distance must be at least the walking limit of {problem.limit_m:.0f} m; "
        f"it is {problem.penalty_m}.",
    )
