"""Service coverage: which households reach a station of each category in time."""

from geo.service_coverage.bands import band_edges, distance_bands
from geo.service_coverage.changes import Change, changed_model, single_changes
from geo.service_coverage.circles import circle_coverage, circle_polygons
from geo.service_coverage.claims import Claims, circle_claims
from geo.service_coverage.coverage import Coverage, Method, Totals, group_totals
from geo.service_coverage.frames import CategoryColumns, category_columns, coverage_frames
from geo.service_coverage.gaps import REASONS, gap_areas, gap_reasons, gap_table, reason_totals
from geo.service_coverage.gates import candidate_gates
from geo.service_coverage.hours import WINDOWS, Window, parse_window
from geo.service_coverage.isochrones import isochrone_frame
from geo.service_coverage.model import ServiceModel
from geo.service_coverage.question import (
    DEFAULT_MINUTES,
    DEFAULT_SPEED_M_PER_MIN,
    ELDERLY_SPEED_M_PER_MIN,
)
from geo.service_coverage.report import coverage_report
from geo.service_coverage.rules import Supply, community_supply

__all__ = [
    "DEFAULT_MINUTES",
    "DEFAULT_SPEED_M_PER_MIN",
    "ELDERLY_SPEED_M_PER_MIN",
    "REASONS",
    "WINDOWS",
    "CategoryColumns",
    "Change",
    "Claims",
    "Coverage",
    "Method",
    "ServiceModel",
    "Supply",
    "Totals",
    "Window",
    "band_edges",
    "candidate_gates",
    "category_columns",
    "changed_model",
    "circle_claims",
    "circle_coverage",
    "circle_polygons",
    "community_supply",
    "coverage_frames",
    "coverage_report",
    "distance_bands",
    "gap_areas",
    "gap_reasons",
    "gap_table",
    "group_totals",
    "isochrone_frame",
    "parse_window",
    "reason_totals",
    "single_changes",
]
