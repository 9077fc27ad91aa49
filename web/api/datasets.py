"""Datasets: what plans stand on. They never change, so a browser keeps them."""

from typing import Any

from flask import Response, request, send_file

from web.api.common import DatasetPath, Model, answers, binary, blueprint
from web.auth.rules import allow
from web.forms import of_service

datasets = blueprint("datasets", prefix="/datasets/<dataset_id>", tag="Datasets")

YEAR_S = 365 * 24 * 3600
FOR_EVER = f"private, max-age={YEAR_S}, immutable"


class TileLayer(Model):
    """A layer of tiles."""

    min_zoom: int
    max_zoom: int
    rows: int


class TileSet(Model):
    """What ``tiles.json`` says."""

    bounds: list[float]
    layers: dict[str, TileLayer]


class TileState(Model):
    """The tiles of a dataset; null while the job draws them."""

    tiles: TileSet | None
    job: str | None


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
def dataset_ground(path: DatasetPath) -> Response:
    """Return the cells of a dataset, what they hold and how they touch."""
    grounds = of_service().grounds
    response = Response(mimetype="application/octet-stream")
    response.set_etag(grounds.tag(path.dataset_id))
    response.headers["Cache-Control"] = FOR_EVER
    if response.make_conditional(request).status_code == 200:
        response.set_data(grounds.packed(path.dataset_id))
    return response


@datasets.get("/tiles", responses=answers(404, ok=TileState))
@allow("dataset:read")
def dataset_tile_state(path: DatasetPath) -> dict[str, Any]:
    """Say what tiles there are, or which job draws them: what an editor asks for while it waits."""
    return of_service().tile_files.state(path.dataset_id)


@datasets.get(
    "/tiles/<name>",
    responses=answers(
        404,
        416,
        ok=binary("application/vnd.pmtiles", "application/json", described="tiles.json or LAYER.pmtiles"),
        part=binary("application/vnd.pmtiles", "application/json", described="The bytes that Range asks for"),
        kept=True,
    ),
)
@allow("dataset:read")
def dataset_tiles(path: TilePath) -> Response:
    """Return tiles.json or the tiles of a layer, also a part of them; 404 names the job that draws them."""
    file = of_service().tile_files.path(path.dataset_id, path.name)
    drawn = file.suffix == ".pmtiles"
    response = send_file(
        file, mimetype="application/vnd.pmtiles" if drawn else "application/json", conditional=True
    )
    response.headers["Cache-Control"] = FOR_EVER if drawn else "private, no-cache"
    return response
