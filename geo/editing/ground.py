"""The ground of a plan: cells, what they hold and how they touch. No edit changes it, but for a divided cell."""

from geo.dataset.ground import Ground

__all__ = ["Ground"]
