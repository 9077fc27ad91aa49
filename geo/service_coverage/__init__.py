"""Service coverage: which households reach a station of each category in time."""

from geo.service_coverage.circles import (
    DEFAULT_MINUTES,
    DEFAULT_SPEED_M_PER_MIN,
    Coverage,
    Totals,
    circle_coverage,
    circle_polygons,
    gap_table,
    group_totals,
)
from geo.service_coverage.frames import CategoryColumns, category_columns, coverage_frames
from geo.service_coverage.report import coverage_report

__all__ = [
    "DEFAULT_MINUTES",
    "DEFAULT_SPEED_M_PER_MIN",
    "CategoryColumns",
    "Coverage",
    "Totals",
    "category_columns",
    "circle_coverage",
    "circle_polygons",
    "coverage_frames",
    "coverage_report",
    "gap_table",
    "group_totals",
]
