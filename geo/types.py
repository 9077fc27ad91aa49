"""Shared names: layer roles, border classes, progress and cancel protocols."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Literal, Protocol, get_args

Role = Literal[
    "buildings",
    "households",
    "compounds",
    "communities",
    "roads",
    "water",
    "railways",
    "stations",
    "old_grids",
    "candidates",
    "gates",
]

ROLES: tuple[Role, ...] = get_args(Role)


DedicatedUse = Literal["institution", "park", "business"]
"""Uses of land that may get grids of their own: 驻区单位, 园区, 商圈 and 楼宇."""


class BorderClass(IntEnum):
    """What runs along a border between two cells; a higher value wins where several do."""

    INTERIOR = 0
    """Nothing: the border goes between buildings inside a block."""
    WALL = 1
    ALLEY = 2
    STREET = 3
    ARTERIAL = 4
    RAILWAY = 5
    WATER = 6


ROAD_CLASSES = (BorderClass.ALLEY, BorderClass.STREET, BorderClass.ARTERIAL)


class Progress(Protocol):
    """Receive the progress of a stage; called from the calling process only."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report `done` of `total` steps of `stage` (``"cells"``, ``"partition"`` …)."""


CancelCheck = Callable[[], bool]
"""Returns True once the caller wants the computation to stop."""


def no_progress(stage: str, done: int, total: int) -> None:
    """Ignore progress."""


def never_cancel() -> bool:
    """Never ask to stop."""
    return False
