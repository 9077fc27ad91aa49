"""Compile the kernels ahead of time: ``python -m geo.warm``, run once by set-up.

Numba keeps the machine code beside the sources, so the first plan of a fresh process need not wait for it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from geo.demo import write_city
from geo.layers import parse_source
from geo.pipeline import make_plan
from geo.standards import load_standard

ROLES = ("buildings", "households", "communities", "compounds", "roads", "water", "railways")


def main() -> None:
    """Plan the small demo city and throw the plan away."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "city.gpkg"
        write_city("small", path)
        sources = [parse_source(f"{role}={path}:{role}") for role in ROLES]
        make_plan(sources, standard=load_standard("fine-250"), effort="fast")


if __name__ == "__main__":
    main()
