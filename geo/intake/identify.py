"""Give every row an id, and only one row each id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray


def unique_ids(ids: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Append ``-2``, ``-3`` … to ids that were seen before.

    Returns
    -------
    tuple
        The ids, and which were changed. The first row with an id keeps it.
    """
    series = pd.Series(ids, dtype=object)
    changed = series.duplicated().to_numpy()
    if not changed.any():
        return ids, changed
    result = ids.copy()
    taken = set(ids)
    counts: dict[str, int] = {}
    for i in np.flatnonzero(changed):
        number = counts.get(ids[i], 1) + 1
        while f"{ids[i]}-{number}" in taken:
            number += 1
        counts[ids[i]] = number
        result[i] = f"{ids[i]}-{number}"
        taken.add(result[i])
    return result, changed


def numbered(
    ids: NDArray[np.object_], rows: NDArray[np.int64], *, prefix: str, digits: int
) -> NDArray[np.object_]:
    """Fill empty ids with a letter and the row number, e.g. ``B000012``."""
    empty = ids == ""
    if not empty.any():
        return ids
    made = np.array([f"{prefix}{row:0{digits}d}" for row in rows[empty]], dtype=object)
    result = ids.copy()
    result[empty] = made
    return result


def lookup(theirs: NDArray[np.object_], mine: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the position in `theirs` of each key in `mine`; -1 where it is empty, unknown or ambiguous."""
    index = pd.Series(np.arange(len(theirs)), index=pd.Index(theirs, dtype=object))
    index = index[(index.index != "") & ~index.index.duplicated(keep=False)]
    if len(index) == 0:
        return np.full(len(mine), -1, np.int64)
    found = index.index.get_indexer(pd.Index(mine, dtype=object))
    return np.where(found >= 0, index.to_numpy()[found], -1)
