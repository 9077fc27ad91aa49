"""What one change would do: a gate, a bridge, a path, longer hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import shapely

from geo.errors import GeoError
from geo.network import Scenario
from geo.service_coverage.frames import category_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.service_coverage.model import ServiceModel

ALWAYS = "24/7"


@dataclass(frozen=True)
class Change:
    """One change to look at.

    Attributes
    ----------
    kind
        ``"gate"`` (a Point at a wall), ``"bridge"`` (a Point where a street meets water or a railway, or a
        LineString over it), ``"path"`` (a LineString at grade) or ``"hours"`` (a station open at all times).
    name
        As shown in the table.
    geometry
        In the city's CRS, metres; None for hours.
    station
        Row of the station that opens longer, -1 otherwise.
    """

    kind: Literal["gate", "bridge", "path", "hours"]
    name: str
    geometry: Any = None
    station: int = -1


def single_changes(model: ServiceModel, changes: Sequence[Change], **question: Any) -> pd.DataFrame:
    """Count for each change alone the households it would bring within reach.

    Parameters
    ----------
    model
        Without any of the changes.
    changes
        What to look at, each by itself: effects of several together do not add up.
    question
        ``minutes``, ``speed``, ``categories`` and ``window`` as for `ServiceModel.coverage`.

    Returns
    -------
    One row a change, most gained first, equal ones as given: ``change`` (int64, position), ``kind``, ``name``,
    ``gained`` (int64, households times categories newly reached), ``households`` (int64, households that reach at
    least one category more), and per category ``gain_…`` (int64).

    Raises
    ------
    GeoError
        ``coverage-change-without-streets``: a gate, bridge or path where there are no streets;
        ``coverage-bad-change``: a geometry that its kind cannot have; what `ServiceModel.coverage` raises.
    """
    before = model.coverage(**question)
    names = [f"gain_{column.covered[4:]}" for column in category_columns(before.categories)]
    rows = []
    for place, change in enumerate(changes):
        after = changed_model(model, change).coverage(**question)
        new = after.covered & ~before.covered
        by_category = before.households @ new.astype(np.int64)
        rows.append(
            {
                "change": place,
                "kind": change.kind,
                "name": change.name,
                "gained": int(by_category.sum()),
                "households": int(before.households[new.any(axis=1)].sum()),
                **dict(zip(names, by_category.tolist(), strict=True)),
            }
        )
    table = pd.DataFrame(rows, columns=["change", "kind", "name", "gained", "households", *names])
    return table.sort_values(["gained", "change"], ascending=[False, True]).reset_index(drop=True)


def changed_model(model: ServiceModel, change: Change) -> ServiceModel:
    """Return the model with one change made."""
    if change.kind == "hours":
        if not 0 <= change.station < len(model.stations):
            raise _bad(change, "没有这个站点", "there is no such station")
        hours = model.stations["opening_hours"].to_numpy(dtype=object).copy()
        hours[change.station] = ALWAYS
        return model.with_stations(model.stations.assign(opening_hours=hours))
    return model.with_scenario(_scenario(change))


def _scenario(change: Change) -> Scenario:
    kinds = {
        "gate": (shapely.GeometryType.POINT,),
        "bridge": (shapely.GeometryType.POINT, shapely.GeometryType.LINESTRING),
        "path": (shapely.GeometryType.LINESTRING,),
    }
    shape = change.geometry
    if shape is None or shapely.is_empty(shape) or shapely.get_type_id(shape) not in kinds[change.kind]:
        raise _bad(
            change,
            "图形不合适：门用点，桥用点或线，路用线",
            "a gate is a point, a bridge a point or line, a path a line",
        )
    shapes = (shape,)
    if change.kind == "gate":
        return Scenario(gates=shapes)
    return Scenario(bridges=shapes) if change.kind == "bridge" else Scenario(paths=shapes)


def _bad(change: Change, zh: str, en: str) -> GeoError:
    return GeoError(
        "coverage-bad-change",
        f"无法计算“{change.name}”（{change.kind}）：{zh}。",
        f'Cannot look at "{change.name}" ({change.kind}): {en}.',
        ids=[change.name],
    )
