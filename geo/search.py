"""How to run the engine: what stays the same over many runs of one job."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from geo.partition import partition
from geo.types import never_cancel, no_progress

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from geo.partition import Effort, Partition
    from geo.standards import Standard
    from geo.types import CancelCheck, Progress
    from geo.units import Units


@dataclass(frozen=True)
class Search:
    """Seed, effort and helpers of every run of the engine in one job.

    Attributes
    ----------
    seed
        The same input and seed give the same result with any executor.
    effort
        How long the engine searches.
    executor
        Where communities are worked on in parallel; None works in this process.
    progress, cancelled
        Called from this process only.
    """

    seed: int = 0
    effort: Effort | float = "normal"
    executor: Executor | None = None
    progress: Progress = no_progress
    cancelled: CancelCheck = never_cancel

    def run(self, units: Units, standard: Standard, **options: Any) -> Partition:
        """Call `geo.partition.partition`; `options` are its other keywords."""
        return partition(
            units,
            standard,
            seed=self.seed,
            effort=self.effort,
            executor=self.executor,
            progress=self.progress,
            cancelled=self.cancelled,
            **options,
        )

    def step(self, number: int, of: int) -> Search:
        """Return the search of one of several equal steps, whose progress is its share of all."""
        tell = self.progress

        def report(stage: str, done: int, total: int) -> None:
            tell(stage, number * total + done, of * total)

        return replace(self, progress=report)
