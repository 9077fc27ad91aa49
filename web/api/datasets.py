"""Datasets: what plans stand on. They never change, so a browser keeps them."""

from typing import Any, Literal

from flask import Response, request, send_file
from pydantic import BaseModel

from web.api.common import DatasetPath, Model, answers, binary, blueprint
from web.auth.rules import allow
from web.forms import of_service
from web.services.near_stations import near_stations

datasets = blueprint("datasets", prefix="/datasets/<dataset_id>", tag="Datasets")

YEAR_S = 365 * 24 * 3600
FOR_EVER = f"private, max-age={YEAR_S}, immutable"
TYPES = {".json": "application/json", ".pmtiles": "application/vnd.pmtiles", ".gz": "application/gzip"}
TILE_TYPES = tuple(TYPES.values())


class TileLayer(Model):
    """A layer of tiles."""

    min_zoom: int
    max_zoom: int
    rows: int


class OverviewPicture(Model):
    """The picture of all cells in Web Mercator from 0 to 1: its size, upper left corner, and a pixel's."""

    width: int
    height: int
    west: float
    north: float
    pixel: float


class TileSet(Model):
    """What ``tiles.json`` says; tiles drawn by an early version have no overview."""

    bounds: list[float]
    layers: dict[str, TileLayer]
    overview: OverviewPicture | None = None


class TileState(Model):
    """The tiles of a dataset; null while the job draws them."""

    tiles: TileSet | None
    job: str | None


class StationState(Model):
    """The stations of a dataset; none while it is being read."""

    state: Literal["ready", "building"]
    minutes: float
    metres: float
    categories: list[str]
    stations: list[list[float]]
    """Longitude, latitude, number of the category."""


class Pairs(BaseModel):
    """How the neighbours of cells are listed."""

    pairs: Literal["both", "once"] = "both"
    """Each pair at both of its cells, or at the lower one only."""


class TilePath(DatasetPath):
    """Address of a file of tiles."""

    name: str


@datasets.get(
    "/ground",
    responses=answers(
        404,
        ok=binary("application/octet-stream", described="A header and arrays, see docs/api.md"),
        kept=True,
    ),
)
@allow("dataset:read")
def dataset_ground(path: DatasetPath, query: Pairs) -> Response:
    """Return the cells of a dataset, what they hold and how they touch."""
    grounds, once = of_service().grounds, query.pairs == "once"
    response = Response(mimetype="application/octet-stream")
    response.set_etag(grounds.tag(path.dataset_id, once=once))
    response.headers["Cache-Control"] = FOR_EVER
    if response.make_conditional(request).status_code == 200:
        response.set_data(grounds.packed(path.dataset_id, once=once))
    return response


@datasets.get("/tiles", responses=answers(404, ok=TileState))
@allow("dataset:read")
def dataset_tile_state(path: DatasetPath) -> dict[str, Any]:
    """Say what tiles there are, or which job draws them: what an editor asks for while it waits."""
    return of_service().tile_files.state(path.dataset_id)


@datasets.get("/stations", responses=answers(404, ok=StationState))
@allow("dataset:read")
def dataset_stations(path: DatasetPath) -> dict[str, Any]:
    """Return where the stations are and how far each serves: the editor names the grids that lie beyond."""
    service = of_service()
    return near_stations(service.desk, service.grounds, path.dataset_id)


@datasets.get(
    "/tiles/<name>",
    responses=answers(
        404,
        416,
        ok=binary(*TILE_TYPES, described="tiles.json, overview.gz or LAYER.pmtiles"),
        part=binary(*TILE_TYPES, described="The bytes that Range asks for"),
        kept=True,
    ),
)
@allow("dataset:read")
def dataset_tiles(path: TilePath) -> Response:
    """Return tiles.json or the tiles of a layer, also a part of them; 404 names the job that draws them."""
    file = of_service().tile_files.path(path.dataset_id, path.name)
    response = send_file(file.resolve(), mimetype=TYPES[file.suffix], conditional=True)
    response.headers["Cache-Control"] = "private, no-cache" if file.suffix == ".json" else FOR_EVER
    return response
