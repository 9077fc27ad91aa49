"""The engines. Each gets a connected part and returns a label per unit; libraries are imported when asked for."""

from __future__ import annotations

import random
import subprocess
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from bench.partition.instance import Part

SEED = 0
BUDGET_S = 60.0
"""CPU seconds an engine may take."""


@dataclass(frozen=True)
class Peer:
    """One row of the table.

    Attributes
    ----------
    title
        First column.
    distribution, module
        What to install and what to import.
    solve
        Part to labels (n,), or None for our own engine, which takes the whole city at once.
    keeps_k
        False when the engine chooses the number of grids itself.
    settings
        What was set, for the document.
    effort
        Of our own engine.
    patience
        Multiple of the time limit.
    """

    title: str
    distribution: str
    module: str
    solve: Callable[[Part], np.ndarray] | None
    settings: str
    keeps_k: bool = True
    effort: str = ""
    patience: float = 1.0


def metis(part, *, tuned=False, recursive=False):
    import pymetis

    load = 10 * part.load + 1 if tuned else part.load
    options = pymetis.Options(seed=SEED)
    if not recursive:
        options.contig = 1
    edges = part.length
    if tuned:
        options.ncuts, options.ufactor = 20, 100
        # Square roots: METIS joins units over heavy edges first, and with lengths it ends up with lumps.
        edges = np.sqrt(10 * part.length).astype(int) + 1
    graph = pymetis.CSRAdjacency(part.indptr.astype(np.int32), part.neighbor.astype(np.int32))
    answer = pymetis.part_graph(
        part.k,
        graph,
        vweights=load.astype(np.int32),
        eweights=edges.astype(np.int32),
        recursive=recursive,
        options=options,
    )
    return np.asarray(answer.vertex_part)


def kahip_free(part):
    """KaFFPa, strong, through the Python binding: blocks may fall into pieces."""
    import kahip

    arrays = (part.load, part.indptr, part.length, part.neighbor)
    _, blocks = kahip.kaffpa(*(a.tolist() for a in arrays), part.k, 0.03, True, SEED, kahip.STRONG)
    return np.asarray(blocks)


def kahip_connected(part, *, tuned=False):
    """KaFFPa with ``--connected_blocks``: only the program in the wheel has it, not the Python binding."""
    load = 10 * part.load + 1 if tuned else part.load
    edges = part.priced if tuned else part.length
    rows = [f"{part.n} {len(part.neighbor) // 2} 11"]
    for u in range(part.n):
        span = range(part.indptr[u], part.indptr[u + 1])
        rows.append(" ".join([str(load[u])] + [f"{part.neighbor[e] + 1} {edges[e]}" for e in span]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.graph"
        path.write_text("\n".join(rows) + "\n")
        tries = [_kaffpa(path, part.k, seed) for seed in range(5 if tuned else 1)]
    return min(tries, key=partial(quality, part))


def _kaffpa(path, k, seed):
    import kahip

    program = Path(kahip.__file__).parents[1] / "bin" / "kaffpa"
    out = path.with_suffix(".blocks")
    options = (
        f"--k={k}",
        f"--seed={seed}",
        "--imbalance=3",
        "--preconfiguration=strong",
        "--connected_blocks",
    )
    command = [str(program), str(path), *options, f"--output_filename={out}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return np.array(out.read_text().split(), np.int64)


def quality(part, label):
    """Return what the best of several answers of a peer is chosen by: grids off by over 10 %, then border."""
    load = np.bincount(label, weights=part.load, minlength=part.k)
    off = int((np.abs(load / max(load.mean(), 1e-9) - 1.0) > 0.1).sum())
    focal = np.repeat(np.arange(part.n), np.diff(part.indptr))
    return off, int(part.priced[label[focal] != label[part.neighbor]].sum())


_running = None  # Mt-KaHyPar may be started only once in a process


def mtkahypar(part):
    """Mt-KaHyPar, quality preset, one thread: blocks may fall into pieces."""
    global _running  # noqa: PLW0603
    import mtkahypar as mk

    if _running is None:
        _running = mk.initialize(1)
        mk.set_seed(SEED)
    context = _running.context_from_preset(mk.PresetType.DETERMINISTIC_QUALITY)
    context.set_partitioning_parameters(part.k, 0.03, mk.Objective.CUT)
    context.logging = False
    focal = np.repeat(np.arange(part.n), np.diff(part.indptr))
    once = focal < part.neighbor
    edges = list(zip(focal[once].tolist(), part.neighbor[once].tolist(), strict=True))
    graph = _running.create_graph(
        context, part.n, len(edges), edges, part.load.tolist(), part.length[once].tolist()
    )
    return np.asarray(graph.partition(context).get_partition())


def _tree_start(part):
    """Split recursively by spanning trees, with more and more tolerance until it works."""
    import networkx as nx
    from gerrychain import Graph, Partition
    from gerrychain.partition import recursive_tree_part
    from gerrychain.tree import PopulationBalanceError, bipartition_tree
    from gerrychain.updaters import Tally

    focal = np.repeat(np.arange(part.n), np.diff(part.indptr))
    network = nx.Graph()
    network.add_nodes_from((u, {"load": int(w)}) for u, w in enumerate(10 * part.load + 1))
    network.add_edges_from(zip(focal.tolist(), part.neighbor.tolist(), strict=True))
    graph = Graph.from_networkx(network)
    mean = float((10 * part.load + 1).sum()) / part.k
    for tolerance in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 1e9):
        try:
            labels = recursive_tree_part(
                graph,
                range(part.k),
                mean,
                "load",
                tolerance,
                bipartition_tree_fn=partial(bipartition_tree, max_attempts=30),
                rng=random.Random(SEED),  # noqa: S311
            )
            break
        except (RuntimeError, PopulationBalanceError):
            continue
    else:
        raise RuntimeError("no recursive split at any tolerance")
    return Partition(graph, labels, {"load": Tally("load", alias="load")}), mean


def _labels_of(part, state):
    label = np.empty(part.n, np.int64)
    for node in range(part.n):
        label[node] = state.assignment[node]
    return label


def gerrychain_tree(part):
    return _labels_of(part, _tree_start(part)[0])


def gerrychain_recom(part):
    """200 steps of ReCom from the recursive start; the best state on the way counts."""
    from gerrychain import MarkovChain
    from gerrychain.accept import always_accept
    from gerrychain.proposals import recom
    from gerrychain.proposals.tree_proposals import MetagraphError
    from gerrychain.tree import bipartition_tree

    start, mean = _tree_start(part)
    if part.k < 2:
        return _labels_of(part, start)
    proposal = partial(
        recom,
        pop_col="load",
        pop_target=mean,
        epsilon=0.1,
        bipartition_tree_fn=partial(bipartition_tree, max_attempts=10, allow_pair_reselection=True),
    )
    chain = MarkovChain(proposal, [], always_accept, start, 200, rng=random.Random(SEED))  # noqa: S311
    best = _labels_of(part, start)
    mark = quality(part, best)
    try:
        for state in chain:
            label = _labels_of(part, state)
            now = quality(part, label)
            if now < mark:
                best, mark = label, now
    except (MetagraphError, RuntimeError):
        return best  # no pair of grids can be split evenly: the chain ends here
    return best


def _frame(part):
    """Return the frame and weights spopt wants; the attributes are the centres, so that regions are compact."""
    import geopandas as gpd
    from libpysal.weights import W

    neighbors = {u: part.neighbor[part.indptr[u] : part.indptr[u + 1]].tolist() for u in range(part.n)}
    points = gpd.points_from_xy(part.xy[:, 0], part.xy[:, 1])
    frame = gpd.GeoDataFrame(
        {"x": part.xy[:, 0], "y": part.xy[:, 1], "load": part.load.astype(float)}, geometry=points
    )
    return frame, W(neighbors, silence_warnings=True)


def spopt_skater(part):
    from spopt.region import Skater

    frame, weights = _frame(part)
    model = Skater(frame, weights, ["x", "y"], n_clusters=part.k)
    model.solve()
    return np.asarray(model.labels_)


def spopt_azp(part):
    from spopt.region import AZP

    frame, weights = _frame(part)
    model = AZP(frame, weights, ["x", "y"], n_clusters=part.k, random_state=SEED)
    model.solve()
    return np.asarray(model.labels_)


def spopt_maxp(part):
    from spopt.region import MaxPHeuristic

    frame, weights = _frame(part)
    floor = 0.9 * part.load.sum() / part.k
    np.random.seed(SEED)  # noqa: NPY002 - spopt draws from the global generator
    model = MaxPHeuristic(frame, weights, ["x", "y"], "load", floor, top_n=2)
    model.solve()
    return np.asarray(model.labels_)


def balanced_k_means(part):
    """k-means-constrained counts points, not loads: a unit stands for one point per 10 households."""
    from k_means_constrained import KMeansConstrained

    copies = np.maximum(np.rint(part.load / 10).astype(int), 1)
    points = np.repeat(part.xy - part.xy.mean(axis=0), copies, axis=0)
    share = len(points) / part.k
    model = KMeansConstrained(
        part.k,
        size_min=int(0.95 * share),
        size_max=int(np.ceil(1.05 * share)),
        random_state=SEED,
        n_init=1,
        n_jobs=1,
    )
    cluster = model.fit_predict(points)
    votes = np.zeros((part.n, part.k))
    np.add.at(votes, (np.repeat(np.arange(part.n), copies), cluster), 1.0)
    return votes.argmax(axis=1)


def solve_part(peer, part):
    """Return the peer's labels of one part; one grid, or one unit each, needs no engine."""
    if part.k == 1:
        return np.zeros(part.n, np.int64)
    if part.k >= part.n:
        return np.arange(part.n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.unique(peer.solve(part), return_inverse=True)[1]


METIS_TUNED = "contig, ncuts 20, ufactor 100, weights 10 w + 1, square root of border length"
TUNED = "weights 10 w + 1, borders priced by class"
PEERS = {
    "ours-fast": Peer("ours, fast", "", "geo.partition", None, "effort fast", effort="fast"),
    "ours-normal": Peer("ours, normal", "", "geo.partition", None, "effort normal", effort="normal"),
    "ours-best": Peer("ours, best", "", "geo.partition", None, "effort best", effort="best"),
    "metis": Peer("METIS k-way contiguous", "pymetis", "pymetis", metis, "contig"),
    "metis-tuned": Peer("METIS tuned", "pymetis", "pymetis", partial(metis, tuned=True), METIS_TUNED),
    "metis-recursive": Peer(
        "METIS recursive", "pymetis", "pymetis", partial(metis, recursive=True), "recursive bisection"
    ),
    "kahip": Peer("KaHIP strong", "kahip", "kahip", kahip_free, "Python binding, strong, imbalance 3 %"),
    "kahip-connected": Peer(
        "KaHIP connected", "kahip", "kahip", kahip_connected, "strong, --connected_blocks, imbalance 3 %"
    ),
    "kahip-tuned": Peer(
        "KaHIP connected, tuned",
        "kahip",
        "kahip",
        partial(kahip_connected, tuned=True),
        f"the same, {TUNED}, best of 5 seeds",
    ),
    "mtkahypar": Peer(
        "Mt-KaHyPar", "mtkahypar", "mtkahypar", mtkahypar, "deterministic quality, imbalance 3 %, 1 thread"
    ),
    "gerrychain-tree": Peer(
        "GerryChain tree",
        "gerrychain",
        "gerrychain",
        gerrychain_tree,
        "recursive_tree_part, weights 10 w + 1, tolerance 10 % doubled until it works",
    ),
    "gerrychain-recom": Peer(
        "GerryChain ReCom 200",
        "gerrychain",
        "gerrychain",
        gerrychain_recom,
        "from that start, tolerance 10 %, the best of 200 states; twice the time limit",
        patience=2.0,
    ),
    "spopt-skater": Peer("spopt Skater", "spopt", "spopt.region", spopt_skater, "attributes x, y"),
    "spopt-azp": Peer("spopt AZP", "spopt", "spopt.region", spopt_azp, "attributes x, y"),
    "spopt-maxp": Peer(
        "spopt max-p", "spopt", "spopt.region", spopt_maxp, "at least 90 % of the mean load", keeps_k=False
    ),
    "k-means": Peer(
        "balanced k-means",
        "k-means-constrained",
        "k_means_constrained",
        balanced_k_means,
        "one point per 10 households, sizes within 5 %; a unit goes where most of its points go",
    ),
}
DEFAULT = tuple(name for name in PEERS if name != "ours-best")
