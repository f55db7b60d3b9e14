"""Checks an ID token: OpenID Connect Core 1.0, section 3.1.3.7, point by point."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from z4j_brain.auth.oidc.fetching import ProviderError
from z4j_brain.auth.oidc.signing_keys import ALGORITHMS

if TYPE_CHECKING:
    from joserfc.jwk import Key

MOST_BYTES = 128 * 1024
_LONGEST_HEADER = 8 * 1024
"""Some providers put their certificates there."""
SKEW_S = 60
OLDEST_S = 600
"""An ID token comes fresh from the provider; an older one was kept by somebody."""

_Seconds = Annotated[float, Meta(ge=0, le=1e11)]


class IdTokenError(ProviderError):
    """The token will not do; the message says why, for the log."""


class Header(msgspec.Struct, frozen=True):
    """What is read of a token before its signature is checked."""

    alg: str
    kid: str | None = None


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    sub: Annotated[str, Meta(max_length=255, pattern=r"^[ -~]+(?![\s\S])")]
    aud: str | list[str]
    exp: _Seconds
    iat: _Seconds
    nonce: str
    azp: str | None = None
    nbf: _Seconds = 0


class Expected(msgspec.Struct, frozen=True):
    """What a token must say. `now` is in microseconds."""

    issuer: str
    client_id: str
    nonce: str
    now: int

    def __repr__(self) -> str:
        return f"Expected({self.issuer})"


def read_header(token: str) -> Header:
    """Read algorithm and key of a token; raises `IdTokenError` for an algorithm of no use."""
    if len(token) > MOST_BYTES:
        raise IdTokenError(f"the ID token has more than {MOST_BYTES:,} bytes")
    first, _, rest = token.partition(".")
    if rest.count(".") != 1:
        raise IdTokenError("the ID token is no signed token (an encrypted one is not supported)")
    try:
        padded = base64.b64decode(first + "=" * (-len(first) % 4), b"-_", validate=True)
        header = msgspec.json.decode(padded, type=Header)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        raise IdTokenError("the header of the ID token cannot be read") from None
    if header.alg not in ALGORITHMS:
        raise IdTokenError(
            f"the ID token is signed with {header.alg[:20]!r}; set the client to one of"
            f" {', '.join(sorted(ALGORITHMS))}"
        )
    return header


def verify(token: str, header: Header, key: Key, expected: Expected) -> dict[str, Any]:
    """Return the claims of a token that holds; raises `IdTokenError`."""
    claims = _signed(token, header, key)
    try:
        told = msgspec.convert(claims, _Claims)
    except msgspec.ValidationError as error:
        raise IdTokenError(f"the ID token lacks what it must say: {error}") from None
    if told.iss != expected.issuer:
        raise IdTokenError(f"the ID token is of another issuer, {told.iss[:200]!r}")
    _check_audience(told, expected.client_id)
    _check_times(told, expected.now)
    if not hmac.compare_digest(_bytes(told.nonce), _bytes(expected.nonce)):
        raise IdTokenError("the ID token was made for another sign-in (nonce)")
    return claims


def _signed(token: str, header: Header, key: Key) -> dict[str, Any]:
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jws import JWSRegistry

    registry = JWSRegistry(algorithms=[header.alg], strict_check_header=False)
    registry.max_header_length = _LONGEST_HEADER
    try:
        return dict(jwt.decode(token, key, [header.alg], registry).claims)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise IdTokenError(
            f"the signature of the ID token does not hold ({type(error).__name__})"
        ) from None


def _check_audience(told: _Claims, client_id: str) -> None:
    audience = [told.aud] if isinstance(told.aud, str) else told.aud
    if client_id not in audience:
        raise IdTokenError("the ID token is for another client (aud)")
    if told.azp is None and len(audience) > 1:
        raise IdTokenError("the ID token is for several clients and says not for which (azp)")
    if told.azp is not None and told.azp != client_id:
        raise IdTokenError("the ID token was given to another client (azp)")


def _check_times(told: _Claims, now: int) -> None:
    now_s = now / 1_000_000
    if told.exp <= now_s - SKEW_S:
        raise IdTokenError("the ID token has run out (exp); check the clocks")
    if max(told.iat, told.nbf) > now_s + SKEW_S:
        raise IdTokenError("the ID token is of the future (iat, nbf); check the clocks")
    if told.iat < now_s - OLDEST_S - SKEW_S:
        raise IdTokenError("the ID token is old (iat); check the clocks")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
