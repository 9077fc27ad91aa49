"""What a walking coverage has to say of its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.findings import Finding
from geo.service_coverage.coverage import ISLAND, OFF_NETWORK

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.network import NetworkReport


def no_streets(factor: float) -> Finding:
    """Return the finding that a city has no streets, so that ways are straight lines times a factor."""
    return Finding(
        "coverage-without-streets",
        "warning",
        "roads",
        0,
        f"没有道路图层，步行距离按直线距离乘以 {factor:g} 估算。请加入 roads 图层以按路网计算。",
        f"There are no streets: walking distance is estimated as the straight line times {factor:g}. Add a roads "
        "layer to walk on.",
    )


def poor_network(share: float, report: NetworkReport, factor: float) -> Finding:
    """Return the finding that too few households are on the main network to walk on it."""
    return Finding(
        "coverage-network-unusable",
        "warning",
        "roads",
        report.components,
        f"道路不连通：主路网只接入 {share:.0%} 的住户（占道路长度 {report.connected_share_after:.0%}），"
        f"步行距离改按直线距离乘以 {factor:g} 估算。请检查道路图层。",
        f"The streets do not connect: only {share:.0%} of the households are on the main network (its part of the "
        f"length is {report.connected_share_after:.0%}). Walking distance is estimated as the straight line times "
        f"{factor:g}. Check the roads layer.",
    )


def home_findings(buildings: gpd.GeoDataFrame, state: NDArray[np.uint8]) -> tuple[Finding, ...]:
    """Return findings on homes off the network or on an island."""
    households = buildings["households"].to_numpy(np.int64)
    found = []
    for which, code, zh, en in (
        (OFF_NETWORK, "building-off-network", "附近没有道路", "have no street nearby"),
        (
            ISLAND,
            "building-on-island",
            "所接道路与主路网不连通",
            "are on streets cut off from the main network",
        ),
    ):
        rows = np.flatnonzero((state == which) & (households > 0))
        if not len(rows):
            continue
        count = int(households[rows].sum())
        found.append(
            Finding(
                code,
                "warning",
                "buildings",
                len(rows),
                f"{len(rows)} 栋楼（{count} 户）{zh}，单独列出，不计为未覆盖。",
                f"{len(rows)} buildings ({count} households) {en}: listed apart, not counted as uncovered.",
                rows=_source_rows(buildings, rows),
                ids=tuple(buildings["building_id"].to_numpy()[rows]),
                households=count,
            )
        )
    return tuple(found)


def station_findings(stations: gpd.GeoDataFrame, state: NDArray[np.uint8]) -> tuple[Finding, ...]:
    """Return findings on stations off the network or on an island."""
    found = []
    for which, code, zh, en in (
        (
            OFF_NETWORK,
            "station-off-network",
            "附近没有道路，步行无法到达",
            "have no street nearby: nobody walks there",
        ),
        (
            ISLAND,
            "station-on-island",
            "所接道路与主路网不连通，只服务同一片道路上的住户",
            "are on streets cut off from the main network: they serve only who lives on those",
        ),
    ):
        rows = np.flatnonzero(state == which)
        if len(rows):
            found.append(
                Finding(
                    code,
                    "warning",
                    "stations",
                    len(rows),
                    f"{len(rows)} 个站点{zh}。",
                    f"{len(rows)} stations {en}.",
                    ids=tuple(stations["station_id"].to_numpy()[rows]),
                )
            )
    return tuple(found)


def _source_rows(frame: gpd.GeoDataFrame, rows: NDArray[np.intp]) -> tuple[int, ...]:
    numbers = frame["source_row"].to_numpy() if "source_row" in frame else np.arange(1, len(frame) + 1)
    return tuple(numbers[rows].tolist())
