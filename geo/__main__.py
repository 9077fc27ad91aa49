"""Run the command line: ``python -m geo``."""

import gc
import sys

from geo.cli import main

# Guarded, because worker processes import the main module again.
if __name__ == "__main__":
    code = main()
    # Before it ends, Python looks for cycles in all that is left: some tenths of a second, for nothing.
    gc.freeze()
    sys.exit(code)
