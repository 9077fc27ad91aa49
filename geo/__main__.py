"""Run the command line: ``python -m geo``."""

import sys

from geo.cli import main

# Guarded, because worker processes import the main module again.
if __name__ == "__main__":
    sys.exit(main())
