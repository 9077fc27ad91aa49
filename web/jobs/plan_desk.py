"""One dataset, held in a process that stays and decides the heavy edits of plans on it.

Splits, rebalancing, repairs and divisions of cells need shapes and the engine: seconds to load, megabytes to hold.
The process knows no plan: each question carries the plan's state, so that any number of plans may share the dataset
and a process that was killed is replaced without loss.

Runs inside the fences only; `web.jobs.resident` opens the desk, and `web.jobs.plan_desk_client` asks it.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.dataset.folder import read_dataset
from geo.editing.codec import to_document
from geo.editing.edits import Refusal, edit_from
from geo.editing.survey import Survey
from web.jobs.stated import plan_from
from web.jobs.warming import warm_engine

if TYPE_CHECKING:
    from geo.city import City
    from geo.dataset.folder import Dataset
    from geo.editing.plan import Plan
    from geo.types import Progress

PLANS_KEPT = 4
"""States of plans kept: a preview is often followed by the edit itself."""
DIGITS = 7
"""Decimals of a degree: a centimetre."""


def open_desk(parameters: dict[str, Any], out: Path, *, progress: Progress) -> PlanDesk:
    """Read a dataset and load the engine.

    `parameters`: ``dataset`` (its folder).
    """
    del out
    progress("read", 0, 2)
    dataset = read_dataset(Path(parameters["dataset"]))
    progress("read", 1, 2)
    warm_engine()
    progress("read", 2, 2)
    return PlanDesk(dataset)


def stations_of(city: City) -> dict[str, Any]:
    """Return the stations of a city as JSON values: where, and of what category.

    ``categories`` are names in order, ``stations`` triples of longitude, latitude (EPSG:4326, degrees) and the
    number of the category. A station without a place or a category is left out.
    """
    frame = city.stations
    placed = frame[frame.geometry.notna() & ~frame.geometry.is_empty & frame["category"].notna()]
    categories = sorted({str(name) for name in placed["category"]})
    number = {name: k for k, name in enumerate(categories)}
    points = placed.geometry.to_crs("EPSG:4326").representative_point()
    stations = [
        [round(point.x, DIGITS), round(point.y, DIGITS), number[str(name)]]
        for point, name in zip(points, placed["category"], strict=True)
    ]
    return {"categories": categories, "stations": stations}


class PlanDesk:
    """Decide edits of plans of one dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._survey = Survey(dataset)
        self._plans: OrderedDict[tuple[str, str], Plan] = OrderedDict()

    def overview(self) -> dict[str, Any]:
        """Return what it holds, and where the city's stations are."""
        ground = self._dataset.ground
        return {"dataset": self._dataset.id, "cells": ground.n, "stations": stations_of(self._dataset.city)}

    def answer(self, name: str, question: dict[str, Any]) -> dict[str, Any]:
        """Answer ``resolve``: what an edit changes, or why it is not made.

        `question`: ``state`` and ``standard`` (from `web.jobs.stated.stated`), ``edit`` (its document). The
        answer holds ``change`` or ``refusal``.
        """
        if name != "resolve":
            raise ValueError(f"a plan desk does not answer {name}")
        edit = edit_from(question["edit"])
        decided = self._survey.resolve(self._plan(question), edit)
        if isinstance(decided, Refusal):
            return {"refusal": decided.to_dict()}
        return {"change": to_document(decided)}

    def _plan(self, said: dict[str, str]) -> Plan:
        key = (said["state"], said["standard"])
        if key not in self._plans:
            self._plans[key] = plan_from(self._dataset.ground, said)
        self._plans.move_to_end(key)
        while len(self._plans) > PLANS_KEPT:
            self._plans.popitem(last=False)
        return self._plans[key]
