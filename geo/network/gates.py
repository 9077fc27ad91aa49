"""Gates of walled compounds: those known, and joining those that no street passes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geo.network.access import Joiner
from geo.network.edges import components, cut_lines
from geo.network.lines import TOUCH_M, Lines
from geo.network.passages import Gates, on_wall
from geo.types import BorderClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.network.edges import Graph
    from geo.network.types import Access, Network, Scenario

GATE_LEG_M = 100.0
"""A gate that no street passes is joined to the nearest street on either side within this distance."""


def walled(compounds: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    """Return the compounds with a valid outline; None in place of the outline of those said to have no wall."""
    if compounds is None or not len(compounds):
        return None
    shapes = shapely.force_2d(compounds.geometry.to_numpy())
    area = np.isin(
        shapely.get_type_id(shapes), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
    )
    shapes = shapely.make_valid(shapes)
    shapes[~area | shapely.is_empty(shapes)] = None
    if "walled" in compounds.columns:
        shapes[~compounds["walled"].fillna(value=True).to_numpy(bool)] = None
    return compounds.set_geometry(gpd.GeoSeries(shapes, index=compounds.index, crs=compounds.crs))


def known_gates(gates: gpd.GeoDataFrame | None, compounds: gpd.GeoDataFrame | None, plan: Scenario) -> Gates:
    """Return the gates of the layer and those of a scenario; rows without a point are left out."""
    xy, owner = np.empty((0, 2)), np.empty(0, np.int32)
    if gates is not None and len(gates):
        spot = shapely.centroid(gates.geometry.to_numpy())
        ok = ~shapely.is_missing(spot) & ~shapely.is_empty(spot)
        xy, owner = shapely.get_coordinates(spot[ok]), _owners(gates, compounds)[ok]
    planned = shapely.get_coordinates(shapely.centroid(np.array([*plan.gates, None], object)[:-1])).reshape(
        -1, 2
    )
    return Gates(
        np.vstack([xy, planned]),
        np.concatenate([owner, np.full(len(planned), -1)]).astype(np.int32),
        np.arange(len(xy) + len(planned)) < len(xy),
    )


def _owners(gates: gpd.GeoDataFrame, compounds: gpd.GeoDataFrame | None) -> NDArray[np.int32]:
    """Return the row of the compound of every gate, -1 where the layer does not say."""
    if compounds is None:
        return np.full(len(gates), -1, np.int32)
    if "compound_id" in gates.columns and "compound_id" in compounds.columns:
        rows = {str(name): row for row, name in reversed(list(enumerate(compounds["compound_id"])))}
        return np.array([rows.get(str(name), -1) for name in gates["compound_id"]], np.int32)
    if "compound" in gates.columns:
        return np.asarray(gates["compound"].to_numpy(np.int32))
    return np.full(len(gates), -1, np.int32)


def attach_gates(network: Network, unused: list[tuple[int, int]], gates: Gates) -> tuple[Network, list[int]]:
    """Join gates that no street passes to the nearest street outside, and to one inside if there is any.

    Parameters
    ----------
    network
        Cut at the walls.
    unused
        (gate, compound) to join.
    gates
        The known gates.

    Returns
    -------
    The network with a node at every gate, and the gates that reach no street outside within `GATE_LEG_M`.
    """
    if not unused:
        return network, []
    spots = np.array([on_wall(gates.xy[g], network.walls[c]) for g, c in unused])
    compound = np.array([c for _, c in unused], np.int32)
    beyond = _beyond(network, spots, compound)
    outside = Joiner(network).join(spots, beyond, max_leg_m=GATE_LEG_M)
    inside = Joiner(network, gates=False).join(spots, compound, max_leg_m=GATE_LEG_M)
    out = outside.edge >= 0
    network = _with_spurs(network, spots[out], compound[out], outside.take(out), inside.take(out))
    return network, sorted({unused[i][0] for i in np.flatnonzero(~out)})


def _beyond(network: Network, spots: NDArray[np.float64], compound: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return what lies on the other side of each gate: the compound that shares the wall there, or -1."""
    walled = np.flatnonzero([wall is not None for wall in network.walls])
    row, wall = shapely.STRtree(network.walls[walled]).query(
        shapely.points(spots), predicate="dwithin", distance=0.1
    )
    answer = np.full(len(spots), -1, np.int32)
    for i, k in zip(row.tolist(), walled[wall].tolist(), strict=True):
        if k != compound[i]:
            answer[i] = k
    return answer


def _with_spurs(
    network: Network,
    spots: NDArray[np.float64],
    compound: NDArray[np.int32],
    outside: Access,
    inside: Access,
) -> Network:
    """Add a node at every spot, and straight edges from it to where it joins the streets."""
    inner = np.flatnonzero(inside.edge >= 0)
    gate = np.concatenate([np.arange(len(spots)), inner])
    graph, target = _split(
        network,
        np.concatenate([outside.edge, inside.edge[inner]]),
        np.concatenate([outside.offset_m, inside.offset_m[inner]]),
    )
    gate_node = len(graph.xy) + np.arange(len(spots))
    every = np.vstack([graph.xy, spots])
    edge = np.vstack([graph.edge, np.stack([gate_node[gate], target], axis=1)]).astype(np.int32)
    spur = np.stack([spots[gate], graph.xy[target]], axis=1)
    length = np.concatenate([graph.length_m, np.hypot(*(spur[:, 1] - spur[:, 0]).T)])
    kind = np.concatenate([network.kind[graph.line], np.full(len(gate), BorderClass.ALLEY)])
    place = np.concatenate([network.compound[graph.line], np.full(len(spots), -1), compound[inner]])
    return replace(
        network,
        xy=every,
        edge=edge,
        length_m=length,
        kind=kind.astype(np.uint8),
        component=components(edge, length, len(every))[0],
        shape_xy=np.vstack([graph.shape_xy, spur.reshape(-1, 2)]),
        shape_start=np.concatenate(
            [graph.shape_start, graph.shape_start[-1] + 2 * np.arange(1, len(gate) + 1)]
        ),
        compound=place.astype(np.int32),
        gate_node=np.concatenate([network.gate_node, gate_node]).astype(np.int32),
        gate_compound=np.concatenate([network.gate_compound, compound]).astype(np.int32),
    )


def _split(
    network: Network, edge: NDArray[np.int32], offset: NDArray[np.float64]
) -> tuple[Graph, NDArray[np.int64]]:
    """Cut edges at places along them; return the graph and the node at each place."""
    n, m = len(network.xy), len(network.edge)
    length = network.length_m
    step = np.rint(offset / TOUCH_M).astype(np.int64)
    head, tail = step == 0, offset >= length[edge] - TOUCH_M
    inner = np.flatnonzero(~head & ~tail)
    keys, place = np.unique(np.stack([edge[inner], step[inner]]), axis=1, return_inverse=True)
    first = np.unique(place, return_index=True)[1]
    node = np.where(head, network.edge[edge, 0], network.edge[edge, 1]).astype(np.int64)
    node[inner] = n + place.reshape(-1)
    line = np.concatenate([np.arange(m), keys[0], np.arange(m)])
    at = np.concatenate([np.zeros(m), offset[inner[first]], length])
    stop = np.concatenate([network.edge[:, 0], n + np.arange(keys.shape[1]), network.edge[:, 1]])
    order = np.lexsort((at, line))
    node_xy = np.vstack([network.xy, _points_on(network, keys[0], offset[inner[first]])])
    lines = Lines(
        network.shape_xy,
        network.shape_start,
        row=np.arange(m, dtype=np.int32),
        kind=network.kind,
        level=np.zeros(m, np.int16),
        marked=np.zeros(m, bool),
        reach_m=np.zeros(m),
    )
    graph = cut_lines(
        lines, line=line[order], at=at[order], before=stop[order], after=stop[order], node_xy=node_xy
    )
    return graph, node


def _points_on(network: Network, edge: NDArray[Any], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the places `at` metres along edges, float64, shape (n, 2)."""
    row = np.repeat(np.arange(len(network.edge)), np.diff(network.shape_start))
    shapes = np.asarray(shapely.linestrings(network.shape_xy, indices=row), dtype=object)
    return shapely.get_coordinates(shapely.line_interpolate_point(shapes[edge], at))
