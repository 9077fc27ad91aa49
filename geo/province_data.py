"""A province on disk: a folder per region, a GeoParquet file per layer, a row group for each few communities."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import shapely
from pyproj import CRS

from geo.atomic import replacing
from geo.city import City
from geo.errors import LayerError
from geo.intake.gates import empty_gates
from geo.layers.arrow import content_of, to_frame, to_table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT = 1
"""Version of the layout below; a dataset of another version is refused."""

MARGIN_M = 60.0
"""Barriers are kept this far beyond a community: further than any gap that the cells close."""

INDEX = "index.json"

PER_PART = 12
"""Communities that are divided together, about a subdistrict: a second of work, so starting it costs little."""

BARRIERS = ("roads", "water", "railways")


@dataclass(frozen=True)
class Part:
    """A few communities of one region, the unit of work.

    Attributes
    ----------
    region
        Name of its folder.
    number
        Its row group, from 0.
    communities
        Their ids.
    households, buildings
        What it holds.
    sha256
        Of everything it holds; equal content has an equal hash.
    """

    region: str
    number: int
    communities: tuple[str, ...]
    households: int
    buildings: int
    sha256: str


def add_region(dataset: Path, region: str, city: City, *, per_part: int = PER_PART) -> list[Part]:
    """Write a loaded city as one region of a dataset, cut into parts that can be divided alone.

    The layout is ``dataset/region/<layer>.parquet``, one GeoParquet file for each layer of `geo.city.City` in its
    working CRS. Row group `i` holds what part `i` needs: a few whole communities of one street, their buildings,
    doors and compounds, the roads, water and railways within `MARGIN_M` of them, the stations and other features
    in them. Barriers keep their own nodes: lines are cut between nodes only. ``index.json``, written last, lists
    the parts. One city is in memory at a time; any number of processes may add regions to one dataset.

    Parameters
    ----------
    dataset
        The folder; made when it does not exist.
    region
        Name of the new folder, without separators.
    city
        A city with communities.
    per_part
        Most communities of a part.

    Raises
    ------
    LayerError
        ``region-name``: the name is no plain folder name. ``region-exists``: the region is there already.
    """
    folder = dataset / region
    _check_new(folder, region)
    folder.mkdir(parents=True, exist_ok=True)
    slices = _slices(city, _groups(city, per_part))
    hashes = [hashlib.sha256(str(FORMAT).encode()) for _ in slices]
    names = list(slices[0]) if slices else []
    with replacing(*(folder / f"{name}.parquet" for name in names)) as drafts:
        for name, draft in zip(names, drafts, strict=True):
            tables = [to_table(part[name]) for part in slices]
            with pq.ParquetWriter(draft, tables[0].schema, compression="zstd") as writer:
                for table, digest in zip(tables, hashes, strict=True):
                    writer.write_table(table)
                    digest.update(content_of(name, table))
    parts = [
        Part(
            region,
            number,
            tuple(map(str, part["communities"]["community_id"])),
            int(part["buildings"]["households"].sum()),
            len(part["buildings"]),
            digest.hexdigest(),
        )
        for number, (part, digest) in enumerate(zip(slices, hashes, strict=True))
    ]
    _write_index(folder, city, names, parts)
    return parts


def _check_new(folder: Path, region: str) -> None:
    if not region or region != folder.name or region.startswith("."):
        raise LayerError(
            "region-name",
            f"区域名“{region}”不能用作文件夹名。",
            f'The region name "{region}" cannot name a folder.',
        )
    if (folder / INDEX).exists():
        raise LayerError(
            "region-exists",
            f"数据集中已有区域“{region}”：{folder}。请换一个名称，或先删除该文件夹。",
            f'The dataset already has a region "{region}": {folder}. Choose another name or remove the folder.',
            path=str(folder),
        )


def _groups(city: City, per_part: int) -> list[NDArray[np.intp]]:
    """Group the communities of each street in their order, at most `per_part` together, evenly."""
    street = city.communities["street"].to_numpy(dtype=object)
    _, first, inverse = np.unique(street, return_index=True, return_inverse=True)
    groups = []
    for k in np.argsort(first):
        rows = np.flatnonzero(inverse == k)
        groups += np.array_split(rows, -(-len(rows) // max(per_part, 1)))
    return groups


def _write_index(folder: Path, city: City, names: list[str], parts: list[Part]) -> None:
    index = {
        "format": FORMAT,
        "crs": city.crs.to_wkt(),
        "layers": names,
        "persons_estimated": city.persons_estimated,
        "households_in": int(city.households_in),
        "unplaced": int(city.unplaced["households"].sum()),
        "parts": [asdict(part) for part in parts],
    }
    with replacing(folder / INDEX) as (draft,):
        draft.write_text(json.dumps(index, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_index(dataset: Path, region: str) -> dict[str, Any]:
    """Read what a region says about itself.

    Raises
    ------
    LayerError
        ``region-incomplete``: it has no index, so it was never written to its end; ``region-format``.
    """
    path = dataset / region / INDEX
    if not path.is_file():
        raise LayerError(
            "region-incomplete",
            f"区域“{region}”没有 {INDEX}，数据没有写完：{path.parent}。请重新写入。",
            f'The region "{region}" has no {INDEX}, so it is incomplete: {path.parent}. Write it anew.',
            path=str(path.parent),
        )
    index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if index.get("format") != FORMAT:
        raise LayerError(
            "region-format",
            f"{path} 的版本是 {index.get('format')}，本程序只读版本 {FORMAT}。请重新写入数据集。",
            f"{path} has version {index.get('format')}; this program reads version {FORMAT}. Write it anew.",
            path=str(path),
        )
    return index


def list_parts(dataset: Path) -> list[Part]:
    """List the parts of a dataset by region and number.

    Raises
    ------
    LayerError
        ``dataset-empty``: the folder holds no region; and what `read_index` raises.
    """
    regions = sorted(p.name for p in dataset.iterdir() if p.is_dir()) if dataset.is_dir() else []
    if not regions:
        raise LayerError(
            "dataset-empty",
            f"{dataset} 中没有任何区域。",
            f"{dataset} holds no region.",
            path=str(dataset),
        )
    listed = [part for region in regions for part in read_index(dataset, region)["parts"]]
    return [Part(**{**part, "communities": tuple(part["communities"])}) for part in listed]


def read_part(dataset: Path, part: Part) -> City:
    """Read one part as a city of its own; only its row groups are read."""
    index = read_index(dataset, part.region)
    crs = CRS.from_wkt(index["crs"])
    frames: dict[str, Any] = {
        name: _frame(dataset / part.region / f"{name}.parquet", part.number, crs) for name in index["layers"]
    }
    return City(
        crs=crs,
        **{"gates": empty_gates(crs)} | frames,
        households_in=part.households,
        persons_estimated=bool(index["persons_estimated"]),
    )


def _slices(city: City, groups: list[NDArray[np.intp]]) -> list[dict[str, pd.DataFrame]]:
    """Return the frames of every group of communities, by field of `City`."""
    frames = {f.name: getattr(city, f.name) for f in fields(City)}
    frames = {name: frame for name, frame in frames.items() if isinstance(frame, pd.DataFrame)}
    runs = {name: _segments(frames[name]) for name in BARRIERS}
    result = []
    for rows in groups:
        outlines = city.communities.geometry.to_numpy()[rows]
        part = {"communities": frames["communities"].iloc[rows], "unplaced": frames["unplaced"].iloc[:0]}
        part |= _homes(city, rows)
        part |= {name: _near(frames[name], runs[name], outlines) for name in BARRIERS}
        part["gates"] = frames["gates"][_touched(frames["gates"], outlines, within_m=MARGIN_M)]
        for name, frame in frames.items():
            if name not in part:
                part[name] = frame[_touched(frame, outlines)]
        result.append({name: part[name].reset_index(drop=True) for name in frames})
    return result


def _touched(frame: gpd.GeoDataFrame, outlines: NDArray[Any], *, within_m: float = 0.0) -> NDArray[np.bool_]:
    """Mark the rows that meet one of the outlines, or come as near to one as said."""
    met = np.zeros(len(frame), bool)
    tree = shapely.STRtree(frame.geometry.to_numpy())
    found = (
        tree.query(outlines, predicate="dwithin", distance=within_m)
        if within_m
        else tree.query(outlines, predicate="intersects")
    )
    met[found[1]] = True
    return met


def _homes(city: City, communities: NDArray[np.intp]) -> dict[str, pd.DataFrame]:
    """Pick the buildings, doors and compounds of some communities and count their positions anew."""
    community = _renumbered(np.isin(np.arange(len(city.communities)), communities))
    home = community[city.buildings["community"].to_numpy()]
    buildings = city.buildings[home >= 0]
    own = _touched(city.compounds, city.communities.geometry.to_numpy()[communities])
    used = buildings["compound"].to_numpy()
    own[used[used >= 0]] = True
    doors = city.doors.assign(building=_renumbered(home >= 0)[city.doors["building"].to_numpy()])
    return {
        "buildings": buildings.assign(community=home[home >= 0], compound=_renumbered(own)[used]),
        "compounds": city.compounds[own],
        "doors": doors[doors["building"] >= 0],
    }


def _renumbered(kept: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the new position of every row that is kept, else -1; the last entry answers for position -1."""
    return np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1).astype(np.int32)


@dataclass(frozen=True)
class _Segments:
    """Straight pieces of lines: ends (n, 2, 2), line each belongs to, row of that line, boxes to search in."""

    ends: NDArray[np.float64]
    line: NDArray[np.intp]
    row: NDArray[np.intp]
    tree: shapely.STRtree


def _segments(frame: gpd.GeoDataFrame) -> _Segments:
    lines, row = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    xy, line = shapely.get_coordinates(lines, return_index=True)
    same = np.flatnonzero(line[:-1] == line[1:])
    ends = np.stack([xy[same], xy[same + 1]], axis=1)
    return _Segments(ends, line[same], row[line[same]], shapely.STRtree(shapely.linestrings(ends)))


def _near(frame: gpd.GeoDataFrame, segments: _Segments, outlines: NDArray[Any]) -> gpd.GeoDataFrame:
    """Return the lines near some outlines, cut between nodes: the pieces kept are those of the whole line."""
    xmin, ymin, xmax, ymax = shapely.total_bounds(outlines)
    box = shapely.box(xmin - MARGIN_M, ymin - MARGIN_M, xmax + MARGIN_M, ymax + MARGIN_M)
    kept = np.sort(segments.tree.query(box, predicate="intersects"))
    if not len(kept):
        return frame.iloc[:0]
    new = np.r_[True, (np.diff(kept) != 1) | (np.diff(segments.line[kept]) != 0)]
    run = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    # A run of m segments has m + 1 nodes: the start of its first segment, then every end.
    nodes = np.concatenate([segments.ends[kept[first], 0], segments.ends[kept, 1]])
    owner = np.concatenate([np.arange(len(first)), run])
    order = np.argsort(owner, kind="stable")
    lines = shapely.linestrings(nodes[order], indices=owner[order])
    rows = frame.iloc[segments.row[kept[first]]]
    return rows.set_geometry(gpd.GeoSeries(lines, index=rows.index, crs=frame.crs))


def _frame(path: Path, number: int, crs: CRS) -> pd.DataFrame:
    with pq.ParquetFile(path) as file:
        table = file.read_row_group(number)
    return to_frame(table, crs)
