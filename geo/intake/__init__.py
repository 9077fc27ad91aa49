"""From files to a clean city: every layer in one metric CRS, every problem a finding."""

from __future__ import annotations

from geo.intake.load import load_city, load_stations

__all__ = ["load_city", "load_stations"]
