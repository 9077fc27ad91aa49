"""Divide faces into subdistricts, communities and old grids: connected, nested, uneven as in life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.demo.faces import Links


@dataclass(frozen=True)
class Net:
    """Neighbours of every node with the ease of crossing over, and the weight and place of the node."""

    weight: NDArray[np.float64]
    place: NDArray[np.float64]
    near: tuple[dict[int, float], ...]


def make_net(
    member: NDArray[np.int64], links: Links, weight: NDArray[np.float64], place: NDArray[np.float64]
) -> Net:
    """Merge faces into nodes.

    Parameters
    ----------
    member
        Node of every face, int64 (faces,), 0 … n - 1.
    links
        Borders between faces.
    weight
        Weight of every face.
    place
        A point of every face, float64 (faces, 2).
    """
    count = int(member.max()) + 1
    near: tuple[dict[int, float], ...] = tuple({} for _ in range(count))
    ease = np.array([1.0, 0.8, 0.5, 0.16])[links.road_class] * links.length_m
    for a, b, value in zip(member[links.a].tolist(), member[links.b].tolist(), ease.tolist(), strict=True):
        if a != b:
            near[a][b] = near[a].get(b, 0.0) + value
            near[b][a] = near[b].get(a, 0.0) + value
    total = np.bincount(member, weights=weight, minlength=count).astype(np.float64)
    faces = np.bincount(member, minlength=count)
    middle = np.stack(
        [np.bincount(member, weights=axis, minlength=count) / faces for axis in place.T], axis=1
    )
    return Net(total, middle, near)


def subnet(net: Net, nodes: NDArray[np.int64]) -> Net:
    """Return the net of some nodes only, renumbered in their order."""
    new = {int(node): i for i, node in enumerate(nodes)}
    near = tuple({new[k]: v for k, v in net.near[node].items() if k in new} for node in nodes.tolist())
    return Net(net.weight[nodes], net.place[nodes], near)


def divide(
    net: Net, parts: int, *, unevenness: float, smallest: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Divide a connected net into connected parts.

    Parameters
    ----------
    net
        The net, of one component.
    parts
        Number of parts, at most the number of nodes.
    unevenness
        Standard deviation of the logarithm of the parts' aims; 0 for parts that aim to be equal.
    smallest
        Weight below which a part takes nodes from its neighbours.
    rng
        Source of randomness.

    Returns
    -------
    int64 (nodes,), the part of every node; every part has a node.
    """
    aim = np.exp(rng.normal(0.0, unevenness, parts))
    aim *= net.weight.sum() / aim.sum()
    aim = np.clip(aim, 1.2 * smallest, 2.1 * aim.mean())
    seeds = _seeds(net, parts, rng)
    part = np.full(len(net.weight), -1, dtype=np.int64)
    part[seeds] = np.arange(parts)
    load = net.weight[seeds].copy()
    _grow(net, part, load, aim, rng)
    _feed(net, part, load, smallest)
    return part


def _seeds(net: Net, parts: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose spread-out nodes: each the one farthest from those before, among a random third."""
    count = len(net.weight)
    heavy = net.weight > 0
    chosen = [int(rng.choice(np.flatnonzero(heavy) if heavy.any() else count))]
    distance = np.full(count, np.inf)
    while len(chosen) < parts:
        distance = np.minimum(distance, np.hypot(*(net.place - net.place[chosen[-1]]).T))
        distance[chosen] = -1.0
        score = distance * rng.uniform(0.5, 1.0, count) * np.where(heavy, 1.0, 0.3)
        score[chosen] = -1.0
        chosen.append(int(np.argmax(score)))
    return np.array(chosen)


def _grow(
    net: Net,
    part: NDArray[np.int64],
    load: NDArray[np.float64],
    aim: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Let the part that lags its aim most take the neighbour it shares the easiest border with."""
    luck = rng.uniform(0.08, 1.0, len(part))
    frontier: list[dict[int, float]] = [{} for _ in load]
    for node in np.flatnonzero(part >= 0).tolist():
        for other, ease in net.near[node].items():
            if part[other] < 0:
                frontier[part[node]][other] = ease
    left = int(np.sum(part < 0))
    while left:
        open_parts = [p for p, edge in enumerate(frontier) if edge]
        p = min(open_parts, key=lambda q: (load[q] / aim[q], q))
        node = max(frontier[p], key=lambda n: (frontier[p][n] * luck[n], -n))
        part[node] = p
        load[p] += net.weight[node]
        left -= 1
        for edge in frontier:
            edge.pop(node, None)
        for other, ease in net.near[node].items():
            if part[other] < 0:
                frontier[p][other] = frontier[p].get(other, 0.0) + ease


def _feed(net: Net, part: NDArray[np.int64], load: NDArray[np.float64], smallest: float) -> None:
    """Let parts below the smallest weight take nodes of heavier neighbours that stay in one piece."""
    for _ in range(len(part)):
        poor = [p for p in np.argsort(load, kind="stable").tolist() if load[p] < smallest]
        if not any(_take_one(net, part, load, p, smallest) for p in poor):
            return


def _take_one(
    net: Net, part: NDArray[np.int64], load: NDArray[np.float64], poor: int, smallest: float
) -> bool:
    offers = sorted(
        {
            other
            for node in np.flatnonzero(part == poor).tolist()
            for other in net.near[node]
            if part[other] != poor
        },
        key=lambda n: (-net.weight[n], n),
    )
    for node in offers:
        giver = int(part[node])
        if net.weight[node] <= 0 or load[giver] - net.weight[node] < smallest:
            continue
        rest = set(np.flatnonzero(part == giver).tolist()) - {node}
        if rest and _connected(net, rest):
            part[node] = poor
            load[giver] -= net.weight[node]
            load[poor] += net.weight[node]
            return True
    return False


def _connected(net: Net, nodes: set[int]) -> bool:
    start = next(iter(nodes))
    seen, queue = {start}, [start]
    while queue:
        for other in net.near[queue.pop()]:
            if other in nodes and other not in seen:
                seen.add(other)
                queue.append(other)
    return len(seen) == len(nodes)


def apportion(
    weight: Sequence[float] | NDArray[np.float64], total: int, ceiling: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Share out `total` whole seats by weight: at least one each, at most `ceiling`, largest quotients first."""
    weights = np.asarray(weight, dtype=np.float64) + 1e-9
    seats = np.ones(len(weights), dtype=np.int64)
    for _ in range(total - len(weights)):
        quotient = np.where(seats < ceiling, weights / np.sqrt(seats * (seats + 1.0)), -1.0)
        seats[int(np.argmax(quotient))] += 1
    return seats


def reading_order(place: NDArray[np.float64], row_m: float = 700.0) -> NDArray[np.int64]:
    """Return positions from the north-west to the south-east, in rows of `row_m`."""
    row = np.floor((place[:, 1].max() - place[:, 1]) / row_m)
    return np.lexsort((place[:, 0], row))
