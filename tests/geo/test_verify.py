"""The verifier proves exactness: every kind of damage to a good tiling, however small, must be seen and named."""

from __future__ import annotations

import time

import numpy as np
import pytest
import shapely

from geo import verify
from geo.tiling import SCALE
from geo.verify import verify_tiling

STEP = 1 / SCALE
LON, LAT = 1_170_000_000, 399_000_000


def square(x: int, y: int, size: int = 1000) -> shapely.Polygon:
    """A square of whole steps near Beijing."""
    corners = [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]
    return shapely.Polygon([((LON + a) / SCALE, (LAT + b) / SCALE) for a, b in corners])


def mesh(n: int = 4, x0: int = 0) -> list[shapely.Polygon]:
    """n by n squares side by side."""
    return [square(x0 + 1000 * i, 1000 * j) for j in range(n) for i in range(n)]


def outline(n: int = 4, x0: int = 0) -> shapely.Polygon:
    """The outline of a mesh with all its nodes."""
    return shapely.coverage_union_all(mesh(n, x0))


def check(cells: list[shapely.Polygon], frames: list[shapely.Polygon] | None = None, group=None):
    frames = frames if frames is not None else [outline()]
    return verify_tiling(np.array(cells, object), group or [0] * len(cells), np.array(frames, object))


def moved(cell: shapely.Polygon, node: int, dx: int, dy: int) -> shapely.Polygon:
    xy = np.rint(shapely.get_coordinates(cell) * SCALE)
    same = (xy == xy[node]).all(axis=1)
    xy[same] += (dx, dy)
    return shapely.Polygon(xy / SCALE)


def test_good_tiling_passes() -> None:
    verdict = check(mesh())
    assert verdict.ok
    assert verdict.where == ()
    assert verdict.area_difference.tolist() == [0]


@pytest.mark.parametrize("batch", [1, 90, 100_000])
def test_groups_checked_together_or_apart_get_one_verdict(
    monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    frames = [outline(x0=5000 * k) for k in range(6)]
    cells = [cell for k in range(6) for cell in mesh(x0=5000 * k)]
    group = np.repeat(np.arange(6), 16)
    cells[20] = moved(cells[20], 0, 1, 0)
    cells[70] = shapely.Polygon()
    del cells[37]
    group = np.delete(group, 37)
    order = np.random.default_rng(0).permutation(len(cells))
    monkeypatch.setattr(verify, "BATCH", batch)
    verdict = check([cells[k] for k in order], frames, group[order].tolist())
    assert verdict.groups == (1, 2, 4)
    assert np.flatnonzero(verdict.area_difference).tolist() == [1, 2, 4]
    named = [place.group for place in verdict.where if place.fault == "edge"]
    assert named == sorted(named)
    monkeypatch.undo()
    assert repr(check([cells[k] for k in order], frames, group[order].tolist())) == repr(verdict)


def test_no_groups_at_all() -> None:
    assert verify_tiling(np.empty(0, object), [], np.empty(0, object)).ok


def test_order_and_direction_do_not_matter() -> None:
    cells = [cell.reverse() for cell in mesh()][::-1]
    assert check(cells).ok


def test_two_groups_are_proved_each_by_itself() -> None:
    cells = mesh() + mesh(x0=4000)
    frames = [outline(), outline(x0=4000)]
    assert check(cells, frames, [0] * 16 + [1] * 16).ok
    swapped = check(cells, frames, [1] + [0] * 15 + [1] * 16)
    assert not swapped.ok
    assert swapped.groups == (0, 1)


def test_gap_of_one_step_is_seen_and_named() -> None:
    cells = mesh()
    cells[5] = moved(cells[5], 2, -1, 0)
    verdict = check(cells)
    assert not verdict.ok
    assert verdict.unmatched_edges == 4
    assert verdict.groups == (0,)
    assert verdict.where[0].fault == "edge"
    assert abs(verdict.where[0].lon - LON / SCALE) < 1e-3
    assert verdict.area_difference[0] < 0


def test_overlap_of_one_step_is_seen() -> None:
    cells = mesh()
    cells[5] = moved(cells[5], 2, 1, 0)
    verdict = check(cells)
    assert not verdict.ok
    assert verdict.area_difference[0] > 0


def test_missing_cell_is_seen() -> None:
    verdict = check(mesh()[:-1])
    assert not verdict.ok
    assert verdict.area_difference[0] == -2_000_000


def test_duplicate_cell_is_seen() -> None:
    cells = mesh()
    verdict = check([*cells, cells[3]])
    assert not verdict.ok
    assert verdict.area_difference[0] == 2_000_000


def test_gap_and_overlap_of_equal_area_do_not_hide_each_other() -> None:
    cells = mesh()
    verdict = check([*cells[:-1], cells[0]])
    assert verdict.area_difference[0] == 0
    assert not verdict.ok


def test_t_junction_is_seen() -> None:
    cells = mesh()
    xy = shapely.get_coordinates(cells[5])
    cells[5] = shapely.Polygon(np.insert(xy, 2, (xy[1] + xy[2]) / 2, axis=0))
    verdict = check(cells)
    assert not verdict.ok
    assert verdict.unmatched_edges == 3
    assert verdict.area_difference[0] == 0


def test_invalid_polygon_is_seen_and_named() -> None:
    cells = mesh()
    xy = shapely.get_coordinates(cells[7])
    cells[7] = shapely.Polygon(xy[[0, 2, 1, 3, 0]])
    assert 7 in check(cells).invalid_polygons


@pytest.mark.parametrize("bad", [None, shapely.Point(117, 39), shapely.Polygon()])
def test_what_is_no_polygon_is_seen(bad) -> None:
    verdict = check([*mesh(), bad])
    assert verdict.invalid_polygons == (16,)
    assert not verdict.ok


def test_unknown_group_is_seen() -> None:
    assert not check(mesh(), group=[0] * 15 + [3]).ok


def test_coordinates_off_the_grid_are_counted() -> None:
    cells = mesh()
    cells[0] = shapely.transform(cells[0], lambda xy: xy + [[1e-9, 0]] * (np.arange(len(xy)) == 1)[:, None])
    verdict = check(cells)
    assert verdict.off_grid == 1
    assert not verdict.ok


def test_invalid_outline_is_seen() -> None:
    bowtie = shapely.Polygon([(117, 39), (117.1, 39.1), (117.1, 39), (117, 39.1)])
    assert check(mesh(), [outline(), bowtie]).invalid_outlines == (1,)


def test_holes_and_parts_are_proved() -> None:
    frame = square(0, 0, 4000).difference(square(1000, 1000, 1000))
    ring = shapely.Polygon(square(0, 0, 4000).exterior, [square(1000, 1000, 1000).exterior])
    far = square(9000, 9000)
    assert check([ring, far], [shapely.MultiPolygon([frame, far])]).ok
    assert not check([square(0, 0, 4000), far], [shapely.MultiPolygon([frame, far])]).ok


def test_nothing_tiles_nothing() -> None:
    assert check([], [shapely.Polygon()]).ok


def test_twenty_thousand_cells_are_quick() -> None:
    cells, frame = mesh(141), outline(141)
    start = time.process_time()
    assert check(cells, [frame]).ok
    assert time.process_time() - start < 2.0
