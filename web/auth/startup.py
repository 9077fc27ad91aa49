"""What must hold before the service starts: nobody is let in by oversight."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from web.errors import SettingsError

if TYPE_CHECKING:
    from web.settings import Settings

LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})
MIN_SECRET_BYTES = 32
MIN_DISTINCT = 10
"""Different bytes in a secret. Sixteen random bytes in hexadecimal show fewer with a chance of one in a million."""

KNOWN_WORDS = (
    "changeme",
    "change-me",
    "change_me",
    "change this",
    "change_this",
    "changethis",
    "secret",
    "scretkey",
    "password",
    "passw0rd",
    "example",
    "default",
    "insecure",
    "placeholder",
    "development",
    "wangge",
    "random string",
    "randomstring",
    "qwerty",
    "letmein",
    "superset",
    "0123456789",
    "1234567890",
    "abcdefghij",
)
"""A secret that holds one of these was typed, or copied from an example; a random one never does."""

KNOWN_SECRETS = frozenset(
    {
        # From the documentation of Flask and of FastAPI, and the defaults of Redash and GeoNode.
        "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        "c292a0a3aa32397cdb050e233733900f",
        "myv-y4#7j-d*p-__@j#*3z@!y24fz8%^z2v6atuy4bo9vqr1_a",
    }
)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    name = host.strip("[]").lower()
    if name in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_settings(settings: Settings) -> None:
    """Return if the service may start with these settings.

    Raises
    ------
    SettingsError
        Without a team: if another machine could reach the service, for there is no login. With a team: if a secret
        is missing, short or known, or the settings of the identity provider are incomplete.
    """
    if not settings.team:
        if not is_loopback(settings.host):
            raise SettingsError(
                "login-needed",
                f"未启用登录时只能监听本机地址（127.0.0.1），不能监听 {settings.host}。"
                "多人使用请设置 WANGGE_TEAM=true 和 WANGGE_SECRET。",
                f"Without logins the service listens on this machine only (127.0.0.1), not on {settings.host}. "
                "For a team set WANGGE_TEAM=true and WANGGE_SECRET.",
            )
        return
    check_secret("WANGGE_SECRET", settings.secret.get_secret_value())
    for secret in settings.secret_fallbacks:
        check_secret("WANGGE_SECRET_FALLBACKS", secret.get_secret_value())
    if settings.oidc_url and not settings.oidc_client_id:
        raise SettingsError(
            "oidc-incomplete",
            "设置了 WANGGE_OIDC_URL，还需要 WANGGE_OIDC_CLIENT_ID。",
            "WANGGE_OIDC_URL is set; WANGGE_OIDC_CLIENT_ID is needed too.",
        )
    address = urlsplit(settings.oidc_url)
    if settings.oidc_url and address.scheme != "https" and not is_loopback(address.hostname or ""):
        raise SettingsError(
            "oidc-plain",
            "WANGGE_OIDC_URL 应为 https 地址。",
            "WANGGE_OIDC_URL must be an https address.",
        )


def check_secret(name: str, secret: str) -> None:
    """Return if `secret` can be a key; `name` is the setting it comes from.

    Raises
    ------
    SettingsError
        If it is missing, short, known, or not random to the eye. The message never shows it.
    """
    fault = _fault_of(secret)
    if fault is not None:
        zh, en = fault
        raise SettingsError(
            "secret-weak",
            f"{name} {zh}。请用 python -c 'import secrets; print(secrets.token_urlsafe(48))' 生成一个。",
            f"{name} {en}. Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
        )


def _fault_of(secret: str) -> tuple[str, str] | None:
    folded = secret.casefold()
    if not secret.strip():
        return "未设置", "is missing"
    if len(secret.encode()) < MIN_SECRET_BYTES:
        return f"过短，至少 {MIN_SECRET_BYTES} 字节", f"is short; it takes at least {MIN_SECRET_BYTES} bytes"
    if folded in KNOWN_SECRETS or any(word in folded for word in KNOWN_WORDS):
        return "是众所周知的值", "is a known value"
    # Texts that repeat themselves are found inside their own double before its end.
    if len(set(secret)) < MIN_DISTINCT or secret in (secret + secret)[1:-1]:
        return "重复字符过多，不够随机", "repeats itself and is not random"
    return None
