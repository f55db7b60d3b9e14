"""The identity provider as this server knows it: cached metadata and keys, and the two requests.

Metadata and keys are kept for an hour. A token under an unknown key makes the keys be fetched
again, at most once in `KEYS_AGAIN_S`; a failed request is not repeated for `FAILED_FOR_S`.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from z4j_brain import clock
from z4j_brain.auth.oidc import discovery, id_token, signing_keys
from z4j_brain.auth.oidc.config import OidcConfig
from z4j_brain.auth.oidc.discovery import Metadata
from z4j_brain.auth.oidc.fetching import Answer, Fetcher, ProviderError
from z4j_brain.auth.oidc.id_token import Expected, IdTokenError
from z4j_brain.auth.oidc.signing_keys import SigningKeys

_SECOND_US = 1_000_000
KEPT_S = 3_600
FAILED_FOR_S = 5
KEYS_AGAIN_S = 10
T = TypeVar("T")


class Attempt(msgspec.Struct, frozen=True):
    """What one sign-in is bound to."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str

    def __repr__(self) -> str:
        return "Attempt()"


class Tokens(msgspec.Struct, frozen=True):
    """The answer of the token endpoint: RFC 6749, section 5.1; Core 3.1.3.3."""

    id_token: str
    access_token: str = ""

    def __repr__(self) -> str:
        return "Tokens()"


class _Cached(Generic[T]):
    """One document, fetched by one caller at a time."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], clock_us: Callable[[], int]) -> None:
        self._fetch = fetch
        self._clock_us = clock_us
        self._lock = asyncio.Lock()
        self._found: T | None = None
        self._failure: ProviderError | None = None
        self._at = 0

    def age_s(self) -> float:
        """Return how long ago it was fetched, or could not be."""
        return (self._clock_us() - self._at) / _SECOND_US

    async def get(self, kept_s: float = KEPT_S) -> T:
        """Return it, not older than `kept_s`; raises `ProviderError`."""
        async with self._lock:
            if self._failure is not None and 0 <= self.age_s() < FAILED_FOR_S:
                raise ProviderError(str(self._failure))
            if self._found is None or not 0 <= self.age_s() < kept_s:
                await self._renew()
            if self._found is None:
                raise ProviderError("nothing was fetched")
            return self._found

    async def _renew(self) -> None:
        self._found = self._failure = None
        try:
            self._found = await self._fetch()
        except ProviderError as error:
            self._failure = error
            raise
        finally:
            self._at = self._clock_us()


class Provider:
    """Talks to one provider. Belongs to one event loop; holds nothing that must be closed."""

    def __init__(
        self,
        config: OidcConfig,
        fetcher: Fetcher | None = None,
        clock_us: Callable[[], int] = clock.now,
    ) -> None:
        self.config = config
        self._fetcher = fetcher or Fetcher()
        self._metadata = _Cached(self._fetch_metadata, clock_us)
        self._keys = _Cached(self._fetch_keys, clock_us)

    async def authorization_url(self, attempt: Attempt, challenge: str) -> str:
        """Return where the browser goes: Core 3.1.2.1 with RFC 7636, section 4.3."""
        endpoint = (await self._metadata.get()).authorization_endpoint
        question = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": attempt.redirect_uri,
            "scope": " ".join(self.config.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(question)}"

    async def check_sender(self, iss: str | None) -> None:
        """Refuse an answer that another provider gave: RFC 9207, section 2.4."""
        promised = (await self._metadata.get()).authorization_response_iss_parameter_supported
        if (iss is not None or promised) and iss != self.config.issuer:
            raise ProviderError("the answer came from another issuer (iss), or says not from whom")

    async def redeem(self, code: str, attempt: Attempt) -> Tokens:
        """Exchange the code: Core 3.1.3.1; raises `ProviderError`."""
        metadata = await self._metadata.get()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        headers = self._authenticate(metadata, form)
        answer = await self._fetcher.post(metadata.token_endpoint, form, headers)
        if answer.status != 200:
            raise ProviderError(
                f"{metadata.token_endpoint} refuses the code: {answer.status} {_reason(answer)}"
            )
        try:
            return msgspec.json.decode(answer.body, type=Tokens)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ProviderError(f"the token endpoint answers no ID token: {error}") from None

    async def claims(self, tokens: Tokens, nonce: str) -> dict[str, Any]:
        """Check the ID token and return what it says; raises `ProviderError`."""
        header = id_token.read_header(tokens.id_token)
        key = (await self._keys.get()).find(header.kid, header.alg)
        if key is None and self._keys.age_s() >= KEYS_AGAIN_S:  # they may have been exchanged
            key = (await self._keys.get(KEYS_AGAIN_S)).find(header.kid, header.alg)
        if key is None:
            raise IdTokenError("the ID token is signed with a key that the provider does not show")
        config = self.config
        expected = Expected(config.issuer, config.client_id, nonce, clock.now())
        return id_token.verify(tokens.id_token, header, key, expected)

    async def user_info(self, tokens: Tokens, subject: str) -> dict[str, Any]:
        """Ask for further claims: Core 5.3; empty without such an endpoint. `ProviderError`."""
        endpoint = (await self._metadata.get()).userinfo_endpoint
        if endpoint is None or not tokens.access_token:
            return {}
        bearer = {"Authorization": f"Bearer {_one_line(tokens.access_token)}"}
        answer = await self._fetcher.get(endpoint, bearer)
        if answer.status != 200:
            raise ProviderError(f"{endpoint} answers {answer.status}")
        try:
            found = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ProviderError(f"{endpoint} is no user info in JSON: {error}") from None
        if found.get("sub") != subject:  # 5.3.2: or tokens could be exchanged
            raise ProviderError(f"{endpoint} tells of somebody else (sub)")
        return found

    def _authenticate(self, metadata: Metadata, form: dict[str, str]) -> dict[str, str]:
        """Add who we are: RFC 6749, section 2.3.1; a public client says its name only."""
        config, methods = self.config, metadata.token_endpoint_auth_methods_supported
        if config.client_secret and ("client_secret_basic" in methods or not methods):
            pair = f"{quote(config.client_id, safe='')}:{quote(config.client_secret, safe='')}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        form["client_id"] = config.client_id
        if config.client_secret:
            form["client_secret"] = config.client_secret
        return {}

    async def _fetch_metadata(self) -> Metadata:
        issuer = self.config.issuer
        answer = await self._fetcher.get(discovery.address_of(issuer))
        return discovery.read_metadata(answer, issuer)

    async def _fetch_keys(self) -> SigningKeys:
        where = (await self._metadata.get()).jwks_uri
        return signing_keys.read_keys(await self._fetcher.get(where), where)


class _Refusal(msgspec.Struct, frozen=True):
    error: str = ""
    error_description: str = ""


def _reason(answer: Answer) -> str:
    """Return the error of RFC 6749, section 5.2, for the log."""
    try:
        told = msgspec.json.decode(answer.body, type=_Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return ascii(f"{told.error[:60]} {told.error_description[:200]}")


def _one_line(token: str) -> str:
    if not token.isascii() or not token.isprintable():
        raise ProviderError("the access token is no text for a header")
    return token
