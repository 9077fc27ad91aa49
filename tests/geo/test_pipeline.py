"""The whole job on cities drawn at random: what must hold for every input.

Buildings may overlap, touch, repeat, cross roads and lie on borders; communities may be concave, in several
parts, or empty; households may be zero or far above a grid's maximum.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from cities import make_city
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.city import City
from geo.pipeline import plan_city
from geo.standards import load_standard

STANDARD = load_standard("fine-250")

SHAPES = {
    "square": [shapely.box(0, 0, 600, 400)],
    "two": [shapely.box(0, 0, 300, 400), shapely.box(300, 0, 600, 400)],
    "concave": [
        shapely.Polygon(
            [(0, 0), (600, 0), (600, 400), (400, 400), (400, 100), (200, 100), (200, 400), (0, 400)]
        ),
        shapely.Polygon([(200, 100), (400, 100), (400, 400), (200, 400)]),
    ],
    "parts": [
        shapely.MultiPolygon([shapely.box(0, 0, 200, 400), shapely.box(400, 0, 600, 400)]),
        shapely.box(200, 0, 400, 400),
    ],
}


@st.composite
def cities(draw: st.DrawFn) -> City:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(0, 60))
    corner = np.round(rng.uniform((0, 0), (590, 390), (n, 2)), draw(st.sampled_from([0, 3])))
    size = rng.uniform(2, 40, (n, 2))
    homes = [
        shapely.Point(*c) if rng.random() < 0.2 else shapely.box(*c, *(c + s))
        for c, s in zip(corner, size, strict=True)
    ]
    households = rng.choice([0, 1, 24, 60, 120, 700], n)
    roads = [
        shapely.LineString(np.round(rng.uniform((-20, -20), (620, 420), (2, 2)), 1))
        for _ in range(draw(st.integers(0, 8)))
    ]
    return make_city(
        SHAPES[draw(st.sampled_from(sorted(SHAPES)))], homes, roads=roads, households=households.tolist()
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cities(), st.integers(0, 3))
def test_every_plan_is_exact_connected_and_complete(city: City, seed: int) -> None:
    result = plan_city(city, standard=STANDARD, seed=seed, effort="fast")
    report, grids, cells = result.report, result.layers["grids"], result.layers["cells"]

    assert report["exact_tiling"]["ok"], report["exact_tiling"]
    assert report["contiguity"]["ok"]
    assert set(grids.geom_type) == {"Polygon"}
    assert set(grids["community_id"]) == set(city.communities["community_id"])
    assert (cells.groupby("grid_id")["community_id"].nunique() == 1).all()

    placed = city.buildings["community"].to_numpy() >= 0
    assert grids["households"].sum() == city.buildings.loc[placed, "households"].sum()
    by_cell = cells.groupby("grid_id")["households"].sum()
    assert (grids.set_index("grid_id")["households"] == by_cell.reindex(grids["grid_id"])).all()
    homes = result.layers["buildings"]
    by_home = homes[homes["grid_id"] != ""].groupby("grid_id")["households"].sum()
    assert (grids.set_index("grid_id")["households"].sub(by_home, fill_value=0) == 0).all()

    shapes = grids.to_crs(city.crs).geometry
    assert np.allclose(grids["area_m2"], shapes.area, rtol=1e-3, atol=0.1)
    assert np.allclose(grids["perimeter_m"], shapes.length, rtol=1e-3, atol=0.1)
    assert np.allclose(grids["compactness"], 4 * np.pi * shapes.area / shapes.length**2, atol=2e-3)

    assert grids["grid_id"].is_unique
    assert grids["code"].is_unique
    assert ((grids["reason"] != "") == ~grids["in_band"]).all()


def test_buildings_lie_in_their_own_grid() -> None:
    homes = [
        shapely.box(20 + 50 * i, 20 + 50 * j, 50 + 50 * i, 40 + 50 * j) for i in range(11) for j in range(7)
    ]
    result = plan_city(
        make_city(SHAPES["two"], homes, households=[20] * len(homes)), standard=STANDARD, effort="fast"
    )
    grids, buildings = result.layers["grids"], result.layers["buildings"]
    points = gpd.GeoDataFrame(
        buildings[["grid_id"]], geometry=buildings.geometry.representative_point(), crs=buildings.crs
    )
    joined = points.sjoin(grids[["grid_id", "geometry"]], predicate="within")
    assert len(joined) == len(homes)
    assert (joined["grid_id_left"] == joined["grid_id_right"]).all()
    assert result.report["share_in_band"] == 1.0
