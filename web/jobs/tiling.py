"""The operation that draws the map tiles of a dataset, once, inside the fences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from geo.types import Progress

TILES = "tiles"


def tiles(
    parameters: dict[str, Any], out: Path, *, executor: Executor | None, progress: Progress
) -> dict[str, Any]:
    """Write the tiles of a dataset to ``tiles/``.

    `parameters`: ``dataset`` (its folder).
    """
    del executor
    from geo.dataset.folder import read_dataset
    from geo.tiles import bake

    dataset = read_dataset(Path(parameters["dataset"]))
    folder = out / TILES
    folder.mkdir()
    layers = bake(dataset.city, dataset.tiling, folder, graph=dataset.graph, progress=progress)
    return {"layers": layers}
