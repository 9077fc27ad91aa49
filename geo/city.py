"""The city: every loaded layer cleaned to one contract, in one metric CRS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from pyproj import CRS

    from geo.findings import Finding


@dataclass(frozen=True)
class City:
    """Cleaned layers; every frame has a RangeIndex and is in `crs` (projected, metres).

    Attributes
    ----------
    crs
        The working CRS.
    communities
        ``community_id`` (str, unique), ``name`` (str), ``street`` (str, may be ""), ``code`` (str, digits of
        the statistical code or ""), Polygon or MultiPolygon geometry, valid, without overlaps.
    buildings
        ``building_id`` (str, unique, the input's id where it has one), ``source_row`` (int64, first data row is 1),
        ``community`` (int32, position in `communities`, -1 outside all), ``compound`` (int32, position in
        `compounds`, -1 none), ``households`` (int64), ``persons`` (int64), ``floors`` (float64, NaN unknown),
        ``use`` (str, may be ""), ``workers`` (int64), ``workload`` (float64, what a household counts for, 1 where
        the layer does not say), ``address`` (str, may be ""), valid Polygon, MultiPolygon or Point geometry,
        never empty; ``party_members`` (int64) only where the input counts some. A building without usable geometry
        is not here but in the findings and in `unplaced`.
    compounds
        ``compound_id`` (str, unique), ``name``, ``compound_type`` (str, may be ""), geometry (Polygon or
        MultiPolygon, or None for a compound known only by name). May have no rows.
    roads, water, railways
        ``border_class`` (uint8, a `geo.types.BorderClass`), ``name`` (str), LineString or MultiLineString geometry
        (outlines where the input has areas). Only where the input says: ``bridge``, ``tunnel``, ``crossing`` (bool,
        the last for roads) and ``layer`` (int16, 0 at grade). May have no rows.
    stations
        ``station_id`` (str, unique), ``name``, ``category`` (str), ``opening_hours`` (str, may be ""), Point
        geometry; only where the input says, ``floor_area_m2`` (float64, NaN unknown). May have no rows.
    old_grids, candidates
        As read: ``grid_code`` or ``candidate_id``, ``name``, geometry. May have no rows.
    gates
        Where walls of compounds can be passed: ``gate_id`` (str, unique), ``name`` (str, may be ""),
        ``compound_id`` (str, one of `compounds` or ""), Point geometry. May have no rows.
    doors
        Households per unit door where the household layer has them: ``building`` (int32, position in
        `buildings`), ``door`` (str), ``households`` (int64). May have no rows. A plain DataFrame.
    households_in
        Households counted in the input, placed or not; ``households_in ==
        buildings.households[buildings.community >= 0].sum() + unplaced.households.sum()``: a building outside all
        communities stays in `buildings` and its households are in `unplaced` too. Loaded without a community layer,
        every building has community -1, counts as placed, and all of `buildings.households` is summed.
    unplaced
        Households that are in no community: ``reason`` (str code, e.g. ``"no-building"``, ``"no-geometry"``,
        ``"outside-communities"``), ``source`` (role), ``source_row`` (int64), ``id`` (str), ``households``
        (int64). A plain DataFrame.
    persons_estimated
        True where persons are households times the factor, not counted.
    findings
        What was wrong and what was done.
    """

    crs: CRS
    communities: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    compounds: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    railways: gpd.GeoDataFrame
    stations: gpd.GeoDataFrame
    old_grids: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    gates: gpd.GeoDataFrame
    doors: pd.DataFrame
    households_in: int
    unplaced: pd.DataFrame
    persons_estimated: bool
    findings: tuple[Finding, ...] = ()
