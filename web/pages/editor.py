"""The page on which a plan is redrawn: a shell that its script fills."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, make_response, render_template

from web.auth.headers import page_policy
from web.auth.rules import allow
from web.errors import NotFoundError
from web.forms import of_service

SCRIPT = "src/editor/main.ts"

editor_pages = Blueprint("editor_pages", __name__)


@editor_pages.get("/plans/<plan_id>")
@allow("plan:read")
def editor(plan_id: str) -> Response:
    """Show the shell of the editor; it alone may ask the tile server that the settings name."""
    service = of_service()
    plan = service.stores.plans.get(plan_id)
    project = service.project_store.get(plan.project_id)
    try:
        tiles: dict[str, Any] | None = service.tile_files.state(plan.dataset_id)["tiles"]
    except NotFoundError:
        tiles = None
    page = render_template("editor.html", plan=plan, project=project, tiles=tiles, scripts=_scripts())
    response = make_response(page)
    response.headers["Content-Security-Policy"] = page_policy(service.basemaps.origin)
    return response


def _scripts() -> list[str]:
    """Name the files that the editor's script loads first: a browser learns of them only when it has read that."""
    manifest = Path(current_app.static_folder or "") / "manifest.json"
    if not manifest.is_file():
        return []
    chunks: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    return [chunks[name]["file"] for name in chunks.get(SCRIPT, {}).get("imports", ())]
