"""Entry point of ``python -m bench.editor``."""

from __future__ import annotations

from bench.editor import main

main()
