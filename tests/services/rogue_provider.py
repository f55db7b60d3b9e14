"""A small identity provider that signs, and answers, whatever a test tells it to.

For what a real one (`services/oidc_provider.py`) would never do. It needs joserfc, the library that
it is to deceive.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "z4j", "not told to anybody else"
Raw = Callable[[BaseHTTPRequestHandler], None]
"""Answers a request as it likes."""


@dataclass
class Question:
    """What the browser asked for, kept under the code that it was given."""

    nonce: str
    challenge: str
    redirect_uri: str


@dataclass
class RogueProvider:
    """What it says of itself and of people; change anything while it runs."""

    issuer: str
    key: RSAKey
    metadata: dict[str, Any] = field(default_factory=dict)
    """Comes on top of the right metadata."""
    claims: dict[str, Any] = field(default_factory=dict)
    """Come on top of the right claims of the ID token; None takes one away."""
    user_info: dict[str, Any] = field(default_factory=lambda: {"sub": "sub-of-eve"})
    make_token: Callable[[dict[str, Any]], str] | None = None
    raw: dict[str, Raw] = field(default_factory=dict)
    """By path; in place of the right answer."""
    asked: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    questions: dict[str, Question] = field(default_factory=dict)

    def approve(self, url: str) -> dict[str, str]:
        """Return the parameters with which a browser that was sent to `url` comes back."""
        told = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{self.issuer}/authorize?")
        assert told["response_type"] == "code"
        assert told["client_id"] == CLIENT
        assert told["code_challenge_method"] == "S256"
        assert "openid" in told["scope"].split()
        code = secrets.token_urlsafe(16)
        self.questions[code] = Question(told["nonce"], told["code_challenge"], told["redirect_uri"])
        return {"code": code, "state": told["state"]}

    def sign(
        self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None, key: Any = None
    ) -> str:
        """Sign as the right key would."""
        signed_as = {"alg": "RS256", "kid": self.key.kid, **(header or {})}
        return jwt.encode(signed_as, dict(claims), key or self.key, [signed_as["alg"]])

    def right_claims(self, question: Question) -> dict[str, Any]:
        """Return what the ID token should say, with the test's changes."""
        now = int(time.time())
        told = {
            "iss": self.issuer,
            "sub": "sub-of-eve",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": question.nonce,
            "email": "eve@example.org",
            "email_verified": True,
            "name": "Eve",
            "groups": [],
            **self.claims,
        }
        return {name: value for name, value in told.items() if value is not None}

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Return status and content."""
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "userinfo_endpoint": f"{self.issuer}/me",
                **self.metadata,
            }
        if path == "/jwks":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if path == "/me":
            return 200, self.user_info
        if path == "/token":
            return self._redeem(form, authorization)
        return 404, {}

    def _redeem(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        question = self.questions.pop(form.get("code", ""), None)
        pair = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '%20')}".encode()).decode()
        if authorization != f"Basic {pair}":
            self.faults.append("the client does not authenticate")
        if question is None:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != question.challenge:
            self.faults.append("the verifier does not fit")
        if form.get("redirect_uri") != question.redirect_uri:
            self.faults.append("another redirect_uri")
        claims = self.right_claims(question)
        token = self.make_token(claims) if self.make_token else self.sign(claims)
        return 200, {"id_token": token, "access_token": "opaque", "token_type": "Bearer"}


class _Handler(BaseHTTPRequestHandler):
    provider: RogueProvider

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self._answer({name: values[0] for name, values in parse_qs(body).items()})

    def _answer(self, form: dict[str, str]) -> None:
        provider, path = self.provider, urlsplit(self.path).path
        provider.asked[path] += 1
        if path in provider.raw:
            with suppress(OSError):  # who asked has had enough
                provider.raw[path](self)
            return
        status, content = provider.answer(path, form, self.headers.get("authorization", ""))
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def running_rogue_provider() -> Iterator[RogueProvider]:
    """Run one on a free port of the loopback."""
    provider = RogueProvider("", _first_key())
    handler = type("Handler", (_Handler,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


@cache
def _first_key() -> RSAKey:
    """Made once: that takes a while."""
    return new_key()


def new_key() -> RSAKey:
    """Make a key with a `kid` of its own."""
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})
