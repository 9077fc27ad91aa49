"""The service starts only where nobody is let in by oversight; told in both languages, and by the exit code."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from web.auth.startup import check_secret, check_settings, is_loopback
from web.errors import SettingsError
from web.settings import ROOT, Settings

EVERYWHERE = "0.0.0.0"  # noqa: S104 - to be refused
WEAK = {
    "missing": "",
    "blank": " " * 40,
    "short": secrets.token_urlsafe(48)[:31],
    "one letter": "x" * 64,
    "few letters": "abababcabababcabababcabababcabababcab1",
    "repeats": "kP3v-Zq81_xT7nJw" * 3,
    "of an example": "thisISaSECRET_1234thisISaSECRET_1234!",
    "to be changed": "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET",
    "of a framework": "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "counted": "0123456789abcdefghijklmnopqrstuvwxyz",
    "insecure": "django-insecure-&psk#na5l=p3q8_a+-$4w1f^lt3lx1c@d*p4x$ymm_rn7pwb87",
}


@pytest.mark.parametrize("why", WEAK)
def test_weak_secrets_are_refused_and_never_shown(why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_secret("WANGGE_SECRET", WEAK[why])
    assert caught.value.code == "secret-weak"
    assert not WEAK[why].strip() or WEAK[why] not in str(caught.value)
    assert "WANGGE_SECRET" in caught.value.zh
    assert "WANGGE_SECRET" in caught.value.en


def test_random_secrets_pass() -> None:
    for _ in range(200):
        for secret in (secrets.token_urlsafe(48), secrets.token_hex(32), secrets.token_urlsafe(24)):
            check_secret("WANGGE_SECRET", secret)


def test_a_weak_fallback_is_refused() -> None:
    with pytest.raises(SettingsError, match="WANGGE_SECRET_FALLBACKS"):
        check_settings(Settings(team=True, secret=secrets.token_urlsafe(48), secret_fallbacks=("short",)))


@pytest.mark.parametrize("host", [EVERYWHERE, "192.168.1.5", "::", "wangge.example", ""])
def test_without_logins_only_this_machine_is_served(host: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_settings(Settings(host=host))
    assert caught.value.code == "login-needed"
    check_settings(Settings(host=host, team=True, secret=secrets.token_urlsafe(48)))


def test_loopback() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "127.8.0.1", "localhost", "::1", "[::1]"]))
    assert not any(map(is_loopback, ["128.0.0.1", "localhost.evil.example", "127.0.0.1.evil.example", ""]))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"oidc_url": "https://id.example/.well-known/openid-configuration"}, "oidc-incomplete"),
        (
            {"oidc_url": "http://id.example/.well-known/openid-configuration", "oidc_client_id": "w"},
            "oidc-plain",
        ),
    ],
)
def test_an_identity_provider_is_set_up_whole_and_safe(changes: dict[str, str], code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_settings(Settings(team=True, secret=secrets.token_urlsafe(48), **changes))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"WANGGE_TEAM": "true"},
        {"WANGGE_TEAM": "true", "WANGGE_SECRET": "changeme-changeme-changeme-changeme-1"},
        {"WANGGE_HOST": EVERYWHERE},
    ],
)
def test_the_process_ends_with_an_error(changes: dict[str, str], tmp_path: Path) -> None:
    """A real process: it says why in both languages, listens nowhere and leaves no trace."""
    environment = {"PATH": os.environ["PATH"], "WANGGE_DATA_DIR": str(tmp_path / "data"), "WANGGE_PORT": "0"}
    ended = subprocess.run(
        [sys.executable, "-m", "web"],
        cwd=ROOT,
        env=environment | changes,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode not in {0, None}
    assert "WANGGE_SECRET" in ended.stderr
    assert any("\u4e00" <= letter <= "\u9fff" for letter in ended.stderr)
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "data").exists()
