"""The application for a WSGI server, with settings from the environment."""

from web import create_app

app = create_app()
