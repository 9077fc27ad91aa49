"""The building layer: identified, located, assigned to communities and compounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo.crs import crs_label
from geo.errors import CommunityError
from geo.intake import cells
from geo.intake.geometry import Cleaned, assign_to_areas, clean_areas
from geo.intake.identify import numbered, unique_ids
from geo.intake.table import plain_numbers

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.intake.log import Log
    from geo.intake.table import Table

NEAR_M = 30.0
"""A building this close to a community, or a household point this close to a building, still belongs to it."""


def read_buildings(tables: list[Table], crs: CRS, log: Log) -> pd.DataFrame:
    """Read the buildings of all tables.

    Returns
    -------
    pandas.DataFrame
        ``building_id``, ``source_row``, ``id_key`` (for joins, ``""`` without an id), ``compound_id``,
        ``compound_name``, ``compound_type``, ``use``, ``workers``, ``workload``, ``building_name``, ``address``,
        ``floors``, and ``geometry`` (object, None where unusable).
    """
    frame = pd.concat([read_table(table, crs, log) for table in tables], ignore_index=True)
    ids, changed = unique_ids(frame["building_id"].to_numpy(dtype=object))
    if changed.any():
        count = int(changed.sum())
        log.note(
            "ids-made-unique",
            "warning",
            tables[0].role,
            f"{tables[0].raw.title} 有 {count} 个楼栋编号重复，已加序号；按编号关联的户数归第一栋。",
            f"{tables[0].raw.title}: {count} building ids repeat; numbered. Households joined by id go to "
            "the first.",
            count=count,
            rows=tuple(frame.loc[changed, "source_row"]),
            ids=tuple(ids[changed]),
        )
    return frame.assign(building_id=ids)


def read_table(table: Table, crs: CRS, log: Log) -> pd.DataFrame:
    """Read the buildings of one table, as `read_buildings`, but ids may repeat."""
    cleaned = clean_areas(table.in_crs(crs), points=True)
    given = table.text("building_id")
    ids = numbered(given, table.raw.rows, prefix="B", digits=6)
    _note_geometry(table, cleaned, ids, log)
    types, use = table.text("compound_type"), table.text("use")
    return pd.DataFrame(
        {
            "building_id": ids,
            "source_row": table.raw.rows,
            "id_key": cells.id_keys(given),
            "compound_id": table.text("compound_id"),
            "compound_name": table.text("compound_name"),
            "compound_type": types,
            "use": np.where(use == "", types, use),
            "workers": np.nan_to_num(plain_numbers(table, "workers", log)).astype(np.int64),
            "workload": _workload(table, log),
            "building_name": table.text("building_name"),
            "address": table.text("address"),
            "floors": _floors(table, log),
            "geometry": cleaned.geometry,
        }
    )


def _note_geometry(table: Table, cleaned: Cleaned, ids: NDArray[np.object_], log: Log) -> None:
    log.rows(
        "geometry-repaired",
        "warning",
        table,
        cleaned.repaired,
        "{title} 有 {n} 个图形自相交，已修复（第 {rows} 行）。",
        "{title}: {n} geometries were invalid; repaired (rows {rows}).",
        ids=ids,
    )
    log.rows(
        "geometry-hulled",
        "warning",
        table,
        cleaned.hulled,
        "{title} 有 {n} 个自相交的图形点数过多，改用外包凸多边形（第 {rows} 行）。",
        "{title}: {n} invalid geometries have too many points to repair; their convex hull is used (rows {rows}).",
        ids=ids,
    )


def _workload(table: Table, log: Log) -> NDArray[np.float64]:
    """Read the workload index; 1 where there is none."""
    values = plain_numbers(table, "workload", log)
    return np.where(np.isnan(values), 1.0, values)


def _floors(table: Table, log: Log) -> NDArray[np.float64]:
    if not table.has("floors"):
        return np.full(table.n, np.nan)
    values, bad = cells.numbers(table.column("floors"))
    log.rows(
        "floors-not-a-number",
        "info",
        table,
        bad,
        "{title} 有 {n} 行层数不是数字，按未知处理（第 {rows} 行）。",
        "{title}: {n} rows hold no number of floors; taken as unknown (rows {rows}).",
    )
    return values


def locate_in_communities(
    frame: pd.DataFrame, communities: gpd.GeoDataFrame, table: Table, communities_crs: CRS, log: Log
) -> NDArray[np.int32]:
    """Find the community of every building by a point inside it.

    A building outside all communities but within `NEAR_M` of one belongs to the nearest. Ties: lowest position.

    Raises
    ------
    CommunityError
        ``buildings-outside``: no building at all lies in a community, most likely a wrong CRS.
    """
    shapes = frame["geometry"].to_numpy(dtype=object)
    points = shapely.point_on_surface(shapes)
    areas = communities.geometry.to_numpy()
    community, near = assign_to_areas(points, areas, within_m=NEAR_M)
    located = ~shapely.is_missing(shapes)
    if located.any() and len(areas) and not (community >= 0).any():
        raise _all_outside(points[located], communities, table, communities_crs)
    ids, rows = frame["building_id"].to_numpy(dtype=object), frame["source_row"].to_numpy()
    homes = frame["households"].to_numpy()
    if near.any():
        count = int(near.sum())
        log.note(
            "building-near-community",
            "info",
            table.role,
            f"{count} 栋楼在社区边界外 {NEAR_M:.0f} 米以内，归入最近的社区。",
            f"{count} buildings lie outside all communities, but within {NEAR_M:.0f} m of one; they belong to the "
            "nearest.",
            count=count,
            rows=tuple(rows[near]),
            ids=tuple(ids[near]),
            households=int(homes[near].sum()),
        )
    outside = located & (community < 0)
    if outside.any():
        count, lost = int(outside.sum()), int(homes[outside].sum())
        log.note(
            "building-outside-communities",
            "error" if lost else "warning",
            table.role,
            f"{count} 栋楼（{lost} 户）不在任何社区内，未划入网格。",
            f"{count} buildings ({lost} households) lie in no community and get no grid.",
            count=count,
            rows=tuple(rows[outside]),
            ids=tuple(ids[outside]),
            households=lost,
        )
    return community


def _all_outside(
    points: NDArray[np.object_], communities: gpd.GeoDataFrame, table: Table, communities_crs: CRS
) -> CommunityError:
    middle = shapely.Point(*np.median(shapely.get_coordinates(points), axis=0))
    distance_m = float(shapely.distance(middle, shapely.box(*communities.total_bounds)))
    mine, theirs = crs_label(table.crs) if table.crs else "?", crs_label(communities_crs)
    lonlat = Transformer.from_crs(communities.crs, 4326, always_xy=True).transform(middle.x, middle.y)
    place = f"{lonlat[0]:.3f}, {lonlat[1]:.3f}"
    return CommunityError(
        "buildings-outside",
        f"所有楼栋都不在任何社区内（楼栋中心约在 {place}，距社区约 {distance_m / 1000:,.1f} 公里）。"
        f"可能坐标系标错：楼栋图层为 {mine}，社区图层为 {theirs}。请核对两个图层的坐标系和范围。",
        f"No building lies in any community (the buildings are around {place}, {distance_m / 1000:,.1f} km from "
        f"them). Probably a wrong CRS: the buildings say {mine}, the communities {theirs}. Check both.",
        distance_m=distance_m,
        crs=[mine, theirs],
        layer=table.raw.layer,
    )
