"""Prepare Leaflet for map pages: ``python -m geo.maps.prepare_assets NODE_MODULES_FOLDER``."""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
from pathlib import Path

from geo.atomic import replacing
from geo.errors import AssetError, GeoError
from geo.maps.assets import ASSETS

IMAGE = re.compile(r"url\((images/[\w.-]+)\)")
SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


def prepare(node_modules: Path, folder: Path = ASSETS) -> str:
    """Copy Leaflet's script and style sheet, with the images written into the style sheet.

    Parameters
    ----------
    node_modules
        Folder that npm filled from the lock file.
    folder
        Where the prepared files go; made if missing.

    Returns
    -------
    Leaflet's version.

    Raises
    ------
    AssetError
        If the folder holds no Leaflet, or the style sheet names an image that is not there.
    """
    package = node_modules / "leaflet"
    try:
        version = str(json.loads((package / "package.json").read_text(encoding="utf-8"))["version"])
        script = (package / "dist" / "leaflet.js").read_text(encoding="utf-8")
        style = (package / "dist" / "leaflet.css").read_text(encoding="utf-8")
        style = IMAGE.sub(lambda match: f"url({_data_url(package / 'dist' / match[1])})", style)
    except (OSError, ValueError, KeyError) as error:
        raise AssetError(
            "assets-source-missing",
            f"{node_modules} 中没有可用的 Leaflet。请先在 web/frontend 运行 npm ci。",
            f"There is no usable Leaflet in {node_modules}. Run npm ci in web/frontend first.",
            path=str(node_modules),
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "leaflet.js", folder / "leaflet.css", folder / "leaflet.json") as drafts:
        drafts[0].write_text(SOURCE_MAP.sub("", script), encoding="utf-8")
        drafts[1].write_text(style, encoding="utf-8")
        drafts[2].write_text(json.dumps({"version": version}) + "\n", encoding="utf-8")
    return version


def _data_url(image: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(image.read_bytes()).decode('ascii')}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m geo.maps.prepare_assets", description=__doc__)
    parser.add_argument("node_modules", type=Path, help="folder that npm ci filled")
    node_modules = parser.parse_args(arguments).node_modules
    try:
        version = prepare(node_modules)
    except GeoError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"Leaflet {version} is ready in {ASSETS}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
