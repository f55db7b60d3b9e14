"""Where a request comes from, as far as attempts are counted."""

from __future__ import annotations

import ipaddress

IPV6_PREFIX = 64
"""What one subscriber has at least (RFC 6177), so that its addresses are no further attempts."""


def place_of(address: str | None) -> str:
    """Return an IPv4 address, the /64 of an IPv6 address, or "unknown".

    An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`, RFC 4291, section 2.5.5.2) is the
    IPv4 address.
    """
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), IPV6_PREFIX), strict=False))
