"""Serve until interrupted."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from web.auth.startup import check_settings
from web.store import Stores

if TYPE_CHECKING:
    from web.settings import Settings


def serve(settings: Settings) -> None:
    """Serve until interrupted.

    Raises
    ------
    SettingsError
        If the service may not start with these settings.
    SchemaError, StorageFullError, BusyError
        If the database is newer than the program, cannot be written, or does not answer.
    """
    check_settings(settings)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # what an upgrade does is said by the store
    Stores.open(settings).close()  # what is wrong with the database is said here, not by the server's worker
    sys.stdout.write(f"网格规划 Wangge: http://{settings.host}:{settings.port}\n")
    sys.stdout.flush()
    os.environ["WANGGE_PARENT"] = str(os.getpid())  # for web.wsgi, which another process loads
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
