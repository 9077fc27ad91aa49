"""One palette: what the pages draw has the colours of the printed and the offline map."""

from __future__ import annotations

import re

import pytest

from geo.maps import palette
from web.settings import ROOT

SOURCES = ROOT / "web" / "frontend" / "src"


def colours(path: str, name: str) -> tuple[str, ...]:
    """Return the colours of a constant of the front end, in their order."""
    text = (SOURCES / path).read_text(encoding="utf-8")
    found = re.search(rf"const {name}\b[^=]*= \[(.*?)\]", text, re.DOTALL)
    assert found is not None, name
    return tuple(re.findall(r'"(#[0-9a-f]{6})"', found[1]))


@pytest.mark.parametrize(
    ("path", "name", "wanted"),
    [
        ("coverage/classes.ts", "STATION_COLOURS", palette.STATION_COLOURS),
        ("editor/model/colours.ts", "FILLS", palette.GRID_FILLS),
    ],
)
def test_the_pages_have_the_colours_of_the_map(path: str, name: str, wanted: tuple[str, ...]) -> None:
    assert colours(path, name) == wanted
