"""The keys with which a provider signs: RFC 7517. Only public keys can get in here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from z4j_brain.auth.oidc.fetching import Answer, ProviderError

if TYPE_CHECKING:
    from joserfc.jwk import Key

MOST_KEYS = 100
LEAST_RSA_BITS = 2048
_LARGEST_RSA_BITS = 8192
_KINDS = {
    "RSA": {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
    "EC": {"ES256", "ES384", "ES512"},
    "OKP": {"Ed25519"},
}
ALGORITHMS = frozenset().union(*_KINDS.values())
"""What an ID token may be signed with: no `none`, and nothing where a public key is a secret."""


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class SigningKeys(msgspec.Struct, frozen=True):
    """The public keys of a provider at one time."""

    keys: tuple[tuple[str | None, str, Any], ...]
    """Each with its `kid` and its kind."""

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """Return the key of a token's header; without a `kid` there must be only one that fits."""
        found: list[Key] = [
            key
            for name, kind, key in self.keys
            if algorithm in _KINDS[kind] and (kid is None or name == kid)
        ]
        return found[0] if len(found) == 1 else None


def read_keys(answer: Answer, where: str) -> SigningKeys:
    """Read a JWK set; keys of other kinds and for other uses are left out. `ProviderError`."""
    if answer.status != 200:
        raise ProviderError(f"{where} answers {answer.status} instead of keys")
    try:
        found = msgspec.json.decode(answer.body, type=_KeySet)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProviderError(f"{where} is no set of keys: {error}") from None
    if len(found.keys) > MOST_KEYS:
        raise ProviderError(f"{where} holds more than {MOST_KEYS} keys")
    read = [_read(each) for each in found.keys]
    keys = tuple(each for each in read if each is not None)
    if not keys:
        raise ProviderError(f"{where} holds no public key that can sign")
    return SigningKeys(keys)


def _read(told: dict[str, Any]) -> tuple[str | None, str, Key] | None:
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    kind, kid = told.get("kty"), told.get("kid")
    if kind not in _KINDS or told.get("use", "sig") != "sig":
        return None
    if kid is not None and not isinstance(kid, str):
        return None
    public = {name: value for name, value in told.items() if name not in _PRIVATE}
    try:
        key = JWKRegistry.import_key(public, kind)
        size = getattr(key.public_key, "key_size", LEAST_RSA_BITS)
    except (JoseError, ValueError, TypeError, KeyError, OverflowError):
        return None
    if kind == "RSA" and not LEAST_RSA_BITS <= size <= _LARGEST_RSA_BITS:
        return None
    return kid, kind, key


_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "x5c", "x5u", "key_ops"})
