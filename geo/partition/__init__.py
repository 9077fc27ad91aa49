"""Divide communities into connected grids: `partition` does the work, `score` judges any assignment."""

from geo.partition.ceiling import Ceiling, CommunityCeiling, ceiling
from geo.partition.engine import partition
from geo.partition.reasons import CommunitySummary, Partition, Reason
from geo.partition.score import Score, score
from geo.partition.search import Effort
from geo.partition.weights import Weights

__all__ = [
    "Ceiling",
    "CommunityCeiling",
    "CommunitySummary",
    "Effort",
    "Partition",
    "Reason",
    "Score",
    "Weights",
    "ceiling",
    "partition",
    "score",
]
