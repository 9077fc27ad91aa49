"""The application factory."""

from __future__ import annotations

import atexit
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from flask import request

from web import i18n
from web.api import errors
from web.api.register import application, register
from web.auth import rules
from web.auth import state as auth_state
from web.auth.headers import add_headers
from web.auth.origin import check_origin
from web.auth.startup import check_settings
from web.pages.coverage import coverage_pages
from web.pages.editor import editor_pages
from web.pages.members import member_pages
from web.pages.people import people_pages
from web.pages.plans import plan_pages
from web.pages.views import pages
from web.services.places import StoredPlaces
from web.services.state import Service
from web.settings import MEGABYTE, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

LOG = logging.getLogger("wangge")
HOUR_S = 3600


def build(settings: Settings | None = None) -> Flask:
    """Return the application with its service started."""
    settings = settings or Settings()
    check_settings(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    app = application(static_folder="static", template_folder="pages/templates")
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_upload_mb * MEGABYTE,
        MAX_FORM_MEMORY_SIZE=500_000,
        MAX_FORM_PARTS=settings.max_files + 200,
        TRUSTED_HOSTS=list(settings.trusted_hosts),
        SEND_FILE_MAX_AGE_DEFAULT=HOUR_S,
        WANGGE_TEAM=settings.team,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["asset"] = _asset_url(app)
    i18n.init_app(app)
    errors.init_app(app)
    app.before_request(lambda: check_origin(request))
    rules.init_app(app)
    app.after_request(add_headers)
    app.register_blueprint(pages)
    app.register_blueprint(coverage_pages)
    app.register_blueprint(editor_pages)
    app.register_blueprint(people_pages)
    app.register_blueprint(member_pages)
    app.register_blueprint(plan_pages)
    register(app)
    service = Service.make(settings)
    app.extensions["wangge"] = service
    places = StoredPlaces(service.job_store, service.plan_store)
    auth_state.init_app(app, settings, service.people, service.audit, places)
    atexit.register(service.close)
    if settings.prepare_demo and not settings.team:
        service.prepare_demo()
    return app


def _asset_url(app: Flask) -> Callable[[str], str]:
    """Return a function that names a built file with its age, so that a new build is never served stale."""

    def url(name: str) -> str:
        path = Path(app.static_folder or "") / name
        age = path.stat().st_mtime_ns if path.exists() else 0
        return f"/static/{name}?v={age:x}"

    return url
