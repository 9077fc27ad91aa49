"""Policy: real streets as they come: every category counted, every household accounted for, faults said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from geo.city import City
from geo.intake import load_city
from geo.layers import parse_source
from geo.service_coverage import (
    ServiceModel,
    circle_claims,
    distance_bands,
    gap_table,
    isochrone_frame,
    reason_totals,
)

CATEGORIES = tuple(f"类别{k:02d}" for k in range(1, 13))
HOURS = ("24/7", "Mo-Fr 09:00-17:00", "周一至周日 08:30-20:30", "")
EACH = 4


def with_stations(city: City) -> City:
    """Put 48 stations of twelve categories at homes, always the same ones."""
    homes = np.flatnonzero(city.buildings["households"] > 0)
    rows = np.random.default_rng(7).choice(homes, len(CATEGORIES) * EACH, replace=False)
    n = len(rows)
    stations = gpd.GeoDataFrame(
        {
            "station_id": [f"S{k:02d}" for k in range(n)],
            "name": [f"站{k}" for k in range(n)],
            "category": [CATEGORIES[k % len(CATEGORIES)] for k in range(n)],
            "opening_hours": [HOURS[k % len(HOURS)] for k in range(n)],
        },
        geometry=shapely.point_on_surface(city.buildings.geometry.to_numpy()[rows]),
        crs=city.crs,
    )
    return replace(city, stations=stations)


@pytest.fixture(scope="module")
def cambridge(real_layer: Callable[[str], Path]) -> ServiceModel:
    path = real_layer("cambridge.gpkg")
    layers = {
        "buildings": "parcels_units",
        "communities": "neighborhoods",
        "roads": "streets",
        "water": "water",
    }
    city = load_city([parse_source(f"{role}={path}:{name}") for role, name in layers.items()])
    return ServiceModel.build(with_stations(city))


def test_every_category_is_counted_over_the_streets_of_cambridge(cambridge: ServiceModel) -> None:
    coverage = cambridge.coverage(minutes=10)
    assert coverage.method == "network"
    assert coverage.categories == CATEGORIES
    assert coverage.stations.tolist() == [EACH] * 12
    total = coverage.total_households
    assert total == cambridge.city.buildings["households"].sum() > 40_000
    undecided = coverage.undecided_households(1) + coverage.undecided_households(2)
    assert (coverage.covered_households + coverage.uncovered_households + undecided == total).all()
    assert (undecided < total // 100).all()
    assert coverage.communities.households.sum() <= total
    assert (coverage.covered_households > 0).all()
    assert (distance_bands(coverage).sum(axis=1) + undecided == total).all()
    assert (reason_totals(coverage).sum(axis=1) == total - coverage.covered_households).all()
    assert gap_table(coverage)["households"].is_monotonic_decreasing


def test_a_walk_is_never_shorter_than_the_straight_line(cambridge: ServiceModel) -> None:
    coverage = cambridge.coverage(minutes=10)
    circle = coverage.circle
    assert circle is not None
    assert (coverage.distance_m >= circle.distance_m - 1e-6).all()
    claims = circle_claims(coverage)
    assert (claims.wrongly_out == 0).all()
    assert (claims.circle == claims.walk + claims.wrongly_in).all()
    assert (claims.over_claim > 1.05).all()
    assert (claims.equivalent_radius_m < coverage.limit_m).all()


def test_walks_agree_with_another_search_of_the_same_streets(cambridge: ServiceModel) -> None:
    """Streets, homes and stations as one graph of their own, searched by scipy."""
    network, homes, spots = cambridge.network, cambridge.homes, cambridge.spots
    assert network is not None
    assert homes is not None
    assert spots is not None
    n = len(network.xy)
    rows = np.flatnonzero(homes.edge >= 0)[::97]
    heads, tails, metres = [network.edge[:, 0]], [network.edge[:, 1]], [network.length_m]
    first = n
    for access in (homes.take(rows), spots):
        node = np.arange(len(access)) + first
        ends = network.edge[access.edge]
        heads += [node, node]
        tails += [ends[:, 0], ends[:, 1]]
        metres += [
            access.leg_m + access.offset_m,
            access.leg_m + network.length_m[access.edge] - access.offset_m,
        ]
        first += len(access)
    edges = np.column_stack([np.concatenate(heads), np.concatenate(tails)])
    length = np.concatenate(metres)
    # Of edges between the same two nodes the shortest; the matrix would add them up.
    order = np.lexsort((length, edges.max(axis=1), edges.min(axis=1)))
    ends, keep = np.unique(np.sort(edges, axis=1)[order], axis=0, return_index=True)
    graph = coo_array((length[order][keep], (ends[:, 0], ends[:, 1])), shape=(first, first)).tocsr()
    graph.data = np.maximum(graph.data, 1e-9)
    found = dijkstra(graph, directed=False, indices=np.arange(first - len(spots), first))[
        :, n : n + len(rows)
    ]
    coverage = cambridge.coverage()
    for k in range(len(CATEGORIES)):
        nearest = found[coverage.station_category == k].min(axis=0)
        # A home and a station on one edge meet on it: that way is not in this graph.
        same = np.isin(homes.edge[rows], spots.edge[coverage.station_category == k])
        mine = coverage.distance_m[rows, k]
        assert np.allclose(mine[~same], nearest[~same], atol=1e-3)
        assert (mine[same] <= nearest[same] + 1e-3).all()


def test_a_window_closes_stations_and_gives_the_reason(cambridge: ServiceModel) -> None:
    day, evening = cambridge.coverage(minutes=10), cambridge.coverage(minutes=10, window="evening")
    assert (evening.covered_households <= day.covered_households).all()
    closed = gap_table(evening)
    closed = closed[closed["reason"] == "closed"]
    assert len(closed)
    assert day.covered[closed["building"], closed["category"]].all()
    assert {finding.code for finding in evening.findings} >= {"opening-hours-unknown"}


def test_isochrones_of_cambridge_err_by_little_and_say_by_how_much(cambridge: ServiceModel) -> None:
    coverage = cambridge.coverage(minutes=10)
    drawn = isochrone_frame(cambridge, coverage)
    assert drawn.geometry.is_valid.all()
    wrong = drawn["inside_not_reached"] + drawn["outside_reached"]
    assert (wrong > 0).any()
    assert (wrong < 0.15 * coverage.covered_households).all()


def test_the_unnoded_lines_of_ang_mo_kio_are_repaired_or_not_walked_on(
    real_layer: Callable[[str], Path],
) -> None:
    path = real_layer("ang_mo_kio.gpkg")
    layers = {"buildings": "blocks", "communities": "subzones", "roads": "road_sections"}
    city = load_city([parse_source(f"{role}={path}:{name}") for role, name in layers.items()])
    model = ServiceModel.build(with_stations(city))
    coverage = model.coverage(minutes=10)
    total = coverage.total_households
    undecided = coverage.undecided_households(1) + coverage.undecided_households(2)
    assert (coverage.covered_households + coverage.uncovered_households + undecided == total).all()
    if coverage.method == "network":
        assert model.network is not None
        assert model.network.report.connected_share_after > model.network.report.connected_share_before
        assert coverage.households[coverage.state == 0].sum() >= total / 2
    else:
        assert "coverage-network-unusable" in {finding.code for finding in coverage.findings}
    codes = {finding.code for finding in coverage.findings}
    assert any(code.startswith("network-") for code in codes)
