"""Connected pieces of sets of cells, on the part of the graph that an edit touches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def edges_of(
    indptr: NDArray[np.int64], cells: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the entries of some rows of a CSR structure.

    Parameters
    ----------
    indptr
        int64, shape (n + 1,).
    cells
        Integers, shape (k,): rows, in any order.

    Returns
    -------
    Two int64 arrays of one length: for every entry the position of its row in `cells`, and the entry itself.
    """
    first = indptr[cells]
    count = indptr[cells + 1] - first
    row = np.repeat(np.arange(len(cells)), count)
    skipped = first - (np.cumsum(count) - count)
    return row, np.arange(len(row)) + skipped[row]


def pieces_of(
    indptr: NDArray[np.int64],
    neighbor: NDArray[np.int32],
    cells: NDArray[np.integer],
    label: NDArray[np.integer],
) -> NDArray[np.int64]:
    """Find the connected pieces of some cells, where only cells of one label connect.

    Every round hooks each piece to its lowest neighbour and halves all paths (Shiloach and Vishkin 1982), so a
    chain of k cells takes about log k rounds.

    Parameters
    ----------
    indptr, neighbor
        Adjacency of all cells as CSR, every edge in both directions.
    cells
        Integers, shape (k,), ascending, each once.
    label
        Integers, shape (k,).

    Returns
    -------
    int64, shape (k,): position in `cells` of the lowest cell of the same piece.
    """
    piece = np.arange(len(cells))
    if len(cells) == 0:
        return piece
    row, entry = edges_of(indptr, cells)
    other = neighbor[entry]
    at = np.minimum(np.searchsorted(cells, other), len(cells) - 1)
    inside = (cells[at] == other) & (label[at] == label[row])
    a, b = row[inside], at[inside]
    while True:
        before = piece.copy()
        lowest = piece[piece][b]
        np.minimum.at(piece, piece[a], lowest)
        np.minimum.at(piece, a, lowest)
        piece = piece[piece]
        if np.array_equal(piece, before):
            return piece


def count_pieces(
    indptr: NDArray[np.int64],
    neighbor: NDArray[np.int32],
    cells: NDArray[np.integer],
    label: NDArray[np.integer],
    n_labels: int,
) -> NDArray[np.int32]:
    """Count the connected pieces of every label among some cells; arguments as in `pieces_of`.

    Returns
    -------
    int32, shape (n_labels,): 0 for a label without cells.
    """
    piece = pieces_of(indptr, neighbor, cells, label)
    roots = piece == np.arange(len(cells))
    return np.bincount(label[roots], minlength=n_labels).astype(np.int32)
