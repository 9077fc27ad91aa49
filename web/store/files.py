"""Read and write small JSON documents whole."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

ID = re.compile(r"[0-9a-f]{32}")


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text`: a reader sees the old document or the new one, also after a crash."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".draft")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def read_json(path: Path, *, limit: int = 64 * 1024 * 1024) -> Any | None:
    """Return the document, or None if it is missing, too large, a link or no JSON.

    Documents written by a job come from a process that read foreign files: they are data, never trusted.
    """
    try:
        if path.is_symlink() or path.stat().st_size > limit:
            return None
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def is_id(text: str) -> bool:
    """Whether `text` is an id of ours, so that it is safe as a folder name."""
    return ID.fullmatch(text) is not None
