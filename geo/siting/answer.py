"""The answer of a siting problem, counted from the chosen sites alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.siting.problem import Model, SitingProblem
    from geo.siting.sites import Choice, Stage


@dataclass(frozen=True)
class Siting:
    """Chosen sites, what they bring, and how far the answer is proved.

    Attributes
    ----------
    model
        As asked for.
    stage
        The last stage that worked on the answer.
    chosen
        int32, shape (sites,): rows of the candidates, ascending.
    objective, bound
        ``lscp``: number of sites; ``mclp``: households newly covered, over all categories; ``pmedian``: household
        metres. No answer is better than the bound.
    proved
        Nothing is better than this answer.
    weight
        int64, shape (categories,): all households.
    covered_before, covered_after
        int64, shape (categories,): households with a station in reach; with a capacity, households served.
    out_of_reach
        int64, shape (categories,): households that neither a station nor any candidate reaches.
    gained
        int64, shape (sites,): households newly covered, each counted at one site, the nearest open one; they add up
        to what was gained.
    alone
        int64, shape (sites,): households that would be lost without this one site.
    served
        int64, shape (demand, categories): households covered after.
    nearest
        int32, shape (demand, categories): position in `chosen` of the site that serves a pair, -1 where an existing
        station is as near or nothing is in reach.
    metres
        float64, shape (demand, categories): way to the nearest station, old or new, inf where none is in reach.
    seconds
        By stage, by the caller's clock.
    findings
        E.g. that fewer sites than asked for bring something.
    """

    model: Model
    stage: Stage
    chosen: NDArray[np.int32]
    objective: float
    bound: float
    proved: bool
    weight: NDArray[np.int64]
    covered_before: NDArray[np.int64]
    covered_after: NDArray[np.int64]
    out_of_reach: NDArray[np.int64]
    gained: NDArray[np.int64]
    alone: NDArray[np.int64]
    served: NDArray[np.int64]
    nearest: NDArray[np.int32]
    metres: NDArray[np.float64]
    seconds: Mapping[str, float]
    findings: tuple[Finding, ...] = ()

    @property
    def gap_percent(self) -> float:
        """How far the answer may be from the best one, percent of the better of the two figures; 0 when proved."""
        if self.proved or self.bound == self.objective:
            return 0.0
        larger = max(abs(self.bound), abs(self.objective))
        return 100.0 * abs(self.bound - self.objective) / larger


@dataclass(frozen=True)
class Nearest:
    """Ways after the chosen sites are open: nearest and second nearest of them by demand row."""

    site: NDArray[np.int32]
    metres: NDArray[np.float64]
    reached: NDArray[np.int64]


def nearest_sites(problem: SitingProblem, chosen: NDArray[np.int32]) -> Nearest:
    """Find the nearest chosen site of every demand row, of equals the lowest, and count those in reach."""
    n = problem.reach.n_columns
    picked = problem.reach.rows_at(chosen)
    site, metres = np.full(n, -1, np.int32), np.full(n, np.inf)
    for s in range(len(chosen)):
        column, value = picked.of(s)
        nearer = value < metres[column]
        site[column[nearer]], metres[column[nearer]] = s, value[nearer]
    return Nearest(site, metres, np.bincount(picked.column, minlength=n))


def make_siting(
    problem: SitingProblem,
    choice: Choice,
    seconds: Mapping[str, float],
    *,
    flow: NDArray[np.int64] | None = None,
) -> Siting:
    """Count what the chosen sites bring.

    Parameters
    ----------
    choice
        Its value and bound in the units of `Siting.objective`.
    flow
        With a capacity: int64, shape (demand, sites), households served by each site.
    """
    near = nearest_sites(problem, choice.chosen)
    before = np.isfinite(problem.existing_m)
    newly = ~before & (near.site >= 0)[:, None]
    nearer = (near.metres[:, None] < problem.existing_m) & (near.site >= 0)[:, None]
    n_sites = len(choice.chosen)
    fresh = np.where(newly, problem.weight, 0).sum(axis=1)
    only = np.where(near.reached == 1, fresh, 0)
    inside = near.site >= 0
    gained = np.bincount(near.site[inside], weights=fresh[inside], minlength=n_sites)
    alone = np.bincount(near.site[inside], weights=only[inside], minlength=n_sites)
    served = np.where(before | newly, problem.weight, 0)
    if flow is not None:
        served = np.where(before, problem.weight, flow.sum(axis=1)[:, None])
        gained = flow.sum(axis=0)
    reachable = np.bincount(problem.reach.column, minlength=problem.reach.n_columns) > 0
    return Siting(
        model=problem.model,
        stage=choice.stage,
        chosen=choice.chosen,
        objective=choice.value,
        bound=choice.bound,
        proved=choice.proved,
        weight=problem.weight.sum(axis=0),
        covered_before=np.where(before, problem.weight, 0).sum(axis=0),
        covered_after=served.sum(axis=0),
        out_of_reach=np.where(before | reachable[:, None], 0, problem.weight).sum(axis=0),
        gained=gained.astype(np.int64),
        alone=alone.astype(np.int64),
        served=served.astype(np.int64),
        nearest=np.where(nearer, near.site[:, None], -1).astype(np.int32),
        metres=np.minimum(problem.existing_m, near.metres[:, None]),
        seconds=dict(seconds),
        findings=tuple(_findings(problem, choice)),
    )


def _findings(problem: SitingProblem, choice: Choice) -> list[Finding]:
    found = []
    if problem.model != "lscp" and problem.p > problem.reach.n:
        found.append(
            Finding(
                "siting-fewer-candidates",
                "warning",
                "candidates",
                problem.reach.n,
                f"要求新建 {problem.p} 个站，候选站址只有 {problem.reach.n} 个，全部参与选择。",
                f"{problem.p} new stations were asked for, but there are only {problem.reach.n} candidates; "
                "all of them were considered.",
            )
        )
    if problem.model != "lscp" and len(choice.chosen) < min(problem.p, problem.reach.n):
        found.append(
            Finding(
                "siting-fewer-sites",
                "info",
                "candidates",
                len(choice.chosen),
                f"{len(choice.chosen)} 个新站已达到最好效果，再多的站不再增加效果。",
                f"{len(choice.chosen)} new stations already do all that can be done; more of them add nothing.",
            )
        )
    return found
