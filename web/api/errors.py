"""The only table from errors to HTTP answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, json, render_template, request
from werkzeug.exceptions import HTTPException, SecurityError

import geo.errors as of_geo
import web.errors as of_web
from geo.errors import GeoError
from web.i18n import both

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG = logging.getLogger("wangge")

STATUS: Mapping[type[GeoError], int] = {
    of_web.BadRequestError: 400,
    of_web.SignInError: 401,
    of_web.CrossSiteError: 403,
    of_web.ForbiddenError: 403,
    of_web.NotFoundError: 404,
    of_web.ConflictError: 409,
    of_web.TooLargeError: 413,
    of_web.FormatError: 415,
    of_web.UploadError: 422,
    of_web.RefusedError: 422,
    of_web.TimeLimitError: 422,
    of_web.TooManyError: 429,
    of_web.JobError: 500,
    of_web.ClusterError: 503,
    of_web.RuleError: 500,
    of_web.SettingsError: 500,
    of_web.SchemaError: 500,
    of_web.ChainError: 500,
    of_web.BusyError: 503,
    of_web.StorageFullError: 507,
    of_geo.StandardError: 400,
    of_geo.EditError: 400,
    of_geo.LayerError: 422,
    of_geo.ColumnError: 422,
    of_geo.CRSError: 422,
    of_geo.CommunityError: 422,
    of_geo.InfeasibleError: 422,
    of_geo.PlanError: 422,
    of_geo.CancelledError: 409,
    of_geo.TilingError: 500,
    of_geo.AssetError: 500,
    of_geo.DatasetError: 500,
    GeoError: 400,
}

HTTP_TEXTS: Mapping[int, tuple[str, str]] = {
    400: ("无法理解这个请求。", "The request cannot be understood."),
    404: ("没有这个页面。", "There is no such page."),
    405: ("此地址不支持这种请求方式。", "This address does not take that method."),
    413: (
        "上传内容超过了大小上限。请分批上传或压缩后上传。",
        "The upload is larger than allowed. Upload it in parts, or zipped.",
    ),
    415: ("不支持这种内容格式。", "Content of this kind is not read."),
    416: ("文件没有所请求的部分。", "The file has no such part."),
}
FAILED = (
    "服务内部错误，已记录。请重试；如仍出现请联系管理员。",
    "Something went wrong here and is logged. Try again, or tell your administrator.",
)


def init_app(app: Flask) -> None:
    """Answer every error as a page, or as problem+json where JSON is wanted."""
    app.register_error_handler(GeoError, on_geo_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(Exception, on_failure)


def status_of(error: GeoError) -> int:
    """Return the HTTP status of an error: that of its nearest class in the table."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def on_geo_error(error: GeoError) -> Response:
    """Answer an error of ours."""
    response = _answer(status_of(error), error.code, error.zh, error.en, error.where)
    if "retry_after_s" in error.where:
        response.headers["Retry-After"] = str(error.where["retry_after_s"])
    return response


def on_http_error(error: HTTPException) -> Response:
    """Answer an error of the web framework, in our own words."""
    if isinstance(error, SecurityError):  # a host that is not ours: no page has an address there
        return Response("此地址不受信任。 / This host is not trusted.\n", 400, mimetype="text/plain")
    status = error.code or 500
    if status < 400:
        return error.get_response()  # type: ignore[return-value]
    zh, en = HTTP_TEXTS.get(status, FAILED if status >= 500 else HTTP_TEXTS[400])
    response = _answer(status, f"http-{status}", zh, en, {})
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(allowed)
    return response


def on_failure(error: Exception) -> Response:
    """Log a defect of ours and say no more than that."""
    LOG.error("unexpected error on %s", request.path, exc_info=error)
    return _answer(500, "internal", *FAILED, {})


def wants_json() -> bool:
    """Whether the request is one of the JSON interface, or prefers JSON."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"])
    return best is not None and best != "text/html"


def _answer(status: int, code: str, zh: str, en: str, where: Mapping[str, Any]) -> Response:
    if not wants_json():
        page = render_template("error.html", status=status, code=code, zh=zh, en=en)
        return Response(page, status=status, mimetype="text/html")
    problem = {
        "type": "about:blank",
        "title": code,
        "status": status,
        "code": code,
        "detail": both(zh, en),
        "detail_zh": zh,
        "detail_en": en,
        "where": dict(where),
    }
    text = json.dumps(problem, ensure_ascii=False, default=str)
    return Response(text, status=status, mimetype="application/problem+json")
