"""Connected grids within the band: which there are, and how many of them fit beside each other.

Ground without load may be used by several grids at once here, so what is proved holds for every plan. Listing
all connected sets is possible where grids hold few units; elsewhere nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import connected_components

from geo.jit import kernel

# Imported where they are used, as in geo.partition.packing.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.partition.arrays import Static

MOST_SETS = 3_000
"""Connected grids in the band of one component above which they are not listed."""

MOST_STEPS = 400_000
"""Steps of the enumeration above which it is given up."""

FEW_UNITS = 6.0
"""Grids are listed only where one of the least size holds fewer units with load than this on average."""

FEW_SETS = 500
"""Listed grids up to which branch and bound follows the linear relaxation."""

NODES = 50
"""Nodes of a branch and bound; its bound holds even when it is stopped."""


@dataclass(frozen=True, slots=True)
class Component:
    """A piece of a part that is left when the units too large for the band are taken out.

    Attributes
    ----------
    rows
        int64 (n,): its units with load, positions in the part.
    load
        int64 (n,).
    sets
        Its connected grids within the band, one row each, (sets, n); None when they were not listed.
    """

    rows: NDArray[np.int64]
    load: NDArray[np.int64]
    sets: csr_array | None


def components_of(static: Static, low: int, high: int) -> list[Component]:
    """Take out the units above `high` and list the connected grids within [low, high] of what is left.

    A grid in the band holds no unit above it, so it lies in one of these components.
    """
    n = len(static.load)
    keep = static.load <= high
    inside = keep[static.source] & keep[static.neighbor]
    links = csr_array(
        (np.ones(int(inside.sum()), np.int8), (static.source[inside], static.neighbor[inside])), shape=(n, n)
    )
    _, label = connected_components(links, directed=False)
    loaded = np.flatnonzero(keep & (static.load > 0))
    groups = _groups(label, loaded)
    few = [static.load[rows].mean() * FEW_UNITS >= low for rows in groups]
    near = _near(links, static.load > 0) if any(few) else links
    found = []
    for rows, listed in zip(groups, few, strict=True):
        load = static.load[rows].astype(np.int64)
        sets = None
        if load.sum() < low:
            sets = csr_array((0, len(load)), dtype=np.float64)
        elif listed:
            sets = _connected_grids(csr_array(near[rows][:, rows]), load, (low, high))
        found.append(Component(rows, load, sets))
    return found


def _groups(label: NDArray[np.int32], rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    order = rows[np.argsort(label[rows], kind="stable")]
    return [g for g in np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if len(g)]


def _near(links: csr_array, loaded: NDArray[np.bool_]) -> csr_array:
    """Join units with load that touch, or that touch one piece of ground without load."""
    n = len(loaded)
    empty = csr_array((~loaded).astype(np.int8)[:, None])
    _, piece = connected_components(links.multiply(empty).multiply(empty.T), directed=False)
    ground = csr_array(
        (np.ones(int((~loaded).sum()), np.int32), (np.flatnonzero(~loaded), piece[~loaded])), shape=(n, n)
    )
    touches = (links.astype(np.int32) @ ground > 0).astype(np.int32)
    return csr_array(links.astype(np.int32) + touches @ touches.T)


def _connected_grids(near: csr_array, load: NDArray[np.int64], band: tuple[int, int]) -> csr_array | None:
    low, high = band
    members = np.zeros(MOST_SETS * int(FEW_UNITS) * 4, np.int32)
    start = np.zeros(MOST_SETS + 1, np.int64)
    near = near.copy()
    near.sort_indices()
    graph = (near.indptr.astype(np.int64), near.indices.astype(np.int32))
    count = list_connected(graph, load, np.array([low, high, MOST_STEPS]), members, start)
    if count < 0:
        return None
    used = int(start[count])
    return csr_array((np.ones(used), members[:used], start[: count + 1]), shape=(count, len(load)))


@kernel
def list_connected(
    graph: tuple[NDArray[np.int64], NDArray[np.int32]],
    load: NDArray[np.int64],
    limits: NDArray[np.int64],
    members: NDArray[np.int32],
    start: NDArray[np.int64],
) -> int:
    """List every connected set with a load within the band once (Wernicke 2006); return their number, -1: too many.

    `limits` holds the band and the most steps; `members` and `start` are filled like the columns of a CSR matrix.
    """
    n = len(load)
    chosen = np.zeros(n + 1, np.int32)
    # Candidates of every depth, one behind the other: first[d] to last[d] are still to be tried.
    stack = np.zeros(n * n + n + 1, np.int32)
    first = np.zeros(n + 2, np.int64)
    last = np.zeros(n + 2, np.int64)
    seen = np.zeros(n, np.int32)
    total = np.zeros(n + 1, np.int64)
    count, steps = 0, 0
    for root in range(n):
        seen[:] = 0
        seen[root] = 1
        chosen[0], total[0] = root, load[root]
        first[0] = 0
        last[0] = _push_neighbors(graph, (root, root, 1), seen, stack, 0)
        depth, fresh = 0, True
        while depth >= 0:
            if fresh and limits[0] <= total[depth] <= limits[1]:
                if not _emit(chosen[: depth + 1], count, members, start):
                    return -1
                count += 1
            fresh = False
            if first[depth] == last[depth]:
                # What this depth saw first is unseen again one level up.
                for i in range(last[depth - 1] if depth > 0 else last[0], last[depth]):
                    if seen[stack[i]] == depth + 1:
                        seen[stack[i]] = 0
                depth -= 1
                continue
            v = stack[first[depth]]
            first[depth] += 1
            steps += 1
            if steps > limits[2]:
                return -1
            if total[depth] + load[v] > limits[1]:
                continue
            depth += 1
            chosen[depth], total[depth] = v, total[depth - 1] + load[v]
            # The candidates not yet tried, then the new neighbours.
            kept = last[depth - 1] - first[depth - 1]
            first[depth] = last[depth - 1]
            stack[first[depth] : first[depth] + kept] = stack[first[depth - 1] : last[depth - 1]]
            last[depth] = _push_neighbors(graph, (v, root, depth + 1), seen, stack, first[depth] + kept)
            fresh = True
    return count


@kernel
def _push_neighbors(
    graph: tuple[NDArray[np.int64], NDArray[np.int32]],
    node: tuple[int, int, int],
    seen: NDArray[np.int32],
    stack: NDArray[np.int32],
    top: int,
) -> int:
    """Put the unseen neighbours above the root on the stack, mark them, and return the new top."""
    indptr, neighbor = graph
    v, root, mark = node
    for e in range(indptr[v], indptr[v + 1]):
        w = neighbor[e]
        if w > root and seen[w] == 0:
            seen[w] = mark
            stack[top] = w
            top += 1
    return top


@kernel
def _emit(
    chosen: NDArray[np.int32], count: int, members: NDArray[np.int32], start: NDArray[np.int64]
) -> bool:
    """Append a set; return False when there is no room."""
    end = start[count] + len(chosen)
    if count + 1 >= len(start) or end > len(members):
        return False
    members[start[count] : end] = chosen
    start[count + 1] = end
    return True


def most_beside(sets: csr_array) -> int:
    """Return a number that no choice of sets without a common unit exceeds."""
    count, units = sets.shape
    if count == 0:
        return 0
    from scipy.optimize import Bounds, LinearConstraint, linprog, milp

    every = csr_array(sets.T)
    relaxed = linprog(-np.ones(count), A_ub=every, b_ub=np.ones(units), method="highs")  # type: ignore[call-overload]
    most = units if relaxed.status != 0 else int(np.floor(-relaxed.fun + 1e-6))
    if count > FEW_SETS or relaxed.status != 0 or -relaxed.fun < most + 1e-6:
        return most
    answer = milp(
        -np.ones(count),
        constraints=LinearConstraint(every, -np.inf, 1.0),
        bounds=Bounds(0, 1),
        integrality=np.ones(count, np.int64),
        options={"node_limit": NODES},
    )
    bound = answer.mip_dual_bound
    return most if bound is None or not np.isfinite(bound) else min(most, int(np.floor(-bound + 1e-6)))


def may_cover(sets: csr_array, count: int) -> bool:
    """Return False when no `count` of the sets cover every unit once."""
    if sets.shape[0] < count:
        return False
    members, start = sets.indices.astype(np.int32), sets.indptr.astype(np.int32)
    return _may_cover(members.tobytes(), start.tobytes(), sets.shape[1], count)


@lru_cache(maxsize=256)
def _may_cover(indices: bytes, indptr: bytes, units: int, count: int) -> bool:
    """Solve the relaxation; the reasons of a plan and its ceilings ask the same of the same sets."""
    from scipy.optimize import Bounds, LinearConstraint, linprog, milp

    members, start = np.frombuffer(indices, np.int32), np.frombuffer(indptr, np.int32)
    width = len(start) - 1
    sets = csr_array((np.ones(len(members)), members, start), shape=(width, units))
    rows = vstack([csr_array(sets.T), csr_array(np.ones((1, width)))])
    right = np.append(np.ones(units), count)
    answer = linprog(np.zeros(width), A_eq=rows, b_eq=right, method="highs")  # type: ignore[call-overload]
    if width > FEW_SETS or answer.status != 0:
        return bool(answer.status != 2)
    answer = milp(
        np.zeros(width),
        constraints=LinearConstraint(rows, right, right),
        bounds=Bounds(0, 1),
        integrality=np.ones(width, np.int64),
        options={"node_limit": NODES},
    )
    return bool(answer.status != 2)
