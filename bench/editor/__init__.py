"""Compare the plan editor with a GeoJSON page and a folium page of the same cells: ``python -m bench.editor``."""

from __future__ import annotations


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark; see ``python -m bench.editor --help``."""
    from bench.editor.run import main as run

    run(argv)
