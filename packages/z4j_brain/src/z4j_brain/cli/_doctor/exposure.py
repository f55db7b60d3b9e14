"""Settings that are dangerous where the server can be reached from outside."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from z4j_brain.cli._doctor.finding import Finding, bad, good, look
from z4j_brain.settings import Settings

_LOCAL_NAMES = frozenset({"localhost", ""})
_CHECKED = frozenset({"verify-full", "verify-ca"})
_WIDEST = {4: 8, 6: 16}
"""Bits of the network of a proxy, by IP version: with fewer anybody is one."""


def look_at_exposure(settings: Settings) -> Iterator[Finding]:
    """Look at who can reach the server, and what it believes of them."""
    wide = [text for text in settings.trusted_proxies if _is_wide(text)]
    if wide:
        yield bad(
            f"Z4J_TRUSTED_PROXIES trusts {', '.join(wide)}: whoever is in there can claim any"
            " address, and to be on TLS. Name the proxies alone."
        )
    if is_local(settings.host):
        yield good(f"address: {settings.host}, which only this machine reaches")
    else:
        yield from _public(settings)
    yield from _link_to_database(settings)


def _public(settings: Settings) -> Iterator[Finding]:
    proxies = [text for text in settings.trusted_proxies if not _is_loopback(text)]
    if proxies:
        yield look(
            f"address: {settings.host}. z4j speaks plain HTTP: make sure that only the proxies"
            f" {', '.join(proxies)} reach this port, and that they end TLS."
        )
    else:
        yield bad(
            f"address: {settings.host}, without TLS: passwords and tokens cross the network"
            " readable. Put a proxy with TLS in front and name it in Z4J_TRUSTED_PROXIES, or set"
            " Z4J_HOST=127.0.0.1 when it runs on this machine."
        )
    if "*" in settings.allowed_hosts:
        yield look(
            "Z4J_ALLOWED_HOSTS: every host name is answered. Name yours, such as z4j.example.org."
        )


def _link_to_database(settings: Settings) -> Iterator[Finding]:
    if settings.is_sqlite:
        return
    try:
        url = make_url(settings.database_url)
    except ArgumentError:
        return
    mode, host = url.query.get("sslmode", "prefer"), url.host or ""
    if host.startswith("/") or is_local(host) or mode in _CHECKED:
        return
    yield look(
        f"database: the link to {host} is not checked (sslmode={mode}): who is between can read"
        " and change it. Add ?sslmode=verify-full to Z4J_DATABASE_URL, unless that network is"
        " yours alone."
    )


def is_local(host: str) -> bool:
    """Tell whether only this machine reaches a server that listens there."""
    return host in _LOCAL_NAMES or _is_loopback(host)


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_network(text, strict=False).is_loopback
    except ValueError:
        return False


def _is_wide(text: str) -> bool:
    network = ipaddress.ip_network(text, strict=False)
    return network.prefixlen < _WIDEST[network.version]
