"""What a reverse proxy says of the browser, believed only from trusted addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Headers = list[tuple[bytes, bytes]]

_FOR, _PROTO, _HOST = b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"
_FORWARDED = {_FOR, _PROTO, _HOST}
_REQUEST_ID = b"x-request-id"
_SCHEMES = {
    ("http", "http"): "http",
    ("http", "https"): "https",
    ("websocket", "http"): "ws",
    ("websocket", "https"): "wss",
}
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[0-9.]+))(?::[0-9]{1,5})?")
_HOST_NAME = re.compile(r"[A-Za-z0-9._~-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


class TrustedProxies:
    """ASGI middleware: puts scheme, host and client where the rest of the server looks for them.

    The `X-Forwarded-*` headers themselves are taken away, so that nothing else can believe them;
    so is the `X-Request-ID` of a stranger.
    Raises `ValueError` for something that is no address and no network.
    """

    def __init__(self, app: ASGIApp, trusted: Iterable[str]) -> None:
        self._app = app
        self._trusted = [ipaddress.ip_network(text, strict=False) for text in trusted]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrite the scope and go on."""
        if scope["type"] in {"http", "websocket"}:
            scope = self._rewritten(scope)
        await self._app(scope, receive, send)

    def _rewritten(self, scope: Scope) -> Scope:
        headers: Headers = [(name.lower(), value) for name, value in scope["headers"]]
        kept = [pair for pair in headers if pair[0] not in _FORWARDED]
        changed = {**scope, "headers": kept}
        client = scope.get("client")
        if client is None or not self._is_trusted(client[0]):
            changed["headers"] = [pair for pair in kept if pair[0] != _REQUEST_ID]
            return changed
        protocol = _values(headers, _PROTO)
        if protocol and (found := _SCHEMES.get((scope["type"], protocol[-1].lower()))):
            changed["scheme"] = found
        hosts = _values(headers, _HOST)
        if hosts and _HOST_NAME.fullmatch(hosts[-1]):
            without = [pair for pair in kept if pair[0] != b"host"]
            changed["headers"] = [*without, (b"host", hosts[-1].encode("latin-1"))]
        if address := self._first_stranger(_values(headers, _FOR)):
            changed["client"] = (address, 0)
        return changed

    def _first_stranger(self, addresses: list[str]) -> str | None:
        """Return the nearest address that is no proxy of ours; each was told by the next one."""
        nearest = None
        for text in reversed(addresses):
            try:
                nearest = str(_address(text))
            except ValueError:
                break
            if not self._is_trusted(nearest):
                break
        return nearest

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = _address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Parse an address, with a port if there is one; an IPv4 address written as IPv6 is that.

    Raises `ValueError`.
    """
    if found := _WITH_PORT.fullmatch(text):
        text = found["v6"] or found["v4"]
    parsed = ipaddress.ip_address(text)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return parsed if mapped is None else mapped


def _values(headers: Headers, wanted: bytes) -> list[str]:
    text = ",".join(value.decode("latin-1") for name, value in headers if name == wanted)
    return [part for part in (item.strip() for item in text.split(",")) if part]
