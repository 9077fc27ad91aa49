"""Working CRS and the shifted systems. Reference values come from published converters, not from our code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from geo.crs import (
    crs_label,
    is_metric,
    named_crs,
    to_wgs84,
    uncertain_datum,
    wgs84_to_bd09,
    wgs84_to_gcj02,
    working_crs,
    zone_hint,
)
from geo.errors import CRSError

# WGS 84, GCJ-02, BD-09 of Shanghai, Beijing, Guangzhou, Chengdu, Urumqi, Harbin.
VECTORS = np.array(
    [
        (121.4737, 31.2304, 121.47822306, 31.22845774, 121.48478147, 31.23431059),
        (116.3913, 39.9075, 116.39754118, 39.90890128, 116.40391394, 39.91524466),
        (113.2644, 23.1291, 113.26972959, 23.12642334, 113.27615075, 23.13271126),
        (104.0657, 30.6594, 104.0682074, 30.6569791, 104.0747018, 30.66300925),
        (87.6168, 43.8256, 87.61964995, 43.82680539, 87.62609977, 43.83294979),
        (126.6425, 45.7569, 126.64847008, 45.75885121, 126.65509992, 45.7645445),
    ]
)
CENTIMETRE_DEG = 1.5e-7


@pytest.mark.parametrize(("forward", "at"), [(wgs84_to_gcj02, 2), (wgs84_to_bd09, 4)])
def test_shift_agrees_with_published_values(forward, at):
    lon, lat = forward(VECTORS[:, 0], VECTORS[:, 1])
    np.testing.assert_allclose(lon, VECTORS[:, at], atol=CENTIMETRE_DEG)
    np.testing.assert_allclose(lat, VECTORS[:, at + 1], atol=CENTIMETRE_DEG)


@pytest.mark.parametrize(("system", "at"), [("GCJ-02", 2), ("BD-09", 4)])
def test_shift_is_undone(system, at):
    lon, lat = to_wgs84(VECTORS[:, at], VECTORS[:, at + 1], system)
    np.testing.assert_allclose(lon, VECTORS[:, 0], atol=CENTIMETRE_DEG)
    np.testing.assert_allclose(lat, VECTORS[:, 1], atol=CENTIMETRE_DEG)


@given(st.floats(74, 134), st.floats(4, 53))
def test_shift_and_back_closes(lon, lat):
    shifted = wgs84_to_bd09(np.array([lon]), np.array([lat]))
    back = to_wgs84(*shifted, "BD-09")
    assert abs(back[0][0] - lon) < 1e-9
    assert abs(back[1][0] - lat) < 1e-9


def test_places_outside_china_are_not_shifted():
    lon, lat = wgs84_to_gcj02(np.array([-71.1]), np.array([42.4]))
    assert (lon[0], lat[0]) == (-71.1, 42.4)


def test_missing_coordinates_stay_missing():
    lon, lat = to_wgs84(np.array([121.478, np.nan]), np.array([31.228, np.nan]), "GCJ-02")
    assert np.isnan(lon[1])
    assert np.isnan(lat[1])
    assert lon[0] < 121.478


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [
        (120.1, 31.3, 4549),
        (75.0, 39.0, 4534),
        (121.6, 31.2, 4550),
        (103.8, 1.37, 32648),
        (-71.1, 42.4, 32619),
        (151.2, -33.9, 32756),
    ],
)
def test_working_crs_fits_the_place(lon, lat, epsg):
    crs = working_crs(lon, lat)
    assert crs.to_epsg() == epsg
    assert is_metric(crs, lon, lat)


@given(st.floats(-179.9, 179.9), st.floats(-75, 75))
def test_working_crs_is_true_to_scale_everywhere(lon, lat):
    assert is_metric(working_crs(lon, lat), lon, lat)


@pytest.mark.parametrize("epsg", [4326, 3857, 2263])
def test_degrees_web_mercator_and_feet_are_not_metric(epsg):
    assert not is_metric(CRS.from_epsg(epsg), 116.0, 40.0)


def test_names_of_crs():
    assert named_crs("EPSG:4490").to_epsg() == 4490
    assert named_crs("urn:ogc:def:crs:EPSG::4549").to_epsg() == 4549
    assert named_crs("urn:ogc:def:crs:OGC:1.3:CRS84").is_geographic
    assert crs_label(CRS.from_epsg(4549)) == "EPSG:4549"


@pytest.mark.parametrize("text", ["+proj=longlat +nadgrids=@http://x/y", "EPSG:1", "/etc/passwd", ""])
def test_anything_but_a_known_name_is_refused(text):
    with pytest.raises(CRSError) as caught:
        named_crs(text)
    assert caught.value.code == "crs-unknown"


def test_old_datums_are_uncertain():
    assert uncertain_datum(CRS.from_epsg(4610))
    assert uncertain_datum(CRS.from_epsg(2414))
    assert not uncertain_datum(CRS.from_epsg(4490))


def test_zone_number_in_the_easting_is_recognised():
    assert zone_hint(40_633_418.0) == "EPSG:4528"
    assert zone_hint(633_418.0) == ""
