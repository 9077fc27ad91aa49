"""Compile the kernels ahead of time: ``python -m geo.warm``, run once by set-up.

Numba keeps the machine code beside the sources, so the first plan of a fresh process need not wait for it.
"""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path

from geo.demo import write_city
from geo.layers import parse_source
from geo.pipeline import make_plan
from geo.service_coverage import ServiceModel
from geo.siting_job import SitingOptions, site_city
from geo.standards import load_standard
from geo.types import ROLES


def main() -> None:
    """Plan the small demo city, walk its streets, site a station, and throw it all away."""
    import_module("geo.preloaded")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "city.gpkg"
        write_city("small", path)
        sources = [parse_source(f"{role}={path}:{role}") for role in ROLES]
        result = make_plan(sources, standard=load_standard("fine-250"), effort="fast")
        city = result.city
        category = str(city.stations["category"].iloc[0])
        ServiceModel.build(city).coverage()
        for method in ("circle", "network"):
            site_city(city, SitingOptions(p=1, categories=(category,), method=method))


if __name__ == "__main__":
    main()
