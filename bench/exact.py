"""Hold the partition engine against the true optimum of small parts.

``python -m bench.exact [--instances 300] [--effort normal] [--seed 0]``. An instance is a connected part of 8 to 40
units; those that the exact solver cannot do are left out and counted. What an optimum is, and how it is found, says
``tests/geo/exact.py``.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "geo"))

from exact import TooLargeError
from exact_instances import compare


def main(argv: list[str] | None = None) -> None:
    """Print every instance that is missed, and a summary."""
    parser = argparse.ArgumentParser(prog="python -m bench.exact", description=__doc__)
    parser.add_argument("--instances", type=int, default=300)
    parser.add_argument("--effort", default="normal", choices=("fast", "normal", "best"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    done = []
    too_large = 0
    start = time.process_time()
    for number in range(options.instances):
        try:
            one = compare(number, effort=options.effort, seed=options.seed)
        except TooLargeError:
            too_large += 1
            continue
        done.append(one)
        if not one.attained or one.gap > 0.001:
            print(describe(one), flush=True)
    print(
        summary(done, too_large),
        f"CPU {time.process_time() - start:.0f} s, nearly all of it the exact solver's.",
        sep="\n",
    )


def describe(one):
    """Return one line: what the engine has and what the optimum is, as band / pieces / hard maximum / rest."""
    own, best = one.engine, one.best
    what = f"rest {one.gap:+.1%}" if one.attained else "missed"
    if best.outside > one.fewest:
        what += f", another number of grids has {one.fewest} out of the band"
    return (
        f"#{one.number}: {one.units} units, {one.grids} grids, engine {own.outside}/{own.excess}/{own.above}/"
        f"{own.rest:.2f}, "
        f"optimum {best.outside}/{best.excess}/{best.above}/{best.rest:.2f}: {what}"
    )


def summary(done, too_large):
    """Return how often the aims were attained, and how far the rest is from its optimum where they were."""
    gaps = np.array([one.gap for one in done if one.attained])
    if not len(gaps):
        return f"{len(done)} instances solved exactly, {too_large} too large; no aims attained."
    return (
        f"{len(done)} instances solved exactly, {too_large} too large.\n"
        "Fewest grids out of the band, fewest pieces, fewest above the hard maximum: "
        f"{len(gaps) / len(done):.1%}.\n"
        f"The rest there: {gaps.mean():.2%} above the optimum on average, {gaps.max():.1%} at worst; "
        f"optimal in {np.mean(gaps < 1e-9):.1%}, within 2 % in {np.mean(gaps <= 0.02):.1%}."
    )


if __name__ == "__main__":
    main()
