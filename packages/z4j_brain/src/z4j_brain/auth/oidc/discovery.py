"""What a provider says of itself: OpenID Connect Discovery 1.0, sections 3 and 4."""

from __future__ import annotations

import msgspec

from z4j_brain.auth.oidc.config import is_safe_url
from z4j_brain.auth.oidc.fetching import Answer, ProviderError

WELL_KNOWN = "/.well-known/openid-configuration"


class Metadata(msgspec.Struct, frozen=True):
    """The part of a provider's metadata that is used here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: list[str] | None = None
    authorization_response_iss_parameter_supported: bool = False


def address_of(issuer: str) -> str:
    """Return where the provider's metadata lies: section 4.1."""
    return issuer.rstrip("/") + WELL_KNOWN


def read_metadata(answer: Answer, issuer: str) -> Metadata:
    """Check an answer; raises `ProviderError`."""
    where = address_of(issuer)
    if answer.status != 200:
        raise ProviderError(f"{where} answers {answer.status}; check Z4J_OIDC_ISSUER")
    try:
        found = msgspec.json.decode(answer.body, type=Metadata)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProviderError(f"{where} is no metadata of a provider: {error}") from None
    if found.issuer != issuer:  # section 4.3: exactly, or another provider could pose as it
        raise ProviderError(
            f"{where} names the issuer {found.issuer[:200]!r}; Z4J_OIDC_ISSUER must be the same"
        )
    addresses = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
    for url in (*addresses, *filter(None, [found.userinfo_endpoint])):
        # A provider on the network may not send anybody to a server on this machine.
        if not is_safe_url(url) or (issuer.startswith("https:") and not url.startswith("https:")):
            raise ProviderError(f"{where} names the address {url[:200]!r}, which is not https")
    methods = found.code_challenge_methods_supported
    if methods is not None and "S256" not in methods:
        raise ProviderError(f"{where} does not know PKCE with S256")
    return found
