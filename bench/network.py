"""Compare our walking distances with pandana, networkx and scipy on one city, in one run.

``python -m bench.network [--city PATH]``; without a path the full demo city is made first. Every side runs in a
fresh process of its own on the same noded streets, buildings and stations. CPU time of the process with all its
threads; imports and the loading of compiled code are left out, for us and for the peers.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROLES = ("buildings", "households", "communities", "compounds", "roads", "water", "railways", "stations")
LIMIT_M = 15 * 66.7
SIDES = ("ours", "scipy", "networkx", "pandana")
BIG_SIDE = 317
BIG_HOMES = 200_000
MOVES = 7
REPEATS = 3
"""Every side does its work this many times; its best run counts."""


def main(argv: list[str] | None = None) -> None:
    """Run all sides and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.network", description=__doc__)
    parser.add_argument("--city", type=Path, help="GeoPackage with layers named by role")
    parser.add_argument("--side", choices=(*SIDES, "big"), help=argparse.SUPPRESS)
    parser.add_argument("--prepared", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.side:
        run = {"ours": ours, "scipy": by_scipy, "networkx": by_networkx, "pandana": by_pandana, "big": big}
        case = pickle.loads(args.prepared.read_bytes())  # noqa: S301 - written by this very program
        results = [run[args.side](case) for _ in range(1 if args.side == "big" else REPEATS)]
        result = min(results, key=lambda r: sum(r["stages"].values()))
        args.prepared.with_suffix(f".{args.side}.pickle").write_bytes(pickle.dumps(result))
        return
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "case.pickle"
        prepared.write_bytes(pickle.dumps(prepare(args.city, Path(folder))))
        one_side("ours", prepared)  # lets numba compile and store our kernels, once after installation
        results = {side: one_side(side, prepared) for side in SIDES}
        print_table(results)
        print_big(one_side("big", prepared))


def prepare(path: Path | None, folder: Path) -> dict[str, Any]:
    """Load the city and build its network; the figures of that are kept."""
    import pyogrio
    import shapely

    from geo.demo import write_city
    from geo.intake import load_city
    from geo.layers import Source
    from geo.network import build_network, network_of

    if path is None:
        path = folder / "full.gpkg"
        write_city("full", path)
    names = {str(name) for name, _ in pyogrio.list_layers(path)}
    city = load_city([Source(role, path, role) for role in ROLES if role in names])
    network_of(city)
    clock = time.process_time()
    network = build_network(city.roads, water=city.water, railways=city.railways)
    built = time.process_time() - clock
    categories, kind = np.unique(city.stations["category"], return_inverse=True)
    print(f"noding of the streets: {built:.2f} CPU s; {network.report}")
    return {
        "xy": network.xy,
        "edge": network.edge,
        "length_m": network.length_m,
        "network": network.__class__(
            **{k: v for k, v in vars(network).items() if k not in ("inputs", "barriers", "crs")}
        ),
        "homes": shapely.get_coordinates(shapely.point_on_surface(city.buildings.geometry.to_numpy())),
        "stations": shapely.get_coordinates(city.stations.geometry.to_numpy()),
        "category": kind.astype(np.int32),
        "n": len(categories),
    }


def one_side(side: str, prepared: Path) -> dict[str, Any]:
    """Run one side in its own process; a peer that is not installed or fails is reported."""
    command = [sys.executable, "-m", "bench.network", "--side", side, "--prepared", str(prepared)]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1]}
    result: dict[str, Any] = pickle.loads(prepared.with_suffix(f".{side}.pickle").read_bytes())  # noqa: S301
    return result


class Clock:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self.last = time.process_time()

    def stage(self, name: str) -> None:
        """End a stage."""
        now = time.process_time()
        self.stages[name], self.last = now - self.last, now


def small_network() -> Any:
    """Return a square of streets, to load the compiled kernels with."""
    import geopandas as gpd
    import shapely

    from geo.network import build_network

    return build_network(
        gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (50, 0), (50, 50)])], crs=32650)
    )


def ours(case: dict[str, Any]) -> dict[str, Any]:
    """Join homes and stations to edges, then all categories; access legs included."""
    from geo.network import Router, snap

    tiny = small_network()
    at = snap(tiny, np.array([[1.0, 1.0]]))
    Router(tiny, at).distances(at, np.zeros(1, np.int32), 1, limit_m=LIMIT_M)
    network = case["network"]
    clock = Clock()
    homes, stations = snap(network, case["homes"]), snap(network, case["stations"])
    clock.stage("snap")
    router = Router(network, homes)
    clock.stage("build")
    distance, _ = router.distances(stations, case["category"], case["n"], limit_m=LIMIT_M)
    clock.stage("query")
    return {"stages": clock.stages, "distance": distance}


def joined_by_shapely(case: dict[str, Any]) -> tuple[Any, Any]:
    """Return (edge, offset, leg) of homes and of stations, as one would write it with shapely."""
    import shapely

    network = case["network"]
    row = np.repeat(np.arange(len(case["edge"])), np.diff(network.shape_start))
    shapes = shapely.linestrings(network.shape_xy, indices=row)
    tree = shapely.STRtree(shapes)

    def join(xy: Any) -> tuple[Any, Any, Any]:
        points = shapely.points(xy)
        edge = tree.nearest(points)
        return edge, shapely.line_locate_point(shapes[edge], points), shapely.distance(shapes[edge], points)

    return join(case["homes"]), join(case["stations"])


def read_off(case: dict[str, Any], at_node: Any, homes: Any, stations: Any, rows: Any) -> Any:
    """Return the distances of homes from those of nodes: over both ends, or along the same edge."""
    edge, offset, leg = homes
    a, b = case["edge"][edge].T
    way = np.minimum(at_node[a] + offset, at_node[b] + case["length_m"][edge] - offset)
    for i in rows:
        same = edge == stations[0][i]
        way[same] = np.minimum(way[same], stations[2][i] + np.abs(offset[same] - stations[1][i]))
    way += leg
    return np.where(way <= LIMIT_M + 1e-6, way, np.inf)


def by_scipy(case: dict[str, Any]) -> dict[str, Any]:
    """Do the same with scipy's Dijkstra, stations as nodes of their own; joined by shapely."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    clock = Clock()
    homes, stations = joined_by_shapely(case)
    clock.stage("snap")
    n, m = len(case["xy"]), len(case["stations"])
    door = n + np.arange(m)
    ends = case["edge"][stations[0]]
    weights = (stations[2] + stations[1], stations[2] + case["length_m"][stations[0]] - stations[1])
    tail = np.concatenate([case["edge"][:, 0], case["edge"][:, 1], door, door])
    head = np.concatenate([case["edge"][:, 1], case["edge"][:, 0], ends[:, 0], ends[:, 1]])
    weight = np.concatenate([case["length_m"], case["length_m"], *weights])
    order = np.lexsort((weight, head, tail))  # of parallel edges the shortest
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(tail[order]) != 0) | (np.diff(head[order]) != 0)
    order = order[first]
    graph = coo_array((weight[order], (tail[order], head[order])), shape=(n + m, n + m)).tocsr()
    clock.stage("build")
    distance = np.full((len(case["homes"]), case["n"]), np.inf)
    for k in range(case["n"]):
        rows = np.flatnonzero(case["category"] == k)
        if len(rows):
            found = dijkstra(graph, indices=door[rows], min_only=True, limit=LIMIT_M)
            distance[:, k] = read_off(case, found, homes, stations, rows)
    clock.stage("query")
    return {"stages": clock.stages, "distance": distance}


def by_networkx(case: dict[str, Any]) -> dict[str, Any]:
    """Do the same with networkx: one Dijkstra per category with a cutoff; joined by shapely."""
    import networkx as nx

    clock = Clock()
    homes, stations = joined_by_shapely(case)
    clock.stage("snap")
    graph = nx.Graph()
    graph.add_nodes_from(range(len(case["xy"])))
    for (a, b), length in zip(case["edge"].tolist(), case["length_m"].tolist(), strict=True):
        if not graph.has_edge(a, b) or graph[a][b]["weight"] > length:
            graph.add_edge(a, b, weight=length)
    clock.stage("build")
    distance = np.full((len(case["homes"]), case["n"]), np.inf)
    for k in range(case["n"]):
        rows = np.flatnonzero(case["category"] == k)
        for i in rows.tolist():
            edge, offset, leg = (part[i] for part in stations)
            a, b = case["edge"][edge].tolist()
            door = ("station", i)
            graph.add_edge(door, a, weight=leg + offset)
            if (
                not graph.has_edge(door, b)
                or graph[door][b]["weight"] > leg + case["length_m"][edge] - offset
            ):
                graph.add_edge(door, b, weight=leg + case["length_m"][edge] - offset)
        doors = {("station", i) for i in rows.tolist()}
        # A way through another station's door would count its leg twice: that is never shorter.
        found = (
            nx.multi_source_dijkstra_path_length(graph, doors, cutoff=LIMIT_M, weight="weight")
            if doors
            else {}
        )
        graph.remove_nodes_from(doors)
        at_node = np.full(len(case["xy"]), np.inf)
        for node, d in found.items():
            if not isinstance(node, tuple):
                at_node[node] = d
        distance[:, k] = read_off(case, at_node, homes, stations, rows)
    clock.stage("query")
    return {"stages": clock.stages, "distance": distance}


def by_pandana(case: dict[str, Any]) -> dict[str, Any]:
    """Do it as pandana does: homes and stations at their nearest node, without access legs."""
    import pandana
    import pandas as pd

    with quiet():
        tiny = pd.Series([0.0, 1.0])
        pandana.Network(tiny, tiny, pd.Series([0]), pd.Series([1]), pd.DataFrame({"w": [1.0]}))
        clock = Clock()
        net = pandana.Network(
            pd.Series(case["xy"][:, 0]),
            pd.Series(case["xy"][:, 1]),
            pd.Series(case["edge"][:, 0]),
            pd.Series(case["edge"][:, 1]),
            pd.DataFrame({"weight": case["length_m"]}),
        )
        clock.stage("build")
        home = net.get_node_ids(pd.Series(case["homes"][:, 0]), pd.Series(case["homes"][:, 1])).to_numpy()
        clock.stage("snap")
        distance = np.full((len(case["homes"]), case["n"]), np.inf)
        for k in range(case["n"]):
            rows = np.flatnonzero(case["category"] == k)
            if len(rows):
                x, y = (pd.Series(case["stations"][rows, i]) for i in (0, 1))
                net.set_pois(str(k), LIMIT_M, 1, x, y)
                distance[:, k] = net.nearest_pois(LIMIT_M, str(k), num_pois=1)[1].to_numpy()[home]
        clock.stage("query")
    return {"stages": clock.stages, "distance": distance}


@contextlib.contextmanager
def quiet() -> Any:
    """Send what a library prints from compiled code nowhere."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(nowhere)
        os.close(kept)


def big_city(rng: np.random.Generator) -> Any:
    """Return bent streets of a lattice of `BIG_SIDE` by `BIG_SIDE` junctions, a line a street."""
    import geopandas as gpd
    import shapely

    shift = rng.uniform(-25, 25, (2, BIG_SIDE, BIG_SIDE))
    x = np.arange(BIG_SIDE)[:, None] * 90.0 + shift[0]
    y = np.arange(BIG_SIDE)[None, :] * 90.0 + shift[1]
    junction = np.stack([x, y], axis=2)
    lines = [*shapely.linestrings(junction), *shapely.linestrings(junction.transpose(1, 0, 2))]
    return gpd.GeoDataFrame(geometry=lines, crs=32650)


def big(_: dict[str, Any]) -> dict[str, Any]:
    """Time a city of 200,000 buildings on 100,000 nodes: build, join, and one category again after a move."""
    from geo.network import Router, build_network, snap

    rng = np.random.default_rng(0)
    streets = big_city(rng)
    tiny = small_network()
    at = snap(tiny, np.array([[1.0, 1.0]]))
    Router(tiny, at).solve(at)
    clock = Clock()
    network = build_network(streets)
    clock.stage("build_network")
    low, high = network.xy.min(axis=0), network.xy.max(axis=0)
    spots = rng.uniform(low, high, (BIG_HOMES, 2))
    sites = rng.uniform(low, high, (60, 2))
    clock.last = time.process_time()
    homes = snap(network, spots)
    clock.stage("snap")
    router = Router(network, homes)
    router.join(sites)
    clock.stage("router")
    moves: dict[str, list[float]] = {"within": [], "any": []}
    for _ in range(MOVES):
        for name, limit in (("within", LIMIT_M), ("any", None)):
            sites[rng.integers(len(sites))] = rng.uniform(low, high)
            start = time.process_time()
            router.solve(router.join(sites), limit_m=limit)
            moves[name].append(time.process_time() - start)
    stages = clock.stages | {name: float(np.median(times)) for name, times in moves.items()}
    return {"stages": stages, "nodes": len(network.xy), "edges": len(network.edge), "homes": BIG_HOMES}


def print_table(results: dict[str, dict[str, Any]]) -> None:
    """Print CPU time by stage, the ratio to ours, and how far the answers are apart."""
    base = results["ours"]
    total = sum(base["stages"].values())
    query = base["stages"]["query"]
    print(
        f"{'':10}{'build s':>9}{'snap s':>9}{'query s':>9}{'all s':>9}{'x ours':>8}{'x query':>9}  difference"
    )
    for side in SIDES:
        result = results[side]
        if "failed" in result:
            print(f"{side:10}{result['failed']}")
            continue
        stages = result["stages"]
        both = np.isfinite(result["distance"]) & np.isfinite(base["distance"])
        apart = np.abs(result["distance"][both] - base["distance"][both])
        reach = (np.isfinite(result["distance"]) != np.isfinite(base["distance"])).mean()
        cells = "".join(f"{stages[k]:9.3f}" for k in ("build", "snap", "query"))
        whole = sum(stages.values())
        print(
            f"{side:10}{cells}{whole:9.3f}{whole / total:8.1f}{stages['query'] / query:9.1f}  "
            f"max {apart.max():.2g} m, median {np.median(apart):.2g} m over {both.sum():,} pairs; "
            f"reach differs {reach:.2%}"
        )


def print_big(result: dict[str, Any]) -> None:
    """Print the figures of the big city."""
    if "failed" in result:
        print(f"big city: {result['failed']}")
        return
    size = {k: v for k, v in result.items() if k != "stages"}
    print("big city " + json.dumps(size))
    for name, seconds in result["stages"].items():
        print(f"  {name:14}{seconds * 1000:10.1f} ms CPU")


if __name__ == "__main__":
    main()
