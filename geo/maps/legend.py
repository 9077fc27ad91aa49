"""The legend of the map page."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from geo.maps import palette

if TYPE_CHECKING:
    from collections.abc import Container

    from geo.maps.wording import Wording


def rows(drawn: Container[str], words: Wording) -> list[dict[str, Any]]:
    """Return the rows of the legend for the layers drawn, each in both languages.

    A row has ``kind`` (which swatch is drawn), ``colours``, ``text`` in the page's language and ``other`` in the
    other one.
    """
    table = [
        ("grids", "fills", palette.GRID_FILLS[:4], "legend-grids"),
        ("out", "line", (palette.ABOVE_BAND,), "legend-above"),
        ("out", "dash", (palette.BELOW_BAND,), "legend-below"),
        ("communities", "line", (palette.COMMUNITY_LINE,), "legend-community"),
        ("isochrones", "area", (palette.ISOCHRONE,), "legend-isochrone"),
        ("circles", "area", (palette.CIRCLE,), "legend-circle"),
        ("gaps", "dot", (palette.GAP,), "legend-gap"),
    ]
    found: list[dict[str, Any]] = [
        {"kind": kind, "colours": list(colours), "text": words(key), "other": words.other(key)}
        for layer, kind, colours, key in table
        if layer in drawn
    ]
    if "buildings" in drawn:
        found.append(
            {
                "kind": "ramp",
                "colours": list(palette.BUILDING_FILLS),
                "text": words("legend-range"),
                "other": words.other("legend-range"),
                "steps": ["0", *_steps()],
            }
        )
    if "reach" in drawn:
        limits = [f"{limit:g}" for limit in palette.REACH_BREAKS]
        found.append(
            {
                "kind": "ramp",
                "colours": list(palette.REACH_FILLS),
                "text": words("legend-reach"),
                "other": words.other("legend-reach"),
                "steps": [*(f"≤{limit}" for limit in limits), f">{limits[-1]}"],
            }
        )
    return found


def _steps() -> list[str]:
    breaks = palette.BUILDING_BREAKS
    ranges = [f"{low}–{high - 1}" for low, high in pairwise(breaks)]
    return [*ranges, f"≥{breaks[-1]}"]


def badge_styles() -> str:
    """Return one style rule per colour of the station badges."""
    return "\n".join(
        f".wg-badge-{k} {{ background: {colour}; }}" for k, colour in enumerate(palette.STATION_COLOURS)
    )
