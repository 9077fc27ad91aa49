"""The OpenAPI document, and a page that shows it without asking any other host."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import flask_openapi_swagger
from flask import Response, current_app, send_from_directory
from pydantic import BaseModel

from web.api.common import PREFIX, answers, binary, blueprint
from web.auth.rules import allow
from web.errors import file_missing

if TYPE_CHECKING:
    from flask_openapi.openapi import OpenAPI

document = blueprint("document", tag="This interface")

SWAGGER = Path(flask_openapi_swagger.__file__).parent / "templates" / "swagger"
FILES = {
    "swagger-ui.css": SWAGGER / "css",
    "swagger-ui-bundle.js": SWAGGER / "js",
    "start.js": Path(__file__).parent / "docs",
}
PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Wangge API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{PREFIX}/docs/swagger-ui.css">
</head>
<body>
<div id="docs" data-document="{PREFIX}/openapi.json"></div>
<script src="{PREFIX}/docs/swagger-ui-bundle.js"></script>
<script src="{PREFIX}/docs/start.js"></script>
</body>
</html>
"""


class DocsPath(BaseModel):
    """A file of the documentation page."""

    filename: str


@document.get(
    "/openapi.json",
    responses=answers(
        ok={
            "description": "An OpenAPI 3.2 document",
            "content": {"application/json": {"schema": {"type": "object", "required": ["openapi", "paths"]}}},
        }
    ),
)
@allow("signed-in")
def openapi_document() -> dict[str, Any]:
    """Return this document."""
    return cast("OpenAPI", current_app).api_doc


@document.get("/docs", responses=answers(ok=binary("text/html", described="A page")))
@allow("signed-in")
def documentation() -> Response:
    """Show the interface for people."""
    return Response(PAGE, mimetype="text/html")


@document.get(
    "/docs/<filename>",
    responses=answers(404, ok=binary("text/css", "text/javascript", described="A file"), kept=True),
)
@allow("signed-in")
def documentation_file(path: DocsPath) -> Response:
    """Return a file of the documentation page."""
    if path.filename not in FILES:
        raise file_missing()
    response = send_from_directory(FILES[path.filename], path.filename)
    response.headers["Cache-Control"] = "private, no-cache"
    return response
