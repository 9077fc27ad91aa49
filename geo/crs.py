"""Coordinate systems: the metric CRS to work in, and the shifted systems of Chinese web maps."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from pyproj import CRS, Proj, Transformer
from pyproj.exceptions import CRSError as ProjError

from geo.errors import CRSError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WGS84 = CRS.from_epsg(4326)

SCALE_TOLERANCE = 0.002
"""A projected CRS is kept as working CRS when lengths at the data are right within 0.2 %."""

CHINA = (73.0, 3.0, 136.0, 54.0)
"""Longitudes and latitudes (west, south, east, north) where a CGCS2000 zone is chosen."""

_AXIS_M = 6378245.0
_FLATTENING = 0.00669342162296594323
_BAIDU = np.pi * 3000.0 / 180.0
_CLOSE_DEG = 1e-11
_SAFE_NAME = re.compile(r"(urn:ogc:def:crs:)?(EPSG|OGC)(:[0-9.]*)?:[A-Za-z0-9]+", re.IGNORECASE)


@lru_cache(maxsize=16)
def transformer(source: CRS, target: CRS) -> Transformer:
    """Return a transformer, x before y; looking one up in PROJ's database takes longer than using it on a city."""
    return Transformer.from_crs(source, target, always_xy=True)


def named_crs(name: str) -> CRS:
    """Return the CRS of a short name such as ``EPSG:4490`` or ``urn:ogc:def:crs:OGC:1.3:CRS84``.

    Free text is refused: a definition could name grid files or addresses to be opened.

    Raises
    ------
    CRSError
        The name is not of that form or not known.
    """
    name = name.strip()
    try:
        if _SAFE_NAME.fullmatch(name):
            return CRS.from_user_input(name)
    except ProjError:
        pass
    raise CRSError(
        "crs-unknown",
        f"不认识的坐标系“{name[:60]}”，请写成 EPSG:4490 这样的代号。",
        f'Unknown coordinate system "{name[:60]}"; write it like EPSG:4490.',
        name=name[:60],
    )


def crs_label(crs: CRS) -> str:
    """Return ``EPSG:n`` where the CRS has a code, else its name."""
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else crs.name


def uncertain_datum(crs: CRS) -> bool:
    """Tell whether the datum is one that is converted without its (secret) parameters, off by up to 150 m."""
    name = crs.name + (crs.datum.name if crs.datum else "")
    return bool(re.search(r"xian.?(19)?80|beijing.?(19)?54|pulkovo", name, re.IGNORECASE))


def is_metric(crs: CRS, lon: float, lat: float) -> bool:
    """Tell whether `crs` is projected, in metres, and true to scale at the place (degrees)."""
    if not crs.is_projected or any(
        abs(axis.unit_conversion_factor - 1.0) > 1e-9 for axis in crs.axis_info[:2]
    ):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            factors = Proj(crs).get_factors(lon, lat)
        except ProjError:
            return False
    scales = np.array([factors.meridional_scale, factors.parallel_scale])
    return bool(np.all(np.abs(scales - 1.0) < SCALE_TOLERANCE))


def working_crs(lon: float, lat: float) -> CRS:
    """Choose a projected CRS in metres for data around one place.

    A CGCS2000 3-degree zone (by central meridian, no zone number in the easting) in China, else a WGS 84 UTM zone.

    Parameters
    ----------
    lon, lat
        Middle of the data, degrees.
    """
    west, south, east, north = CHINA
    if west <= lon <= east and south <= lat <= north:
        meridian = int(np.clip(np.floor(lon / 3.0 + 0.5) * 3, 75, 135))
        return CRS.from_epsg(4534 + (meridian - 75) // 3)
    zone = int(np.floor((lon + 180.0) / 6.0)) % 60 + 1
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


def zone_hint(x: float) -> str:
    """Name the CGCS2000 zone that a bare easting (m) with a zone number points to, else ``""``."""
    zone = int(x // 1_000_000)
    if 25 <= zone <= 45:
        return f"EPSG:{4513 + zone - 25}"
    return ""


def wgs84_to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Shift WGS 84 degrees to GCJ-02, the system of Gaode and Tencent maps.

    The published obfuscation formula; places outside China are left alone, as the map services do.
    """
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    x, y = lon - 105.0, lat - 35.0
    wave = 20.0 * (np.sin(6.0 * np.pi * x) + np.sin(2.0 * np.pi * x))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north += (wave + 20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi * y / 3.0)) * 2.0 / 3.0
    north += (160.0 * np.sin(np.pi * y / 12.0) + 320.0 * np.sin(np.pi * y / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east += (wave + 20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi * x / 3.0)) * 2.0 / 3.0
    east += (150.0 * np.sin(np.pi * x / 12.0) + 300.0 * np.sin(np.pi * x / 30.0)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1.0 - _FLATTENING * np.sin(phi) ** 2
    root = np.sqrt(magic)
    dlat = np.degrees(north / (_AXIS_M * (1.0 - _FLATTENING) / (magic * root)))
    dlon = np.degrees(east / (_AXIS_M / root * np.cos(phi)))
    inside = (lon >= 72.004) & (lon <= 137.8347) & (lat >= 0.8293) & (lat <= 55.8271)
    return np.where(inside, lon + dlon, lon), np.where(inside, lat + dlat, lat)


def gcj02_to_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Shift GCJ-02 degrees to BD-09, the system of Baidu maps."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def wgs84_to_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Shift WGS 84 degrees to BD-09."""
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


def to_wgs84(lon: Floats, lat: Floats, system: str) -> tuple[Floats, Floats]:
    """Undo the shift of ``"GCJ-02"`` or ``"BD-09"`` by fixed-point iteration; closes within 1e-11 degree."""
    forward = wgs84_to_bd09 if system == "BD-09" else wgs84_to_gcj02
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    x, y = lon.copy(), lat.copy()
    for _ in range(30):
        fx, fy = forward(x, y)
        dx, dy = lon - fx, lat - fy
        x, y = x + dx, y + dy
        if max(np.abs(dx).max(initial=0.0), np.abs(dy).max(initial=0.0)) < _CLOSE_DEG:
            break
    return x, y
