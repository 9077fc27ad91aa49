"""Findings: data problems met on the way, what was done about them, shown to the planner."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["info", "warning", "error"]

ROWS_LISTED = 1000
"""A finding lists at most this many rows and ids; `Finding.count` is always the full number."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of problem in one layer.

    Parameters
    ----------
    code
        Stable kebab-case name, e.g. ``"building-outside-communities"``.
    severity
        ``"info"``: a choice we made; ``"warning"``: data changed or left out; ``"error"``: households lost.
    layer
        The role of the layer, e.g. ``"buildings"``.
    count
        Number of rows concerned.
    zh, en
        One or two sentences: what, how many, where, and what was done.
    rows
        Row numbers as a spreadsheet or GIS table shows them: the first data row is 1.
    ids
        Ids or names of the rows where the layer has them, same order as `rows`.
    households
        Households concerned, when the layer counts them.
    """

    code: str
    severity: Severity
    layer: str
    count: int
    zh: str
    en: str
    rows: tuple[int, ...] = ()
    ids: tuple[str, ...] = ()
    households: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(int(r) for r in self.rows[:ROWS_LISTED]))
        object.__setattr__(self, "ids", tuple(str(i) for i in self.ids[:ROWS_LISTED]))

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return asdict(self)
