"""Whole jobs, from files to files, beyond one plan: alternatives, levels, redraw, compare."""

from geo.jobs.alternatives import AlternativesResult, make_alternatives, write_alternatives
from geo.jobs.compare import compare_plans, compare_with_layer, write_comparison
from geo.jobs.levels import LevelsResult, Wanted, make_levels, write_levels
from geo.jobs.prepare import Study, study_city
from geo.jobs.redraw import RedrawResult, make_redraw, write_redraw

__all__ = [
    "AlternativesResult",
    "LevelsResult",
    "RedrawResult",
    "Study",
    "Wanted",
    "compare_plans",
    "compare_with_layer",
    "make_alternatives",
    "make_levels",
    "make_redraw",
    "study_city",
    "write_alternatives",
    "write_comparison",
    "write_levels",
    "write_redraw",
]
