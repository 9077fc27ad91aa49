"""What the command line shows while it works: progress bars, and warnings in both languages."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from geo.types import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tqdm import tqdm

    from geo.findings import Finding
    from geo.types import Progress

STAGES = {
    "layers": "读取图层 reading",
    "cells": "生成单元 cells",
    "partition": "划分网格 partition",
    "province": "全省划分 province",
}


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Yield a `geo.types.Progress` that draws one bar a stage on a terminal, and nothing in a pipe."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    # In a pipe nobody waits for its import.
    from tqdm import tqdm  # noqa: PLC0415

    bars: dict[str, tqdm[Any]] = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            for finished in bars.values():
                finished.close()
            bars[stage] = tqdm(desc=STAGES.get(stage, stage), total=total, disable=None, leave=False)
        bar = bars[stage]
        bar.total = total
        bar.update(done - bar.n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


def say(line: str) -> None:
    """Print one line of result."""
    print(line)  # noqa: T201


def say_findings(findings: Iterable[Finding]) -> None:
    """Print warnings and errors among the findings to standard error, one a line."""
    for finding in findings:
        if finding.severity != "info":
            line = f"[{finding.severity}] {finding.layer}: {finding.zh} / {finding.en}"
            print(" ".join(line.split()), file=sys.stderr)  # noqa: T201


def percent(share: float | None) -> str:
    """Return a share as a percentage, a dash when there is none."""
    return "—" if share is None else f"{share:.1%}"


def yes(value: bool) -> str:  # noqa: FBT001
    """Return yes or no in both languages."""
    return "是 yes" if value else "否 no"
