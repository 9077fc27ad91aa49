"""The service model of one project, held in a process that stays and answers questions about it.

The model is not stored and read back by the server: its parts (network, access, search rows, columns solved so far)
hang together, and the server would have to trust a file that a reader of uploads wrote. A process that keeps the
model needs no format, runs inside the fences of a job, and can be killed when an answer takes too long.

Runs inside the fences only; `web.jobs.resident` opens the desk.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.intake import load_city
from geo.plan_files import read_plan
from geo.service_coverage import (
    DEFAULT_MINUTES,
    DEFAULT_SPEED_M_PER_MIN,
    ELDERLY_SPEED_M_PER_MIN,
    WINDOWS,
    ServiceModel,
)
from geo.service_coverage.circles import inner_points
from web.jobs import coverage_answers, coverage_files
from web.jobs.operations import sources_of
from web.jobs.stations import REMOVED, Places

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.city import City
    from geo.service_coverage import Coverage
    from geo.types import Progress

SCENARIOS_KEPT = 4
"""Networks kept, one for each set of gates, bridges and paths asked for last."""

TOTALS_KEPT = 1000
"""Figures of a category kept, one for each question and set of places of its stations."""

MOVED_ONE_BY_ONE = 8
"""More stations than this that moved since the last question are joined to the network all anew."""


def open_desk(parameters: dict[str, Any], out: Path, *, progress: Progress) -> Desk:
    """Read a project's layers and build its service model.

    `parameters`: as for the operation ``plan``, and ``plan`` (path of a plan file of the same layers, or None).
    """
    sources = sources_of(parameters, out, progress)
    city = load_city(sources, columns=parameters["columns"], progress=progress)
    progress("network", 0, 1)
    grids, grid_of_building = plan_grids(city, parameters.get("plan"))
    model = ServiceModel.build(
        city, grid_of_building=grid_of_building, n_grids=None if grids is None else len(grids)
    )
    progress("network", 1, 1)
    return Desk(city, model, grids, out)


def plan_grids(city: City, plan: str | None) -> tuple[gpd.GeoDataFrame | None, NDArray[np.int32] | None]:
    """Return the grids of a plan and the grid of every building; None where it is of other buildings."""
    if plan is None or not Path(plan).is_file():
        return None, None
    frames = read_plan(Path(plan))
    row = pd.Series(np.arange(len(frames["grids"])), index=frames["grids"]["grid_id"])
    grid = frames["buildings"]["grid_id"].map(row).fillna(-1).astype(np.int32)
    by_id = pd.Series(grid.to_numpy(), index=frames["buildings"]["building_id"])
    of_building = city.buildings["building_id"].map(by_id).fillna(-1).to_numpy(np.int32)
    if (of_building < 0).all():
        return None, None
    return frames["grids"], of_building


@dataclass(frozen=True)
class Kept:
    """Models of one scenario: with the project's own stations, and the one that answered last."""

    first: ServiceModel
    last: ServiceModel


class Desk:
    """Answer questions about one city.

    Parameters
    ----------
    city, model
        As read, and the model of it.
    grids
        Grids of its plan, rows as the model numbers them; None without one.
    out
        Folder for files.
    """

    def __init__(self, city: City, model: ServiceModel, grids: gpd.GeoDataFrame | None, out: Path) -> None:
        self._city = city
        self._grids = grids
        self._out = out
        self._categories = model.categories
        # A category keeps its number when its last station is removed.
        self._base = replace(model, wanted=model.categories)
        self._wanted = frozenset(model.wanted)
        self._models: OrderedDict[str, Kept] = OrderedDict({"": Kept(self._base, self._base)})
        self._counted: OrderedDict[tuple[Any, ...], dict[str, Any]] = OrderedDict()
        self._places = Places(city, self._categories)
        coverage_files.write_buildings(city, self.state, out / "buildings.bin")

    @property
    def state(self) -> NDArray[np.uint8]:
        """uint8, shape (buildings,): how each building is joined to the network; all 0 without one."""
        homes = self._base.homes
        return np.zeros(len(self._city.buildings), np.uint8) if homes is None else homes.state

    def overview(self) -> dict[str, Any]:
        """Return what a page needs before it asks anything."""
        city, model = self._city, self._base
        labels = coverage_answers.labels_of(model.stations, self._categories)
        findings = [*city.findings, *model.coverage().findings]
        return {
            "method_default": model.method,
            "minutes_default": DEFAULT_MINUTES,
            "speeds": {"adult": DEFAULT_SPEED_M_PER_MIN, "elderly": ELDERLY_SPEED_M_PER_MIN},
            "bounds": self._places.bounds,
            "categories": [
                {"id": k, "name": name, "stations": int((labels == k).sum()), "wanted": name in self._wanted}
                for k, name in enumerate(self._categories)
            ],
            "windows": list(WINDOWS),
            "communities": self._communities(),
            "grids": self._grids is not None,
            "counts": {
                "buildings": len(city.buildings),
                "households": int(city.buildings["households"].sum()),
                "stations": len(model.stations),
                "candidates": len(city.candidates),
            },
            "stations": [
                item | {"category": int(k), "proposed": False}
                for item, k in zip(self._named_places(model.stations), labels, strict=True)
            ],
            "candidates": self._named_places(city.candidates),
            "layers": coverage_files.layers_of(city, self._grids),
            "network": self._network(),
            "findings": [finding.to_dict() for finding in findings],
        }

    def _communities(self) -> list[dict[str, Any]]:
        city = self._city
        households = np.bincount(
            city.buildings["community"].to_numpy(np.int64) + 1,
            weights=city.buildings["households"].to_numpy(np.float64),
            minlength=len(city.communities) + 1,
        )[1:]
        listed = zip(city.communities["community_id"], city.communities["name"], households, strict=True)
        return [
            {"row": row, "id": str(key), "name": str(name), "households": int(count)}
            for row, (key, name, count) in enumerate(listed)
        ]

    def _named_places(self, frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
        placed = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
        lon, lat = self._places.lonlat(inner_points(placed))
        return [
            {"row": int(row), "lon": x, "lat": y, "name": str(name)}
            for row, x, y, name in zip(placed.index, lon, lat, placed["name"], strict=True)
        ]

    def _network(self) -> dict[str, Any] | None:
        if self._base.network is None:
            return None
        figures = asdict(self._base.network.report)
        return figures | {
            "connected_before": figures.pop("connected_share_before"),
            "connected_after": figures.pop("connected_share_after"),
        }

    def answer(self, name: str, question: dict[str, Any]) -> Any:
        """Answer one question: ``solve``, ``isochrones``, ``layer`` or ``export``."""
        answers = {
            "solve": self._solve,
            "isochrones": self._isochrones,
            "layer": self._layer,
            "export": self._export,
        }
        return answers[name](question)

    def _solve(self, question: dict[str, Any]) -> dict[str, Any]:
        start = time.perf_counter()
        chosen = self._chosen(question)
        model = self._model(question)
        coverage = self._covered(model, question)
        answer = coverage_answers.solved(
            model,
            coverage,
            coverage_answers.focus(coverage, chosen),
            chosen,
            self._places.to_wgs84,
            gaps=question["gaps"],
        )
        answer["totals"] = self._totals(model, coverage, question)
        return answer | {"ms": round(1000 * (time.perf_counter() - start), 1)}

    def _totals(
        self, model: ServiceModel, coverage: Coverage, question: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the figures of every category; only those of stations that moved are counted anew."""
        asked = repr([question[name] for name in ("method", "minutes", "speed", "window", "scenario")])
        sites = inner_points(model.stations)
        rows = []
        for k in range(len(self._categories)):
            mine = np.flatnonzero(coverage.station_category == k)
            key = (asked, k, sites[mine].tobytes(), coverage.is_open[mine].tobytes())
            if key not in self._counted:
                self._counted[key] = coverage_answers.total_of(coverage, k)
            rows.append(self._counted[key])
        while len(self._counted) > TOTALS_KEPT:
            self._counted.popitem(last=False)
        return rows

    def _isochrones(self, question: dict[str, Any]) -> dict[str, Any]:
        chosen = self._chosen(question)
        model = self._model(question)
        coverage = self._covered(model, question)
        if chosen is not None:
            coverage = coverage_answers.focus(coverage, chosen)
        return coverage_files.isochrones(model, coverage, self._categories)

    def _layer(self, question: dict[str, Any]) -> dict[str, Any]:
        coverage_files.write_layer(self._city, self._grids, question["name"], self._out)
        return {}

    def _export(self, question: dict[str, Any]) -> dict[str, Any]:
        model = self._model(question)
        there = model.stations[model.stations["category"] != REMOVED]
        if len(there) < len(model.stations):
            model = model.with_stations(there)
        coverage = self._covered(model, question)
        coverage_files.write_export(
            model, coverage, self._grids, name=question["name"], target=self._out / question["file"]
        )
        return {}

    def _covered(self, model: ServiceModel, question: dict[str, Any]) -> Coverage:
        return model.coverage(
            minutes=question["minutes"],
            speed=question["speed"],
            method=question["method"],
            categories=self._categories,
            window=question["window"],
        )

    def _chosen(self, question: dict[str, Any]) -> int | None:
        chosen: int | None = question["category"]
        if chosen is not None:
            self._places.category(chosen)
        return chosen

    def _model(self, question: dict[str, Any]) -> ServiceModel:
        """Return the model with the question's stations and scenario.

        It is made from the one that answered last for the same scenario, so that a station on its way across
        the map costs one search a step: columns of other categories stay solved.
        """
        scenario = question["scenario"]
        key = repr(sorted(scenario.items())) if any(scenario.values()) else ""
        stations = self._places.stations(self._base.stations, question)
        kept = self._models.get(key)
        if kept is None:
            first = self._base.with_scenario(self._places.scenario(scenario)) if key else self._base
            kept = Kept(first, first)
        # Columns solved for more stations than there are must not be carried over.
        start = kept.first if len(stations) < len(kept.last.stations) else kept.last
        model = _with_stations(start, stations)
        self._models[key] = Kept(kept.first, model)
        self._models.move_to_end(key)
        while len(self._models) > SCENARIOS_KEPT:
            self._models.popitem(last=False)
        return model


def _with_stations(model: ServiceModel, stations: gpd.GeoDataFrame) -> ServiceModel:
    """Return the model with these stations; a few that only moved are joined to the network alone."""
    there = model.stations
    if len(stations) and len(there) == len(stations):
        same = all(there[name].equals(stations[name]) for name in ("station_id", "category", "opening_hours"))
        new = inner_points(stations)
        moved = np.flatnonzero((inner_points(there) != new).any(axis=1))
        if same and len(moved) <= MOVED_ONE_BY_ONE:
            for row in moved.tolist():
                model = model.with_station(row, (float(new[row, 0]), float(new[row, 1])))
            return model
    return model.with_stations(stations)
