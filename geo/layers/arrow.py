"""Frames as Arrow tables: geometry as WKB with the metadata of GeoParquet 1.0, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely

if TYPE_CHECKING:
    from pyproj import CRS

GEOMETRY = "geometry"


def to_table(frame: pd.DataFrame) -> pa.Table:
    """Turn a frame into an Arrow table; geometry as WKB with the metadata of GeoParquet 1.0."""
    if not isinstance(frame, gpd.GeoDataFrame):
        return pa.Table.from_pandas(frame, preserve_index=False)
    plain = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    table = pa.Table.from_pandas(plain, preserve_index=False)
    wkb = pa.array(shapely.to_wkb(frame.geometry.to_numpy()), pa.binary())
    about = {"encoding": "WKB", "geometry_types": [], "crs": frame.crs.to_json_dict()}
    geo = {"version": "1.0.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: about}}
    table = table.append_column(GEOMETRY, wkb)
    return table.replace_schema_metadata({**(table.schema.metadata or {}), b"geo": json.dumps(geo).encode()})


def to_frame(table: pa.Table, crs: CRS) -> pd.DataFrame:
    """Turn a table of `to_table` back into a frame; one with geometry is in `crs`."""
    if b"geo" not in (table.schema.metadata or {}):
        return table.to_pandas()
    shapes = shapely.from_wkb(table[GEOMETRY].to_numpy(zero_copy_only=False))
    return gpd.GeoDataFrame(table.drop_columns([GEOMETRY]).to_pandas(), geometry=shapes, crs=crs)


def content_of(name: str, table: pa.Table) -> bytes:
    """Return the bytes that stand for a table's content: its columns, not the metadata of the libraries."""
    sink = pa.BufferOutputStream()
    plain = table.replace_schema_metadata(None)
    with pa.ipc.new_stream(sink, plain.schema) as writer:
        writer.write_table(plain)
    return name.encode() + sink.getvalue().to_pybytes()
