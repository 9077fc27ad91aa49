"""Compare our partition engine with its peers on the same units and adjacency: ``python -m bench.partition``."""

from __future__ import annotations


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark; see ``python -m bench.partition --help``."""
    from bench.partition.run import main as run

    return run(argv)
