"""Interactive maps of plans, self-contained and safe."""

from geo.maps.assets import Assets, load_assets
from geo.maps.page import plan_map

__all__ = ["Assets", "load_assets", "plan_map"]
