"""The full demo city, on one and on two workers: exact, connected, complete, and the same to the byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from geo.cli import main

ROLES = ("buildings", "households", "compounds", "communities", "roads", "water", "railways")


@pytest.mark.slow
def test_the_full_city_is_planned_exactly_on_any_number_of_workers(tmp_path: Path) -> None:
    city = tmp_path / "city.gpkg"
    assert main(["demo", "--size", "full", "--out", str(city)]) == 0
    layers = [f"--layer={role}={city}:{role}" for role in ROLES]
    exports = []
    for workers in ("1", "2"):
        plan, report = tmp_path / f"plan{workers}.gpkg", tmp_path / f"report{workers}.json"
        options = ["--effort", "fast", "--workers", workers, "--out", str(plan), "--report", str(report)]
        assert main(["partition", *layers, *options]) == 0
        figures = json.loads(report.read_text())
        assert figures["communities"] == 84
        assert figures["households"] == {
            "in": 216_750,
            "placed": 216_750,
            "unplaced": 0,
            "unplaced_reasons": [],
        }
        assert figures["exact_tiling"] == {"ok": True, "unmatched_edges": 0, "invalid": 0, "where": []}
        assert figures["contiguity"]["disconnected"] == 0
        assert figures["grids_without_homes"] == 0
        assert all(grid["reason"] for grid in figures["out_of_band"])
        assert main(["verify", str(plan)]) == 0
        assert main(["export", str(plan), "--out", str(tmp_path / f"{workers}.geojson")]) == 0
        exports.append((tmp_path / f"{workers}.geojson").read_bytes())
    assert exports[0] == exports[1]
