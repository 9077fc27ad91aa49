"""Time and judge the partition engine on the full demo city: ``python -m bench.engine [fast normal best]``."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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


CHILD = """
import time
start = time.perf_counter()
import pickle, sys
from geo.partition import partition
from geo.standards import load_standard
imported = time.perf_counter()
units = pickle.load(open(sys.argv[1], "rb"))
partition(units, load_standard("fine-250"), effort="fast")
first = time.perf_counter()
partition(units, load_standard("fine-250"), effort="fast")
again = time.perf_counter()
print([imported - start, first - imported, again - first, time.process_time()])
"""


def first_call(units, folder):
    """Time the first call of the engine in a fresh process.

    Returns
    -------
    tuple
        Wall seconds of the imports, of the first call, of the same call again; CPU seconds of the process up to
        there, the start of Python included.
    """
    path = folder / "units.pickle"
    path.write_bytes(pickle.dumps(units))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)], check=True, stdout=subprocess.PIPE, text=True
    )
    return tuple(json.loads(done.stdout))


def demo_units(folder, size="full"):
    """Units of a demo city."""
    path = folder / f"{size}.gpkg"
    write_city(size, path)
    city = load_city([parse_source(f"{role}={path}:{role}") for role in ROLES])
    return build_units(city, build_tiling(city), max_households=int(load_standard("fine-250").whole_limit))


def main(argv):
    """Print one row per effort as a Markdown table."""
    efforts = argv or ["fast", "normal"]
    standard = load_standard("fine-250")
    with tempfile.TemporaryDirectory() as folder:
        units = demo_units(Path(folder))
        small = demo_units(Path(folder), "small")
        partition(small, standard, effort=0.001)
        imports, first, again, cpu = first_call(small, Path(folder))
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
    print(
        "\nfirst call in a fresh process, small demo city, effort fast, kernels in the cache: "
        f"imports {imports:.2f} s, call {first:.2f} s, the same call again {again:.2f} s; {cpu:.2f} CPU s in all"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
