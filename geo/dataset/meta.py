"""What a dataset says of itself: ``meta.json``, which its id can be proved from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geo.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 1
"""Version of the layout; a dataset of another version is refused."""

META = "meta.json"
MAX_BYTES = 256 * 2**20
"""A longer ``meta.json`` is not read: names and counts of a large city take a few megabytes."""


@dataclass(frozen=True)
class Meta:
    """The document ``meta.json``.

    Attributes
    ----------
    about
        Working CRS, counts, names: part of the content.
    content
        SHA-256 of the content of each part (a layer, the segments, the ground), whatever file format holds it.
    files
        SHA-256 of the bytes of each file, by its path in the folder.
    """

    about: Mapping[str, Any]
    content: Mapping[str, str]
    files: Mapping[str, str]

    @property
    def id(self) -> str:
        """SHA-256 over `about` and `content`, 64 hexadecimal digits: equal content, equal id."""
        text = _canonical({"format": FORMAT, "about": self.about, "content": self.content})
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> str:
        """Return the text of ``meta.json``."""
        document = {
            "id": self.id,
            "format": FORMAT,
            "about": self.about,
            "content": self.content,
            "files": self.files,
        }
        return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _canonical(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def dataset_id(folder: Path) -> str:
    """Return the id of a dataset, proved from what it says of its content.

    Raises
    ------
    DatasetError
        As `read_meta`.
    """
    return read_meta(folder).id


def read_meta(folder: Path) -> Meta:
    """Read ``meta.json`` of a dataset.

    Raises
    ------
    DatasetError
        ``dataset-missing``: there is none; ``dataset-format``: of another version; ``dataset-damaged``: it is no
        such document, or its id does not fit what it says.
    """
    path = folder / META
    if not path.is_file():
        raise DatasetError(
            "dataset-missing",
            f"找不到数据集：{folder} 中没有 {META}。请重新生成方案。",
            f"There is no dataset: {folder} has no {META}. Make the plan anew.",
            path=str(folder),
        )
    try:
        if path.stat().st_size > MAX_BYTES:
            raise damaged(path, "文件过大", "it is too large")
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path, "不是有效的 JSON", "it is not valid JSON") from error
    if not isinstance(document, dict):
        raise damaged(path, "内容不是对象", "it holds no object")
    if document.get("format") != FORMAT:
        raise DatasetError(
            "dataset-format",
            f"{path} 的版本是 {document.get('format')!r:.20}，本程序只读版本 {FORMAT}。请重新生成方案。",
            f"{path} has version {document.get('format')!r:.20}; this program reads version {FORMAT}. "
            "Make the plan anew.",
            path=str(path),
        )
    about = document.get("about")
    content, files = _texts(document.get("content")), _texts(document.get("files"))
    if not isinstance(about, dict) or content is None or files is None:
        raise damaged(path, "缺少内容清单", "it does not list its content")
    meta = Meta(about, content, files)
    if document.get("id") != _id_of(meta, path):
        raise damaged(path, "编号与内容不符", "its id does not fit its content")
    return meta


def _texts(value: Any) -> dict[str, str] | None:
    """Return a dictionary of texts as it is, None for anything else."""
    if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
        return value
    return None


def _id_of(meta: Meta, path: Path) -> str:
    try:
        return meta.id
    except (ValueError, RecursionError) as error:  # NaN, lone surrogates
        raise damaged(path, "含有无法编码的内容", "it holds what JSON cannot encode") from error


def checked_bytes(folder: Path, meta: Meta, name: str) -> bytes:
    """Read one file of a dataset and compare its SHA-256 with the list.

    Raises
    ------
    DatasetError
        ``dataset-damaged``: the file is missing or not the one that was written.
    """
    path = folder / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise damaged(path, "文件缺失或无法读取", "it is missing or cannot be read") from error
    if hashlib.sha256(data).hexdigest() != meta.files.get(name):
        raise damaged(path, "内容与校验值不符", "its content does not fit its checksum")
    return data


def damaged(path: Path, zh: str, en: str) -> DatasetError:
    """Return the error of a damaged file, saying what is wrong with it."""
    return DatasetError(
        "dataset-damaged",
        f"数据集文件 {path} 已损坏：{zh}。请从备份恢复，或重新生成方案。",
        f"The dataset file {path} is damaged: {en}. Restore it from a backup, or make the plan anew.",
        path=str(path),
    )
