"""Leaflet, as prepared by set-up: what a map page carries inside itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from geo.errors import AssetError

ASSETS = Path(__file__).resolve().parent.parent / "assets"
"""Where set-up puts the prepared files; not under version control."""

STATIC = Path(__file__).resolve().parent / "static"
"""Our own script and style sheet of the map page."""


@dataclass(frozen=True)
class Assets:
    """Text of the scripts and style sheets of a map page, in the order they are loaded."""

    scripts: tuple[str, ...]
    styles: tuple[str, ...]


def load_assets(folder: Path = ASSETS) -> Assets:
    """Read Leaflet and our own page script.

    Raises
    ------
    AssetError
        If set-up has not prepared Leaflet yet.
    """
    script, style = folder / "leaflet.js", folder / "leaflet.css"
    if not (script.is_file() and style.is_file()):
        raise AssetError(
            "assets-missing",
            "缺少地图组件 Leaflet。请先在项目目录运行 make setup。",
            "Leaflet has not been prepared. Run make setup in the project folder first.",
            path=str(folder),
        )
    return Assets(
        scripts=(_read(script), _read(STATIC / "plan_map.js")),
        styles=(_read(style), _read(STATIC / "plan_map.css")),
    )


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
