"""Build the walking network from loaded layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from geo.errors import GeoError, LayerError
from geo.network.edges import Graph, components, cut_lines, drop_duplicates, middles, number_nodes
from geo.network.gaps import join_gaps
from geo.network.gates import attach_gates, known_gates, walled
from geo.network.lines import TOUCH_M, Lines, barrier_pieces, check_crs, drop_twins, from_shapes, street_lines
from geo.network.noding import (
    Meetings,
    Pieces,
    Stops,
    as_shapes,
    barrier_meetings,
    make_stops,
    pieces_of,
    street_meetings,
)
from geo.network.overshoot import trim
from geo.network.passages import Passages, Rules, pass_barriers
from geo.network.remarks import remark
from geo.network.types import GATE_M, SNAP_M, Network, NetworkReport, Scenario
from geo.types import BorderClass

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.city import City
    from geo.findings import Finding
    from geo.network.lines import Barrier

BridgeRule = Literal["auto", "marked", "streets", "all"]


@dataclass(frozen=True, eq=False)
class Inputs:
    """The arguments of `build_network`, kept for `apply`."""

    roads: gpd.GeoDataFrame
    water: gpd.GeoDataFrame | None
    railways: gpd.GeoDataFrame | None
    compounds: gpd.GeoDataFrame | None
    gates: gpd.GeoDataFrame | None
    scenario: Scenario
    snap_m: float
    bridges: BridgeRule


def network_of(
    city: City,
    *,
    gates: gpd.GeoDataFrame | None = None,
    scenario: Scenario | None = None,
    snap_m: float = SNAP_M,
    bridges: BridgeRule = "auto",
) -> Network:
    """Build the walking network of a city, see `build_network`; `gates` are the city's own where None is given."""
    return build_network(
        city.roads,
        water=city.water,
        railways=city.railways,
        compounds=city.compounds,
        gates=city.gates if gates is None else gates,
        scenario=scenario,
        snap_m=snap_m,
        bridges=bridges,
    )


def build_network(
    roads: gpd.GeoDataFrame,
    *,
    water: gpd.GeoDataFrame | None = None,
    railways: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    gates: gpd.GeoDataFrame | None = None,
    scenario: Scenario | None = None,
    snap_m: float = SNAP_M,
    bridges: BridgeRule = "auto",
) -> Network:
    """Node loaded streets, cut them at barriers and return them as an undirected graph.

    Lines are joined where they cross, where one ends on another, and where a loose end comes within `snap_m` of
    another line with no barrier between. Bridges and tunnels (columns ``bridge``, ``tunnel``, ``layer`` and their
    Chinese names) meet other levels only at their ends; without such columns every crossing is at grade.

    Water is crossed by streets that the data mark as bridge, tunnel or crossing; where nothing is marked, by
    streets and arterials, because street layers are drawn through over bridges, but not by alleys and paths.
    Railways are crossed by marked lines, streets and arterials (level crossings, underpasses). Walls are passed at
    gates: those of `gates`; for a compound without any known gate, where a street enters it. A compound without a
    gate into which no street leads counts as open. A loose end no more than `OVERSHOOT_M` past a barrier does not
    cross it.

    Parameters
    ----------
    roads
        Streets and paths, in a projected CRS in metres; ``border_class`` (uint8) or ``road_class`` where known.
    water, railways
        Barriers, lines or areas.
    compounds
        Walled compounds, areas; the wall is the outline. A bool column ``walled`` takes compounds out.
    gates
        Points on or near walls; ``compound_id`` (as in `compounds`) or ``compound`` (its row) where known.
    scenario
        What a planner would add.
    snap_m
        Gap over which loose ends are joined, metres; 0 joins none.
    bridges
        Who crosses water and railways: ``"auto"`` as above; ``"marked"`` only marked lines; ``"streets"`` these and
        all streets and arterials; ``"all"`` every line.

    Raises
    ------
    LayerError
        ``network-no-streets``: there is no line to walk on. Fall back on `geo.network.detour_distance`.
    CRSError
        ``network-crs``: the layers are not in one projected CRS in metres.
    GeoError
        ``network-bad-snap``: `snap_m` is negative or not a number.
    """
    if not (np.isfinite(snap_m) and snap_m >= 0):
        raise GeoError(
            "network-bad-snap",
            f"端点吸附距离不能为负，当前为 {snap_m} 米。",
            f"The snapping distance must not be negative; it is {snap_m} m.",
        )
    crs = check_crs(roads, water, railways, compounds, gates)
    compounds = walled(compounds)
    inputs = Inputs(roads, water, railways, compounds, gates, scenario or Scenario(), snap_m, bridges)
    findings: list[Finding] = []
    plan = inputs.scenario
    lines = street_lines(roads, snap_m, _scenario_lines(plan), findings)
    if not len(lines):
        raise LayerError(
            "network-no-streets",
            "道路图层没有可用的线，无法建立步行路网。请加入道路图层，或改用直线距离乘绕行系数。",
            "The roads layer holds no usable line, so there is no walking network. Add a roads layer, or use "
            "straight distance times a detour factor.",
            layer="roads",
        )
    barrier, lines_of_barriers = barrier_pieces(water, railways, compounds, findings)
    before = _share_before(lines.take(lines.row >= 0))
    lines_in = int((lines.row >= 0).sum())
    lines, twin_lines = drop_twins(lines)
    lines, stops, passages, counts = _node(lines, barrier, inputs)
    graph, twins = drop_duplicates(
        cut_lines(
            lines,
            line=stops.line,
            at=stops.at,
            before=passages.before,
            after=passages.after,
            node_xy=passages.node_xy,
        )
    )
    graph, drowned = _drop_drowned(graph, passages)
    graph, number = number_nodes(graph)
    network = _network(
        graph,
        lines,
        number=number,
        passages=passages,
        compounds=compounds,
        barriers=lines_of_barriers,
    )
    network, lost = attach_gates(network, passages.unused, known_gates(gates, compounds, plan))
    report = _report(network, lines, (lines_in, twins + twin_lines, *counts), passages, before=before)
    outlines = 0 if compounds is None else int(compounds.geometry.notna().sum())
    remarks = remark(
        report, lines, passages, outlines=outlines, drowned=drowned, lost_gates=lost, rule=bridges
    )
    return replace(network, crs=crs, findings=(*findings, *remarks), report=report, inputs=inputs)


def apply(network: Network, scenario: Scenario) -> Network:
    """Return the network with gates, bridges and paths added to it; earlier scenarios stay.

    It is built anew from the layers, so an added gate opens a wall that cut a street. Edges and nodes are numbered
    anew: snap buildings and stations again.
    """
    old: Inputs = network.inputs
    if old is None:
        raise ValueError("a network without its inputs cannot take a scenario")
    return build_network(
        old.roads,
        water=old.water,
        railways=old.railways,
        compounds=old.compounds,
        gates=old.gates,
        scenario=old.scenario.plus(scenario),
        snap_m=old.snap_m,
        bridges=old.bridges,
    )


def _scenario_lines(plan: Scenario) -> list[Lines]:
    answer = []
    for shapes, level in ((plan.paths, 0), (plan.bridges, 1)):
        parts = (
            shapely.get_parts(np.array([*shapes, None], object)[:-1]) if len(shapes) else np.empty(0, object)
        )
        parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING]
        n = len(parts)
        if n:
            answer.append(
                from_shapes(
                    parts,
                    row=np.full(n, -1),
                    kind=np.full(n, BorderClass.ALLEY),
                    level=np.full(n, level),
                    marked=np.full(n, bool(level)),
                    reach_m=GATE_M,
                )
            )
    return answer


def _share_before(lines: Lines) -> float:
    """Return the share of the largest connected part while lines meet only where their ends are one point."""
    ends = np.stack([lines.start[:-1], lines.start[1:] - 1], axis=1).reshape(-1)
    keys = np.round(lines.xy[ends] / 1e-3).astype(np.int64)
    node = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1, 2)
    total = lines.along[lines.start[1:] - 1]
    metres = components(node, total, int(node.max()) + 1)[1]
    return float(metres[0] / metres.sum())


def _node(lines: Lines, barrier: Barrier, inputs: Inputs) -> tuple[Lines, Stops, Passages, tuple[int, int]]:
    """Join lines to each other and cut them at barriers; also return how many were noded and joined."""
    pieces, tree, met, walls = _meetings(lines, barrier)
    stops, stop_of_wall = make_stops(lines, pieces, met, walls)
    lines, trimmed = trim(lines, stops, stop_of_wall)
    if trimmed:
        pieces, tree, met, walls = _meetings(lines, barrier)
    if len(walls.first):
        stops, _ = make_stops(lines, pieces, met, walls.take(np.zeros(len(walls.first), bool)))
    noded = _noded(lines, stops)
    barriers = shapely.STRtree(as_shapes(barrier.xy)) if len(barrier.xy) else None
    lines, pieces, met, snapped = join_gaps(lines, pieces, met, stops, tree=tree, barriers=barriers)
    if snapped or len(walls.first):
        stops, stop_of_wall = make_stops(lines, pieces, met, walls)
    passages = pass_barriers(
        lines,
        stops,
        walls=walls,
        stop_of_wall=stop_of_wall,
        barrier=barrier,
        gates=known_gates(inputs.gates, inputs.compounds, inputs.scenario),
        rules=_rules(lines, inputs),
    )
    return lines, stops, passages, (noded, snapped)


def _meetings(lines: Lines, barrier: Barrier) -> tuple[Pieces, shapely.STRtree, Meetings, Meetings]:
    """Return the pieces of the lines, a tree of them, and where they meet each other and barriers."""
    pieces = pieces_of(lines)
    tree = shapely.STRtree(as_shapes(pieces.xy))
    return pieces, tree, street_meetings(lines, pieces, tree), barrier_meetings(pieces, tree, barrier)


def _noded(lines: Lines, stops: Stops) -> int:
    """Count the nodes where a line is joined to another elsewhere than at an end of its own."""
    total = lines.along[lines.start[1:] - 1]
    inside = (stops.at > TOUCH_M) & (stops.at < total[stops.line] - TOUCH_M)
    return len(np.unique(stops.node[inside]))


def _rules(lines: Lines, inputs: Inputs) -> Rules:
    broad = lines.kind >= BorderClass.STREET
    rule = inputs.bridges
    if rule not in ("auto", "marked", "streets", "all"):
        raise ValueError(f"bridges must be auto, marked, streets or all, not {rule!r}")
    everyone = np.full(len(lines), rule == "all")
    loaded_marks = bool((lines.marked & (lines.row >= 0)).any())
    water = rule == "streets" or (rule == "auto" and not loaded_marks)
    railway = rule in ("streets", "auto")
    points = [g for g in inputs.scenario.bridges if shapely.get_type_id(g) == shapely.GeometryType.POINT]
    compounds = inputs.compounds
    shapes = {} if compounds is None else dict(enumerate(compounds.geometry.to_numpy()))
    return Rules(
        water=lines.marked | everyone | (broad & water),
        railway=lines.marked | everyone | (broad & railway),
        wall=lines.marked & (lines.level != 0),
        crossing_xy=shapely.get_coordinates(points).reshape(-1, 2),
        compounds={c: s for c, s in shapes.items() if s is not None and not shapely.is_empty(s)},
    )


def _drop_drowned(graph: Graph, passages: Passages) -> tuple[Graph, int]:
    """Drop stretches cut off by water or railways at both ends: what is left of a path in a river."""
    cut = np.zeros(len(graph.xy), bool)
    cut[list(passages.stubs)] = True
    degree = np.bincount(graph.edge.reshape(-1), minlength=len(graph.xy))
    end = cut & (degree == 1)
    lost = end[graph.edge].all(axis=1)
    return graph.take(~lost), int(lost.sum())


def _network(
    graph: Graph,
    lines: Lines,
    *,
    number: NDArray[np.int64],
    passages: Passages,
    compounds: gpd.GeoDataFrame | None,
    barriers: NDArray[Any],
) -> Network:
    length = graph.length_m
    walls = np.empty(0 if compounds is None else len(compounds), object)
    if compounds is not None:
        closed = sorted(passages.closed)
        walls[closed] = compounds.geometry.to_numpy()[closed]
    opened = [(int(number[node]), c) for node, c in passages.opened if number[node] >= 0]
    place = np.full(len(graph.edge), -1, np.int32)
    if passages.closed:
        tree = shapely.STRtree(walls[closed])
        edge, wall = tree.query(shapely.points(middles(graph, length)), predicate="within")
        order = np.lexsort((-wall, edge))
        place[edge[order]] = np.array(closed, np.int32)[wall[order]]
    return Network(
        xy=graph.xy,
        edge=graph.edge.astype(np.int32),
        length_m=length,
        kind=lines.kind[graph.line],
        component=components(graph.edge, length, len(graph.xy))[0],
        shape_xy=graph.shape_xy,
        shape_start=graph.shape_start.astype(np.int64),
        compound=place,
        gate_node=np.array([n for n, _ in opened], np.int32),
        gate_compound=np.array([c for _, c in opened], np.int32),
        walls=walls,
        barriers=barriers,
    )


def _report(
    network: Network,
    lines: Lines,
    counts: tuple[int, int, int, int],
    passages: Passages,
    *,
    before: float,
) -> NetworkReport:
    metres = components(network.edge, network.length_m, len(network.xy))[1]
    crossing = {
        (int(lines.row[line]), line if lines.row[line] < 0 else -1, k) for line, k in passages.crossed
    }
    return NetworkReport(
        lines_in=counts[0],
        duplicates=counts[1],
        noded=counts[2],
        snapped_ends=counts[3],
        cut_by_barrier=len(passages.cut),
        gates=len(network.gate_node),
        bridges=len(crossing),
        nodes=len(network.xy),
        edges=len(network.edge),
        km=float(network.length_m.sum() / 1000.0),
        components=len(metres),
        connected_share_before=before,
        connected_share_after=float(metres[0] / metres.sum()) if len(metres) else 0.0,
    )
