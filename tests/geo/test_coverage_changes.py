"""Policy: what one change gains equals a model built with it; proposals are judged by the same exact count."""

from __future__ import annotations

from dataclasses import replace

import cities
import geopandas as gpd
import pandas as pd
import pytest
import shapely
import towns

from geo.city import City
from geo.errors import GeoError
from geo.network import Scenario
from geo.service_coverage import (
    Change,
    ServiceModel,
    candidate_gates,
    changed_model,
    gap_table,
    single_changes,
)

QUESTION = {"minutes": 5.0, "speed": 100.0}


def walled_city() -> City:
    """Return a walled compound of two lanes beside a street; its only gate is at the far end.

    ::

        y 120      +--------------------------------+
              30   |  lane ------------------------ gate --+     b1 … b5 along the lane, the wall around it
               0   +--------------------------------+      |
             -20  station ====== street ===================+
    """
    lanes = [[(20, 30), (1020, 30), (1020, -20)], [(0, -20), (1020, -20)]]
    homes = [(x, 40) for x in (50, 250, 450, 650, 850)]
    stations = towns.stations_at([(20, -25), (900, -25)], ["餐", "医"], ["Mo-Fr 09:00-17:00", "24/7"])
    return towns.town(
        homes,
        lanes,
        stations,
        households=[10, 20, 30, 40, 50],
        compounds=[cities.box(0, 0, 1000, 120)],
        building_compound=[0] * 5,
    )


def gate_at(x: float, name: str = "门") -> Change:
    return Change("gate", name, shapely.Point(towns.here(x, 0)))


def test_each_change_alone_gains_what_a_model_with_it_reaches() -> None:
    city = walled_city()
    model = ServiceModel.build(city)
    changes = [
        gate_at(900, "东门"),
        gate_at(30, "西门"),
        Change("path", "路", shapely.LineString([towns.here(-50, -20), towns.here(-50, 300)])),
        Change("hours", "延时", station=0),
    ]
    table = single_changes(model, changes, **QUESTION)
    assert table["gained"].is_monotonic_decreasing
    before = model.coverage(**QUESTION)
    for row in table.to_dict("records"):
        change = changes[row["change"]]
        scenario = {
            "gate": Scenario(gates=(change.geometry,)),
            "path": Scenario(paths=(change.geometry,)),
        }.get(change.kind)
        anew = ServiceModel.build(city, scenario=scenario).coverage(**QUESTION)
        new = anew.covered & ~before.covered
        assert row["gained"] == (city.buildings["households"].to_numpy()[:, None] * new).sum()
        assert row["households"] == city.buildings["households"][new.any(axis=1)].sum()
        assert [row["gain_医"], row["gain_餐"]] == (city.buildings["households"].to_numpy() @ new).tolist()
    gained = table.set_index("name")["gained"]
    assert gained["西门"] > 0
    assert gained["路"] == 0
    assert gained["延时"] == 0  # at any time of the week the hours change nothing


def test_known_gates_are_the_only_ones() -> None:
    """A gates layer says where the wall is open; where the lane enters is then no gate unless it is listed."""
    city = walled_city()

    def reached_m(*places: tuple[float, float]) -> float:
        points = [shapely.Point(towns.here(x, y)) for x, y in places]
        gates = gpd.GeoDataFrame({"compound_id": ["k0"] * len(points)}, geometry=points, crs=city.crs)
        coverage = ServiceModel.build(city, gates=gates).coverage(**QUESTION)
        return float(coverage.distance_m[0, coverage.categories.index("餐")])

    assumed = ServiceModel.build(city).coverage(**QUESTION)
    assert reached_m((1000, 30)) == assumed.distance_m[0, assumed.categories.index("餐")]
    assert reached_m((1000, 30), (40, 0)) < 200
    assert reached_m((1000, 30)) > 1900


def test_longer_hours_gain_in_a_window() -> None:
    city = walled_city()
    open_wall = replace(city, compounds=city.compounds.head(0), buildings=city.buildings.assign(compound=-1))
    model = ServiceModel.build(open_wall)
    table = single_changes(
        model, [Change("hours", "延时", station=0)], window="evening", minutes=25, speed=100
    )
    assert table["gained"].tolist() == [150]
    assert table["households"].tolist() == [150]
    closed = model.coverage(window="evening", minutes=25, speed=100)
    assert set(gap_table(closed)["reason"]) == {"closed"}


def test_a_gate_is_proposed_where_it_helps_and_gains_what_it_promises() -> None:
    model = ServiceModel.build(walled_city())
    before = model.coverage(**QUESTION)
    assert "barrier" in set(gap_table(before)["reason"])
    proposed = candidate_gates(model, before, most=3)
    assert 1 <= len(proposed) <= 3
    table = single_changes(model, proposed, **QUESTION)
    assert (table["gained"] > 0).all()
    assert table["gained"].is_monotonic_decreasing
    wall = shapely.boundary(model.city.compounds.geometry[0])
    assert all(shapely.distance(change.geometry, wall) < 1e-6 for change in proposed)
    by_hand = single_changes(model, [gate_at(x) for x in range(50, 1000, 50)], **QUESTION)
    assert table["gained"].max() >= by_hand["gained"].max()


def test_nothing_is_proposed_without_walls_streets_or_barriers() -> None:
    city = walled_city()
    for bare in (
        replace(city, compounds=city.compounds.head(0), buildings=city.buildings.assign(compound=-1)),
        replace(city, roads=city.roads.head(0)),
    ):
        model = ServiceModel.build(bare)
        assert candidate_gates(model, model.coverage(**QUESTION)) == []
    model = ServiceModel.build(city)
    assert candidate_gates(model, model.coverage(minutes=100)) == []


def test_no_changes_give_an_empty_table() -> None:
    table = single_changes(ServiceModel.build(walled_city()), [], **QUESTION)
    assert isinstance(table, pd.DataFrame)
    assert len(table) == 0
    assert {"gained", "gain_餐", "gain_医"} <= set(table.columns)


@pytest.mark.parametrize(
    "change",
    [
        Change("gate", "坏门", shapely.LineString([(0, 0), (1, 1)])),
        Change("path", "坏路", shapely.Point(0, 0)),
        Change("bridge", "坏桥", shapely.box(0, 0, 1, 1)),
        Change("gate", "没有门"),
        Change("path", "空路", shapely.LineString()),
        Change("hours", "没有站", station=9),
    ],
)
def test_a_change_that_cannot_be_is_named(change: Change) -> None:
    with pytest.raises(GeoError) as caught:
        changed_model(ServiceModel.build(walled_city()), change)
    assert caught.value.code == "coverage-bad-change"
    assert change.name in caught.value.zh
    assert change.name in caught.value.en


@pytest.mark.parametrize("station", [20, 900])
def test_a_new_street_makes_no_way_longer(station: float) -> None:
    """A building that would join a blind new street keeps the way it had."""
    city = towns.town(
        [(400, 60), (600, 20)],
        [[(0, 0), (1000, 0)]],
        towns.stations_at([(station, 0)]),
        households=[5, 6],
    )
    model = ServiceModel.build(city)
    blind = shapely.LineString([towns.here(390, 50), towns.here(-300, 400), towns.here(0, 0)])
    after = model.with_scenario(Scenario(paths=(blind,)))
    for one, other in (
        (model, after),
        (model.with_station(0, towns.here(500, 0)), after.with_station(0, towns.here(500, 0))),
    ):
        assert (other.coverage().distance_m <= one.coverage().distance_m).all()
    assert after.coverage().state.tolist() == model.coverage().state.tolist()
