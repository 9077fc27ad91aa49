"""Policy: every model is held against all subsets of the candidates; proofs, bounds and counts must agree.

Instances are small and full of ties, doubles, zeros and gaps. The stages that a small instance would never reach
(bound, core, integer programme) are reached by switching off the ones before them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import GeoError
from geo.siting import (
    MODELS,
    Siting,
    SitingProblem,
    SparseRows,
    answers,
    bound,
    covering,
    exact,
    merge,
    solve,
    sparse_rows,
)
from geo.siting import capacity as capacity_module
from geo.siting import sites as sites_module
from geo.siting.exact import best_of_few, levels_of
from geo.siting.merge import groups_of_equal, merge_demand, undominated
from geo.siting.search import greedy, interchange, total_saving

LIMIT = 6.0


@st.composite
def problems(draw: st.DrawFn, model: str | None = None, categories: int | None = None) -> SitingProblem:
    n, d = draw(st.integers(1, 8)), draw(st.integers(1, 12))
    k = categories or draw(st.integers(1, 2))
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    near = draw(st.integers(1, 6))
    ways = seed.integers(0, 12, (n, d)).astype(float)
    row, column = np.nonzero(ways <= near)
    existing = np.where(
        seed.random((d, k)) < draw(st.sampled_from([0, 0.2])), seed.integers(0, 4, (d, k)), np.inf
    )
    return SitingProblem(
        model or draw(st.sampled_from(MODELS)),  # type: ignore[arg-type]
        seed.integers(0, 9, (d, k)),
        sparse_rows(row, column, ways[row, column], (n, d)),
        existing,
        LIMIT,
        p=draw(st.integers(1, 4)),
    )


def dense(reach: SparseRows) -> np.ndarray:
    ways = np.full((reach.n, reach.n_columns), np.inf)
    ways[reach.row, reach.column] = reach.value
    return ways


def worth(problem: SitingProblem, chosen: tuple[int, ...]) -> float:
    """Return the objective of some sites, counted straight from its definition; inf where LSCP is not met."""
    ways = dense(problem.reach)
    way = ways[list(chosen)].min(axis=0, initial=np.inf)[:, None]
    before = np.isfinite(problem.existing_m)
    if problem.model == "mclp":
        return float(problem.weight[~before & np.isfinite(way)].sum())
    if problem.model == "lscp":
        needed = ((problem.weight > 0) & ~before).any(axis=1) & np.isfinite(ways).any(axis=0)
        return float(len(chosen)) if np.isfinite(way[needed]).all() else np.inf
    metres = np.minimum(np.minimum(problem.existing_m, way), problem.penalty)
    return float((problem.weight * metres).sum())


def subsets(problem: SitingProblem) -> list[tuple[int, ...]]:
    n = problem.reach.n
    most = n if problem.model == "lscp" else min(problem.p, n)
    return [chosen for size in range(most + 1) for chosen in itertools.combinations(range(n), size)]


def best(problem: SitingProblem) -> float:
    values = [worth(problem, chosen) for chosen in subsets(problem)]
    return max(values) if problem.model == "mclp" else min(values)


def check_counts(problem: SitingProblem, answer: Siting) -> None:
    before = np.isfinite(problem.existing_m)
    way = dense(problem.reach)[answer.chosen].min(axis=0, initial=np.inf)[:, None]
    after = before | np.isfinite(way)
    assert answer.covered_before.tolist() == (problem.weight * before).sum(axis=0).tolist()
    assert answer.covered_after.tolist() == (problem.weight * after).sum(axis=0).tolist()
    assert answer.gained.sum() == (answer.covered_after - answer.covered_before).sum()
    assert np.array_equal(answer.metres, np.minimum(problem.existing_m, way))
    for s in range(len(answer.chosen)):
        rest = np.delete(dense(problem.reach)[answer.chosen], s, axis=0).min(axis=0, initial=np.inf)[:, None]
        lost = after & ~(before | np.isfinite(rest))
        assert answer.alone[s] == (problem.weight * lost).sum()


@settings(max_examples=150, deadline=None)
@given(problems())
def test_every_model_finds_the_best_of_all_subsets(problem: SitingProblem) -> None:
    answer = solve(problem)
    assert answer.proved
    assert answer.gap_percent == 0
    assert answer.objective == pytest.approx(best(problem), abs=1e-6)
    assert answer.objective == pytest.approx(worth(problem, tuple(answer.chosen)), abs=1e-6)
    assert (np.diff(answer.chosen) > 0).all()
    check_counts(problem, answer)


@settings(max_examples=40, deadline=None)
@given(problems())
def test_every_answer_on_the_way_is_honest(problem: SitingProblem) -> None:
    """Each objective is its own sites'; its bound holds for the best; none is worse than the one before."""
    sign = 1 if problem.model == "mclp" else -1
    optimum, last = best(problem), -np.inf
    for answer in answers(problem):
        assert answer.objective == pytest.approx(worth(problem, tuple(answer.chosen)), abs=1e-6)
        assert sign * answer.bound >= sign * optimum - 1e-6
        assert sign * answer.objective >= last - 1e-6
        assert not answer.proved or answer.objective == pytest.approx(optimum, abs=1e-6)
        last = sign * answer.objective


@settings(max_examples=30, deadline=None)
@given(problems(), st.sampled_from([0, 3]), st.sampled_from([1, 100]))
def test_the_integer_programme_finishes_what_the_bound_leaves(
    problem: SitingProblem, rounds: int, core: int
) -> None:
    """With hardly any subgradient steps the core and the integer programme have the work to do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bound.lagrangian, "__kwdefaults__", {"price": None, "rounds": rounds})
        patch.setattr(covering, "ROUNDS", rounds)
        patch.setattr(sites_module, "CORE", core)
        patch.setattr(sites_module, "interchange", lambda savings, chosen, **_: np.sort(chosen)[:-1])
        answer = solve(problem)
    assert answer.proved
    assert answer.objective == pytest.approx(best(problem), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(problems(), st.integers(0, 1000))
def test_the_order_of_rows_does_not_change_the_objective(problem: SitingProblem, seed: int) -> None:
    rng = np.random.default_rng(seed)
    site, home = rng.permutation(problem.reach.n), rng.permutation(problem.reach.n_columns)
    row, column = np.argsort(site)[problem.reach.row], np.argsort(home)[problem.reach.column]
    shape = (problem.reach.n, problem.reach.n_columns)
    shuffled = SitingProblem(
        problem.model,
        problem.weight[home],
        sparse_rows(row, column, problem.reach.value, shape),
        problem.existing_m[home],
        LIMIT,
        p=problem.p,
    )
    assert solve(shuffled).objective == pytest.approx(solve(problem).objective, abs=1e-6)
    assert np.array_equal(solve(problem).chosen, solve(problem).chosen)


def most_served(problem: SitingProblem, chosen: tuple[int, ...]) -> int:
    """Return the maximum flow to some sites: the least cut, over which sites the cut leaves full."""
    reached = np.isfinite(dense(problem.reach))
    cuts = []
    for size in range(len(chosen) + 1):
        for rest in itertools.combinations(chosen, size):
            around = problem.wanting[reached[list(rest)].any(axis=0)].sum()
            cuts.append(int(around) + (problem.capacity or 0) * (len(chosen) - size))
    return min(cuts)


def check_capacity(problem: SitingProblem, answer: Siting) -> None:
    assert answer.proved
    assert answer.objective == max(most_served(problem, chosen) for chosen in subsets(problem))
    assert answer.objective == most_served(problem, tuple(answer.chosen.tolist()))
    assert answer.gained.sum() == answer.objective == (answer.covered_after - answer.covered_before).sum()
    assert (answer.gained <= (problem.capacity or 0)).all()
    assert (answer.served <= problem.weight).all()


@settings(max_examples=60, deadline=None)
@given(problems("mclp", 1), st.integers(1, 25))
def test_with_a_capacity_the_best_flow_of_all_subsets_is_found(problem: SitingProblem, capacity: int) -> None:
    problem = replace(problem, capacity=capacity)
    check_capacity(problem, solve(problem))


@settings(max_examples=25, deadline=None)
@given(problems("mclp", 1), st.integers(1, 25), st.sampled_from([0, 3]))
def test_with_a_capacity_the_integer_programme_is_right(
    problem: SitingProblem, capacity: int, rounds: int
) -> None:
    """With hardly any subgradient steps and a greedy answer of one site short the programme has the work to do."""
    problem = replace(problem, capacity=capacity)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capacity_module, "ROUNDS", rounds)
        patch.setattr(capacity_module, "_greedy", lambda *_, **__: np.empty(0, np.int32))
        check_capacity(problem, solve(problem))


def test_what_the_bound_with_a_capacity_leaves_open_goes_to_the_integer_programme() -> None:
    """The greedy answer serves 23, prices allow 26, and 25 is best: only the integer programme can tell."""
    reached = np.array([[0, 1, 0, 1], [0, 1, 1, 1], [0, 0, 1, 0], [1, 0, 0, 0]])
    row, column = np.nonzero(reached)
    problem = SitingProblem(
        "mclp",
        np.array([[5], [7], [8], [8]]),
        sparse_rows(row, column, np.ones(len(row)), reached.shape),
        np.full((4, 1), np.inf),
        LIMIT,
        p=3,
        capacity=10,
    )
    seen = list(answers(problem))
    assert [(answer.stage, answer.objective) for answer in seen] == [
        ("greedy", 23),
        ("bound", 25),
        ("exact", 25),
    ]
    assert seen[1].bound > 26
    check_capacity(problem, seen[-1])


def line(
    places: Sequence[float], sites: Sequence[float], weight: Sequence[int], **asked: Any
) -> SitingProblem:
    """Return a problem on a line."""
    ways = np.abs(np.subtract.outer(sites, places)).reshape(len(sites), len(places))
    row, column = np.nonzero(ways <= LIMIT)
    reach = sparse_rows(row, column, ways[row, column], ways.shape)
    existing = asked.pop("existing", np.full((len(places), 1), np.inf))
    return SitingProblem(
        asked.pop("model", "mclp"), np.array(weight)[:, None], reach, existing, LIMIT, **asked
    )


def test_of_equal_candidates_the_lowest_row_is_chosen() -> None:
    for model in MODELS:
        assert solve(line([0, 1], [0.5, 0.5, 0.5], [3, 4], model=model)).chosen.tolist() == [0]


def test_existing_stations_count_first() -> None:
    existing = np.array([[1.0], [1.0], [np.inf]])
    answer = solve(line([0, 1, 20], [0, 20], [50, 50, 1], existing=existing))
    assert answer.chosen.tolist() == [1]
    assert (answer.covered_before[0], answer.covered_after[0], answer.objective) == (100, 101, 1)
    assert answer.nearest[:, 0].tolist() == [-1, -1, 0]


def test_what_nobody_reaches_is_reported_and_the_rest_is_covered() -> None:
    answer = solve(line([0, 100], [0], [5, 7], model="lscp"))
    assert (answer.proved, answer.chosen.tolist(), answer.out_of_reach.tolist()) == (True, [0], [7])


def test_when_all_is_covered_no_site_is_opened() -> None:
    for model in MODELS:
        answer = solve(line([0], [0], [5], model=model, existing=np.zeros((1, 1))))
        assert (answer.proved, len(answer.chosen)) == (True, 0)


def test_households_out_of_reach_count_the_penalty() -> None:
    asked = {"model": "pmedian", "p": 1}
    assert solve(line([0, 100], [1], [5, 7], **asked)).objective == 5 * 1 + 7 * 2 * LIMIT
    assert solve(line([0, 100], [1], [5, 7], penalty_m=50.0, **asked)).objective == 5 * 1 + 7 * 50


def test_more_stations_than_candidates_or_use_is_said() -> None:
    answer = solve(line([0, 1], [0, 1], [5, 7], p=9))
    assert [finding.code for finding in answer.findings] == ["siting-fewer-candidates", "siting-fewer-sites"]
    assert len(answer.chosen) == 1


def test_a_full_site_hands_homes_of_one_building_to_another() -> None:
    answer = solve(line([0, 1, 2], [0, 2], [10, 10, 10], p=2, capacity=14))
    assert (answer.objective, answer.gained.tolist(), answer.proved) == (28, [14, 14], True)


def test_a_clock_gives_seconds_by_stage() -> None:
    ticks = itertools.count()
    answer = solve(line([0, 9, 18], [0, 9, 18], [1, 2, 3], p=2), clock=lambda: float(next(ticks)))
    assert answer.seconds["greedy"] > 0


@pytest.mark.parametrize("asked", [{"model": model} for model in MODELS] + [{"capacity": 9}])
@pytest.mark.parametrize("ticks", [0, 1, 3, 8, 20, 50])
def test_when_time_is_over_the_answer_stands_with_its_gap(asked: dict[str, Any], ticks: int) -> None:
    """However early the clock runs out: the answer is its own sites', its bound holds, no programme is begun."""
    rng = np.random.default_rng(5)
    places, sites = rng.integers(0, 60, 40), rng.integers(0, 60, 25)
    problem = line(places.tolist(), sites.tolist(), rng.integers(1, 9, 40).tolist(), p=3, **asked)
    optimum = solve(problem).objective
    begun = []
    with pytest.MonkeyPatch.context() as patch:
        for module in (exact, covering, capacity_module):
            patch.setattr(module, "run_highs", lambda *_, **__: begun.append(1))
        clock = itertools.chain([0.0] * (ticks + 1), itertools.repeat(9.0))
        answer = solve(problem, time_limit_s=5.0, clock=lambda: next(clock))
    sign = 1 if problem.model == "mclp" else -1
    assert not begun
    assert sign * answer.bound >= sign * optimum - 1e-6
    assert sign * answer.objective <= sign * optimum + 1e-6
    assert answer.proved == (answer.gap_percent == 0)
    if problem.capacity is None:
        assert answer.objective == pytest.approx(worth(problem, tuple(answer.chosen)))


def test_large_tables_end_by_steps_and_stay_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without dominance, and with no programme, covering is still whole and its bound holds."""
    rng = np.random.default_rng(7)
    places, sites = rng.uniform(0, 60, 40).tolist(), rng.uniform(0, 60, 25).tolist()
    problem = line(places, sites, [1] * 40, model="lscp")
    optimum = solve(problem).objective
    monkeypatch.setattr(merge, "MOST_STEPS", -1)
    assert solve(problem).objective == optimum
    monkeypatch.setattr(covering, "MOST_PAIRS", 0)
    answer = solve(problem)
    assert answer.bound <= optimum <= answer.objective == worth(problem, tuple(answer.chosen))


def test_a_programme_cut_short_states_its_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bound and programme the greedy answer stands, with the gap to what all candidates do."""
    monkeypatch.setattr("geo.siting.exact.MOST_PAIRS", 0)
    monkeypatch.setattr(bound.lagrangian, "__kwdefaults__", {"price": None, "rounds": 0})
    answer = solve(line([0, 5, 12, 17, 26], [0, 8, 14, 20, 26], [3, 5, 4, 6, 2], p=2))
    assert not answer.proved
    assert answer.bound > answer.objective
    assert answer.gap_percent == pytest.approx(100 * (answer.bound - answer.objective) / answer.bound)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"model": "best"}, "siting-unknown-model"),
        ({"p": 0}, "siting-bad-p"),
        ({"capacity": 0}, "siting-capacity"),
        ({"capacity": 5, "model": "lscp"}, "siting-capacity"),
        ({"model": "pmedian", "penalty_m": 1.0}, "siting-penalty"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked: dict[str, Any], code: str) -> None:
    with pytest.raises(GeoError) as caught:
        line([0, 1], [0], [5, 7], **asked)
    assert caught.value.code == code
    assert caught.value.zh
    assert caught.value.en


def test_empty_and_negative_demand_and_no_candidates_are_refused() -> None:
    for places, sites, weight, code in (
        ([0], [], [1], "siting-no-candidates"),
        ([], [0], [], "siting-no-demand"),
        ([0, 1], [0], [1, -1], "siting-negative-demand"),
    ):
        with pytest.raises(GeoError) as caught:
            line(places, sites, weight)
        assert caught.value.code == code
    with pytest.raises(GeoError, match="time limit"):
        solve(line([0], [0], [1]), time_limit_s=0)
    with pytest.raises(ValueError, match="weight"):
        SitingProblem("mclp", np.ones((3, 1), np.int64), line([0], [0], [1]).reach, np.ones((3, 1)), LIMIT)


def random_rows(seed: int, n: int = 6, d: int = 9, density: float = 0.4) -> SparseRows:
    rng = np.random.default_rng(seed)
    row, column = np.nonzero(rng.random((n, d)) < density)
    return sparse_rows(row, column, rng.integers(1, 5, len(row)).astype(float), (n, d))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_merging_and_dominance_agree_with_sets(seed: int) -> None:
    rows = random_rows(seed)
    sets = [frozenset(rows.of(j)[0].tolist()) for j in range(rows.n)]
    first, group = groups_of_equal(rows)
    assert [sets[first[g]] for g in group] == sets
    assert len(first) == len(set(sets))
    kept = undominated(rows, rows.transposed(), tail=False).tolist()
    wanted = [j for j, s in enumerate(sets) if s and not any(s < t for t in sets) and j == sets.index(s)]
    assert kept == wanted
    kept = undominated(rows, rows.transposed(), tail=True).tolist()
    wanted = [j for j, s in enumerate(sets) if j == sets.index(s) and not any(t < s for t in sets if t)]
    assert kept == wanted
    weight = np.arange(rows.n_columns, dtype=float)
    merged, summed, place = merge_demand(rows, weight)
    covered = np.bincount(rows.column, minlength=rows.n_columns) > 0
    assert summed.sum() == weight[covered].sum()
    assert ((place >= 0) == (covered & (weight > 0))).all()
    assert merged.n_columns == len(
        {frozenset(rows.row[rows.column == i].tolist()) for i in np.flatnonzero(place >= 0)}
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_savings_by_distance_are_covering_by_levels(seed: int, p: int) -> None:
    rows = random_rows(seed)
    levels = levels_of(rows)
    assert levels is not None
    for chosen in itertools.combinations(range(rows.n), min(p, rows.n)):
        reached = [bool(set(levels.sets.of(t)[0].tolist()) & set(chosen)) for t in range(levels.sets.n)]
        covered = levels.worth[reached].sum() + levels.alone[list(chosen)].sum()
        assert covered == pytest.approx(total_saving(rows, np.array(chosen, np.int32)))
    values = [total_saving(rows, np.array(c, np.int32)) for c in itertools.combinations(range(rows.n), p)]
    found, upper = best_of_few(rows, p, time_limit_s=10)
    assert found is not None
    assert total_saving(rows, found) == pytest.approx(max(values))
    assert upper == pytest.approx(max(values))
    start = np.sort(greedy(rows, p))
    better = interchange(rows, start)
    assert max(values) >= total_saving(rows, better) >= total_saving(rows, start) >= 0.63 * max(values)
    swaps = [
        total_saving(rows, np.array([*set(better.tolist()) - {out}, new], np.int32))
        for out in better.tolist()
        for new in set(range(rows.n)) - set(better.tolist())
    ]
    assert max(swaps, default=0.0) <= total_saving(rows, better) + 1e-9


def test_rows_keep_pairs_of_no_distance_and_the_lowest_of_doubles() -> None:
    rows = sparse_rows(np.array([1, 0, 1]), np.array([2, 0, 2]), np.array([5.0, 0.0, 3.0]), (2, 3))
    assert rows.indptr.tolist() == [0, 1, 2]
    assert rows.value.tolist() == [0.0, 3.0]
    assert rows.columns_at(np.array([2])).column.tolist() == [0]
    assert rows.transposed().transposed().value.tolist() == rows.value.tolist()
