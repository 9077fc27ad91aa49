"""Compare our cells with momepy's enclosed tessellation on one city, in one run.

``python -m bench.cells [--city PATH]``; without a path the full demo city is made first. Each side runs in a
fresh process of its own that reads the same prepared layers; reading them is not counted, loading our compiled
kernels is.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

ROLES = ("buildings", "households", "compounds", "communities", "roads", "water", "railways")


def main(argv: list[str] | None = None) -> None:
    """Run both sides and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.cells", description=__doc__)
    parser.add_argument("--city", type=Path, help="GeoPackage with layers named by role")
    parser.add_argument("--side", choices=("momepy", "ours"), help=argparse.SUPPRESS)
    parser.add_argument("--prepared", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.side:
        city = pickle.loads(args.prepared.read_bytes())  # noqa: S301 - written by this very program
        result = run_momepy(city) if args.side == "momepy" else run_ours(city)
        sys.stdout.write(json.dumps(result))
        return
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "city.pickle"
        prepared.write_bytes(pickle.dumps(read_city(args.city, Path(folder))))
        warm(prepared)
        results = {side: one_side(side, prepared) for side in ("momepy", "ours")}
    print_table(results)


def read_city(path: Path | None, folder: Path) -> Any:
    """Load the city at `path`, or the full demo city."""
    import pyogrio

    from geo.demo import write_city
    from geo.intake import load_city
    from geo.layers import Source

    if path is None:
        path = folder / "full.gpkg"
        write_city("full", path)
    names = {str(name) for name, _ in pyogrio.list_layers(path)}
    return load_city([Source(role, path, role) for role in ROLES if role in names])


def warm(prepared: Path) -> None:
    """Let numba compile and store our kernels, which happens once after installation."""
    one_side("ours", prepared)


def one_side(side: str, prepared: Path) -> dict[str, Any]:
    """Run one side in its own process."""
    command = [sys.executable, "-m", "bench.cells", "--side", side, "--prepared", str(prepared)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


class Clock:
    """CPU and wall seconds since it was made."""

    def __init__(self) -> None:
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def read(self) -> dict[str, float]:
        """Return both, and the peak memory in MB."""
        return {
            "cpu_s": time.process_time() - self.cpu,
            "wall_s": time.perf_counter() - self.wall,
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def run_ours(city: Any) -> dict[str, Any]:
    """Time `build_tiling`, then prove the result with the public verifier."""
    import shapely

    clock = Clock()
    from geo.cells import build_tiling  # its import is part of the price

    tiling = build_tiling(city)
    result: dict[str, Any] = clock.read()
    from geo.verify import verify_tiling

    shapes = tiling.cells.geometry.to_numpy()
    start = time.process_time()
    verdict = verify_tiling(
        shapes, tiling.cells["community"].to_numpy(), tiling.communities.geometry.to_numpy()
    )
    result["verify_s"] = time.process_time() - start
    result["cells"] = len(shapes)
    result["area_error_m2"] = float(tiling.cells["area_m2"].sum() - city.communities.area.sum())
    result["invalid"] = len(verdict.invalid_polygons)
    result["bad_edges"] = int((shapely.length(shapely.coverage_invalid_edges(shapes)) > 0).sum())
    result["unmatched"] = verdict.unmatched_edges
    return result


def run_momepy(city: Any) -> dict[str, Any]:
    """Time momepy's enclosures and enclosed tessellation on the same barriers."""
    import geopandas as gpd
    import momepy
    import pandas as pd
    import shapely

    warnings.simplefilter("ignore")
    limit = gpd.GeoSeries([city.communities.union_all()], crs=city.crs)
    borders = city.communities.boundary
    walls = [city.compounds.boundary[city.compounds.geometry.notna()]] if len(city.compounds) else []
    extra = [f.geometry for f in (city.water, city.railways) if len(f)]
    roads = pd.concat([city.roads.geometry, borders, *extra, *walls], ignore_index=True)
    buildings = city.buildings[city.buildings["community"] >= 0].reset_index(drop=True)
    barriers = gpd.GeoSeries(roads, crs=city.crs)
    for simplify in (
        True,
        False,
    ):  # momepy's default, then the cheaper way for cities on which the default fails
        clock = Clock()
        try:
            enclosures = momepy.enclosures(barriers, limit=limit, clip=True)
            cells = momepy.enclosed_tessellation(
                buildings.geometry, enclosures.geometry, simplify=simplify, n_jobs=1
            )
            break
        except TypeError as error:
            print(f"momepy failed with simplify={simplify}: {error}", file=sys.stderr)
    result: dict[str, Any] = clock.read()
    shapes = cells.geometry.to_numpy()
    result["verify_s"] = float("nan")
    result["cells"] = len(shapes)
    result["area_error_m2"] = float(shapely.area(shapes).sum() - limit.area.sum())
    result["invalid"] = int((~shapely.is_valid(shapes)).sum())
    result["bad_edges"] = int((shapely.length(shapely.coverage_invalid_edges(shapes)) > 0).sum())
    result["unmatched"] = "not on a grid"
    return result


ROWS = (
    ("CPU s", "cpu_s", "{:.2f}"),
    ("wall s", "wall_s", "{:.2f}"),
    ("peak memory MB", "rss_mb", "{:.0f}"),
    ("cells", "cells", "{:,}"),
    ("summed area minus city's, m2", "area_error_m2", "{:,.1f}"),
    ("invalid polygons", "invalid", "{:,}"),
    ("cells with edges that overlap or miss", "bad_edges", "{:,}"),
    ("unmatched integer edges", "unmatched", "{}"),
    ("CPU s of the proof", "verify_s", "{:.2f}"),
)


def print_table(results: dict[str, dict[str, Any]]) -> None:
    """Print both sides and the ratio of CPU time."""
    print(f"{'':40}{'momepy':>16}{'ours':>16}")
    for title, key, form in ROWS:
        print(f"{title:40}{form.format(results['momepy'][key]):>16}{form.format(results['ours'][key]):>16}")
    print(f"{'times less CPU':40}{results['momepy']['cpu_s'] / results['ours']['cpu_s']:>32.1f}")


if __name__ == "__main__":
    main()
