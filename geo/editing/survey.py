"""A dataset with shapes and engine: what edits need that the ground alone cannot decide."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import shapely

from geo.editing import area, divide, mend, rebalance, renumber, split
from geo.editing.shapes import Borders, Shapes, to_metres

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.city import City
    from geo.dataset.folder import Dataset
    from geo.editing.change import Change
    from geo.editing.edits import Edit, Refusal
    from geo.editing.plan import Plan
    from geo.tiling import Tiling

ON_SHAPES: dict[str, Callable[[Survey, Plan, Any], Change | Refusal]] = {
    "split-line": split.split_line,
    "divide": divide.divide,
    "lock-area": area.lock_area,
    "renumber": renumber.renumber,
}
"""Edits that need the shapes of the dataset, by kind."""

BY_ENGINE: dict[str, Callable[[Plan, Any], Change | Refusal]] = {
    "split-parts": split.split_parts,
    "rebalance": rebalance.rebalance,
    "repair": mend.repair,
}
"""Edits that need the engine and the plan alone, by kind."""


class Survey:
    """The shapes of a dataset, for the edits that need them.

    Everything it keeps between edits follows from the dataset; the plan comes with each question, so a survey may
    serve any number of plans, in any order, with the same answers.

    Parameters
    ----------
    dataset
        City and tiling.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._set(dataset.city, dataset.tiling)

    @classmethod
    def of(cls, city: City, tiling: Tiling) -> Survey:
        """Make a survey of a city and its tiling that are in no dataset."""
        survey = cls.__new__(cls)
        survey._set(city, tiling)  # noqa: SLF001 - the other constructor
        return survey

    def _set(self, city: City, tiling: Tiling) -> None:
        self.city = city
        self.tiling = tiling

    def resolve(self, plan: Plan, edit: Edit) -> Change | Refusal:
        """Say what an edit does to a plan, or why it is not made.

        Parameters
        ----------
        plan
            A plan of this dataset.
        edit
            Of a kind in `geo.editing.edits.NEEDS_SURVEY`.

        Returns
        -------
        A change whose values before are those of the plan, for `geo.editing.apply.apply_change`.
        """
        if edit.kind in ON_SHAPES:
            return ON_SHAPES[edit.kind](self, plan, edit)
        if edit.kind in BY_ENGINE:
            return BY_ENGINE[edit.kind](plan, edit)
        raise ValueError(f"an edit of kind {edit.kind} needs no survey")

    @property
    def crs(self) -> CRS:
        """The working CRS, projected, metres."""
        return self.city.crs

    @cached_property
    def borders(self) -> Borders:
        """The segments of the tiling by their ends."""
        return Borders(self.tiling)

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """West, south, east and north of the cells of the tiling, degrees, float64, shape (cells, 4)."""
        return shapely.bounds(self.tiling.cells.geometry.to_numpy())

    def shapes(self, plan: Plan) -> Shapes:
        """Return the outlines of the cells of a plan."""
        return Shapes(self.tiling, plan, self.crs, borders=self.borders)

    def inner_points(self, plan: Plan, cells: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return a point inside each cell, working CRS, float64, shape (cells, 2)."""
        polygons = self.shapes(plan).polygons(cells)
        drawn = shapely.transform(polygons, to_metres(self.crs).transform, interleaved=False)
        return shapely.get_coordinates(shapely.point_on_surface(drawn))
