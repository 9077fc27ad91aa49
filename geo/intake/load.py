"""Put the layers together into a city."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.city import City
from geo.crs import WGS84, is_metric, transformer, working_crs
from geo.errors import LayerError
from geo.intake.buildings import locate_in_communities, read_buildings
from geo.intake.communities import read_communities
from geo.intake.compounds import assign_compounds, read_compounds
from geo.intake.features import read_candidates, read_lines, read_old_grids, read_stations
from geo.intake.gates import read_gates
from geo.intake.homes import Homes, count_homes, note_unmatched, unplaced_frame
from geo.intake.located import buildings_of_households
from geo.intake.log import Log
from geo.intake.opening import open_table, reference_of
from geo.schema import check_overrides
from geo.types import ROLES, Progress, Role, no_progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.findings import Finding
    from geo.intake.table import Table
    from geo.layers import Source

BUILDING_COLUMNS = (
    "building_id",
    "source_row",
    "community",
    "compound",
    "households",
    "persons",
    "floors",
    "use",
    "workers",
    "party_members",
    "workload",
    "address",
    "geometry",
)

PERSONS_PER_HOUSEHOLD = 2.6
"""Average of the 2020 census, 2.62, rounded; used where persons are not counted."""


@dataclass(frozen=True)
class _Inputs:
    """The opened tables by role."""

    tables: Mapping[Role, list[Table]]
    crs: CRS


def load_city(
    sources: Sequence[Source],
    *,
    columns: Mapping[str, str] | None = None,
    persons_per_household: float = PERSONS_PER_HOUSEHOLD,
    need_communities: bool = True,
    progress: Progress = no_progress,
) -> City:
    """Read layers and clean them to the contract of `geo.city.City`.

    Parameters
    ----------
    sources
        At least buildings, or a located household layer, and communities. Several sources may share a role.
    columns
        ``role.field`` to column name, where the guess is to be overruled; ``role.crs`` to ``EPSG:code`` for a layer
        that does not say its CRS.
    persons_per_household
        Persons where none are counted.
    need_communities
        False to load without a community layer: every building then is in no community (-1).
    progress
        Receives the stage ``"layers"``, a step per layer.

    Raises
    ------
    LayerError
        A layer is missing, empty or unreadable.
    ColumnError, CRSError, CommunityError
        A layer does not hold what it must.
    """
    log = Log()
    inputs = _open(sources, columns or {}, log, progress, need_communities=need_communities)
    tables, crs = inputs.tables, inputs.crs
    communities = read_communities(tables["communities"], crs, log)
    main = (tables["buildings"] or tables["households"])[0]
    frame, homes = _buildings(inputs, log)
    located = ~shapely.is_missing(frame["geometry"].to_numpy(dtype=object))
    if not located.any():
        raise _nowhere(main)
    community = np.full(len(frame), -1, np.int32)
    if tables["communities"]:
        their_crs = tables["communities"][0].crs or crs
        community = locate_in_communities(frame, communities, main, their_crs, log)
    drawn = read_compounds(tables["compounds"], crs, log)
    unplaced = pd.concat(
        [homes.unplaced, *_lost(frame, located, community, main, log, judged=bool(tables["communities"]))],
        ignore_index=True,
    )
    persons, estimated = _persons(homes, persons_per_household, main, log)
    frame = frame.assign(persons=persons, community=community, **_members(homes, main, log))
    buildings, doors = _kept(frame, homes.doors, located)
    compounds, compound = assign_compounds(buildings, drawn, crs)
    buildings = buildings.assign(compound=compound)
    buildings = buildings[[name for name in BUILDING_COLUMNS if name in buildings]]
    return City(
        crs=crs,
        communities=communities,
        buildings=gpd.GeoDataFrame(buildings, geometry="geometry", crs=crs),
        compounds=compounds,
        roads=read_lines(tables["roads"], crs, log),
        water=read_lines(tables["water"], crs, log),
        railways=read_lines(tables["railways"], crs, log),
        stations=read_stations(tables["stations"], crs, log),
        old_grids=read_old_grids(tables["old_grids"], crs, log),
        candidates=read_candidates(tables["candidates"], crs, log),
        gates=read_gates(tables["gates"], compounds, crs, log),
        doors=doors,
        households_in=homes.total,
        unplaced=unplaced,
        persons_estimated=estimated,
        findings=tuple(log.findings),
    )


def load_stations(
    sources: Sequence[Source], *, crs: CRS | None = None, columns: Mapping[str, str] | None = None
) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """Read only the stations among the sources.

    Parameters
    ----------
    crs
        The CRS to return them in; chosen from the stations when None.

    Returns
    -------
    tuple
        The stations frame of `geo.city.City`, and the findings.

    Raises
    ------
    LayerError
        ``stations-missing``: no source has that role.
    """
    check_overrides(columns or {})
    log = Log()
    tables = [open_table(s, columns or {}, log) for s in sources if s.role == "stations"]
    if not tables:
        raise LayerError("stations-missing", "没有给出站点图层（stations）。", "No stations layer was given.")
    return read_stations(tables, crs or _choose_crs(tables), log), tuple(log.findings)


def _open(
    sources: Sequence[Source],
    columns: Mapping[str, str],
    log: Log,
    progress: Progress,
    *,
    need_communities: bool,
) -> _Inputs:
    """Open all tables, communities first: they tell where coordinates without a CRS must lie."""
    check_overrides(columns)
    given = {source.role for source in sources}
    if need_communities and "communities" not in given:
        raise LayerError(
            "communities-missing",
            "没有给出社区图层（communities），网格不能跨社区，必须提供社区边界。",
            "No communities layer was given; grids never cross communities, so their outlines are needed.",
        )
    if not given & {"buildings", "households"}:
        raise LayerError(
            "buildings-missing",
            "没有给出楼栋图层（buildings），也没有带位置的住户图层（households）。",
            "Neither a buildings layer nor a located households layer was given.",
        )
    tables: dict[Role, list[Table]] = {role: [] for role in ROLES}
    order: list[Role] = [
        "communities",
        "buildings",
        *[r for r in ROLES if r not in ("communities", "buildings")],
    ]
    queue = sorted(sources, key=lambda source: order.index(source.role))
    for done, source in enumerate(queue):
        progress("layers", done, len(queue))
        reference = reference_of([*tables["communities"], *tables["buildings"]])
        tables[source.role].append(open_table(source, columns, log, reference=reference))
    progress("layers", len(queue), len(queue))
    return _Inputs(tables, _choose_crs([*tables["communities"], *tables["buildings"], *tables["households"]]))


def _choose_crs(tables: list[Table]) -> CRS:
    """Keep the CRS of the first layer that is in true metres, else choose one for the place of the first."""
    places = [_centre(table) for table in tables]
    for table, place in zip(tables, places, strict=True):
        if place is not None and table.crs is not None and is_metric(table.crs, *place):
            return table.crs
    for place in places:
        if place is not None:
            return working_crs(*place)
    raise LayerError(
        "no-places",
        "所有图层都没有位置（图形或坐标列）。",
        "None of the layers holds places (geometry or coordinate columns).",
    )


def _buildings(inputs: _Inputs, log: Log) -> tuple[pd.DataFrame, Homes]:
    """Read the buildings, or make them of located household rows, and count their households."""
    tables = inputs.tables
    if tables["buildings"]:
        frame = read_buildings(tables["buildings"], inputs.crs, log)
        homes = count_homes(frame, tables["buildings"], tables["households"], inputs.crs, log)
    else:
        frame, homes = buildings_of_households(tables["households"], inputs.crs, log)
    note_unmatched(homes.unplaced, log)
    return frame.assign(households=homes.households), homes


def _centre(table: Table) -> tuple[float, float] | None:
    """Longitude and latitude of the middle of a table."""
    if table.geometry is None or table.crs is None:
        return None
    xmin, ymin, xmax, ymax = shapely.total_bounds(table.geometry)
    if not np.isfinite([xmin, ymin, xmax, ymax]).all():
        return None
    lon, lat = transformer(table.crs, WGS84).transform((xmin + xmax) / 2, (ymin + ymax) / 2)
    return (float(lon), float(lat)) if np.isfinite([lon, lat]).all() else None


def _nowhere(table: Table) -> LayerError:
    return LayerError(
        "buildings-without-places",
        f"{table.raw.title} 没有任何一行有可用的位置，需要图形或坐标列（经度、纬度）。",
        f"No row of {table.raw.title} has a usable place; it needs geometry or coordinate columns (lon, lat).",
        layer=table.raw.layer,
        role=table.role,
    )


def _lost(
    frame: pd.DataFrame,
    located: NDArray[np.bool_],
    community: NDArray[np.int32],
    main: Table,
    log: Log,
    *,
    judged: bool,
) -> list[pd.DataFrame]:
    """List the households of buildings that have no place or lie in no community."""
    rows, ids = frame["source_row"].to_numpy(), frame["building_id"].to_numpy(dtype=object)
    households = frame["households"].to_numpy()
    if not located.all():
        gone = ~located
        count, lost = int(gone.sum()), int(households[gone].sum())
        log.note(
            "building-no-geometry",
            "error" if lost else "warning",
            main.role,
            f"{main.raw.title} 有 {count} 栋楼没有可用的图形，其中 {lost} 户无法落图。",
            f"{main.raw.title}: {count} buildings have no usable geometry; {lost} households cannot be placed.",
            count=count,
            rows=tuple(rows[gone]),
            ids=tuple(ids[gone]),
            households=lost,
        )
    parts = [unplaced_frame("no-geometry", main.role, rows[~located], ids[~located], households[~located])]
    if judged:
        out = located & (community < 0)
        parts.append(unplaced_frame("outside-communities", main.role, rows[out], ids[out], households[out]))
    return [part for part in parts if len(part)]


def _persons(
    homes: Homes, persons_per_household: float, main: Table, log: Log
) -> tuple[NDArray[np.int64], bool]:
    """Estimate persons where none are counted; tell whether all are estimates."""
    estimated = bool(np.isnan(homes.persons).all())
    unknown = np.isnan(homes.persons) & (homes.households > 0)
    if unknown.any() and not estimated:
        log.note(
            "persons-estimated",
            "info",
            main.role,
            f"{int(unknown.sum())} 栋楼没有人口数，按每户 {persons_per_household:g} 人估算。",
            f"{int(unknown.sum())} buildings have no number of persons; {persons_per_household:g} per household "
            "are estimated.",
            count=int(unknown.sum()),
        )
    guess = np.floor(homes.households * persons_per_household + 0.5)
    return np.where(np.isnan(homes.persons), guess, homes.persons).astype(np.int64), estimated


def _members(homes: Homes, main: Table, log: Log) -> dict[str, NDArray[np.int64]]:
    """Return the column of party members, 0 where none are counted; no column where none are counted at all."""
    unknown = np.isnan(homes.members)
    if unknown.all():
        return {}
    lacking = unknown & (homes.households > 0)
    if lacking.any():
        log.note(
            "party-members-empty",
            "info",
            main.role,
            f"{int(lacking.sum())} 栋有住户的楼没有党员数，按 0 名计。",
            f"{int(lacking.sum())} buildings with households have no number of party members; taken as 0.",
            count=int(lacking.sum()),
        )
    return {"party_members": np.nan_to_num(homes.members).astype(np.int64)}


def _kept(
    frame: pd.DataFrame, doors: pd.DataFrame, located: NDArray[np.bool_]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep the located buildings and renumber the doors."""
    position = np.where(located, np.cumsum(located) - 1, -1).astype(np.int32)
    doors = doors.assign(building=position[doors["building"].to_numpy()])
    doors = doors[doors["building"] >= 0].reset_index(drop=True)
    return frame[located].reset_index(drop=True), doors
