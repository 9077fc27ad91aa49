"""Write a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import LayerError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replacing(*targets: Path) -> Iterator[tuple[Path, ...]]:
    """Yield one temporary path per target; move all into place when the block ends well, else remove them.

    The temporary files lie in a fresh folder beside the first target, so the final move stays inside
    one file system and keeps the target's name for writers that go by the file ending.

    Raises
    ------
    LayerError
        If a target's folder does not exist or cannot be written.
    """
    for target in targets:
        if not target.parent.is_dir():
            raise LayerError(
                "output-folder-missing",
                f"输出文件夹不存在：{target.parent}。请先创建该文件夹。",
                f"The output folder does not exist: {target.parent}. Create it first.",
                path=str(target),
            )
        if target.is_dir():
            raise LayerError(
                "output-is-folder",
                f"输出路径是一个文件夹：{target}。请给出文件名。",
                f"The output path is a folder: {target}. Name a file.",
                path=str(target),
            )
    try:
        folder = tempfile.TemporaryDirectory(dir=targets[0].parent, prefix=".writing-")
    except OSError as error:
        raise LayerError(
            "output-not-writable",
            f"无法写入 {targets[0].parent}：{error.strerror}。",
            f"Cannot write to {targets[0].parent}: {error.strerror}.",
            path=str(targets[0]),
        ) from error
    with folder as name:
        drafts = tuple(Path(name) / target.name for target in targets)
        yield drafts
        for draft, target in zip(drafts, targets, strict=True):
            os.replace(draft, target)  # noqa: PTH105 - Path.replace hides the atomicity this relies on
