"""Chinese first, English by a switch."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

from flask import request
from flask_babel import Babel, format_datetime, format_decimal, format_percent

if TYPE_CHECKING:
    from flask import Flask, Response

LOCALES = {"zh": "zh_Hans_CN", "en": "en"}
COOKIE = "lang"
YEAR_S = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    """Choose the language of every request and make it known to templates."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(Path(__file__).parent / "translations")
    app.config["BABEL_DEFAULT_LOCALE"] = LOCALES["zh"]
    Babel(app, locale_selector=lambda: LOCALES[language()])
    app.after_request(remember)
    app.jinja_env.globals.update(language=language, both=both, self_url=self_url)
    app.jinja_env.filters.update(number=number, percent=percent, signed_percent=signed_percent, moment=moment)


def language() -> Literal["zh", "en"]:
    """Return the language of this request: asked for, remembered, or Chinese."""
    asked = request.args.get("lang") or request.cookies.get(COOKIE)
    return "en" if asked == "en" else "zh"


def remember(response: Response) -> Response:
    """Keep a language that was asked for."""
    if request.args.get("lang") in LOCALES:
        response.set_cookie(COOKIE, language(), max_age=YEAR_S, httponly=True, samesite="Lax")
    return response


def self_url(lang: str) -> str:
    """Return the address of this page in another language; of the start page where a form was sent."""
    if request.method not in {"GET", "HEAD"} or request.endpoint is None:
        return f"/?lang={lang}"
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return f"{request.path}?{urlencode([*kept, ('lang', lang)])}"


def both(zh: str, en: str) -> str:
    """Return the one of two texts that is in the language of this request."""
    return zh if language() == "zh" else en


def number(value: float | None) -> str:
    """Write a count with separators; a dash for none."""
    return "—" if value is None else format_decimal(value)


def percent(value: float | None) -> str:
    """Write a share with one decimal; a dash for none. Only the whole is written as 100 %."""
    if value is None:
        return "—"
    if 0.9995 <= value < 1:
        return f"> {format_percent(0.999, '#,##0.0%')}"
    return format_percent(value, "#,##0.0%")


def signed_percent(value: float | None) -> str:
    """Write a deviation with its sign, a real minus, and no decimals below a tenth of a percent."""
    return "—" if value is None else format_percent(value, "+#,##0.0%;−#,##0.0%")


def moment(text: str) -> str:
    """Write a stored time in the server's own time zone."""
    local = datetime.fromisoformat(text).astimezone()
    return format_datetime(local.replace(tzinfo=None), "yyyy-MM-dd HH:mm", rebase=False)
