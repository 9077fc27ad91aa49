"""Map tiles of datasets: files that a job draws once, beside the dataset."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from web.errors import NotFoundError, file_missing

if TYPE_CHECKING:
    from pathlib import Path

    from web.services.grounds import Grounds
    from web.services.plans import Plans
    from web.store import PlanStore

META = "tiles.json"
NAME = re.compile(r"tiles\.json|overview\.gz|[a-z][a-z0-9_-]{0,40}\.pmtiles")


class TileFiles:
    """Find tiles, and have them drawn where they are missing."""

    def __init__(self, grounds: Grounds, plans: PlanStore, jobs: Plans) -> None:
        self._grounds = grounds
        self._plans = plans
        self._jobs = jobs

    def state(self, dataset_id: str) -> dict[str, Any]:
        """Return ``tiles``, what ``tiles.json`` says or None, and ``job``, the id of the job that draws them.

        Raises
        ------
        NotFoundError
            If there is no such dataset.
        """
        try:
            described: dict[str, Any] = json.loads(self.path(dataset_id, META).read_text(encoding="utf-8"))
        except NotFoundError as error:
            if error.code != "tiles-missing":
                raise
            return {"tiles": None, "job": error.where["job"]}
        return {"tiles": described, "job": None}

    def path(self, dataset_id: str, name: str) -> Path:
        """Return the path of ``tiles.json``, ``overview.gz`` or ``<layer>.pmtiles``.

        Raises
        ------
        NotFoundError
            If there is no such dataset or layer; ``tiles-missing`` while the job that ``where`` names draws them.
        """
        folder = self._grounds.folder(dataset_id) / "tiles"
        if NAME.fullmatch(name) is None:
            raise file_missing()
        if not folder.is_dir():
            on_it = self._plans.of_dataset(dataset_id)
            job = self._jobs.tiles(dataset_id, on_it[0].project_id) if on_it else None
            raise NotFoundError(
                "tiles-missing",
                "地图瓦片正在生成，请稍候。",
                "The map tiles are being drawn; ask again in a moment.",
                job=None if job is None else job.id,
            )
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise file_missing()
        return path
