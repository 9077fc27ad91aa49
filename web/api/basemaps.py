"""Base maps that the settings name: what there is, and the tiles of a local file."""

from dataclasses import asdict
from typing import Any, Literal

from flask import Response, send_file
from pydantic import BaseModel

from web.api.common import PREFIX, Model, answers, binary, blueprint
from web.auth.rules import allow
from web.forms import of_service
from web.services.basemaps import GZIP_MAGIC, MIME

basemaps = blueprint("basemaps", prefix="/basemaps", tag="Base maps")

DAY = "private, max-age=86400"


class BasemapAnswer(Model):
    """A base map; `tiles` is an address with {z}, {x} and {y}, or that of a PMTiles archive."""

    id: Literal["file", "url"]
    form: Literal["xyz", "pmtiles"]
    kind: Literal["raster", "vector"]
    tiles: str
    crs: Literal["wgs84", "gcj02"]
    attribution: str
    min_zoom: int
    max_zoom: int
    layers: list[str]


class BasemapsAnswer(Model):
    """All base maps."""

    basemaps: list[BasemapAnswer]


class FileTilePath(BaseModel):
    """Address of a tile, rows from the north."""

    z: int
    x: int
    y: int


@basemaps.get("", responses=answers(ok=BasemapsAnswer))
@allow("signed-in")
def list_basemaps() -> dict[str, Any]:
    """List the base maps that the settings name."""
    return {"basemaps": [asdict(one) for one in of_service().basemaps.all(PREFIX)]}


@basemaps.get(
    "/file/tiles/<int:z>/<int:x>/<int:y>",
    responses=answers(404, ok=binary(*dict.fromkeys(MIME.values()), described="The tile"))
    | {204: {"description": "The file has no tile there"}},
)
@allow("signed-in")
def basemap_tile(path: FileTilePath) -> Response:
    """Return a tile of the MBTiles file."""
    found = of_service().basemaps.tile(path.z, path.x, path.y)
    response = Response(status=204) if found is None else Response(found[0], mimetype=found[1])
    if found is not None and found[0][:2] == GZIP_MAGIC:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = DAY
    return response


@basemaps.get(
    "/file/archive",
    responses=answers(
        404,
        416,
        ok=binary("application/vnd.pmtiles", described="The PMTiles file"),
        part=binary("application/vnd.pmtiles", described="The bytes that Range asks for"),
        kept=True,
    ),
)
@allow("signed-in")
def basemap_archive() -> Response:
    """Return the PMTiles file, also a part of it."""
    response = send_file(
        of_service().basemaps.archive(), mimetype="application/vnd.pmtiles", conditional=True
    )
    response.headers["Cache-Control"] = DAY
    return response
