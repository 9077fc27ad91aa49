"""Compare two divisions of the same buildings: crosswalk, lineage, households moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SAME = 0.95
"""From this share of its households on, a grid counts as wholly inside another."""

NEW_KINDS = ("kept", "split", "merged", "moved", "new")
OLD_KINDS = ("kept", "split", "merged", "moved", "gone")


@dataclass(frozen=True)
class Comparison:
    """What became of old grids, and where new ones come from.

    Attributes
    ----------
    crosswalk
        One row per pair of an old and a new grid that share a building, by `new_id` and falling households:
        ``old_id``, ``new_id`` (str, "" for none), ``households``, ``buildings`` (int64), ``share_of_old``,
        ``share_of_new`` (float64, of the households, 0 where the grid has none), ``main`` (bool: the pair is the
        new grid's main origin).
    new
        One row per new grid: ``new_id``, ``main_origin`` (str, "" for none), ``origins`` (int64), ``households``,
        ``moved`` (int64), ``kind``:

        ``kept``    the same homes as one old grid;
        ``split``   a part of one old grid;
        ``merged``  several old grids together, each wholly;
        ``moved``   borders moved: parts of several old grids;
        ``new``     no homes from any old grid.
    old
        One row per old grid: ``old_id``, ``main_successor`` (str), ``successors`` (int64), ``households`` (int64),
        ``kind``: ``kept``, ``split`` (only into parts of itself), ``merged`` (wholly inside a larger one),
        ``moved`` or ``gone`` (no homes in any new grid).
    households, moved
        Households in both divisions, and those moved: in a new grid that has its main origin in another old grid.
        The main origin is the old grid that gives most households (ties: the first in the table of old grids).
        Dividing an old grid moves nobody; joining two moves the smaller one.
    """

    crosswalk: pd.DataFrame
    new: pd.DataFrame
    old: pd.DataFrame
    households: int
    moved: int

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready summary; docs/cli.md lists its keys."""
        kinds = {
            "new": {kind: int((self.new["kind"] == kind).sum()) for kind in NEW_KINDS},
            "old": {kind: int((self.old["kind"] == kind).sum()) for kind in OLD_KINDS},
        }
        return {
            "old_grids": len(self.old),
            "new_grids": len(self.new),
            "households": self.households,
            "households_moved": self.moved,
            "share_moved": round(self.moved / self.households, 6) if self.households else None,
            "lineage_of_new": kinds["new"],
            "lineage_of_old": kinds["old"],
        }


def compare(
    old_of_building: NDArray[np.integer[Any]],
    new_of_building: NDArray[np.integer[Any]],
    households: NDArray[np.integer[Any]],
    *,
    old_ids: Sequence[str],
    new_ids: Sequence[str],
    same: float = SAME,
) -> Comparison:
    """Compare two divisions building by building; they may have different numbers of grids.

    Parameters
    ----------
    old_of_building, new_of_building
        Shape (buildings,): row of `old_ids` and of `new_ids`, -1 for none.
    households
        Shape (buildings,).
    old_ids, new_ids
        Names of the grids.
    same
        Share of households from which a grid counts as wholly inside another; guards against single buildings
        that lie on a border drawn by hand.

    Raises
    ------
    ValueError
        If the arrays differ in length.
    """
    if not len(old_of_building) == len(new_of_building) == len(households):
        raise ValueError("old_of_building, new_of_building and households must have one value a building")
    pairs = _pairs(old_of_building, new_of_building, households, len(old_ids), len(new_ids))
    both = (pairs["old"] >= 0) & (pairs["new"] >= 0)
    new = _new_grids(pairs, list(old_ids), list(new_ids), same)
    old = _old_grids(pairs, new, list(old_ids), list(new_ids), same)
    return Comparison(
        crosswalk=_crosswalk(pairs, list(old_ids), list(new_ids)),
        new=new,
        old=old,
        households=int(pairs.loc[both, "households"].sum()),
        moved=int(new["moved"].sum()),
    )


def _pairs(
    old: NDArray[np.integer[Any]],
    new: NDArray[np.integer[Any]],
    households: NDArray[np.integer[Any]],
    n_old: int,
    n_new: int,
) -> pd.DataFrame:
    """One row per pair of grids, -1 for none, with shares and the mark of the main origin."""
    frame = pd.DataFrame(
        {"old": np.asarray(old, np.int64), "new": np.asarray(new, np.int64), "households": households}
    )
    by = frame.groupby(["new", "old"], sort=True)["households"]
    pairs = pd.DataFrame({"households": by.sum().astype(np.int64), "buildings": by.size()}).reset_index()
    pairs = pairs[(pairs["old"] >= 0) | (pairs["new"] >= 0)].reset_index(drop=True)
    for name, n in (("old", n_old), ("new", n_new)):
        total = np.zeros(n + 1, np.int64)  # the last entry answers for -1
        np.add.at(total, pairs[name].to_numpy(), pairs["households"].to_numpy())
        whole = total[pairs[name].to_numpy()]
        share = np.zeros(len(pairs))
        np.divide(pairs["households"], whole, out=share, where=(whole > 0) & (pairs[name].to_numpy() >= 0))
        pairs[f"share_of_{name}"] = share
    order = np.lexsort(
        (pairs["old"], -pairs["buildings"], -pairs["households"], pairs["old"] < 0, pairs["new"])
    )
    pairs = pairs.iloc[order].reset_index(drop=True)
    first = ~pairs["new"].duplicated()
    pairs["main"] = first & (pairs["old"] >= 0) & (pairs["new"] >= 0)
    return pairs


def _crosswalk(pairs: pd.DataFrame, old_ids: list[str], new_ids: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "old_id": _named(old_ids, pairs["old"]),
            "new_id": _named(new_ids, pairs["new"]),
            "households": pairs["households"],
            "buildings": pairs["buildings"].astype(np.int64),
            "share_of_old": pairs["share_of_old"].round(6),
            "share_of_new": pairs["share_of_new"].round(6),
            "main": pairs["main"],
        }
    )


def _new_grids(pairs: pd.DataFrame, old_ids: list[str], new_ids: list[str], same: float) -> pd.DataFrame:
    n = len(new_ids)
    known = pairs[(pairs["new"] >= 0) & (pairs["old"] >= 0)]
    row = known["new"].to_numpy()
    main = np.full(n, -1, np.int64)
    lead = known[known["main"]]
    main[lead["new"]] = lead["old"]
    total, kept = np.zeros(n, np.int64), np.zeros(n, np.int64)
    np.add.at(total, row, known["households"].to_numpy())
    kept[lead["new"]] = lead["households"]
    whole = known["share_of_old"].to_numpy() >= same
    of_old, of_new = np.zeros(n), np.zeros(n)
    of_old[lead["new"]], of_new[lead["new"]] = lead["share_of_old"], lead["share_of_new"]
    swallowed = np.bincount(row[whole], weights=known["share_of_new"].to_numpy()[whole], minlength=n)
    absorbed = np.bincount(row[whole], minlength=n)
    kind = np.select(
        [
            (main < 0) | (total == 0),
            (of_new >= same) & (of_old >= same),
            of_new >= same,
            (swallowed >= same) & (absorbed > 1),
        ],
        ["new", "kept", "split", "merged"],
        "moved",
    )
    return pd.DataFrame(
        {
            "new_id": new_ids,
            "main_origin": _named(old_ids, main),
            "origins": np.bincount(row, minlength=n).astype(np.int64),
            "households": _total(pairs, "new", n),
            "moved": total - kept,
            "kind": kind,
        }
    )


def _old_grids(
    pairs: pd.DataFrame, new: pd.DataFrame, old_ids: list[str], new_ids: list[str], same: float
) -> pd.DataFrame:
    n = len(old_ids)
    known = pairs[(pairs["new"] >= 0) & (pairs["old"] >= 0)]
    order = np.lexsort((known["new"], -known["buildings"], -known["households"], known["old"]))
    lead = known.iloc[order].drop_duplicates("old")
    successor = np.full(n, -1, np.int64)
    successor[lead["old"]] = lead["new"]
    to_new = np.zeros(n)
    to_new[lead["old"]] = lead["share_of_old"]
    total = np.zeros(n, np.int64)
    np.add.at(total, known["old"].to_numpy(), known["households"].to_numpy())
    # Homes that went into new grids which are parts of this old grid alone.
    parts = known[np.isin(new["kind"].to_numpy()[known["new"]], ["split"]) & known["main"]]
    own = np.bincount(parts["old"], weights=parts["share_of_old"], minlength=n)
    fate = np.append(new["kind"].to_numpy(dtype=object), "")[successor]
    kind = np.select(
        [total == 0, (to_new >= same) & (fate == "kept"), to_new >= same, own >= same],
        ["gone", "kept", "merged", "split"],
        "moved",
    )
    return pd.DataFrame(
        {
            "old_id": old_ids,
            "main_successor": _named(new_ids, successor),
            "successors": np.bincount(known["old"], minlength=n).astype(np.int64),
            "households": _total(pairs, "old", n),
            "kind": kind,
        }
    )


def _total(pairs: pd.DataFrame, name: str, n: int) -> NDArray[np.int64]:
    total = np.zeros(n + 1, np.int64)
    np.add.at(total, pairs[name].to_numpy(), pairs["households"].to_numpy())
    return total[:n]


def _named(ids: list[str], rows: NDArray[np.int64] | pd.Series) -> NDArray[np.object_]:
    """Return ids by row, "" for -1."""
    return np.array([*ids, ""], dtype=object)[np.asarray(rows)]
