"""Export the grids of a plan: GeoJSON after RFC 7946, and a table for Excel."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any, Literal

import shapely

from geo.atomic import replacing
from geo.errors import GeoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import geopandas as gpd

Format = Literal["geojson", "csv"]

COLUMNS = (
    "grid_id",
    "code",
    "name",
    "community_id",
    "households",
    "persons",
    "buildings",
    "deviation",
    "in_band",
    "compactness",
)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def grids_geojson(grids: gpd.GeoDataFrame) -> str:
    """Return the grids as a FeatureCollection after RFC 7946.

    Longitude and latitude on the grid of 1e-7 degree, so two grids that share a border share the very digits of
    its nodes; outer rings counter-clockwise; no ``crs`` member. One feature a line.

    Parameters
    ----------
    grids
        The ``grids`` layer of a plan, EPSG:4326.
    """
    shapes = shapely.to_geojson(shapely.orient_polygons(grids.geometry.to_numpy(), exterior_cw=False))
    lines = (
        '{"type":"Feature","id":'
        + _json(properties["grid_id"])
        + f',"geometry":{shape},"properties":'
        + _json(properties)
        + "}"
        for shape, properties in zip(shapes, _records(grids), strict=True)
    )
    return '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"


def write_csv(grids: gpd.GeoDataFrame, path: Path) -> None:
    """Write the attributes as CSV that Excel opens as UTF-8, with no cell that Excel would run as a formula."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=[c for c in COLUMNS if c in grids.columns])
        writer.writeheader()
        writer.writerows({key: _tame(value) for key, value in row.items()} for row in _records(grids))


def export_plan(frames: Mapping[str, gpd.GeoDataFrame], path: Path, *, to: str) -> None:
    """Write the grids of a plan to `path`, whole or not at all.

    Parameters
    ----------
    frames
        A plan as `geo.plan_files.read_plan` gives it.
    to
        One of ``"geojson"``, ``"csv"``.

    Raises
    ------
    GeoError
        With code ``"export-format-unknown"`` for any other format.
    """
    if to not in {"geojson", "csv"}:
        raise GeoError(
            "export-format-unknown",
            f"不支持的导出格式：{to}。可选：geojson、csv。",
            f"Unknown export format: {to}. Choose geojson or csv.",
        )
    with replacing(path) as (draft,):
        if to == "geojson":
            draft.write_text(grids_geojson(frames["grids"]), encoding="utf-8")
        else:
            write_csv(frames["grids"], draft)


def _records(grids: gpd.GeoDataFrame) -> Iterator[dict[str, Any]]:
    names = [column for column in COLUMNS if column in grids.columns]
    for row in zip(*(grids[name].tolist() for name in names), strict=True):
        yield dict(zip(names, row, strict=True))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _tame(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value
