"""Which divisions of cells stand on one another: none can be undone from under another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geo.editing.division import Division
    from geo.editing.plan import Plan


def built_upon(plan: Plan, division: Division, *, number: int | None = None) -> tuple[int, ...]:
    """Return the numbers of the divisions in force that touch what a division touches, ascending.

    Two divisions touch when one divides a cell beside the other's, or both put nodes on the outline of one cell:
    then neither the outlines nor the borders of one hold without the other.

    Parameters
    ----------
    plan
        The plan.
    division
        Any division of a cell of it, whether in `Plan.divisions` or about to be made.
    number
        Its place there, left out of the answer.
    """
    return tuple(
        i
        for i, (other, holds) in enumerate(zip(plan.divisions, plan.in_force, strict=True))
        if holds and i != number and _touch(division, other)
    )


def blockers(plan: Plan, number: int) -> tuple[int, ...]:
    """Return the divisions that must be undone, or made again, before one can be undone or made again.

    Parameters
    ----------
    plan
        The plan.
    number
        Place of the division in `Plan.divisions`.

    Returns
    -------
    Numbers of divisions, ascending: those in force now that were not when it was made, and the other way round.
    Empty when the division may be toggled.
    """
    division = plan.divisions[number]
    return tuple(sorted(set(built_upon(plan, division, number=number)) ^ set(division.upon)))


def _touch(one: Division, other: Division) -> bool:
    return not (
        _nearby(one).isdisjoint(_own(other))
        and _nearby(other).isdisjoint(_own(one))
        and _redrawn(one).isdisjoint(_redrawn(other))
    )


def _own(division: Division) -> set[int]:
    return {division.parent, *division.children}


def _redrawn(division: Division) -> set[int]:
    return {cell for cell, _ in division.rings}


def _nearby(division: Division) -> set[int]:
    return _own(division) | _redrawn(division) | {other for _, other, _ in division.edges}
