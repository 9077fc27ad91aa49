"""Time and judge the partition engine on the full demo city: ``python bench/engine.py [fast normal best]``."""

from __future__ import annotations

import sys
import time

from geo.cells import build_tiling
from geo.demo import write_city
from geo.intake import load_city
from geo.layers import parse_source
from geo.partition import ceiling, partition, score
from geo.standards import load_standard
from geo.units import build_units

ROLES = ("buildings", "households", "compounds", "communities", "roads", "water", "railways")
COLUMNS = (
    "grids",
    "empty",
    "disconnected",
    "donuts",
    "in_band",
    "within_10",
    "within_20",
    "polsby_popper",
    "along_roads",
)


def demo_units(folder):
    """Units of the full demo city."""
    path = folder / "full.gpkg"
    write_city("full", path)
    city = load_city([parse_source(f"{role}={path}:{role}") for role in ROLES])
    return build_units(city, build_tiling(city), max_households=int(load_standard("fine-250").whole_limit))


def main(argv):
    """Print one row per effort as a Markdown table."""
    efforts = argv or ["fast", "normal"]
    import tempfile
    from pathlib import Path

    standard = load_standard("fine-250")
    with tempfile.TemporaryDirectory() as folder:
        units = demo_units(Path(folder))
    # The kernels are compiled or read from the cache outside the clock.
    partition(units, standard, effort=0.001)
    print("| effort | CPU s | " + " | ".join(COLUMNS) + " |")
    print("|---" * (len(COLUMNS) + 2) + "|")
    for effort in efforts:
        start = time.process_time()
        plan = partition(units, standard, effort=effort)
        seconds = time.process_time() - start
        figures = score(units, plan.grid_of_unit, standard).to_dict()
        cells = [f"{figures[c]:.3f}" if isinstance(figures[c], float) else str(figures[c]) for c in COLUMNS]
        print(f"| {effort} | {seconds:.2f} | " + " | ".join(cells) + " |", flush=True)
    start = time.process_time()
    best = ceiling(units, standard)
    seconds = time.process_time() - start
    print(
        f"\nceiling, proved in {seconds:.2f} CPU s (contiguity dropped; numbers of grids that the band admits; "
        "no grid above the hard maximum made of two oversized units): "
        f"in band {best.in_band:.3f}, within 10 % {best.within_10:.3f}, within 20 % {best.within_20:.3f}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
