"""The picture of cells: every pixel is of the cell its middle lies in, and its runs say the same as its pixels."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import shapely
from cities import tiny_city

from geo.cells import build_tiling
from geo.overview import FILE, NO_CELL, Overview, make_overview, mercator, packed, write_overview


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    return build_tiling(tiny_city()).cells.geometry.to_numpy()


def _runs(content: bytes, rows: int, columns: int) -> np.ndarray:
    """Read the runs as a reader does that knows of nothing but their description."""
    numbers: list[int] = []
    value = shift = 0
    for byte in gzip.decompress(content):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value = shift = 0
    picture = np.full((rows + 1, columns), NO_CELL, dtype=np.int64)
    place = 0
    for length, folded in zip(numbers[::2], numbers[1::2], strict=True):
        row, column = divmod(place, columns)
        step = -(folded + 1) // 2 if folded % 2 else folded // 2
        picture[row + 1, column : column + length] = picture[row, column] + step
        place += length
        assert column + length <= columns, "a run goes beyond its row"
    assert place == rows * columns
    return picture[1:]


def test_a_pixel_is_of_the_cell_in_which_its_middle_lies(cells: np.ndarray) -> None:
    overview = make_overview(cells)
    rows, columns = overview.cells.shape
    assert set(np.unique(overview.cells)) - {NO_CELL} == set(range(len(cells)))
    luck = np.random.default_rng(0)
    at = luck.integers(0, rows, 4000), luck.integers(0, columns, 4000)
    x = overview.west + (at[1] + 0.5) * overview.pixel
    y = overview.north + (at[0] + 0.5) * overview.pixel
    latitude = np.degrees(2 * np.arctan(np.exp((0.5 - y) * 2 * np.pi)) - np.pi / 2)
    points = shapely.points(x * 360 - 180, latitude)
    hit, found = shapely.STRtree(cells).query(points, predicate="intersects")
    inside = np.full(len(points), NO_CELL)
    inside[hit] = found
    # A straight line on the map is all but straight in degrees: only pixels on a border may differ.
    assert (inside != overview.cells[at]).mean() < 0.002


def test_an_exact_tiling_leaves_no_pixel_out_inside(cells: np.ndarray) -> None:
    overview = make_overview(cells)
    outline = shapely.union_all(cells)
    rows, columns = np.nonzero(overview.cells == NO_CELL)
    x = overview.west + (columns + 0.5) * overview.pixel
    y = overview.north + (rows + 0.5) * overview.pixel
    latitude = np.degrees(2 * np.arctan(np.exp((0.5 - y) * 2 * np.pi)) - np.pi / 2)
    well_inside = shapely.buffer(outline, -2 * overview.pixel * 360)
    shapely.prepare(well_inside)
    assert not shapely.contains_xy(well_inside, x * 360 - 180, latitude).any()


def test_runs_say_what_the_pixels_say(cells: np.ndarray, tmp_path: Path) -> None:
    overview = make_overview(cells)
    assert (_runs(packed(overview), *overview.cells.shape) == overview.cells).all()
    assert packed(overview) == packed(overview)
    said = write_overview(overview, tmp_path)
    assert (said["height"], said["width"]) == overview.cells.shape
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_holes_parts_and_great_steps_come_through() -> None:
    outer = shapely.box(0, 0, 1, 1)
    cells = np.array([shapely.difference(outer, shapely.box(0.4, 0.4, 0.6, 0.6)), shapely.box(2, 0, 3, 1)])
    overview = make_overview(cells)
    rows, columns = overview.cells.shape
    assert overview.cells[rows // 2, columns // 6] == NO_CELL
    assert overview.cells[rows // 4, columns // 6] == 0
    assert (overview.cells[:, -columns // 4 :] == 1).all()
    far = Overview(np.array([[NO_CELL, 199_999], [199_999, 0]], dtype=np.int32), 0, 0, 1)
    assert (_runs(packed(far), 2, 2) == far.cells).all()


def test_mercator_is_a_square_of_one() -> None:
    x, y = mercator(np.array([[-180.0, 0.0], [180.0, 85.0511287798066]]))
    assert x == pytest.approx([0, 1])
    assert y == pytest.approx([0.5, 0], abs=1e-12)
