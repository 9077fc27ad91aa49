"""Compiled kernels for fenced jobs: set-up compiles them once beside the library, each job gets its own copy.

A job works on foreign data, so what it compiles is thrown away with it; only set-up fills the copy's source.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import geo

PATTERN = "*.nb[ic]"


def copy_kernels(target: Path) -> int:
    """Copy the kernels that set-up compiled to where numba looks for them under ``NUMBA_CACHE_DIR=target``.

    Numba names the folder after the package and the SHA-1 of its path. Kernels of changed sources are copied
    too: numba knows them by their stamps and compiles anew.

    Returns
    -------
    Number of files copied; 0 when set-up compiled none.
    """
    copied = 0
    for package in sorted(Path(geo.__file__).resolve().parent.iterdir()):
        files = sorted((package / "__pycache__").glob(PATTERN))
        if not files:
            continue
        digest = hashlib.sha1(str(package).encode(), usedforsecurity=False).hexdigest()
        folder = target / f"{package.name}_{digest}"
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, folder / file.name)
        copied += len(files)
    return copied
