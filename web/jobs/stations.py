"""Stations, gates and paths as the planner moves them about, from longitude and latitude to the city's CRS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo.errors import GeoError
from geo.network import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo.city import City

WGS84 = "EPSG:4326"

REMOVED = "\N{EM DASH} removed"
"""Category of removed stations: nobody asks for it."""

AROUND_M = 5_000.0
"""A station, gate or path may lie this far outside the extent of the city's layers."""


class Places:
    """Places of one city.

    Parameters
    ----------
    city
        Its layers give the extent.
    categories
        Names of the station categories; questions name them by position.
    """

    def __init__(self, city: City, categories: Sequence[str]) -> None:
        self._categories = tuple(categories)
        self._to_city = Transformer.from_crs(WGS84, city.crs, always_xy=True)
        self.to_wgs84 = Transformer.from_crs(city.crs, WGS84, always_xy=True)
        frames = (city.communities, city.buildings, city.stations)
        boxes = np.array([frame.total_bounds for frame in frames if len(frame)])
        self._low, self._high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)

    @property
    def bounds(self) -> list[float]:
        """West, south, east and north of the city in WGS84."""
        box = self.to_wgs84.transform_bounds(*self._low, *self._high)
        return [round(float(value), 6) for value in box]

    def category(self, chosen: int) -> str:
        """Return the name of a category.

        Raises
        ------
        GeoError
            ``coverage-unknown-category``.
        """
        if not 0 <= chosen < len(self._categories):
            raise GeoError(
                "coverage-unknown-category",
                f"没有第 {chosen} 号服务类别，类别共 {len(self._categories)} 个（从 0 起）。",
                f"There is no category {chosen}; there are {len(self._categories)}, from 0.",
                layer="stations",
            )
        return self._categories[chosen]

    def stations(self, there: gpd.GeoDataFrame, question: Mapping[str, Any]) -> gpd.GeoDataFrame:
        """Return stations with those of a question moved, removed and added.

        Rows stay what they are: a removed station is of the category `REMOVED`, added ones come last.

        Parameters
        ----------
        there
            The project's own, in the city's CRS.
        question
            ``stations`` (``row``, ``lon``, ``lat``), ``removed`` (rows of `there`), ``added`` (``lon``, ``lat``,
            ``category``).

        Raises
        ------
        GeoError
            ``coverage-no-such-station``, ``coverage-unknown-category``, ``coverage-outside``.
        """
        rows = [station["row"] for station in question["stations"]]
        for row in (*rows, *question["removed"]):
            if not 0 <= row < len(there):
                raise _no_such_station(row, len(there))
        frame = there
        if rows:
            shapes = there.geometry.to_numpy().copy()
            moved = self.xy([(item["lon"], item["lat"]) for item in question["stations"]])
            for row, place in zip(rows, shapely.points(moved), strict=True):
                shapes[row] = place
            frame = frame.set_geometry(gpd.GeoSeries(shapes, crs=there.crs))
        if question["removed"]:
            categories = frame["category"].to_numpy(dtype=object).copy()
            categories[question["removed"]] = REMOVED
            frame = frame.assign(category=categories)
        added = question["added"]
        return self._more(frame, added) if added else frame

    def scenario(self, asked: Mapping[str, Any]) -> Scenario:
        """Return ``gates``, ``bridges`` and ``paths`` in the city's CRS.

        Raises
        ------
        GeoError
            ``coverage-outside``.
        """
        return Scenario(
            gates=[shapely.Point(xy) for xy in self.xy(asked["gates"])],
            bridges=[self._course(item) for item in asked["bridges"]],
            paths=[self._course(item) for item in asked["paths"]],
        )

    def xy(self, places: Any) -> NDArray[np.float64]:
        """Return places in the city's CRS, float64, shape (n, 2).

        Raises
        ------
        GeoError
            ``coverage-outside``: one lies farther than `AROUND_M` outside the city.
        """
        lonlat = np.asarray(places, np.float64).reshape(-1, 2)
        xy = np.column_stack(self._to_city.transform(lonlat[:, 0], lonlat[:, 1]))
        outside = ~((xy >= self._low - AROUND_M) & (xy <= self._high + AROUND_M)).all(axis=1)
        if outside.any():
            lon, lat = lonlat[np.flatnonzero(outside)[0]].tolist()
            raise GeoError(
                "coverage-outside",
                f"位置（{lon:.5f}，{lat:.5f}）不在项目范围内。请在地图所示的城区内选点（经度在前，WGS84）。",
                f"The place ({lon:.5f}, {lat:.5f}) lies outside the project. Choose one within the city on the map "
                "(longitude first, WGS84).",
            )
        return xy

    def lonlat(self, xy: NDArray[np.float64]) -> tuple[list[float], list[float]]:
        """Return longitudes and latitudes on the grid of 1e-7 degree."""
        lon, lat = self.to_wgs84.transform(xy[:, 0], xy[:, 1])
        return np.round(lon, 7).tolist(), np.round(lat, 7).tolist()

    def _course(self, places: Any) -> Any:
        xy = self.xy(places)
        return shapely.Point(xy[0]) if len(xy) == 1 else shapely.LineString(xy)

    def _more(self, frame: gpd.GeoDataFrame, added: Sequence[Mapping[str, Any]]) -> gpd.GeoDataFrame:
        names = [self.category(item["category"]) for item in added]
        more = gpd.GeoDataFrame(
            {
                "station_id": [f"new-{number}" for number in range(1, len(added) + 1)],
                "name": names,
                "category": names,
                "opening_hours": ["24/7"] * len(added),
            },
            geometry=shapely.points(self.xy([(item["lon"], item["lat"]) for item in added])),
            crs=frame.crs,
        )
        # pandas warns of a frame without rows that takes part.
        return more if not len(frame) else gpd.GeoDataFrame(pd.concat([frame, more], ignore_index=True))


def _no_such_station(row: int, n: int) -> GeoError:
    return GeoError(
        "coverage-no-such-station",
        f"没有第 {row} 号站点，站点共 {n} 个（从 0 起）。",
        f"There is no station {row}; there are {n}, from 0.",
        layer="stations",
        row=row,
    )
