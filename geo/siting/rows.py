"""Sparse rows: for every candidate, the demand it concerns and a value of each pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]
    Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class SparseRows:
    """Candidates by demand, only the pairs that matter; a pair of value 0 is a pair all the same.

    Attributes
    ----------
    indptr
        int64, shape (candidates + 1,): the pairs of candidate j are ``indptr[j]:indptr[j + 1]``.
    column
        int32, shape (pairs,): demand of each pair, ascending within a candidate, none twice.
    value
        float64, shape (pairs,): what the table is about, metres or saved cost.
    n_columns
        Number of demand rows.
    """

    indptr: NDArray[np.int64]
    column: NDArray[np.int32]
    value: NDArray[np.float64]
    n_columns: int

    @property
    def n(self) -> int:
        """Number of candidates."""
        return len(self.indptr) - 1

    @property
    def row(self) -> NDArray[np.int32]:
        """int32, shape (pairs,): candidate of each pair."""
        return np.repeat(np.arange(self.n, dtype=np.int32), np.diff(self.indptr))

    def of(self, candidate: int) -> tuple[NDArray[np.int32], Floats]:
        """Return the demand and the values of one candidate."""
        part = slice(self.indptr[candidate], self.indptr[candidate + 1])
        return self.column[part], self.value[part]

    def rows_at(self, keep: NDArray[np.integer]) -> SparseRows:
        """Return the candidates `keep`, in that order."""
        lengths = np.diff(self.indptr)[keep]
        indptr = _starts(lengths)
        taken = np.arange(indptr[-1]) + np.repeat(self.indptr[:-1][keep] - indptr[:-1], lengths)
        return SparseRows(indptr, self.column[taken], self.value[taken], self.n_columns)

    def columns_at(self, keep: NDArray[np.integer]) -> SparseRows:
        """Return only the demand `keep` (ascending), renumbered."""
        new = np.full(self.n_columns, -1, np.int32)
        new[keep] = np.arange(len(keep), dtype=np.int32)
        part = self.pairs_where(new[self.column] >= 0)
        return SparseRows(part.indptr, new[part.column], part.value, len(keep))

    def pairs_where(self, kept: Flags) -> SparseRows:
        """Return only the flagged pairs; no candidate and no demand is renumbered."""
        count = np.concatenate([[0], np.cumsum(kept)])
        return SparseRows(count[self.indptr], self.column[kept], self.value[kept], self.n_columns)

    def with_value(self, value: Floats) -> SparseRows:
        """Return the same pairs with other values, float64 (pairs,)."""
        return SparseRows(self.indptr, self.column, value, self.n_columns)

    def transposed(self) -> SparseRows:
        """Return demand by candidate."""
        table = csr_array((self.value, self.column, self.indptr), shape=(self.n, self.n_columns)).tocsc()
        return SparseRows(table.indptr.astype(np.int64), table.indices.astype(np.int32), table.data, self.n)


def sparse_rows(
    row: NDArray[np.integer], column: NDArray[np.integer], value: Floats, shape: tuple[int, int]
) -> SparseRows:
    """Build the table from pairs in any order; of the same pair given twice the lowest value stays.

    Parameters
    ----------
    row, column
        Integers, shape (pairs,): candidate and demand.
    value
        float64, shape (pairs,).
    shape
        Number of candidates, number of demand rows.
    """
    order = np.lexsort((value, column, row))
    row, column, value = row[order], column[order], value[order]
    first = np.ones(len(row), np.bool_)
    first[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
    indptr = _starts(np.bincount(row[first], minlength=shape[0]))
    return SparseRows(indptr, column[first].astype(np.int32), value[first], shape[1])


def _starts(lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
