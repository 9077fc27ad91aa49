"""Files of the coverage page: buildings as bytes, layers as GeoJSON, exports."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geo.network import DETOUR_FACTOR
from geo.plan_files import write_layers
from geo.report import to_json
from geo.service_coverage import (
    circle_claims,
    circle_polygons,
    community_supply,
    coverage_frames,
    coverage_report,
    isochrone_frame,
)
from geo.service_coverage.circles import inner_points

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.city import City
    from geo.service_coverage import Coverage, ServiceModel

WGS84 = "EPSG:4326"

BUILDING = np.dtype(
    [("lon", "<i4"), ("lat", "<i4"), ("households", "<i4"), ("community", "<i2"), ("state", "<i2")]
)

SHOWN: dict[str, tuple[str, ...]] = {
    "communities": ("community_id", "name"),
    "grids": ("grid_id", "code", "name", "households"),
    "roads": ("border_class", "name"),
    "water": ("border_class", "name"),
    "railways": ("border_class", "name"),
    "compounds": ("compound_id", "name"),
}
"""Layers of the page and their columns."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_buildings(city: City, state: NDArray[np.uint8], target: Path) -> None:
    """Write the buildings in the order of the model, 16 bytes each."""
    buildings = city.buildings
    points = gpd.GeoSeries(shapely.points(inner_points(buildings)), crs=city.crs).to_crs(WGS84)
    table = np.zeros(len(buildings), BUILDING)
    table["lon"] = np.rint(points.x.to_numpy() * 1e7)
    table["lat"] = np.rint(points.y.to_numpy() * 1e7)
    table["households"] = np.minimum(buildings["households"].to_numpy(np.int64), np.iinfo(np.int32).max)
    table["community"] = np.minimum(buildings["community"].to_numpy(np.int64), np.iinfo(np.int16).max)
    table["state"] = state
    target.write_bytes(table.tobytes())


def layers_of(city: City, grids: gpd.GeoDataFrame | None) -> list[str]:
    """Return the names of the layers that have rows."""
    return [name for name in SHOWN if len(_frame(city, grids, name))]


def write_layer(city: City, grids: gpd.GeoDataFrame | None, name: str, out: Path) -> None:
    """Write a layer as GeoJSON, unless that was done before."""
    target = out / f"layer-{name}.geojson"
    if target.exists():
        return
    frame = _frame(city, grids, name)
    kept = [column for column in SHOWN[name] if column in frame.columns]
    target.write_text(_geojson(frame[[*kept, frame.geometry.name]], kept), encoding="utf-8")


def _frame(city: City, grids: gpd.GeoDataFrame | None, name: str) -> gpd.GeoDataFrame:
    if name == "grids":
        return gpd.GeoDataFrame(geometry=[], crs=WGS84) if grids is None else grids
    frame: gpd.GeoDataFrame = getattr(city, name)
    return frame


def _geojson(frame: gpd.GeoDataFrame, columns: Sequence[str]) -> str:
    """Return a FeatureCollection; every feature has its ``row``, and no geometry where it is none."""
    shapes = frame.geometry.to_crs(WGS84).to_numpy() if len(frame) else []
    records = frame[list(columns)].to_dict("records")
    features = [
        json.dumps(
            {"type": "Feature", "properties": {"row": row, **{k: _plain(v) for k, v in record.items()}}},
            ensure_ascii=False,
        )[:-1]
        + f', "geometry": {_shape(shape)}}}'
        for row, (record, shape) in enumerate(zip(records, shapes, strict=True))
    ]
    return '{"type": "FeatureCollection", "features": [' + ",\n".join(features) + "]}"


def _shape(shape: Any) -> str:
    if shape is None or shapely.is_empty(shape):
        return "null"
    return str(shapely.to_geojson(shapely.transform(shape, lambda xy: np.round(xy, 7))))


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not np.isfinite(value) else value


def isochrones(model: ServiceModel, coverage: Coverage, categories: Sequence[str]) -> dict[str, Any]:
    """Return what is in reach as GeoJSON, one feature a category, with the households it is wrong about.

    By walking it is an isochrone; otherwise circles, which for a way by the factor are smaller by it. ``error``
    counts households inside that reach no station in time (``claimed_in_wrong``) and households outside that do
    (``missed``); null where nothing better is known.
    """
    position = {name: k for k, name in enumerate(categories)}
    if coverage.method == "network":
        drawn = isochrone_frame(model, coverage)
        names, shapes = drawn["category"].tolist(), drawn.geometry
        errors: list[Any] = [
            {"claimed_in_wrong": inside, "missed": outside}
            for inside, outside in zip(
                drawn["inside_not_reached"].tolist(), drawn["outside_reached"].tolist(), strict=True
            )
        ]
    else:
        factor = DETOUR_FACTOR if coverage.method == "detour" else 1.0
        smaller = replace(coverage, category_minutes=coverage.category_minutes / factor)
        shapes = circle_polygons(smaller, model.stations)
        names, errors = list(coverage.categories), circle_errors(model, coverage)
    found = json.loads(_geojson(gpd.GeoDataFrame(geometry=shapes.to_numpy(), crs=model.city.crs), ()))
    for feature, name, error in zip(found["features"], names, errors, strict=True):
        feature["properties"] = {
            "category": position[name],
            "name": name,
            "method": coverage.method,
            "error": error,
        }
    return dict(found)


def circle_errors(model: ServiceModel, circle: Coverage) -> list[Any]:
    """Return how wrong each category's circle is by the walk; None where there is no network to tell."""
    if model.network is None or circle.method != "circle":
        return [None] * len(circle.categories)
    walk = model.coverage(
        minutes=circle.minutes,
        speed=circle.speed_m_per_min,
        categories=circle.categories,
        window=circle.window or None,
    )
    claims = circle_claims(walk)
    return [
        {"claimed_in_wrong": int(wrong), "missed": int(missed)}
        for wrong, missed in zip(claims.wrongly_in, claims.wrongly_out, strict=True)
    ]


def write_export(
    model: ServiceModel, coverage: Coverage, grids: gpd.GeoDataFrame | None, *, name: str, target: Path
) -> None:
    """Write one of the exports to `target`.

    Parameters
    ----------
    name
        ``coverage.gpkg``, ``coverage.json``, or a layer of the former as ``LAYER.csv``.
    """
    target.unlink(missing_ok=True)
    drawn = isochrone_frame(model, coverage) if coverage.method == "network" else None
    if name == "coverage.json":
        target.write_text(to_json(_report(model, coverage, grids)), encoding="utf-8")
        return
    city = model.city
    frames = coverage_frames(
        coverage,
        city.buildings,
        model.stations,
        grids=grids,
        grid_of_building=coverage.groups.grid,
        communities=city.communities,
        isochrones=drawn if name == "coverage.gpkg" else None,
    )
    if name == "coverage.gpkg":
        write_layers(frames, target)
    else:
        _write_csv(frames[name.removesuffix(".csv")], target)


def _report(model: ServiceModel, coverage: Coverage, grids: gpd.GeoDataFrame | None) -> dict[str, Any]:
    city = model.city
    placed = len(city.communities) > 0
    report = coverage_report(
        coverage,
        city.buildings,
        grid_ids=None if grids is None else grids["grid_id"].tolist(),
        community_ids=city.communities["community_id"].tolist() if placed else None,
        supply=community_supply(coverage, model.stations, city.communities) if placed else None,
    )
    if model.network is not None:
        report["network"] = asdict(model.network.report)
    report["findings"] = [finding.to_dict() for finding in (*city.findings, *coverage.findings)]
    return report


def _write_csv(frame: gpd.GeoDataFrame, target: Path) -> None:
    """Write the table as CSV that Excel opens as UTF-8, with no cell that Excel would run as a formula."""
    table = frame.drop(columns=frame.geometry.name)
    points = frame.geometry if len(frame) and (frame.geometry.geom_type == "Point").all() else None
    if points is not None:
        table = table.assign(lon=points.x.round(7), lat=points.y.round(7))
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([_tame(name) for name in table.columns])
        for row in table.itertuples(index=False, name=None):
            writer.writerow([_tame(_plain(value)) for value in row])


def _tame(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value
