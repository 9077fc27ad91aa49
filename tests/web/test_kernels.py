"""Fenced jobs find the kernels that set-up compiled, and compile nothing themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from web_make import city, gpkg

from web.jobs.kernels import PATTERN, copy_kernels

ROOT = Path(__file__).resolve().parents[2]


def test_a_job_compiles_nothing(tmp_path: Path) -> None:
    cache = tmp_path / "numba"
    assert copy_kernels(cache) > 0, "run `make kernels`"
    before = sorted(path.relative_to(cache) for path in cache.rglob(PATTERN))
    source = tmp_path / "city.gpkg"
    source.write_bytes(gpkg(city()))
    layers = [f"--layer={name}={source}:{name}" for name in ("buildings", "communities")]
    subprocess.run(
        [sys.executable, "-m", "geo", "partition", *layers, f"--out={tmp_path / 'plan.gpkg'}"],
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    assert sorted(path.relative_to(cache) for path in cache.rglob(PATTERN)) == before
