"""An invented but believable Chinese city district: the same for the same seed, free of real places and people."""

from __future__ import annotations

from geo.demo.city import LAYERS, make_city
from geo.demo.write import write_city

__all__ = ["LAYERS", "make_city", "write_city"]
