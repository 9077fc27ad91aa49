"""Run every benchmark, or those named: ``python -m bench [cells …]``.

Options go to the one that is named: ``python -m bench partition --peers ours-fast ours-normal``.

A benchmark is a module of this package with ``main(argv)``. Each reports ratios against its peers, measured in the
same run: seconds of different machines cannot be compared.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def main(arguments: list[str]) -> int:
    first = next((i for i, text in enumerate(arguments) if text.startswith("-")), len(arguments))
    names, options = arguments[:first], arguments[first:]
    if options and len(names) != 1:
        print(f"name one benchmark before {options[0]}", file=sys.stderr)
        return 2
    known = sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if not m.name.startswith("_"))
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"unknown benchmark {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for name in names or known:
        print(f"\n== {name}")
        importlib.import_module(f"bench.{name}").main(options)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
