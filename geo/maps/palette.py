"""Colours of the maps: calm fills that stay apart for colour-blind readers."""

from __future__ import annotations

GRID_FILLS = (
    "#9ebceb",  # blue
    "#f1e2af",  # sand
    "#b3eccd",  # mint
    "#dbb1cc",  # mauve
    "#e6ac97",  # terracotta
    "#e0ecf6",  # mist
    "#c4c59c",  # olive
    "#c3bce6",  # lavender
)
"""Fills of the grids. The first six, enough for every map, differ by at least 14 CIELAB units for full sight and
for each kind of dichromacy; they were found by a search over light colours of low chroma."""

GRID_LINE = "#5d6b7a"
COMMUNITY_LINE = "#22303f"
ABOVE_BAND = "#b3400e"
BELOW_BAND = "#23419b"
CIRCLE = "#0b7a75"
ISOCHRONE = "#1d5fa8"
GAP = "#a3124b"

REACH_BREAKS = (5.0, 10.0, 15.0, 20.0)
"""Longest minutes of each class of buildings; beyond the last one they are farther."""

REACH_FILLS = ("#1a6b4f", "#63ab85", "#c9dcb4", "#eebd84", "#c2603b")
"""One per class of `REACH_BREAKS` and one for farther: green is near, brown is far, light is in between."""

REACH_UNKNOWN = "#ffffff"
"""No station can be walked to."""

BUILDING_BREAKS = (1, 11, 31, 61, 121)
"""Lowest households of each class of buildings; below the first a building has none."""

BUILDING_FILLS = ("#ffffff", "#dcd7ec", "#b3aed8", "#8783bd", "#5b5a9c", "#33346f")
"""Without households, then one per class of `BUILDING_BREAKS`."""

STATION_COLOURS = (
    "#0b5fa5",
    "#a8480b",
    "#1f7a4d",
    "#8b2f6f",
    "#5a4fa0",
    "#7a5c12",
    "#0f7280",
    "#9c2b2b",
    "#3f6b1e",
    "#5b4636",
    "#4a5a70",
    "#b0307f",
)
"""Station badges, dark enough for white text; repeated when there are more categories."""


def grid_fill(colour: int) -> str:
    """Return the fill of a graph colour; only maps that need more than eight colours repeat one."""
    return GRID_FILLS[colour % len(GRID_FILLS)]


def station_colour(category: int) -> str:
    """Return the badge colour of a category's position."""
    return STATION_COLOURS[category % len(STATION_COLOURS)]


def building_class(households: int) -> int:
    """Return the position in `BUILDING_FILLS` of a building."""
    return sum(households >= low for low in BUILDING_BREAKS)
