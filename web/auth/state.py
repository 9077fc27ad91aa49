"""The parts of signing in and of permissions, made once by the application factory."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from web.auth.accounts import Accounts
from web.auth.clock import SteadyClock
from web.auth.identity import SingleUser, TeamUser
from web.auth.oidc import Provider
from web.auth.permissions import Permissions
from web.auth.sessions import Sessions

if TYPE_CHECKING:
    from flask import Flask

    from web.auth.people import AuditStore, PeopleStore
    from web.auth.permissions import Places
    from web.settings import Settings

LOG = logging.getLogger("wangge")


@dataclass(frozen=True)
class Auth:
    """Accounts, permissions, and how requests are told apart."""

    accounts: Accounts
    permissions: Permissions
    identifier: SingleUser | TeamUser
    provider: Provider | None
    """None where there is no identity provider."""

    @property
    def team(self) -> bool:
        """Whether people sign in."""
        return self.identifier.team

    @classmethod
    def make(cls, settings: Settings, people: PeopleStore, audit: AuditStore, places: Places) -> Auth:
        """Put the parts together for the mode of the settings."""
        accounts = Accounts(people, audit)
        permissions = Permissions(people, places)
        if not settings.team:
            return cls(accounts, permissions, SingleUser(), None)
        keys = [secret.get_secret_value() for secret in (settings.secret, *settings.secret_fallbacks)]
        sessions = Sessions(people, keys, SteadyClock())
        if settings.insecure_cookies:
            LOG.warning(
                "会话 Cookie 将通过未加密的 HTTP 发送，仅限封闭内网使用。 / Session cookies travel over plain "
                "http (WANGGE_INSECURE_COOKIES); keep to a closed network."
            )
        return cls(
            accounts,
            permissions,
            TeamUser(sessions, insecure=settings.insecure_cookies),
            Provider.of(settings, keys),
        )


def init_app(app: Flask, settings: Settings, people: PeopleStore, audit: AuditStore, places: Places) -> None:
    """Give an application its accounts."""
    app.extensions["wangge_auth"] = Auth.make(settings, people, audit, places)
    if settings.proxies:
        # The address and the scheme that the browser used are known to the proxies alone.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies
        )
