"""Under which name passkeys are made and used: the relying party of WebAuthn.

Its id is the host name, its origin what the browser signs. A browser refuses another id than that
of the page; the server compares both again.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import msgspec


class NoRelyingPartyError(Exception):
    """At this address there can be no passkeys; the message says where there can."""


class RelyingParty(msgspec.Struct, frozen=True):
    """WebAuthn Level 3, sections 5.1.3 and 13.4.9: host name and origin of the page."""

    id: str
    origin: str


def at(origin: str, public_url: str = "") -> RelyingParty:
    """Return the relying party of a page of this origin; raises `NoRelyingPartyError`.

    `public_url` is the only origin that counts, if there is one.
    """
    if public_url and origin != public_url:
        raise NoRelyingPartyError(f"Passkeys work at {public_url} only. Open that address.")
    parts = urlsplit(origin)
    host = parts.hostname or ""
    is_local = host == "localhost" or host.endswith(".localhost")
    if _is_address(host):
        raise NoRelyingPartyError(
            "Passkeys belong to a host name, and this page was opened by an IP address. Open it by"
            " its name, on your own computer by http://localhost."
        )
    if parts.scheme != "https" and not is_local:
        raise NoRelyingPartyError("Passkeys need HTTPS. Open this page by https://.")
    return RelyingParty(host, origin)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return not host
    return True
