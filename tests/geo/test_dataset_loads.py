"""Loads of cells: whole numbers whose sums over the units of a standard are the loads of those units, always.

Towns are random: compounds of several types across communities, workload indices with zeros, persons that are no
multiple of households, barriers inside compounds.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import geopandas as gpd
import numpy as np
import pytest
import shapely
from cities import CORNER, METRIC, box, make_city
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.cells import build_tiling
from geo.city import City
from geo.dataset.loads import cell_loads
from geo.grouping import units_for, units_of
from geo.loads import measured, unit_loads
from geo.standards import STANDARDS_DIR, Standard, TypeRule, load_standard
from geo.tiling import Tiling
from geo.types import BorderClass
from geo.units import Units, cell_units

RULED = replace(
    load_standard("fine-250"),
    rules=(
        TypeRule("成熟小区", "persons", target=700, one_compound_per_grid=True),
        TypeRule("商品房", "households", target=310),
    ),
    barriers={"street": "hard"},
)
STANDARDS = {path.stem: load_standard(path.stem) for path in sorted(STANDARDS_DIR.glob("*.toml"))}


@cache
def town() -> tuple[City, Tiling]:
    """Six compounds of three types over two communities, with single buildings between."""
    homes = [box(6 + 25 * i, 8 + 30 * j, 14, 12) for i in range(16) for j in range(6)]
    city = make_city(
        [box(0, 0, 200, 180), box(200, 0, 200, 180)],
        homes,
        roads=[shapely.LineString([(-5, 90), (405, 90)])],
        building_compound=[(i // 3) if i < 15 and j < 5 else -1 for i in range(16) for j in range(6)],
    )
    compounds = gpd.GeoDataFrame(
        {
            "compound_id": [f"k{i}" for i in range(6)],
            "name": [""] * 6,
            "compound_type": ["成熟小区", "商品房", "", "成熟小区", "其他", "商品房"],
        },
        geometry=[box(CORNER[0] + 75 * i, CORNER[1], 70, 150) for i in range(6)],
        crs=METRIC,
    )
    city = replace(city, compounds=compounds)
    return city, build_tiling(city)


def counted(seed: int, *, workload: bool) -> Units:
    """Return the cells of the town with random numbers in them."""
    rng = np.random.default_rng(seed)
    cells = cell_units(*town())
    homes = rng.choice([0, 0, 1, 3, 8, 24, 61], cells.n)
    return replace(
        cells,
        households=homes.astype(np.int64),
        persons=np.rint(homes * rng.uniform(1.5, 4.0, cells.n)).astype(np.int64),
        workload=rng.choice([0.0, 0.5, 1.0, 1.3], cells.n) if workload else None,
    )


def sums(units: Units, loads: np.ndarray) -> np.ndarray:
    total = np.zeros(units.n, np.int64)
    np.add.at(total, units.of_cell, loads)
    return total


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    standard=st.sampled_from([RULED, *STANDARDS.values()]),
    workload=st.booleans(),
    released=st.sets(st.integers(0, 5)),
)
def test_cells_add_up_to_the_loads_of_the_units(
    seed: int, standard: Standard, workload: bool, released: set[int]
) -> None:
    cells = counted(seed, workload=workload)
    loads = cell_loads(cells, standard, released=released)
    units = units_of(cells, standard, released=released)
    assert loads.dtype == np.int64
    assert (loads >= 0).all()
    assert (sums(units, loads) == unit_loads(units, standard)).all()
    assert (loads[(cells.households == 0) & (cells.persons == 0)] == 0).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_cell_gets_its_share_within_one(seed: int) -> None:
    cells = counted(seed, workload=True)
    loads, units = cell_loads(cells, RULED), units_of(cells, RULED)
    assert units.kind is not None
    assert cells.workload is not None
    weight = measured(cells, RULED, kind=units.kind[units.of_cell]) * cells.workload
    total = np.bincount(units.of_cell, weights=weight, minlength=units.n)[units.of_cell]
    wanted = unit_loads(units, RULED)[units.of_cell]
    known = total > 0.0
    assert (np.abs(loads[known] - (wanted * weight)[known] / total[known]) < 1.0 + 1e-9).all()


@pytest.mark.parametrize("standard", [RULED, *STANDARDS.values()], ids=lambda s: s.id)
@pytest.mark.parametrize("released", [(), (0, 4)])
def test_units_of_cells_are_the_units_of_the_city(standard: Standard, released: tuple[int, ...]) -> None:
    city, tiling = town()
    found = units_of(cell_units(city, tiling), standard, released=released)
    wanted = units_for(city, tiling, standard, released=released)
    for name in ("of_cell", "community", "compound", "households", "persons", "buildings", "area_m2", "kind"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name)), name
    assert np.array_equal(found.graph.neighbor, wanted.graph.neighbor)


def test_hard_barriers_part_the_compounds_of_the_town() -> None:
    city, tiling = town()
    assert tiling.segments.border_class.max() == BorderClass.STREET
    assert units_for(city, tiling, RULED).n > units_for(city, tiling, replace(RULED, barriers={})).n


def test_without_rules_and_indices_the_load_is_what_is_counted() -> None:
    cells = counted(1, workload=False)
    for measure in ("households", "persons"):
        standard = replace(load_standard("fine-250"), measure=measure)
        loads = cell_loads(cells, standard)
        assert (loads == getattr(cells, measure)).all()
        assert loads is not getattr(cells, measure)


def test_of_equal_remainders_the_first_cell_gets_the_odd_one() -> None:
    cells = counted(0, workload=False)
    one = np.flatnonzero(cells.compound == 1)
    homes = np.zeros(cells.n, np.int64)
    homes[one[:3]] = 1
    cells = replace(cells, households=homes, workload=np.where(np.arange(cells.n) < 0, 1.0, 1.34))
    standard = replace(RULED, rules=(), barriers={})
    assert cell_loads(cells, standard)[one[:4]].tolist() == [2, 1, 1, 0]


def test_homes_that_an_index_of_zero_hides_keep_the_load_from_empty_cells() -> None:
    cells = counted(0, workload=False)
    one = np.flatnonzero(cells.compound == 1)
    homes = np.zeros(cells.n, np.int64)
    homes[one[2]] = 3
    cells = replace(cells, households=homes, workload=np.zeros(cells.n))
    standard = replace(RULED, rules=(), barriers={})
    loads = cell_loads(cells, standard)
    assert np.flatnonzero(loads).tolist() == [one[2]]
    assert loads[one[2]] == 1
