"""A plain server for the pages beside ours: files as they are, from memory."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from bench.editor.place import CELLS, FOLIUM
from bench.editor.rivals import geojson_page

if TYPE_CHECKING:
    from collections.abc import Iterator

MAPLIBRE = Path(__file__).resolve().parent.parent.parent / "web/frontend/node_modules/maplibre-gl/dist"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".geojson": "application/json",
}


@contextlib.contextmanager
def rivals_at(data: Path, bounds: list[float]) -> Iterator[str]:
    """Serve ``geojson.html`` and ``folium.html``; yields the address."""
    files = {
        "/geojson.html": geojson_page(bounds).encode(),
        "/folium.html": (data / FOLIUM).read_bytes(),
        "/cells.geojson": (data / CELLS).read_bytes(),
    }
    files |= {
        f"/maplibre/{path.name}": path.read_bytes() for path in MAPLIBRE.iterdir() if path.suffix in TYPES
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            content = files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Type", TYPES.get(Path(self.path).suffix, "application/octet-stream"))
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
