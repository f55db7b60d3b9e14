"""Headers that every answer carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    # Not no-referrer: a form's POST would then have the Origin "null".
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


_HSTS = "max-age=31536000"
"""A year; what else the domain serves is not ours to decide on, so no `includeSubDomains`."""


class SecurityHeaders:
    """ASGI middleware: adds the headers that an answer does not set itself.

    It stands behind `TrustedProxies`, which knows whether the browser talks TLS.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go on, and add them on the way back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        is_secured = _is_secured(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if is_secured:
                    headers.setdefault("Strict-Transport-Security", _HSTS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _is_secured(scope: Scope) -> bool:
    """Tell whether the browser talks TLS to a name that it may keep to TLS for good."""
    name = Headers(scope=scope).get("host", "").partition(":")[0].lower()
    return scope.get("scheme") == "https" and not f".{name}".endswith(".localhost")


def page_policy(extra: Mapping[str, Sequence[str]]) -> str:
    """Return the policy of the dashboard: nothing but our own files, and the given hashes."""
    policy = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
    for directive, sources in extra.items():
        policy.setdefault(directive, []).extend(sources)
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in policy.items())
