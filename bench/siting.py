"""Compare our siting with spopt on the same cover problems, in one run.

``python -m bench.siting [--city PATH] [--limit SECONDS] [--part models|peers]``; without a path the full demo city
is made first. First our models on the whole city, then the maximal covering problem on growing parts of it, until
spopt with HiGHS (``highspy``) needs more CPU seconds than the limit. Each solution runs in a fresh process of its
own; reading the city and measuring the ways is not counted for either side, building and solving the model is.
Before the clock starts spopt is imported, and our compiled kernels are loaded by solving tiny problems; how long
that takes, once a process, is printed. Where both sides prove their answers the objectives must be the same, or the
run fails.
"""

from __future__ import annotations

import argparse
import json
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

MINUTES, SPEED = 5.0, 66.7
CATEGORY = "托育服务点"
CANDIDATES = 2000
P = 10
SIZES = ((50, 500), (100, 1000), (200, 2000), (300, 3000), (500, 5000), (1000, 10_000), (2000, 20_000))
"""Candidates and buildings of the problems both sides get."""

TINY: tuple[dict[str, Any], ...] = ({"model": "mclp"}, {"model": "lscp"}, {"model": "mclp", "capacity": 9})
"""Problems that load our compiled kernels."""


def main(argv: list[str] | None = None) -> None:
    """Run both parts and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.siting", description=__doc__)
    parser.add_argument("--city", type=Path, help="GeoPackage with layers named by role")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds spopt may take for one problem")
    parser.add_argument("--part", choices=("models", "peers"), help="only our models, or only beside spopt")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--case", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.side:
        case = pickle.loads(args.case.read_bytes())  # noqa: S301 - written by this very program
        result = run_ours(case) if args.side == "ours" else run_spopt(case, args.limit)
        sys.stdout.write(json.dumps(result))
        return
    with tempfile.TemporaryDirectory() as folder:
        places = read_places(args.city, Path(folder))
        warm(places, Path(folder))
        if args.part != "peers":
            print_models(places, Path(folder))
        if args.part != "models":
            print_peers(places, Path(folder), args.limit)


def read_places(path: Path | None, folder: Path) -> dict[str, Any]:
    """Return points, households and stations of the city at `path`, or of the full demo city."""
    import pyogrio

    from geo.demo import write_city
    from geo.intake import load_city
    from geo.layers import Source
    from geo.siting import points_of

    if path is None:
        path = folder / "full.gpkg"
        write_city("full", path)
    roles = {"buildings", "households", "communities", "stations"}
    names = {str(name) for name, _ in pyogrio.list_layers(path)}
    city = load_city([Source(role, path, role) for role in sorted(roles & names)])  # type: ignore[arg-type]
    stations = points_of(city.stations)
    homes = points_of(city.buildings)
    inhabited = city.buildings["households"].to_numpy(np.int64)
    return {
        "homes": homes,
        "households": inhabited,
        "stations": {
            name: stations[(city.stations["category"] == name).to_numpy(bool)]
            for name in sorted(set(city.stations["category"]))
        },
    }


def make_case(places: dict[str, Any], candidates: int, buildings: int, **asked: Any) -> dict[str, Any]:
    """Return a problem on the first so many of the shuffled buildings; the candidates are buildings too."""
    from geo.siting import circle_nearest, circle_reach

    order = np.random.default_rng(0).permutation(len(places["homes"]))
    homes = places["homes"][order[:buildings]]
    sites = places["homes"][order[::-1][:candidates]]
    limit = asked.pop("minutes", MINUTES) * SPEED
    existing = places["stations"].get(asked.pop("category", CATEGORY), np.empty((0, 2)))
    return {
        "weight": places["households"][order[:buildings]][:, None],
        "reach": circle_reach(sites, homes, limit),
        "existing_m": circle_nearest(existing, homes, limit)[:, None],
        "limit_m": limit,
        "model": "mclp",
        "p": P,
        **asked,
    }


def one_side(side: str, case: dict[str, Any], folder: Path, limit: float = 600.0) -> dict[str, Any]:
    """Run one side in its own process; a side that needs more CPU seconds than the limit answers ``{}``."""
    path = folder / "case.pickle"
    path.write_bytes(pickle.dumps(case))
    command = [
        sys.executable,
        "-m",
        "bench.siting",
        "--side",
        side,
        "--case",
        str(path),
        "--limit",
        str(limit),
    ]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode == -signal.SIGXCPU:
        return {}
    done.check_returncode()
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def warm(places: dict[str, Any], folder: Path) -> None:
    """Let numba compile and store our kernels, which happens once after installation."""
    one_side("ours", make_case(places, 20, 200), folder)
    done = one_side("ours", make_case(places, 20, 200), folder)
    print(f"loading our compiled kernels, once a process: {done['load_s']:.2f} s CPU")


def run_ours(case: dict[str, Any]) -> dict[str, Any]:
    """Build and solve with `geo.siting`."""
    from geo.siting import SitingProblem, answers, solve

    before = time.process_time()
    for asked in TINY:
        solve(tiny(**asked))
    start, first = time.process_time(), None
    problem = SitingProblem(**case)
    for answer in answers(problem, clock=time.process_time):
        first = first or (time.process_time() - start, answer.objective)
    assert first is not None  # noqa: S101 - a problem has at least one answer
    return {
        "cpu_s": time.process_time() - start,
        "load_s": start - before,
        "first_s": first[0],
        "first": first[1],
        "objective": answer.objective,
        "sites": len(answer.chosen),
        "gap": answer.gap_percent,
        "proved": answer.proved,
        "stage": answer.stage,
        "pairs": len(problem.reach.column),
        "wanting": int(problem.wanting.sum()),
    }


def tiny(**asked: Any) -> Any:
    """Return a problem of a few homes on a line, which loads every kernel."""
    from geo.siting import SitingProblem, circle_nearest, circle_reach

    homes = np.column_stack([np.arange(40.0) * 7 % 100, np.zeros(40)])
    sites = homes[::3]
    return SitingProblem(
        weight=np.arange(1, 41)[:, None],
        reach=circle_reach(sites, homes, 11.0),
        existing_m=circle_nearest(homes[:1], homes, 11.0)[:, None],
        limit_m=11.0,
        p=3,
        **asked,
    )


def run_spopt(case: dict[str, Any], limit: float) -> dict[str, Any]:
    """Build and solve with spopt: demand that stations cover already weighs nothing."""
    import resource
    import warnings

    warnings.simplefilter("ignore")
    import pulp
    from spopt.locate import MCLP

    reach = case["reach"]
    ways = np.full((reach.n_columns, reach.n), np.inf)
    ways[reach.column, reach.row] = reach.value
    weight = np.where(np.isfinite(case["existing_m"]), 0, case["weight"])[:, 0]
    start = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (int(start + limit), resource.RLIM_INFINITY))
    model = MCLP.from_cost_matrix(ways, weight, service_radius=case["limit_m"], p_facilities=case["p"])
    built = time.process_time() - start
    model = model.solve(pulp.getSolver("HiGHS", msg=False, threads=1, gapRel=0))
    chosen = [j for j, served in enumerate(model.fac2cli) if served]
    covered = np.isfinite(ways[:, chosen]).any(axis=1)
    return {
        "cpu_s": time.process_time() - start,
        "built_s": built,
        "objective": float(weight[covered].sum()),
        "proved": model.problem.sol_status == pulp.LpSolutionOptimal,
    }


def print_models(places: dict[str, Any], folder: Path) -> None:
    """Print what our models take on the whole city."""
    n = len(places["homes"])
    some = min(CANDIDATES, n)
    cases: list[tuple[str, dict[str, Any]]] = [
        (f"mclp, p {P}", {}),
        ("mclp, p 20", {"p": 20}),
        (f"mclp, p {P}, stations ignored", {"category": ""}),
        ("mclp, p 20, stations ignored", {"category": "", "p": 20}),
        ("mclp, p 5, stations ignored, 15 minutes", {"category": "", "p": 5, "minutes": 15.0}),
        (f"mclp, p {P}, at most 1,500 households a site", {"capacity": 1500}),
        ("lscp, 15 minutes", {"model": "lscp", "minutes": 15.0}),
        ("lscp", {"model": "lscp"}),
        (f"pmedian, p {P}", {"model": "pmedian"}),
    ]
    print(f"\n{some:,} candidates, {n:,} buildings, {MINUTES:.0f} minutes, stations “{CATEGORY}” counted")
    print("| problem | first answer CPU s | CPU s | first / last objective | sites | proved | gap % |")
    print("|---|---|---|---|---|---|---|")
    for title, asked in cases:
        r = one_side("ours", make_case(places, some, n, **asked), folder)
        print(
            f"| {title} | {r['first_s']:.2f} | {r['cpu_s']:.2f} | {r['first']:,.0f} / {r['objective']:,.0f} "
            f"| {r['sites']} | {'yes' if r['proved'] else 'no'} | {r['gap']:.3f} |",
            flush=True,
        )


def print_peers(places: dict[str, Any], folder: Path, limit: float) -> None:
    """Print both sides on growing problems until spopt fails."""
    print(
        f"\nmclp, p {P}, {MINUTES:.0f} minutes, stations “{CATEGORY}” counted; spopt at most {limit:.0f} CPU s"
    )
    print("| candidates × buildings | pairs | ours CPU s | objective | spopt + HiGHS CPU s | times |")
    print("|---|---|---|---|---|---|")
    alive = True
    for candidates, buildings in SIZES:
        case = make_case(places, candidates, min(buildings, len(places["homes"])))
        ours = one_side("ours", case, folder)
        theirs = one_side("spopt", case, folder, limit) if alive else {}
        alive = bool(theirs.get("proved"))
        if alive and ours["proved"] and theirs["objective"] != ours["objective"]:
            raise SystemExit(f"objectives differ: {ours['objective']} and {theirs['objective']}")
        times = f"{theirs['cpu_s'] / ours['cpu_s']:,.0f}" if alive else "–"
        print(
            f"| {candidates:,} × {buildings:,} | {ours['pairs']:,} | {ours['cpu_s']:.3f} "
            f"| {ours['objective']:,.0f} | {said(theirs)} | {times} |",
            flush=True,
        )


def said(theirs: dict[str, Any]) -> str:
    """Say how spopt ended."""
    if theirs.get("proved"):
        return f"{theirs['cpu_s']:.1f}"
    if "objective" in theirs:
        return f"not proved, {theirs['objective']:,.0f}"
    return "not in time"


if __name__ == "__main__":
    main()
