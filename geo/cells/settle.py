"""Make every cell one piece: parts cut off from their building go to the neighbour they share most border with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array

if TYPE_CHECKING:
    from numpy.typing import NDArray


def settle(
    pairs: NDArray[np.int32],
    length: NDArray[np.float64],
    block: NDArray[np.int32],
    kept: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Give every part that is not kept to a kept one of its block, longest shared border first.

    Parameters
    ----------
    pairs
        int32, shape (m, 2): parts on both sides of each edge.
    length
        float64, shape (m,): length of the edge.
    block
        int32, shape (n,): block of each part; parts of one block are connected to each other.
    kept
        bool, shape (n,): parts that stay what they are; at least one in every block.

    Returns
    -------
    int32, shape (n,): the kept part each part now belongs to.
    """
    n = len(block)
    owner = np.where(kept, np.arange(n), -1).astype(np.int32)
    if kept.all():
        return owner
    inside = (block[pairs[:, 0]] == block[pairs[:, 1]]) & (pairs[:, 0] != pairs[:, 1])
    inside &= ~(kept[pairs[:, 0]] & kept[pairs[:, 1]])
    a, b = pairs[inside, 0], pairs[inside, 1]
    graph = coo_array((np.tile(length[inside], 2), (np.append(a, b), np.append(b, a))), shape=(n, n)).tocsr()
    graph.sum_duplicates()
    waiting = np.flatnonzero(~kept)
    while len(waiting):
        chosen = {int(part): _nearest(graph, int(part), owner) for part in waiting}
        for part, target in chosen.items():
            owner[part] = target
        left = waiting[owner[waiting] < 0]
        if len(left) == len(waiting):
            break
        waiting = left
    return owner


def _nearest(graph: Any, part: int, owner: NDArray[np.int32]) -> int:
    """Return the settled neighbour with the longest border summed over its parts, or -1."""
    near = slice(graph.indptr[part], graph.indptr[part + 1])
    targets = owner[graph.indices[near]]
    settled = targets >= 0
    if not settled.any():
        return -1
    names, position = np.unique(targets[settled], return_inverse=True)
    return int(names[np.argmax(np.bincount(position, weights=graph.data[near][settled]))])
