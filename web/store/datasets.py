"""Datasets: folders of files that never change, named by their content, and a row each."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

from sqlalchemy import desc, insert, select

from web.errors import JobError, dataset_missing
from web.store.records import DatasetRecord
from web.store.rows import record_of, values_of
from web.store.tables import datasets

if TYPE_CHECKING:
    from pathlib import Path

    from web.store.engine import Database

DATASET_ID = re.compile(r"[0-9a-f]{64}")


class DatasetStore:
    """Keep datasets in folders under `root`."""

    def __init__(self, database: Database, root: Path) -> None:
        self._database = database
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def folder(self, dataset_id: str) -> Path:
        """Folder of a dataset.

        Raises
        ------
        NotFoundError
            If this cannot be the id of one.
        """
        if DATASET_ID.fullmatch(dataset_id) is None:
            raise dataset_missing()
        return self._root / dataset_id

    def adopt(self, source: Path, dataset: DatasetRecord) -> Path:
        """Take over a folder that was written elsewhere, and register it; what is there already is kept.

        Called again after a crash in between, it ends the same.

        Parameters
        ----------
        source
            Folder with the files of the dataset, on the file system of the store. It is moved, or deleted when the
            store has the same content already.

        Returns
        -------
        pathlib.Path
            The dataset's own folder.

        Raises
        ------
        JobError
            If the folder holds anything but files and folders.
        """
        target = self.folder(dataset.id)
        if not target.exists():
            for path in (source, *source.rglob("*")):
                _check_plain(path)
                _sync(path)
            source.rename(target)
            _sync(self._root)
        elif not source.is_symlink():
            shutil.rmtree(source, ignore_errors=True)  # the same content again
        with self._database.writing() as connection:
            known = connection.execute(select(datasets.c.number).where(datasets.c.id == dataset.id)).first()
            if known is None:
                values = values_of(dataset) | {"facts": dict(dataset.facts)}
                connection.execute(insert(datasets).values(**values))
        return target

    def get(self, dataset_id: str) -> DatasetRecord:
        """Return a dataset.

        Raises
        ------
        NotFoundError
            If there is none with this id.
        """
        self.folder(dataset_id)
        with self._database.reading() as connection:
            wanted = select(datasets).where(datasets.c.id == dataset_id)
            row = connection.execute(wanted).mappings().first()
        if row is None:
            raise dataset_missing()
        return record_of(DatasetRecord, row)

    def all(self) -> list[DatasetRecord]:
        """Return every dataset, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(datasets).order_by(desc(datasets.c.number))).mappings().all()
        return [record_of(DatasetRecord, row) for row in rows]


def _check_plain(path: Path) -> None:
    """Refuse links and the like: a job wrote the folder, and jobs read foreign files."""
    if path.is_symlink() or not (path.is_file() or path.is_dir()):
        raise JobError(
            "dataset-odd",
            "任务写出的数据集不完整，请重新运行。",
            "The dataset that the job wrote is not whole; run the job again.",
        )


def _sync(path: Path) -> None:
    """Have a file or folder on the disk before a row speaks of it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
