"""The ground of a plan: cells, what they hold and how they touch. No edit changes it, but for a divided cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from geo.units import Units


@dataclass(frozen=True)
class Ground:
    """The cells of a dataset in whole numbers, so that figures patched edit by edit stay exact.

    Attributes
    ----------
    dataset
        Id of the dataset: the SHA-256 of its content, 64 hexadecimal digits.
    cells
        One unit a cell, in the order of the tiling's cells (`geo.units.cell_units`), with their adjacency, also
        across community borders. Row i of `cells.graph` is cell i.
    length_mm
        int64, shape (m,): `cells.graph.length_m` in millimetres; both directions of an edge carry the same.
    class_mm
        int64, shape (m, len(BorderClass)): the same by what runs along it; rows add up to `length_mm`.
    outer_mm
        int64, shape (cells,): border of a cell that no other cell shares.
    area_dm2
        int64, shape (cells,): area in square decimetres.
    community_ids, community_names, community_codes
        By position of the community.
    compound_ids, compound_names
        By position of the compound.
    """

    dataset: str
    cells: Units
    length_mm: NDArray[np.int64]
    class_mm: NDArray[np.int64]
    outer_mm: NDArray[np.int64]
    area_dm2: NDArray[np.int64]
    community_ids: tuple[str, ...]
    community_names: tuple[str, ...]
    community_codes: tuple[str, ...]
    compound_ids: tuple[str, ...]
    compound_names: tuple[str, ...]

    @property
    def n(self) -> int:
        """Number of cells, those of divisions that were undone included."""
        return self.cells.n
