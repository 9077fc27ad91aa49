"""Divide communities into connected grids: `partition` does the work, `score` judges any assignment."""

from geo.partition.engine import Effort, partition
from geo.partition.problem import Weights
from geo.partition.reasons import CommunitySummary, Partition, Reason
from geo.partition.score import Score, score

__all__ = ["CommunitySummary", "Effort", "Partition", "Reason", "Score", "Weights", "partition", "score"]
