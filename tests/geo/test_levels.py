"""Levels inside each other: policy — exact nesting for cities drawn at random, figures on the small demo city."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from cities import box, make_city, tiny_city
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import LayerError
from geo.intake import load_city
from geo.jobs import Wanted, study_city, write_levels
from geo.jobs.levels import levels_of
from geo.layers import Source
from geo.levels import COMMUNITY_STANDARD, streets_as_parents
from geo.plan_files import read_plan
from geo.report import verify_layers
from geo.search import Search
from geo.standards import load_standard
from geo.verify import verify_tiling

SMALL = Path(__file__).parents[2] / "data" / "demo" / "small.gpkg"
ROLES = ("buildings", "households", "compounds", "communities", "roads", "water", "railways")
FAST = Search(seed=2, effort="fast")
THREE = load_standard("three-level")


@pytest.fixture(scope="module")
def small():
    return study_city(load_city([Source(role, SMALL, role) for role in ROLES]), search=FAST)


@pytest.fixture(scope="module")
def full_tree(small):
    wanted = Wanted(THREE, redraw_communities=True, groups=True, radius_m=120.0)
    return levels_of(small, wanted, search=FAST)


def with_streets(city, streets):
    return replace(city, communities=city.communities.assign(street=streets))


def assert_nested(result):
    """Every area lies in one parent, the areas of a parent tile it, and households add up level by level."""
    above = None
    for level in result.levels:
        grids, parents = level.plan.grids, level.parents.frame
        assert verify_tiling(grids.geometry, grids["community"], parents.geometry).ok
        parent_of_cell = level.parents.of_cell
        assert (grids["community"].to_numpy()[level.plan.grid_of_cell] == parent_of_cell).all()
        assert level.grids["parent_id"].tolist() == parents["area_id"].to_numpy()[grids["community"]].tolist()
        assert grids["grid_id"].is_unique
        assert grids["code"].is_unique
        if above is not None:
            sums = grids.groupby("community_id")["households"].sum()
            whole = above.plan.grids.set_index("grid_id")["households"]
            assert (sums.reindex(whole.index) == whole).all()
            codes = above.plan.grids.set_index("grid_id")["code"]
            heads = codes.reindex(grids["community_id"])
            assert all(c.startswith(h) for c, h in zip(grids["code"], heads, strict=True))
        above = level


def test_four_levels_nest_on_the_demo_city(small, full_tree):
    names = [level.level for level in full_tree.levels]
    assert names == ["community", "area_grid", "micro_grid", "building_group"]
    assert_nested(full_tree)
    assert full_tree.report["nested"]
    total = int(small.city.buildings["households"].sum())
    for figures in full_tree.report["levels"]:
        assert figures["households"] == total
        assert figures["disconnected"] == 0
        assert figures["nesting"]["ok"]
    counts = [figures["areas"] for figures in full_tree.report["levels"]]
    assert counts == sorted(counts)
    means = [figures["mean"] for figures in full_tree.report["levels"][:3]]
    assert COMMUNITY_STANDARD.min <= means[0] <= COMMUNITY_STANDARD.max
    assert THREE.min <= means[1] <= THREE.max
    assert THREE.sublevels[0].min <= means[2] <= THREE.sublevels[0].max


def test_communities_are_redrawn_across_their_old_borders_but_not_across_streets(small, full_tree):
    level = full_tree.levels[0]
    old = small.tiling.cells["community"].to_numpy()
    together = pd.crosstab(level.plan.grid_of_cell, old)
    assert ((together > 0).sum(axis=1) > 1).any()
    street = small.city.communities["street"].to_numpy()[old]
    assert ((pd.crosstab(level.plan.grid_of_cell, street) > 0).sum(axis=1) == 1).all()


def test_compounds_stay_whole_above_and_come_apart_below(full_tree):
    for level, limit in zip(full_tree.levels[:3], (4000, 600, 100), strict=True):
        units = level.units
        kept = (units.compound >= 0) & (units.buildings > 1)
        assert units.households[kept].max() <= limit


def test_building_groups_respect_the_radius(small, full_tree):
    groups = full_tree.layers["grids_building_group"]
    figures = full_tree.report["levels"][-1]
    assert figures["beyond_radius"] == 0
    assert figures["measure"] == "party_members"
    assert figures["band"] == [3, 15]
    homes = small.city.buildings.assign(group=full_tree.layers["buildings"]["building_group_id"].to_numpy())
    homes = homes[homes["households"] > 0]
    centre = groups.set_index("grid_id")["centre_building_id"].reindex(homes["group"])
    spots = small.city.buildings.set_index("building_id").geometry
    here = shapely.point_on_surface(homes.geometry.to_numpy())
    there = shapely.point_on_surface(spots.reindex(centre).to_numpy())
    farthest = pd.Series(shapely.distance(here, there)).groupby(homes["group"].to_numpy()).max()
    reach = groups.set_index("grid_id")["reach_m"].reindex(farthest.index)
    assert np.allclose(farthest, reach, atol=0.06)
    assert farthest.max() <= 120.0
    ratio = groups["party_members"].sum() / homes["households"].sum()
    assert ratio == pytest.approx(0.09, rel=0.01)
    assert [f.code for f in full_tree.findings] == ["party-members-estimated"]


def test_the_file_is_a_plan_with_more_layers(full_tree, tmp_path):
    write_levels(full_tree, tmp_path / "levels.gpkg", tmp_path / "levels.json")
    plan = read_plan(tmp_path / "levels.gpkg")
    assert all(verdict.ok for verdict in verify_layers(plan).values())
    assert json.loads((tmp_path / "levels.json").read_text())["nested"]
    for name, column in (("micro_grid", "micro_grid_id"), ("building_group", "building_group_id")):
        layer = gpd.read_file(tmp_path / "levels.gpkg", layer=f"grids_{name}")
        by_cell = plan["cells"].groupby(column)["households"].sum()
        assert (by_cell.reindex(layer["grid_id"]).to_numpy() == layer["households"].to_numpy()).all()
        pairs = plan["buildings"].groupby(column)["grid_id"].nunique()
        assert (pairs == 1).all()
    assert plan["communities"]["community_id"].str.match(r"S\d\d-\d{3}").all()
    assert len(gpd.read_file(tmp_path / "levels.gpkg", layer="old_communities")) == 5
    assert len(gpd.read_file(tmp_path / "levels.gpkg", layer="streets")) == 2


def test_without_redrawing_the_main_level_is_the_plain_plan(small):
    standard = load_standard("fine-250")
    result = levels_of(small, Wanted(standard), search=FAST)
    assert [level.level for level in result.levels] == ["grid"]
    assert set(result.layers) >= {"grids", "cells", "buildings", "communities"}
    assert set(result.layers["grids"]["community_id"]) == set(small.city.communities["community_id"])
    assert "old_communities" not in result.layers
    assert result.layers["grids"]["code"].str.len().eq(15).all()


def test_streets_are_needed_and_a_missing_one_is_told():
    city = tiny_city()
    study = study_city(city, search=FAST)
    with pytest.raises(LayerError) as caught:
        levels_of(study, Wanted(THREE, redraw_communities=True), search=FAST)
    assert caught.value.code == "streets-missing"
    named = with_streets(city, ["东街", ""])
    parents, findings = streets_as_parents(named, study.tiling)
    assert len(parents.frame) == 2
    assert [f.code for f in findings] == ["community-without-street"]
    assert findings[0].ids == ("c1",)


SHAPES = [
    [box(0, 0, 300, 400), box(300, 0, 300, 400)],
    [box(0, 0, 200, 400), box(200, 0, 200, 400), box(400, 0, 200, 400)],
    [shapely.MultiPolygon([box(0, 0, 150, 400), box(450, 0, 150, 400)]), box(150, 0, 300, 400)],
]


@st.composite
def cities(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 50))
    corner = np.round(rng.uniform((0, 0), (580, 380), (n, 2)), 1)
    homes = [box(*c, *s) for c, s in zip(corner, rng.uniform(3, 20, (n, 2)), strict=True)]
    outlines = draw(st.sampled_from(SHAPES))
    roads = [
        shapely.LineString(np.round(rng.uniform((-20, -20), (620, 420), (2, 2)), 1))
        for _ in range(draw(st.integers(0, 5)))
    ]
    city = make_city(outlines, homes, roads=roads, households=rng.choice([0, 1, 24, 90, 500], n).tolist())
    streets = draw(
        st.lists(st.sampled_from(["东街", "西街"]), min_size=len(outlines), max_size=len(outlines))
    )
    return with_streets(city, streets)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cities(), st.booleans())
def test_any_city_nests_exactly(city, redraw):
    study = study_city(city, search=FAST)
    wanted = Wanted(THREE, redraw_communities=redraw, groups=True, radius_m=80.0)
    result = levels_of(study, wanted, search=FAST)
    assert_nested(result)
    assert result.report["nested"]
    assert result.report["levels"][-1]["beyond_radius"] == 0
    placed = study.tiling.building_cell >= 0
    total = city.buildings.loc[placed, "households"].sum()
    assert all(figures["households"] == total for figures in result.report["levels"])
