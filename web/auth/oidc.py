"""Sign in with an OpenID Connect provider: authorization code with PKCE.

Between leaving for the provider and coming back, what has to match is kept in a signed cookie of ten minutes.
"""

from __future__ import annotations

import hmac
import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from itsdangerous import BadData, URLSafeTimedSerializer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from requests import RequestException

from web.auth.sessions import derived_key
from web.errors import BusyError, SignInError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from web.settings import Settings

LOG = logging.getLogger("wangge")

TIMEOUT_S = 10
STATE_S = 600
KEPT_S = 3600.0
"""The provider's description and keys are asked for again after so long, or when a key is not among them."""
LEEWAY_S = 300
"""The provider's clock may differ by so much."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that only the provider can make; never ``none``, never one made with a shared secret."""
WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Person:
    """Who somebody is at the provider."""

    issuer: str
    subject: str
    name: str
    """What the provider calls the account; only a suggestion."""
    display_name: str


@dataclass(frozen=True)
class Journey:
    """What was kept while somebody was at the provider."""

    back: str
    """Address on this site to go to afterwards."""
    user: str | None
    """Id of the signed-in user who wants to be bound to the provider's person; None to sign in."""


class Provider:
    """The identity provider of the settings."""

    def __init__(self, settings: Settings, secrets: Sequence[str]) -> None:
        self.name = settings.oidc_name
        self.create_users = settings.oidc_create_users
        self._url = settings.oidc_url
        self._client_id = settings.oidc_client_id
        self._client_secret = settings.oidc_client_secret.get_secret_value() or None
        self._scope = settings.oidc_scope
        # The signer takes the oldest key first and signs with the last.
        keys = [derived_key(secret, "oidc") for secret in reversed(secrets)]
        self._signer = URLSafeTimedSerializer(keys, salt="oidc")
        self._lock = threading.Lock()
        self._kept: tuple[float, dict[str, Any], KeySet] | None = None

    @classmethod
    def of(cls, settings: Settings, secrets: Sequence[str]) -> Provider | None:
        """Return the provider of the settings, None where none is set."""
        return cls(settings, secrets) if settings.oidc_url else None

    def leave(self, redirect_uri: str, *, back: str, user: str | None = None) -> tuple[str, str]:
        """Return the provider's address to send a browser to, and the cookie to give it.

        Raises
        ------
        BusyError
            If the provider does not answer.
        """
        described, _ = self._description()
        verifier, nonce, state = generate_token(64), generate_token(32), generate_token(32)
        with self._session(redirect_uri) as session:
            address, _ = session.create_authorization_url(
                described["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce
            )
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "back": back, "user": user}
        return str(address), str(self._signer.dumps(kept))

    def arrive(self, redirect_uri: str, given: Mapping[str, str], cookie: str) -> tuple[Person, Journey]:
        """Return who came back from the provider.

        Parameters
        ----------
        given
            What the address holds that the provider sent the browser to.
        cookie
            What `leave` gave the browser.

        Raises
        ------
        SignInError
            If anything does not match: it was not this browser, or not this provider, or too long ago.
        BusyError
            If the provider does not answer.
        """
        try:
            kept = self._signer.loads(cookie, max_age=STATE_S)
        except BadData as error:
            raise _failed("state") from error
        if not hmac.compare_digest(
            given.get("state", "").encode("utf-8", "surrogatepass"), kept["state"].encode()
        ):
            raise _failed("state")
        if "code" not in given:
            raise _failed(given.get("error", "code")[:80])
        described, keys = self._description()
        if given.get("iss", described["issuer"]) != described["issuer"]:
            raise _failed("issuer")
        token = self._token(described, redirect_uri, given["code"], kept["verifier"])
        claims = self._claims(token, described, keys, kept["nonce"])
        return _person(claims), Journey(kept["back"], kept["user"])

    def _token(
        self, described: Mapping[str, Any], redirect_uri: str, code: str, verifier: str
    ) -> dict[str, Any]:
        try:
            with self._session(redirect_uri) as session:
                token = session.fetch_token(
                    described["token_endpoint"],
                    code=code,
                    code_verifier=verifier,
                    grant_type="authorization_code",
                )
        except OAuthError as error:
            raise _failed(str(error.error)[:80]) from error
        except (RequestException, ValueError) as error:
            raise _unreachable(error) from error
        return dict(token)

    def _claims(
        self, token: Mapping[str, Any], described: Mapping[str, Any], keys: KeySet, nonce: str
    ) -> CodeIDToken:
        offered = described.get("id_token_signing_alg_values_supported", ["RS256"])
        registry = JWSRegistry(
            algorithms=[name for name in ALGORITHMS if name in offered], strict_check_header=False
        )
        text = str(token.get("id_token", ""))
        try:
            try:
                found = jwt.decode(text, keys, registry=registry)
            except (JoseError, ValueError):  # perhaps the provider has changed its keys since
                _, keys = self._description(fresh=True)
                found = jwt.decode(text, keys, registry=registry)
            claims = CodeIDToken(
                found.claims,
                found.header,
                {
                    "iss": {"essential": True, "value": described["issuer"]},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                    "nonce": {"essential": True, "value": nonce},
                },
                {
                    "client_id": self._client_id,
                    "nonce": nonce,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, ValueError) as error:
            LOG.warning("identity token refused: %s", type(error).__name__)
            raise _failed("token") from error
        return claims

    def _description(self, *, fresh: bool = False) -> tuple[dict[str, Any], KeySet]:
        """Return what the provider says of itself, and its keys."""
        with self._lock:
            if self._kept is None or fresh or time.monotonic() - self._kept[0] > KEPT_S:
                self._kept = (time.monotonic(), *self._ask())
            return self._kept[1], self._kept[2]

    def _ask(self) -> tuple[dict[str, Any], KeySet]:
        try:
            with self._session("") as session:
                described = session.get(self._url, withhold_token=True)
                described.raise_for_status()
                document: dict[str, Any] = described.json()
                _check_issuer(str(document["issuer"]), self._url)
                answer = session.get(document["jwks_uri"], withhold_token=True)
                answer.raise_for_status()
                return document, KeySet.import_key_set(answer.json())
        except (RequestException, JoseError, ValueError, KeyError, TypeError) as error:
            raise _unreachable(error) from error

    def _session(self, redirect_uri: str) -> OAuth2Session:
        return OAuth2Session(
            self._client_id,
            self._client_secret,
            scope=self._scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            default_timeout=TIMEOUT_S,
        )


def _check_issuer(issuer: str, url: str) -> None:
    if url != f"{issuer.rstrip('/')}{WELL_KNOWN}":
        raise ValueError(f"the issuer {issuer} is not what was asked at {url}")


def _person(claims: Mapping[str, Any]) -> Person:
    name = claims.get("preferred_username") or claims.get("email") or claims["sub"]
    return Person(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        name=str(name),
        display_name=str(claims.get("name") or ""),
    )


def _failed(why: str) -> SignInError:
    return SignInError(
        "provider-refused",
        "身份服务登录未成功，请重试。",
        "Signing in with the identity provider did not work. Try again.",
        why=why,
    )


def _unreachable(error: Exception) -> BusyError:
    LOG.warning("identity provider: %s", error)
    return BusyError(
        "provider-unreachable",
        "身份服务没有正常响应，请稍后再试或使用密码登录。",
        "The identity provider does not answer as it should. Try later, or sign in with a password.",
    )
