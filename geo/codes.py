"""Number, code and name the grids of a plan, and list what lies in each place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray


def scan_order(
    community: NDArray[np.int32],
    centre_xy: NDArray[np.float64],
    area_m2: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Order grids by community and, inside one, in rows from north to south, each from west to east.

    A row is as high as a grid of the community's mean area is wide, so that neighbours which a reader
    sees side by side get consecutive numbers (the order of DB11/T 2157 and CJ/T 349).

    Parameters
    ----------
    community
        Shape (n,): position of each grid's community.
    centre_xy
        Shape (n, 2): a point inside each grid, working CRS, metres.
    area_m2
        Shape (n,).

    Returns
    -------
    int64, shape (n,): positions of the grids in the new order.
    """
    n_communities = int(community.max()) + 1 if len(community) else 0
    counts = np.bincount(community, minlength=n_communities)
    mean_area = np.bincount(community, weights=area_m2, minlength=n_communities) / np.maximum(counts, 1)
    north = np.full(n_communities, -np.inf)
    np.maximum.at(north, community, centre_xy[:, 1])
    height = np.sqrt(np.maximum(mean_area, 1.0))[community]
    row = np.floor((north[community] - centre_xy[:, 1]) / height).astype(np.int64)
    return np.lexsort((-centre_xy[:, 1], centre_xy[:, 0], row, community))


def number_grids(community: NDArray[np.int32], communities: pd.DataFrame) -> pd.DataFrame:
    """Give every grid its sequence number, id, code and name.

    Where the community has a 12-digit statistical code, the grid's code is that code and a 3-digit
    sequence number (15 digits, scheme ``stat12+3``); elsewhere code and id are the same.

    Parameters
    ----------
    community
        Shape (n,): position of each grid's community, grids already in their final order.
    communities
        ``community_id``, ``name``, ``code`` as in `geo.city.City`.

    Returns
    -------
    DataFrame with ``grid_id``, ``code``, ``name`` (str) and ``number`` (int64, from 1 in each community).
    """
    number = pd.Series(community).groupby(community).cumcount().to_numpy() + 1
    ids = communities["community_id"].to_numpy()[community]
    codes = communities["code"].to_numpy()[community]
    names = communities["name"].to_numpy()[community]
    grid_id = [f"{c}-{k:03d}" for c, k in zip(ids, number, strict=True)]
    code = [
        f"{c}{k:03d}" if len(c) == 12 and c.isdigit() else g
        for c, k, g in zip(codes, number, grid_id, strict=True)
    ]
    name = [f"{c}第{k}网格" for c, k in zip(names, number, strict=True)]
    return pd.DataFrame({"grid_id": grid_id, "code": code, "name": name, "number": number.astype(np.int64)})


def joined(names: NDArray[np.object_], position: NDArray[np.integer], n: int) -> NDArray[np.object_]:
    """Join the names that share a position, in their order, separated by semicolons.

    Parameters
    ----------
    names
        str, shape (m,).
    position
        Integers, shape (m,): 0 … n - 1.
    n
        Number of positions.

    Returns
    -------
    str, shape (n,): empty where there is no name.
    """
    result = np.full(n, "", dtype=object)
    order = np.argsort(position, kind="stable")
    first = np.flatnonzero(np.diff(position[order], prepend=-1))
    count = np.diff(np.append(first, len(order)))
    # Nearly all names are alone in their place: only the others are worth a loop.
    result[position[order[first]]] = names[order[first]]
    for low, length in zip(first[count > 1], count[count > 1], strict=True):
        together = order[low : low + length]
        result[position[together[0]]] = ";".join(names[together])
    return result
