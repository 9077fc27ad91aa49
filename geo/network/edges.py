"""Cut lines at their stops into the edges of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.network.lines import TOUCH_M
from geo.network.noding import joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.network.lines import Lines


@dataclass(frozen=True, eq=False)
class Graph:
    """Edges with their course, see `geo.network.types.Network`; `line` is the line each came from."""

    xy: NDArray[np.float64]
    edge: NDArray[np.int64]
    shape_xy: NDArray[np.float64]
    shape_start: NDArray[np.int64]
    line: NDArray[np.int64]

    @property
    def length_m(self) -> NDArray[np.float64]:
        """float64, shape (edges,)."""
        step = np.hypot(*np.diff(self.shape_xy, axis=0, append=self.shape_xy[-1:]).T)
        step[self.shape_start[1:] - 1] = 0.0
        return np.add.reduceat(step, self.shape_start[:-1]) if len(self.edge) else np.empty(0)

    def take(self, keep: NDArray[np.bool_]) -> Graph:
        """Return the edges of a mask, all nodes."""
        size = np.diff(self.shape_start)
        return Graph(
            self.xy,
            self.edge[keep],
            self.shape_xy[np.repeat(keep, size)],
            np.concatenate([[0], np.cumsum(size[keep])]),
            self.line[keep],
        )


def cut_lines(
    lines: Lines,
    *,
    line: NDArray[np.int64],
    at: NDArray[np.float64],
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    node_xy: NDArray[np.float64],
) -> Graph:
    """Cut every line at its stops.

    Parameters
    ----------
    lines
        The lines.
    line, at
        int64 and float64, shape (stops,): sorted; both ends of every line are stops.
    before, after
        int64, shape (stops,): the node at which the stretch before the stop ends, and the one where that after it
        begins; they differ where a barrier cuts the line.
    node_xy
        float64, shape (nodes, 2).
    """
    along = lines.along
    of_vertex = np.repeat(np.arange(len(lines)), np.diff(lines.start))
    owner = np.concatenate([line, of_vertex])
    place = np.concatenate([at, along])
    number = np.concatenate([np.arange(len(line)), np.full(len(along), -1)])
    xy = np.vstack([node_xy[before], lines.xy])
    order = np.lexsort((number < 0, place, owner))
    owner, place, number, xy = owner[order], place[order], number[order], xy[order]
    keep = (number >= 0) | ~_near_stop(owner, place, number)
    owner, number, xy = owner[keep], number[keep], xy[keep]
    stop = number >= 0
    inner = stop.copy()
    inner[1:] &= owner[1:] == owner[:-1]
    inner[:-1] &= owner[1:] == owner[:-1]
    inner[[0, -1]] = False
    times = np.where(inner, 2, 1)
    row = np.repeat(np.arange(len(xy)), times)
    opens = stop[row] & np.concatenate([[True], (row[1:] == row[:-1]) | (owner[row[1:]] != owner[row[:-1]])])
    shape_start = np.concatenate([np.flatnonzero(opens), [len(row)]])
    head, tail = number[row[shape_start[:-1]]], number[row[shape_start[1:] - 1]]
    edge = np.stack([after[head], before[tail]], axis=1)
    return Graph(node_xy, edge, xy[row], shape_start, line[head])


def _near_stop(
    owner: NDArray[np.int64], place: NDArray[np.float64], number: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell which of the sorted places lie within `TOUCH_M` of a stop on the same line."""
    index = np.arange(len(owner))
    last = np.maximum.accumulate(np.where(number >= 0, index, 0))
    following = np.minimum.accumulate(np.where(number >= 0, index, len(owner) - 1)[::-1])[::-1]
    near = np.zeros(len(owner), bool)
    for stop in (last, following):
        near |= (owner[stop] == owner) & (np.abs(place[stop] - place) <= TOUCH_M)
    return near


def drop_duplicates(graph: Graph) -> tuple[Graph, int]:
    """Drop edges without length, and all but the first of those that run along the same course."""
    length = graph.length_m
    real = (length > TOUCH_M) | (graph.edge[:, 0] != graph.edge[:, 1])
    graph, length = graph.take(real), length[real]
    if not len(graph.edge):
        return graph, 0
    middle = middles(graph, length)
    low, high = graph.edge.min(axis=1), graph.edge.max(axis=1)
    order = np.lexsort((np.arange(len(low)), length, high, low))
    twin = np.zeros(len(low), bool)
    # Neighbours in this order are compared with the three before: parallel ways of one length are few.
    for back in (1, 2, 3):
        a, b = order[back:], order[:-back]
        same = (low[a] == low[b]) & (high[a] == high[b]) & (length[a] - length[b] <= 2 * TOUCH_M)
        same &= np.hypot(*(middle[a] - middle[b]).T) <= 2 * TOUCH_M
        twin[a[same]] = True
    return graph.take(~twin), int(twin.sum())


def middles(graph: Graph, length: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the point half-way along every edge, float64, shape (edges, 2)."""
    start = graph.shape_start
    step = np.hypot(*np.diff(graph.shape_xy, axis=0, append=graph.shape_xy[-1:]).T)
    step[start[1:] - 1] = 0.0
    total = np.cumsum(step) - step
    wanted = total[start[:-1]] + length / 2
    at = np.clip(np.searchsorted(total, wanted, side="right") - 1, start[:-1], start[1:] - 2)
    share = np.divide(wanted - total[at], step[at], out=np.zeros(len(at)), where=step[at] > 0)
    a, b = graph.shape_xy[at], graph.shape_xy[at + 1]
    return np.asarray(a + np.clip(share, 0.0, 1.0)[:, None] * (b - a))


def number_nodes(graph: Graph) -> tuple[Graph, NDArray[np.int64]]:
    """Drop nodes without edges; return the graph and the new number of every old node, -1 for those dropped."""
    used = np.zeros(len(graph.xy), bool)
    used[graph.edge.reshape(-1)] = True
    new = np.where(used, np.cumsum(used) - 1, -1)
    return Graph(graph.xy[used], new[graph.edge], graph.shape_xy, graph.shape_start, graph.line), new


def components(
    edge: NDArray[Any], length_m: NDArray[np.float64], nodes: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the connected part of every node, 0 the longest, and the length of each part in metres."""
    part = joined(nodes, edge[:, 0], edge[:, 1])
    metres = np.zeros(part.max(initial=-1) + 1)
    np.add.at(metres, part[edge[:, 0]], length_m)
    order = np.argsort(-metres, kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rank[part], metres[order]
