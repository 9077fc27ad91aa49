"""Boundaries are exact unions of cells, and their measures add up."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from cities import box, make_city, tiny_city

from geo.boundaries import border_summary, border_totals, dissolve
from geo.cells import build_tiling
from geo.tiling import Tiling
from geo.types import BorderClass
from geo.verify import verify_tiling

TILING: list[Tiling] = []


def tiling() -> Tiling:
    if not TILING:
        rng = np.random.default_rng(1)
        corners = rng.uniform(0, 280, (60, 2))
        houses = [box(x, y, 12, 9) for x, y in corners]
        roads = [shapely.LineString([(0, 90), (300, 110)]), shapely.LineString([(150, 0), (140, 300)])]
        halves = [box(0, 0, 300, 150), box(0, 150, 300, 150)]
        TILING.append(build_tiling(make_city(halves, houses, roads=roads)))
    return TILING[0]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_any_labels_dissolve_exactly(seed: int, k: int) -> None:
    tiles = tiling()
    community = tiles.cells["community"].to_numpy()
    label = (np.random.default_rng(seed).integers(0, k, len(community)) + k * community).astype(np.int32)
    shapes = dissolve(tiles, label, 2 * k)
    present = np.flatnonzero(~shapes.is_empty)
    assert present.tolist() == np.unique(label).tolist()
    group = present // k
    verdict = verify_tiling(shapes.iloc[present].to_numpy(), group, tiles.communities.geometry.to_numpy())
    assert verdict.ok, verdict
    for row in present[:4]:
        cells = shapely.union_all(tiles.cells.geometry.to_numpy()[label == row])
        assert shapely.equals(shapes.iloc[row], cells)


def test_cells_that_only_touch_at_a_corner_are_two_parts() -> None:
    quarters = build_tiling(
        make_city([box(0, 0, 200, 200)], roads=[_line(100, 0, 100, 200), _line(0, 100, 200, 100)])
    )
    centre = quarters.cells.geometry.to_crs(32650).centroid
    diagonal = ((centre.x > 500_100) == (centre.y > 4_420_100)).to_numpy().astype(np.int32)
    shapes = dissolve(quarters, diagonal, 2)
    assert shapes.geom_type.tolist() == ["MultiPolygon", "MultiPolygon"]
    assert shapes.is_valid.all()


def _line(*xy: float) -> shapely.LineString:
    return shapely.LineString(np.array(xy).reshape(-1, 2))


def test_label_around_another_has_a_hole() -> None:
    tiles = build_tiling(make_city([box(0, 0, 200, 200)], compounds=[box(50, 50, 100, 100)]))
    shapes = dissolve(tiles, np.arange(2, dtype=np.int32), 2)
    assert sorted(len(s.interiors) for s in shapes) == [0, 1]


def test_labels_left_out_and_without_cells() -> None:
    tiles = build_tiling(tiny_city())
    label = np.full(len(tiles.cells), -1, np.int32)
    assert dissolve(tiles, label, 2).is_empty.all()
    label[0] = 1
    shapes = dissolve(tiles, label, 2)
    assert shapes.iloc[0].is_empty
    assert shapely.equals(shapes.iloc[1], tiles.cells.geometry.iloc[0])


def test_summary_measures_a_square() -> None:
    tiles = build_tiling(make_city([box(0, 0, 100, 100)], [box(20, 20, 9, 9), box(70, 70, 9, 9)]))
    summary = border_summary(tiles, np.zeros(2, np.int32), 2)
    assert summary.loc[0, "perimeter_m"] == pytest.approx(400, rel=1e-3)
    assert summary.loc[0, "area_m2"] == pytest.approx(10_000, rel=1e-3)
    assert summary.loc[0, "polsby_popper"] == pytest.approx(np.pi / 4, rel=1e-3)
    assert np.isnan(summary.loc[1, "polsby_popper"])


def test_inner_border_is_counted_by_class_and_never_between_communities() -> None:
    tiles = build_tiling(tiny_city())
    label = np.arange(len(tiles.cells), dtype=np.int32)
    totals = border_totals(tiles, label)
    # The street x = 200 lies inside both communities; the street y = 100 is the border between them.
    assert totals[BorderClass.STREET] == pytest.approx(200, rel=0.01)
    assert totals[BorderClass.WALL] == pytest.approx(320, rel=0.01)
    summary = border_summary(tiles, label, len(label))
    for kind in BorderClass:
        assert summary[f"inner_{kind.name.lower()}_m"].sum() == pytest.approx(2 * totals[kind])
