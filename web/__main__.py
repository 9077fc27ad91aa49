"""Run the service: ``python -m web``."""

from __future__ import annotations

import logging
import sys

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from web.settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "localhost"})


def main() -> None:
    """Serve until interrupted."""
    settings = Settings()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    sys.stdout.write(f"网格规划 Wangge: http://{settings.host}:{settings.port}\n")
    if settings.host not in LOOPBACK:
        sys.stdout.write(
            "注意：本服务没有登录，网络中的任何人都可访问。"
            " / Note: there is no login; anyone on the network has access.\n"
        )
    sys.stdout.flush()
    # One process: it owns the jobs. Threads serve the requests beside them.
    server = Granian(
        "web.wsgi:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=settings.threads,
        log_level=LogLevels.warning,
        websockets=False,
    )
    server.serve()


if __name__ == "__main__":
    main()
