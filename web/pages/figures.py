"""Small drawings and orderings for pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SEVERITIES = ("error", "warning", "info")

BIN = 0.05
"""Width of a bar of the histogram, share of the target."""
REACH = 0.6
"""The histogram ends here on both sides; what lies farther out is counted in the last bar."""
HEIGHT = 72
STEP = 12


@dataclass(frozen=True)
class Bar:
    """A bar of the histogram, in the units of the drawing."""

    x: int
    y: float
    height: float
    count: int
    begin: float
    end: float
    in_band: bool


@dataclass(frozen=True)
class Histogram:
    """How many grids deviate from the target by how much."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    band_x: float
    band_width: float


def histogram(table: dict[str, Any] | None, report: dict[str, Any]) -> Histogram | None:
    """Count grids with homes by their deviation from the target."""
    if table is None:
        return None
    at = {name: position for position, name in enumerate(table["columns"])}
    deviations = [row[at["deviation"]] for row in table["grids"] if row[at["households"]] > 0]
    n = round(2 * REACH / BIN)
    counts = [0] * n
    for deviation in deviations:
        counts[min(max(int((deviation + REACH) / BIN + 1e-9), 0), n - 1)] += 1
    tallest = max(counts, default=0) or 1
    low, high = ((edge - report["target"]) / report["target"] for edge in report["band"])
    bars = []
    for k, count in enumerate(counts):
        begin = -REACH + k * BIN
        height = round(HEIGHT * count / tallest, 1)
        middle = begin + BIN / 2
        bars.append(Bar(k * STEP, HEIGHT - height, height, count, begin, begin + BIN, low <= middle <= high))
    scale = n * STEP / (2 * REACH)
    left = max((low + REACH) * scale, 0.0)
    right = min((high + REACH) * scale, float(n * STEP))
    return Histogram(tuple(bars), n * STEP, HEIGHT, round(left, 1), round(max(right - left, 0.0), 1))


def ordered_findings(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put errors first, then warnings; within each, the most rows first."""
    return sorted(
        findings,
        key=lambda finding: (
            SEVERITIES.index(finding["severity"]) if finding["severity"] in SEVERITIES else len(SEVERITIES),
            -finding["count"],
        ),
    )
