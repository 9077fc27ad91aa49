"""Make a cover table smaller without changing its answers: merge equal demand, drop what is needless."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.siting.kernels import contained, same_as_before

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.siting.rows import SparseRows

HASH_SEED = 20_240_229

MOST_STEPS = 2_000_000_000
"""Steps of one search for needless rows, some seconds: without an end it grows with the square of the rows."""


def groups_of_equal(sets: SparseRows) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Group rows that hold the same columns, whatever their values.

    Rows are sorted by length and a random hash of their columns, and neighbours compared in full, so that two rows
    are only ever put together when they are equal.

    Returns
    -------
    The first row of each group, ascending, and the group of every row.
    """
    code = np.random.default_rng(HASH_SEED).integers(0, 2**63, sets.n_columns, np.uint64)
    summed = np.concatenate([np.zeros(1, np.uint64), np.cumsum(code[sets.column], dtype=np.uint64)])
    key = summed[sets.indptr[1:]] - summed[sets.indptr[:-1]]
    order = np.lexsort((np.arange(sets.n), key, np.diff(sets.indptr)))
    new = ~same_as_before(sets.indptr, sets.column, order.astype(np.int64))
    group = np.empty(sets.n, np.intp)
    group[order] = np.cumsum(new) - 1
    first = order[new]
    rank = np.empty(len(first), np.intp)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return np.sort(first), rank[group]


def merge_demand(
    cover: SparseRows, weight: NDArray[np.float64]
) -> tuple[SparseRows, NDArray[np.float64], NDArray[np.intp]]:
    """Merge demand that the same candidates cover; demand without any, or without weight, is left out.

    Parameters
    ----------
    cover
        Candidates by demand; values are not looked at.
    weight
        float64, shape (demand,).

    Returns
    -------
    Candidates by merged demand, its summed weight, and the merged row of each demand row (-1 left out).
    """
    by_demand = cover.transposed()
    kept = np.flatnonzero((np.diff(by_demand.indptr) > 0) & (weight > 0))
    first, group = groups_of_equal(by_demand.rows_at(kept))
    merged = np.full(cover.n_columns, -1, np.intp)
    merged[kept] = group
    return (
        cover.columns_at(kept[first]),
        np.bincount(group, weights=weight[kept], minlength=len(first)).astype(np.float64),
        merged,
    )


def undominated(sets: SparseRows, members: SparseRows, *, tail: bool) -> NDArray[np.intp]:
    """Return the rows of `sets` that no other row makes needless, ascending; of equal rows the first.

    On very large tables the search ends after `MOST_STEPS`, and needless rows may stay.

    Parameters
    ----------
    sets, members
        A table and its transpose.
    tail
        False for candidates: a row inside another is needless. True for demand that must be covered: a row that
        holds another is needless.
    """
    first, _ = groups_of_equal(sets)
    distinct = sets.rows_at(first)
    holders = members if len(first) == sets.n else distinct.transposed()
    marked = contained(distinct.indptr, distinct.column, holders.indptr, holders.column, tail, MOST_STEPS)
    if not tail:
        marked |= np.diff(distinct.indptr) == 0
    return first[~marked]
