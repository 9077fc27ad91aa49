"""Where the stations of a dataset are, for an editor that names the grids none of them is near."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from web.jobs.faults import as_error, crashed
from web.services.coverage import DEFAULT_MINUTES, DEFAULT_SPEED_M_PER_MIN, Latitude, Longitude, Row

if TYPE_CHECKING:
    from web.jobs.plan_desk_client import PlanDesk
    from web.services.grounds import Grounds


class Told(BaseModel):
    """What the process of a dataset says: it read foreign data, so it is checked."""

    categories: list[str]
    stations: list[tuple[Longitude, Latitude, Row]]


def near_stations(desk: PlanDesk, grounds: Grounds, dataset_id: str) -> dict[str, Any]:
    """Return the stations of a dataset and how far they serve; ``state`` is ``building`` while it is read.

    ``metres`` is the radius of the circle a station serves, `DEFAULT_MINUTES` at `DEFAULT_SPEED_M_PER_MIN`.

    Raises
    ------
    NotFoundError
        If there is no such dataset.
    GeoError
        What is wrong with it.
    """
    grounds.folder(dataset_id)
    circle = {"minutes": DEFAULT_MINUTES, "metres": round(DEFAULT_MINUTES * DEFAULT_SPEED_M_PER_MIN, 1)}
    overview = desk.overview(dataset_id)
    if overview is None:
        return {"state": "building", **circle, "categories": [], "stations": []}
    try:
        told = Told.model_validate(overview.get("stations"))
    except ValidationError as error:
        raise as_error(crashed()) from error
    return {"state": "ready", **circle, **told.model_dump()}
