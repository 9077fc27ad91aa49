"""A small OpenID Connect provider on this machine: real HTTP, real signatures, and faults on demand."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT = "wangge"
CLIENT_SECRET = "a secret of client & provider"  # noqa: S105 - of a test


class OidcServer:
    """Answers discovery, keys, authorization and token requests; use it in a ``with`` statement.

    Attributes
    ----------
    person
        Claims of whoever is at the browser.
    spoil
        Changes the claims of an identity token before it is signed.
    """

    def __init__(self) -> None:
        self.person: dict[str, Any] = {"sub": "42", "preferred_username": "lisi", "name": "李四"}
        self.spoil: Callable[[dict[str, Any]], None] = lambda claims: None
        self.algorithm = "RS256"
        self.key = self._new_key("one")
        self.signer: Any = self.key
        self.down = False
        self.issuer_said: str | None = None
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"{self.issuer}/.well-known/openid-configuration"

    def change_keys(self) -> None:
        """Sign with another key from now on."""
        self.key = self.signer = self._new_key("two")

    def sign_with_the_client_secret(self) -> None:
        """Do what an attacker does who knows the client's secret only."""
        self.algorithm, self.signer = "HS256", OctKey.import_key(CLIENT_SECRET)

    def consent(self, address: str) -> str:
        """Play the person who signs in at `address`; return where the browser is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    @staticmethod
    def _new_key(name: str) -> RSAKey:
        return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})

    def _describe(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer_said or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256"],
        }

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        fits = (
            given == f"{CLIENT}:{CLIENT_SECRET}"
            and asked is not None
            and challenge == asked["code_challenge"]
            and form["redirect_uri"] == asked["redirect_uri"]
        )
        if not fits or asked is None:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = self.person | {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
        }
        self.spoil(claims)
        header = {"alg": self.algorithm, "kid": self.key.kid}
        token = jwt.encode(header, claims, self.signer, algorithms=[self.algorithm])
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": token}

    def _handler(outer) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler's own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                keys = {"keys": [outer.key.as_dict(private=False)]}
                documents = {"/.well-known/openid-configuration": outer._describe(), "/keys": keys}
                found = documents.get(self.path)
                self.answer(503 if outer.down else 200 if found else 404, found or {})

            def do_POST(self) -> None:
                outer.asked.append(self.path)
                length = int(self.headers["Content-Length"])
                form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
                self.answer(*outer._token(form, self.headers.get("Authorization", "")))

            def answer(self, status: int, document: dict[str, Any]) -> None:
                content = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        return Handler
