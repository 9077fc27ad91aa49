"""The exact tiling: cells that respect blocks, on an integer coordinate grid."""

from geo.cells.build import build_tiling

__all__ = ["build_tiling"]
