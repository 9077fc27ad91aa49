"""Policy: a building too large for a grid becomes its unit doors; nothing is lost and the tiling stays exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from cities import box, make_city
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.cells import build_tiling
from geo.stairwells import cut_along, divide_buildings, shared_out
from geo.standards import load_standard
from geo.units import build_units
from geo.verify import verify_tiling

FINE = load_standard("fine-250")
SLAB = box(20, 20, 80, 12)


def city_of(buildings, households, doors, **more):
    """A city with doors given as (building, name, households)."""
    city = make_city([box(0, 0, 300, 200)], buildings, households=households, **more)
    building, door, counted = zip(*doors, strict=True) if doors else ((), (), ())
    frame = pd.DataFrame(
        {
            "building": np.array(building, np.int32),
            "door": np.array(door, dtype=object),
            "households": np.array(counted, np.int64),
        }
    )
    return replace(city, doors=frame)


def exact(tiling):
    cells = tiling.cells
    return verify_tiling(cells.geometry, cells["community"].to_numpy(), tiling.communities.geometry).ok


def test_a_large_building_becomes_its_doors():
    doors = [(0, "10单元", 100), (0, "1单元", 150), (0, "2单元", 250), (1, "1单元", 30)]
    city = city_of([SLAB, box(150, 100, 20, 20)], [500, 30], doors)
    divided = divide_buildings(city, FINE)
    homes = divided.buildings
    assert homes["building_id"].tolist() == ["b0:1单元", "b0:2单元", "b0:10单元", "b1"]
    assert homes["households"].tolist() == [150, 250, 100, 30]
    assert homes["persons"].tolist() == [450, 750, 300, 90]
    assert homes["source_row"].tolist() == [1, 1, 1, 2]
    assert divided.doors["building"].tolist() == [2, 0, 1, 3]
    # From west to east, touching, and nothing of the footprint lost.
    west = [g.bounds[0] for g in homes.geometry[:3]]
    assert west == sorted(west)
    assert np.isclose(shapely.area(homes.geometry[:3]).sum(), SLAB.area)
    assert city.buildings["building_id"].tolist() == ["b0", "b1"]
    (finding,) = divided.findings
    assert (finding.code, finding.ids, finding.households) == ("building-divided", ("b0",), 500)


def test_every_part_gets_a_cell_of_its_own_in_an_exact_tiling():
    city = city_of([SLAB, box(150, 100, 20, 20)], [500, 30], [(0, f"{i}单元", 100) for i in range(1, 6)])
    divided = divide_buildings(city, FINE)
    tiling = build_tiling(divided)
    assert exact(tiling)
    assert len(set(tiling.building_cell.tolist())) == 6
    units = build_units(divided, tiling)
    assert sorted(units.households.tolist()) == [30, 100, 100, 100, 100, 100]
    assert units.households.max() <= FINE.max


def test_nothing_changes_when_all_fit():
    city = city_of([SLAB], [400], [(0, "1单元", 200), (0, "2单元", 200)])
    assert divide_buildings(city, FINE) is city
    large = city_of([SLAB], [4000], [(0, "1单元", 2000), (0, "2单元", 2000)])
    assert divide_buildings(large, load_standard("compound-unit-138")) is large


@pytest.mark.parametrize(
    ("shape", "doors"),
    [
        (SLAB, []),
        (SLAB, [(0, "1单元", 500)]),
        (SLAB, [(0, "", 200), (0, "1单元", 300)]),
        (SLAB, [(0, "1单元", 500), (0, "2单元", 0)]),
        (shapely.Point(50, 50), [(0, "1单元", 250), (0, "2单元", 250)]),
    ],
)
def test_what_cannot_be_divided_is_reported(shape, doors):
    divided = divide_buildings(city_of([shape], [500], doors), FINE)
    assert divided.buildings["households"].tolist() == [500]
    (finding,) = divided.findings
    assert (finding.code, finding.count) == ("building-too-large", 1)
    assert "单元" in finding.zh


def test_households_that_no_door_counts_are_spread_over_the_doors():
    doors = [(0, "1单元", 100), (0, "2单元", 200), (0, "", 30)]
    divided = divide_buildings(city_of([SLAB], [600], doors), FINE)
    assert divided.buildings["households"].tolist() == [200, 400]
    assert divided.doors["building"].tolist() == [0, 1, 0]


def test_a_type_rule_decides_what_is_too_large():
    by_type = load_standard("type-rule-634")
    doors = [(0, "1单元", 1000), (0, "2单元", 1000)]
    city = city_of([SLAB], [2000], doors, compounds=[box(5, 5, 120, 60)], building_compound=[0])
    city.buildings["persons"] = 5000
    assert len(divide_buildings(city, by_type).buildings) == 2
    city.compounds["compound_type"] = ["成熟小区"]
    # 5,000 persons are 1,000 households' worth, below the limit of 1,200.
    assert divide_buildings(city, by_type) is city


def test_a_building_that_runs_north_south_is_cut_from_the_north():
    north, south = cut_along(box(0, 0, 10, 60), 2)
    assert north.bounds == (0, 30, 10, 60)
    assert south.bounds == (0, 0, 10, 30)


def test_a_piece_without_area_refuses_the_cut():
    apart = shapely.MultiPolygon([box(0, 0, 10, 10), box(90, 0, 10, 10)])
    assert cut_along(apart, 5) == []
    assert cut_along(shapely.LineString([(0, 0), (9, 9)]), 2) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 5000), min_size=1, max_size=9).filter(any))
def test_shares_are_whole_and_add_up(total, weights):
    share = shared_out(total, weights)
    assert share.sum() == total
    exact_share = total * np.array(weights) / sum(weights)
    assert (np.abs(share - exact_share) < 1).all()


@st.composite
def footprints(draw):
    """A slab, an angle or a yard, turned, on or off the lattice."""
    width, depth = draw(st.floats(20, 90)), draw(st.floats(8, 30))
    shape = box(0, 0, width, depth)
    if draw(st.booleans()):
        shape = shape.union(box(0, 0, depth, width * draw(st.floats(0.3, 1.0))))
    if draw(st.booleans()):
        shape = shape.difference(box(width * 0.3, depth * 0.3, width * 0.3, depth * 0.3))
    turned = shapely.affinity.rotate(shape, draw(st.sampled_from([0, 17.3, 45, 90, 133])), origin=(0, 0))
    return shapely.affinity.translate(turned, draw(st.floats(0, 200)), draw(st.floats(0, 150)))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(footprints(), min_size=1, max_size=4), st.integers(2, 7))
def test_any_division_tiles_exactly_and_keeps_every_household(shapes, count):
    doors = [(b, f"{d}单元", 90 + d) for b in range(len(shapes)) for d in range(1, count + 1)]
    city = city_of(shapes, [700] * len(shapes), doors)
    divided = divide_buildings(city, FINE)
    assert divided.buildings["households"].sum() == 700 * len(shapes)
    assert divided.buildings["persons"].sum() == city.buildings["persons"].sum()
    assert divided.buildings["building_id"].is_unique
    assert divided.buildings.geometry.is_valid.all()
    assert np.isclose(divided.buildings.area.sum(), city.buildings.area.sum())
    tiling = build_tiling(divided)
    assert exact(tiling)
    placed = divided.buildings["community"].to_numpy() >= 0
    assert (tiling.building_cell[placed] >= 0).all()
    assert build_units(divided, tiling).households.sum() == divided.buildings.loc[placed, "households"].sum()
