"""Where the stations of a dataset are: in degrees, by category, with the circle that each serves."""

from __future__ import annotations

import time
from typing import Any

import geopandas as gpd
import pytest
from pyproj import Transformer
from web_make import ORIGIN, UTM, Planned

from geo.city import City
from web.jobs.plan_desk import stations_of

READY_S = 60


def dataset_of(planned: Planned) -> str:
    service = planned.app.extensions["wangge"]
    return str(service.plan_store.of_project(planned.project)[0].dataset_id)


def told(planned: Planned) -> dict[str, Any]:
    """Ask until the city is read."""
    address = f"/api/v1/datasets/{dataset_of(planned)}/stations"
    for _ in range(READY_S * 5):
        answer = planned.app.test_client().get(address)
        assert answer.status_code == 200
        body: dict[str, Any] = answer.get_json()
        if body["state"] == "ready":
            return body
        assert body["stations"] == []
        time.sleep(0.2)
    raise AssertionError("the dataset was not read")


def test_stations_and_the_circle_they_serve(planned: Planned) -> None:
    body = told(planned)
    assert body["categories"] == ["党群服务"]
    [(lon, lat, category)] = body["stations"]
    x, y = Transformer.from_crs("EPSG:4326", UTM, always_xy=True).transform(lon, lat)
    assert (x, y) == pytest.approx((ORIGIN[0] + 100, ORIGIN[1] + 100), abs=0.02)
    assert category == 0
    assert (body["minutes"], body["metres"]) == (15.0, 1000.5)


def test_a_dataset_that_is_not_there(planned: Planned) -> None:
    answer = planned.app.test_client().get(f"/api/v1/datasets/{'0' * 64}/stations")
    assert answer.status_code == 404
    assert answer.get_json()["code"] == "dataset-missing"


class Stations:
    """As much of a city as is looked at."""

    def __init__(self, frame: gpd.GeoDataFrame) -> None:
        self.stations = frame


def test_stations_without_a_place_or_a_category_are_left_out() -> None:
    points = gpd.points_from_xy([120.1, 120.2, 120.3, 120.4], [31.1, 31.2, 31.3, 31.4], crs="EPSG:4326")
    frame = gpd.GeoDataFrame({"category": ["b", None, "a", "b"]}, geometry=points)
    frame.loc[3, "geometry"] = None
    city: City = Stations(frame)  # type: ignore[assignment]
    assert stations_of(city) == {"categories": ["a", "b"], "stations": [[120.1, 31.1, 1], [120.3, 31.3, 0]]}
    assert stations_of(Stations(frame.iloc[:0])) == {"categories": [], "stations": []}  # type: ignore[arg-type]
