"""Numbering: rows from north to south, each from west to east, per community."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from geo import codes

COMMUNITIES = pd.DataFrame(
    {
        "community_id": ["990102001001", "SZ-02"],
        "name": ["幸福社区", "Cheng San"],
        "code": ["990102001001", ""],
    }
)


def test_rows_are_read_like_a_page() -> None:
    # Two rows of 100 m × 100 m grids, drawn a little askew; the second community lies north of the first.
    community = np.array([0, 0, 0, 0, 1], np.int32)
    centre = np.array([[150.0, 40.0], [50.0, 148.0], [152.0, 152.0], [52.0, 50.0], [0.0, 900.0]])
    order = codes.scan_order(community, centre, np.full(5, 10_000.0))
    assert order.tolist() == [1, 2, 3, 0, 4]


def test_codes_follow_the_statistical_code_where_there_is_one() -> None:
    table = codes.number_grids(np.array([0, 0, 1], np.int32), COMMUNITIES)
    assert table["number"].tolist() == [1, 2, 1]
    assert table["code"].tolist() == ["990102001001001", "990102001001002", "SZ-02-001"]
    assert table["grid_id"].tolist() == ["990102001001-001", "990102001001-002", "SZ-02-001"]
    assert table["name"].tolist() == ["幸福社区第1网格", "幸福社区第2网格", "Cheng San第1网格"]


def test_no_grids_give_no_rows() -> None:
    empty = np.zeros(0, np.int32)
    assert len(codes.scan_order(empty, np.zeros((0, 2)), np.zeros(0))) == 0
    assert codes.number_grids(empty, COMMUNITIES).empty


def test_names_that_share_a_place_are_joined_in_their_order() -> None:
    names = np.array(["a", "b", "c", "d", "e"], dtype=object)
    place = np.array([3, 0, 3, 1, 3], np.int32)
    assert codes.joined(names, place, 5).tolist() == ["b", "d", "", "a;c;e", ""]
    assert codes.joined(names[:0], place[:0], 2).tolist() == ["", ""]


@given(st.lists(st.tuples(st.text("abc", min_size=1), st.integers(0, 5))))
def test_joined_names_are_those_of_a_plain_loop(rows: list[tuple[str, int]]) -> None:
    names = np.array([name for name, _ in rows], dtype=object)
    place = np.array([k for _, k in rows], np.int64)
    plain = [";".join(name for name, k in rows if k == position) for position in range(6)]
    assert codes.joined(names, place, 6).tolist() == plain
