"""Entry point of ``python -m bench.partition``."""

from __future__ import annotations

import sys

from bench.partition import main

sys.exit(main())
