"""Facility siting: where new stations reach most households, fewest cover all, or ways are shortest."""

from geo.siting.answer import Siting
from geo.siting.places import (
    CANDIDATE_KINDS,
    candidate_sites,
    circle_nearest,
    circle_reach,
    points_of,
    proposed_stations,
    with_proposed,
)
from geo.siting.problem import MODELS, Model, SitingProblem
from geo.siting.report import siting_report
from geo.siting.rows import SparseRows, sparse_rows
from geo.siting.solve import TIME_LIMIT_S, answers, solve

__all__ = [
    "CANDIDATE_KINDS",
    "MODELS",
    "TIME_LIMIT_S",
    "Model",
    "Siting",
    "SitingProblem",
    "SparseRows",
    "answers",
    "candidate_sites",
    "circle_nearest",
    "circle_reach",
    "points_of",
    "proposed_stations",
    "siting_report",
    "solve",
    "sparse_rows",
    "with_proposed",
]
