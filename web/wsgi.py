"""The application for a WSGI server, with settings from the environment."""

import os

from web import create_app
from web.jobs.sandbox import die_with_parent

# A server process that outlived `python -m web` would hold the port and the jobs of the next one.
if os.environ.get("WANGGE_PARENT") == str(os.getppid()):
    die_with_parent(os.getppid())

app = create_app()
