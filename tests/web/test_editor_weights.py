"""The weights that the editor explains are those that the engine uses, each with a line in both languages."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

from geo.partition import Weights

EDITOR = Path(__file__).parents[2] / "web" / "frontend" / "src" / "editor"


def test_the_editor_shows_the_weights_of_the_engine() -> None:
    text = (EDITOR / "helpers" / "weights.ts").read_text(encoding="utf-8")
    shown = {name: float(value) for name, value in re.findall(r"^  (\w+): (-?[\d.]+),$", text, re.MULTILINE)}
    assert shown == asdict(Weights())


def test_every_weight_is_explained_in_both_languages() -> None:
    text = (EDITOR / "words-helpers.ts").read_text(encoding="utf-8")
    said = dict(re.findall(r'^  weight_(\w+): \["([^"]+", "[^"]+)"\],$', text, re.MULTILINE))
    assert set(said) == set(asdict(Weights()))
