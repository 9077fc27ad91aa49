"""Units keep compounds whole while they fit; integer sums are the city's."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).parent))

from cities import box, make_city, tiny_city

from geo.adjacency import cell_graph, components
from geo.cells import build_tiling
from geo.units import build_units


def test_compound_that_fits_is_one_unit() -> None:
    city = tiny_city()
    tiling = build_tiling(city)
    units = build_units(city, tiling, max_households=120)
    own = units.of_cell[tiling.building_cell]
    assert own[6] == own[7]
    assert units.households[own[6]] == 120
    assert units.compound[own[6]] == 0
    assert units.buildings[own[6]] == 2
    assert len(set(own.tolist())) == 8


def test_compound_above_the_maximum_falls_into_cells() -> None:
    city = tiny_city()
    tiling = build_tiling(city)
    own = build_units(city, tiling, max_households=119).of_cell[tiling.building_cell]
    assert own[6] != own[7]
    assert build_units(city, tiling, max_households=None).n < build_units(city, tiling, max_households=1).n


def test_sums_are_exact_and_every_cell_has_a_unit() -> None:
    city = tiny_city()
    tiling = build_tiling(city)
    for maximum in (None, 0, 100, 10**9):
        units = build_units(city, tiling, max_households=maximum)
        assert units.households.dtype == np.int64
        assert units.households.sum() == city.buildings["households"].sum()
        assert units.persons.sum() == city.buildings["persons"].sum()
        assert units.buildings.sum() == len(city.buildings)
        assert sorted(set(units.of_cell.tolist())) == list(range(units.n))
        assert np.isclose(units.area_m2.sum(), tiling.cells["area_m2"].sum())
        assert (tiling.cells["community"].to_numpy() == units.community[units.of_cell]).all()
        assert len(set(components(cell_graph(tiling), units.of_cell).tolist())) == units.n


def test_compound_across_a_community_border_is_one_unit_on_each_side() -> None:
    halves = [box(0, 0, 100, 100), box(100, 0, 100, 100)]
    houses = [box(x, 40, 10, 10) for x in (70, 85, 110, 125)]
    city = make_city(halves, houses, compounds=[box(60, 30, 80, 40)], building_compound=[0, 0, 0, 0])
    tiling = build_tiling(city)
    units = build_units(city, tiling, max_households=40)
    own = units.of_cell[tiling.building_cell]
    assert own[0] == own[1] != own[2] == own[3]


def test_compound_cut_by_a_road_is_a_unit_on_each_side_of_foreign_ground() -> None:
    parts = shapely.MultiPolygon([box(10, 10, 40, 40), box(120, 10, 40, 40)])
    houses = [box(20, 20, 5, 5), box(35, 20, 5, 5), box(130, 20, 5, 5), box(80, 20, 5, 5)]
    city = make_city([box(0, 0, 200, 100)], houses, compounds=[parts], building_compound=[0, 0, 0, -1])
    tiling = build_tiling(city)
    units = build_units(city, tiling, max_households=None)
    own = units.of_cell[tiling.building_cell]
    assert own[0] == own[1] != own[2]
    assert units.compound[own[2]] == 0


def test_empty_ground_in_a_kept_compound_belongs_to_it() -> None:
    road = shapely.LineString([(60, 0), (60, 100)])
    city = make_city(
        [box(0, 0, 100, 100)],
        [box(20, 20, 9, 9)],
        roads=[road],
        compounds=[box(10, 10, 80, 80)],
        building_compound=[0],
    )
    tiling = build_tiling(city)
    inside = tiling.cells["compound"].to_numpy() == 0
    assert inside.sum() == 2
    units = build_units(city, tiling, max_households=None)
    assert len(set(units.of_cell[inside].tolist())) == 1


def test_city_without_buildings_has_units() -> None:
    city = make_city([box(0, 0, 100, 100)])
    units = build_units(city, build_tiling(city), max_households=10)
    assert units.n == 1
    assert units.households.tolist() == [0]
