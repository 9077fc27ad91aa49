"""Write the demo city to one GeoPackage, byte for byte the same every time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pyogrio

from geo.atomic import replacing
from geo.demo.city import make_city

if TYPE_CHECKING:
    from os import PathLike

    from geo.demo.settings import Size

EPOCH = "2025-01-01T00:00:00.000Z"
"""Date of change written into the file, so that it does not depend on the day it is made."""


def write_city(size: Size, path: str | PathLike[str], *, seed: int = 0) -> None:
    """Write the demo city to a GeoPackage, one layer per role, whole or not at all.

    Parameters
    ----------
    size, seed
        As for `make_city`.
    path
        The file to write; replaced if it exists.

    Raises
    ------
    LayerError
        If the folder does not exist or cannot be written.
    """
    city = make_city(size, seed=seed)
    with replacing(Path(path)) as (draft,):
        for layer, frame in city.items():
            pyogrio.write_dataframe(
                frame, draft, layer=layer, driver="GPKG", append=draft.exists(), layer_options={"FID": "fid"}
            )
        with closing(sqlite3.connect(draft)) as database:
            database.execute("UPDATE gpkg_contents SET last_change = ?", (EPOCH,))
            database.commit()
            database.execute("VACUUM")
